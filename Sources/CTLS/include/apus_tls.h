// Byte streams over TCP, in clear or under TLS 1.3 by OpenSSL, for one thread each. Nothing here waits.
#ifndef APUS_TLS_H
#define APUS_TLS_H

#include <stddef.h>
#include <stdint.h>

enum { APUS_TLS_DIGEST_BYTES = 32 };

/// A private key and a certificate signed with it.
typedef struct apus_tls_identity apus_tls_identity;

/// Makes an Ed25519 key and its certificate, and writes the SHA-256 of the certificate to `digest`.
/// Returns NULL if OpenSSL cannot; apus_tls_failure says why.
apus_tls_identity *apus_tls_identity_make(uint8_t digest[APUS_TLS_DIGEST_BYTES]);
void apus_tls_identity_free(apus_tls_identity *identity);

/// The newest failure of OpenSSL in this thread, in words.
const char *apus_tls_failure(void);

/// One end of a connection.
typedef struct apus_stream apus_stream;

/// Takes `descriptor` over, a non-blocking socket; apus_stream_free closes it.
///
/// Without an identity the stream is in clear. With one, a peer is accepted only if the SHA-256 of its certificate is
/// among the `count` digests, which are copied. Returns NULL, and leaves the descriptor open, if OpenSSL cannot.
apus_stream *apus_stream_make(
    int descriptor, apus_tls_identity *identity, int is_server, const uint8_t *digests, size_t count);
void apus_stream_free(apus_stream *stream);

/// What a call has done.
enum {
    APUS_STREAM_DONE = 1,
    /// Nothing more for now: wait until the socket is readable, or writable if apus_stream_has_output.
    APUS_STREAM_BLOCKED = 0,
    /// The connection has ended, or broke TLS's rules. The stream is unusable.
    APUS_STREAM_ENDED = -1,
    /// The peer's certificate is not among those accepted, or it does not speak TLS 1.3. The stream is unusable.
    APUS_STREAM_REFUSED = -2,
};

/// Goes on with the handshake, and sends what it has to send. A stream in clear has none.
int apus_stream_handshake(apus_stream *stream);

/// The index among the accepted digests of the peer's certificate; -1 before the handshake is done, and in clear.
int apus_stream_peer(const apus_stream *stream);

/// Whether the stream has made bytes of TLS to send.
int apus_stream_has_answered(const apus_stream *stream);

/// Takes over `head_bytes` (64 at most) and `payload_bytes` for sending: all earlier bytes must have been sent.
///
/// Under TLS both are encrypted into memory of the stream at once. In clear the payload is sent from where it lies: it
/// stays valid until apus_stream_flush is done, or the stream is freed or apus_stream_forget is called.
int apus_stream_put(
    apus_stream *stream, const void *head, size_t head_bytes, const void *payload, size_t payload_bytes);

/// Sends what the kernel takes. DONE when nothing is left.
int apus_stream_flush(apus_stream *stream);
int apus_stream_has_output(const apus_stream *stream);
void apus_stream_forget(apus_stream *stream);

/// Reads at most `bytes` into `target`. Returns how many, 0 if none are there now, or ENDED.
///
/// Bytes may wait inside the stream: after a wait for the socket, and after stopping early, read until 0.
long apus_stream_read(apus_stream *stream, void *target, size_t bytes);

/// Bytes after which the sending key of a stream is renewed; far below AES-GCM's limit.
void apus_stream_set_renewal(apus_stream *stream, uint64_t bytes);

/// Whether bytes or probes have been unanswered by the peer's kernel for `milliseconds`.
int apus_stream_is_silent(const apus_stream *stream, uint32_t milliseconds);

/// Takes a connection from a listening socket. Returns a non-blocking descriptor that no child process inherits, or -1
/// with errno set.
int apus_socket_accept(int listener);

/// Has the kernel end an idle connection whose peer does not answer for twice `seconds`, and send small frames at once.
/// Returns 0, or -1 with errno set.
int apus_socket_tune(int descriptor, int seconds);

#endif
