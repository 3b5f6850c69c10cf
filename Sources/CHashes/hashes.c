#include "apus_hashes.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

// Without the cleanup at exit, which would free what threads that still hash are using.
static void set_up(void) { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL); }

// The handle is OpenSSL's own.
static EVP_MD_CTX *context(apus_hash *hash) { return (EVP_MD_CTX *)hash; }

apus_hash *apus_hash_make(apus_hash_algorithm algorithm) {
    pthread_once(&once, set_up);
    EVP_MD_CTX *made = EVP_MD_CTX_new();
    if (made && EVP_DigestInit_ex(made, algorithm == APUS_SHA1 ? EVP_sha1() : EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(made);
        made = NULL;
    }
    return (apus_hash *)made;
}

void apus_hash_free(apus_hash *hash) { EVP_MD_CTX_free(context(hash)); }

int apus_hash_update(apus_hash *hash, const void *bytes, size_t count) {
    return EVP_DigestUpdate(context(hash), bytes, count) == 1;
}

int apus_hash_finish(apus_hash *hash, uint8_t digest[APUS_HASH_LARGEST_BYTES], size_t *count) {
    unsigned int length = 0;
    int is_done = EVP_DigestFinal_ex(context(hash), digest, &length) == 1;
    *count = length;
    return is_done;
}

int apus_derive_key(
    const uint8_t *secret, size_t secret_bytes, const uint8_t *purpose, size_t purpose_bytes, uint8_t *key,
    size_t key_bytes) {
    if (secret_bytes > INT_MAX || purpose_bytes > INT_MAX) { return 0; }
    pthread_once(&once, set_up);
    EVP_PKEY_CTX *derivation = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    size_t written = key_bytes;
    int is_done = derivation && EVP_PKEY_derive_init(derivation) == 1
        && EVP_PKEY_CTX_set_hkdf_md(derivation, EVP_sha256()) == 1
        && EVP_PKEY_CTX_set1_hkdf_key(derivation, secret, (int)secret_bytes) == 1
        && EVP_PKEY_CTX_add1_hkdf_info(derivation, purpose, (int)purpose_bytes) == 1
        && EVP_PKEY_derive(derivation, key, &written) == 1 && written == key_bytes;
    EVP_PKEY_CTX_free(derivation);
    return is_done;
}
