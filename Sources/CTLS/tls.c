#define _GNU_SOURCE
#include "apus_tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/// Bytes that one call of the kernel brings at most: several records.
enum { INPUT_BYTES = 128 << 10, FIRST_INPUT_BYTES = 8 << 10, HEAD_BYTES = 64 };

struct apus_tls_identity {
    SSL_CTX *context;
};

struct apus_stream {
    int descriptor;
    SSL *ssl;  // NULL in clear
    int peer;
    int has_answered;
    uint8_t *digests;
    size_t digest_count;
    // Bytes that came and that OpenSSL has not asked for yet.
    uint8_t *input;
    size_t input_start, input_end, input_capacity;
    int has_ended;
    // Encrypted bytes to send.
    uint8_t *output;
    size_t output_start, output_end, output_capacity;
    // In clear: a frame to send, and how much of it is sent.
    uint8_t head[HEAD_BYTES];
    const uint8_t *payload;
    size_t head_bytes, payload_bytes, sent;
    uint64_t renewal, since_renewal;
};

static int stream_index = -1;
static BIO_METHOD *stream_bio;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int bio_read(BIO *bio, char *target, int bytes) {
    apus_stream *stream = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (stream->input_start == stream->input_end) {
        if (stream->has_ended) { return 0; }
        ssize_t count = recv(stream->descriptor, stream->input, stream->input_capacity, MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            BIO_set_retry_read(bio);
            return -1;
        }
        if (count <= 0) {
            stream->has_ended = 1;
            return 0;
        }
        stream->input_start = 0;
        stream->input_end = (size_t)count;
    }
    size_t ready = stream->input_end - stream->input_start;
    size_t taken = (size_t)bytes < ready ? (size_t)bytes : ready;
    memcpy(target, stream->input + stream->input_start, taken);
    stream->input_start += taken;
    return (int)taken;
}

static int bio_write(BIO *bio, const char *source, int bytes) {
    apus_stream *stream = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (stream->output_end + (size_t)bytes > stream->output_capacity) {
        size_t capacity = stream->output_capacity ? stream->output_capacity : 4096;
        while (capacity < stream->output_end + (size_t)bytes) { capacity *= 2; }
        uint8_t *grown = realloc(stream->output, capacity);
        if (!grown) { return -1; }
        stream->output = grown;
        stream->output_capacity = capacity;
    }
    memcpy(stream->output + stream->output_end, source, (size_t)bytes);
    stream->output_end += (size_t)bytes;
    stream->has_answered = 1;
    return bytes;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static void initialize(void) {
    // The site's configuration file must not decide which algorithms a run uses.
    // A thread may still use a stream while the process exits, so the library frees nothing then.
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
    stream_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    stream_bio = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "apus stream");
    if (stream_bio) {
        BIO_meth_set_read(stream_bio, bio_read);
        BIO_meth_set_write(stream_bio, bio_write);
        BIO_meth_set_ctrl(stream_bio, bio_control);
    }
}

const char *apus_tls_failure(void) {
    const char *words = ERR_reason_error_string(ERR_peek_last_error());
    return words ? words : "OpenSSL failed";
}

/// Replaces all of OpenSSL's checks of a chain, those of dates among them: only the certificate's hash counts.
static int is_accepted(X509_STORE_CTX *context, void *unused) {
    (void)unused;
    SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    apus_stream *stream = ssl ? SSL_get_ex_data(ssl, stream_index) : NULL;
    X509 *certificate = X509_STORE_CTX_get0_cert(context);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (stream && certificate && X509_digest(certificate, EVP_sha256(), digest, &length)
        && length == APUS_TLS_DIGEST_BYTES) {
        for (size_t place = 0; place < stream->digest_count; place++) {
            if (memcmp(stream->digests + place * APUS_TLS_DIGEST_BYTES, digest, APUS_TLS_DIGEST_BYTES) == 0) {
                stream->peer = (int)place;
                X509_STORE_CTX_set_error(context, X509_V_OK);
                return 1;
            }
        }
    }
    X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static X509 *certificate_of(EVP_PKEY *key) {
    X509 *certificate = X509_new();
    uint64_t serial = 0;
    X509_NAME *name = certificate ? X509_get_subject_name(certificate) : NULL;
    // Valid from the beginning to the end of time: dates are not checked.
    if (!name || RAND_bytes((uint8_t *)&serial, sizeof serial) != 1 || !X509_set_version(certificate, X509_VERSION_3)
        || !ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1)
        || !ASN1_TIME_set_string(X509_getm_notBefore(certificate), "19700101000000Z")
        || !ASN1_TIME_set_string(X509_getm_notAfter(certificate), "99991231235959Z")
        || !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"apus", -1, -1, 0)
        || !X509_set_issuer_name(certificate, name) || !X509_set_pubkey(certificate, key)
        || !X509_sign(certificate, key, NULL)) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

