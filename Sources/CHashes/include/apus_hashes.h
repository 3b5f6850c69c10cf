// Hashes and key derivation by OpenSSL.
#ifndef APUS_HASHES_H
#define APUS_HASHES_H

#include <stddef.h>
#include <stdint.h>

typedef enum { APUS_SHA1, APUS_SHA256 } apus_hash_algorithm;

enum { APUS_HASH_LARGEST_BYTES = 32 };

/// A hash over bytes that come in pieces, for one thread at a time.
typedef struct apus_hash apus_hash;

/// Returns NULL if OpenSSL has no such algorithm or no memory.
apus_hash *apus_hash_make(apus_hash_algorithm algorithm);
void apus_hash_free(apus_hash *hash);

/// Return 1, or 0 if OpenSSL cannot.
int apus_hash_update(apus_hash *hash, const void *bytes, size_t count);

/// Writes the hash to `digest` and its length to `count`. Nothing may be added to it afterwards.
int apus_hash_finish(apus_hash *hash, uint8_t digest[APUS_HASH_LARGEST_BYTES], size_t *count);

/// Derives `key_bytes` of a key from a secret by HKDF with SHA-256, without salt. Returns 1, or 0 if OpenSSL cannot.
/// Source: RFC 5869.
int apus_derive_key(
    const uint8_t *secret, size_t secret_bytes, const uint8_t *purpose, size_t purpose_bytes, uint8_t *key,
    size_t key_bytes);

#endif