apus_tls_identity *apus_tls_identity_make(uint8_t digest[APUS_TLS_DIGEST_BYTES]) {
    pthread_once(&once, initialize);
    ERR_clear_error();
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    X509 *certificate = key ? certificate_of(key) : NULL;
    SSL_CTX *context = certificate && stream_bio ? SSL_CTX_new(TLS_method()) : NULL;
    apus_tls_identity *identity = context ? calloc(1, sizeof *identity) : NULL;
    unsigned length = 0;
    uint8_t made[EVP_MAX_MD_SIZE];
    int is_ready = identity && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION)
        && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION)
        && SSL_CTX_set_ciphersuites(
            context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")
        && SSL_CTX_set1_groups_list(context, "X25519") && SSL_CTX_use_certificate(context, certificate)
        && SSL_CTX_use_PrivateKey(context, key) && SSL_CTX_set_num_tickets(context, 0)
        && X509_digest(certificate, EVP_sha256(), made, &length) && length == APUS_TLS_DIGEST_BYTES;
    if (is_ready) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_cert_verify_callback(context, is_accepted, NULL);
        // The accepted hashes are in the stream: a longer message of a handshake has no use.
        SSL_CTX_set_max_cert_list(context, 4096);
        memcpy(digest, made, APUS_TLS_DIGEST_BYTES);
        identity->context = context;
    } else {
        SSL_CTX_free(context);
        free(identity);
        identity = NULL;
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return identity;
}

void apus_tls_identity_free(apus_tls_identity *identity) {
    if (identity) { SSL_CTX_free(identity->context); }
    free(identity);
}

static int start_tls(
    apus_stream *stream, apus_tls_identity *identity, int is_server, const uint8_t *digests, size_t count) {
    stream->digests = malloc(count ? count * APUS_TLS_DIGEST_BYTES : 1);
    stream->input = malloc(FIRST_INPUT_BYTES);
    stream->ssl = SSL_new(identity->context);
    BIO *bio = BIO_new(stream_bio);
    if (!stream->digests || !stream->input || !stream->ssl || !bio
        || !SSL_set_ex_data(stream->ssl, stream_index, stream)) {
        BIO_free(bio);
        return 0;
    }
    stream->input_capacity = FIRST_INPUT_BYTES;
    if (count) { memcpy(stream->digests, digests, count * APUS_TLS_DIGEST_BYTES); }
    stream->digest_count = count;
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(stream->ssl, bio, bio);
    if (is_server) {
        SSL_set_accept_state(stream->ssl);
    } else {
        SSL_set_connect_state(stream->ssl);
    }
    return 1;
}

apus_stream *apus_stream_make(
    int descriptor, apus_tls_identity *identity, int is_server, const uint8_t *digests, size_t count) {
    apus_stream *stream = calloc(1, sizeof *stream);
    if (!stream) { return NULL; }
    stream->descriptor = -1;
    stream->peer = -1;
    stream->renewal = (uint64_t)64 << 30;
    ERR_clear_error();
    if (identity && !start_tls(stream, identity, is_server, digests, count)) {
        apus_stream_free(stream);
        return NULL;
    }
    stream->descriptor = descriptor;
    return stream;
}

void apus_stream_free(apus_stream *stream) {
    if (!stream) { return; }
    SSL_free(stream->ssl);
    if (stream->descriptor >= 0) { close(stream->descriptor); }
    free(stream->digests);
    free(stream->input);
    free(stream->output);
    free(stream);
}

/// What SSL's result means for the stream.
static int outcome(apus_stream *stream, int result) {
    switch (SSL_get_error(stream->ssl, result)) {
        case SSL_ERROR_NONE: return APUS_STREAM_DONE;
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE: return APUS_STREAM_BLOCKED;
        case SSL_ERROR_SSL: return SSL_is_init_finished(stream->ssl) ? APUS_STREAM_ENDED : APUS_STREAM_REFUSED;
        default: return APUS_STREAM_ENDED;
    }
}

int apus_stream_handshake(apus_stream *stream) {
    if (!stream->ssl) { return APUS_STREAM_DONE; }
    ERR_clear_error();
    int done = outcome(stream, SSL_do_handshake(stream->ssl));
    int sent = apus_stream_flush(stream);  // also the alert that tells the peer why
    if (done < 0) { return done; }
    if (sent == APUS_STREAM_ENDED) { return sent; }
    if (done == APUS_STREAM_DONE && stream->input_capacity < INPUT_BYTES) {
        uint8_t *grown = realloc(stream->input, INPUT_BYTES);
        if (!grown) { return APUS_STREAM_ENDED; }
        stream->input = grown;
        stream->input_capacity = INPUT_BYTES;
    }
    return done;
}

int apus_stream_peer(const apus_stream *stream) {
    return stream->ssl && SSL_is_init_finished(stream->ssl) ? stream->peer : -1;
}

int apus_stream_has_answered(const apus_stream *stream) { return stream->has_answered; }

static int seal(apus_stream *stream, const void *bytes, size_t count) {
    if (!count) { return APUS_STREAM_DONE; }
    size_t written = 0;
    ERR_clear_error();
    int result = SSL_write_ex(stream->ssl, bytes, count, &written);
    return result == 1 && written == count ? APUS_STREAM_DONE : APUS_STREAM_ENDED;
}

int apus_stream_put(
    apus_stream *stream, const void *head, size_t head_bytes, const void *payload, size_t payload_bytes) {
    if (stream->ssl) {
        stream->since_renewal += head_bytes + payload_bytes;
        if (stream->since_renewal > stream->renewal) {
            stream->since_renewal = 0;
            ERR_clear_error();
            if (SSL_key_update(stream->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1) { return APUS_STREAM_ENDED; }
        }
        int result = seal(stream, head, head_bytes);
        return result == APUS_STREAM_DONE ? seal(stream, payload, payload_bytes) : result;
    }
    if (head_bytes > HEAD_BYTES || stream->sent != stream->head_bytes + stream->payload_bytes) {
        return APUS_STREAM_ENDED;
    }
    memcpy(stream->head, head, head_bytes);
    stream->head_bytes = head_bytes;
    stream->payload = payload;
    stream->payload_bytes = payload_bytes;
    stream->sent = 0;
    return APUS_STREAM_DONE;
}

int apus_stream_has_output(const apus_stream *stream) {
    return stream->output_start < stream->output_end || stream->sent < stream->head_bytes + stream->payload_bytes;
}

void apus_stream_forget(apus_stream *stream) {
    stream->payload = NULL;
    stream->head_bytes = stream->payload_bytes = stream->sent = 0;
}

int apus_stream_flush(apus_stream *stream) {
    while (apus_stream_has_output(stream)) {
        struct iovec parts[2];
        int count = 0;
        if (stream->ssl) {
            parts[count++] = (struct iovec){
                .iov_base = stream->output + stream->output_start,
                .iov_len = stream->output_end - stream->output_start};
        } else {
            size_t of_payload = stream->sent > stream->head_bytes ? stream->sent - stream->head_bytes : 0;
            if (stream->sent < stream->head_bytes) {
                parts[count++] = (struct iovec){
                    .iov_base = stream->head + stream->sent, .iov_len = stream->head_bytes - stream->sent};
            }
            if (of_payload < stream->payload_bytes) {
                parts[count++] = (struct iovec){
                    .iov_base = (void *)(stream->payload + of_payload), .iov_len = stream->payload_bytes - of_payload};
            }
        }
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
        ssize_t sent = sendmsg(stream->descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) { continue; }
            return errno == EAGAIN || errno == EWOULDBLOCK ? APUS_STREAM_BLOCKED : APUS_STREAM_ENDED;
        }
        if (stream->ssl) {
            stream->output_start += (size_t)sent;
        } else {
            stream->sent += (size_t)sent;
        }
    }
    stream->output_start = stream->output_end = 0;
    return APUS_STREAM_DONE;
}

long apus_stream_read(apus_stream *stream, void *target, size_t bytes) {
    if (!stream->ssl) {
        while (1) {
            ssize_t count = recv(stream->descriptor, target, bytes, MSG_DONTWAIT);
            if (count > 0) { return count; }
            if (count < 0 && errno == EINTR) { continue; }
            return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : APUS_STREAM_ENDED;
        }
    }
    ERR_clear_error();
    size_t count = 0;
    int result = SSL_read_ex(stream->ssl, target, bytes, &count);
    if (result == 1) { return (long)count; }
    return outcome(stream, result) == APUS_STREAM_BLOCKED ? 0 : APUS_STREAM_ENDED;
}

void apus_stream_set_renewal(apus_stream *stream, uint64_t bytes) { stream->renewal = bytes; }

int apus_stream_is_silent(const apus_stream *stream, uint32_t milliseconds) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(stream->descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) { return 0; }
    return (info.tcpi_unacked > 0 || info.tcpi_probes > 1) && info.tcpi_last_ack_recv > milliseconds;
}

int apus_socket_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int apus_socket_tune(int descriptor, int seconds) {
    int one = 1, idle = seconds, pause = seconds > 3 ? seconds / 3 : 1, probes = 3;
    return setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one)
        || setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one)
        || setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle)
        || setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &pause, sizeof pause)
        || setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes)
        ? -1 : 0;
}
