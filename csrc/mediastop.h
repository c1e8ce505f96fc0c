/*
 * mediastop.h - version, limits, error kinds. Sees nothing.
 */
#ifndef MEDIASTOP_H
#define MEDIASTOP_H

#include <stdbool.h>

#define MEDIASTOP_VERSION "0.1.0"

#define ID_MAX_BYTES 255            /* longest id that is sent */
#define ID_SHOWN_BYTES 64           /* how much of it a message shows */
#define BODY_MAX_BYTES (1024 * 1024)
#define HEADERS_MAX_BYTES (256 * 1024)
#define JSON_MAX_DEPTH 100
#define ERROR_RAW_BYTES 4096        /* how much of an answer an error keeps */
#define DETAIL_MAX_BYTES 500        /* how much of a provider's words is kept */

/*
 * Every kind of failure: constant, word, whether the same call may well succeed later, whether the
 * call itself tries again, and what a message says when the provider gave no words of its own.
 */
#define ERROR_KINDS(X)                                                                              \
    X(INVALID_ID, "invalid_id", false, false, "the id cannot be sent")                              \
    X(CREDENTIALS, "credentials", false, false, "no credentials")                                   \
    X(UNAUTHORIZED, "unauthorized", false, false, "the provider does not accept the credential")    \
    X(PAYMENT_REQUIRED, "payment_required", false, false, "the provider asks for payment")          \
    X(FORBIDDEN, "forbidden", false, false, "the credential may not do this")                       \
    X(NOT_FOUND, "not_found", false, false, "the provider knows no such job")                       \
    X(NOT_ACTIVE, "not_active", false, false, "the job is in no state to be ended")                 \
    X(INVALID_REQUEST, "invalid_request", false, false, "the provider refuses the request")         \
    X(RATE_LIMITED, "rate_limited", true, true, "too many requests")                                \
    X(REJECTED, "rejected", false, false, "the provider says that it failed")                       \
    X(SERVER, "server", true, true, "the provider has a fault of its own")                          \
    X(REDIRECT, "redirect", false, false, "the answer is a redirect, which is never followed")      \
    X(DNS, "dns", true, true, "the name has no address")                                            \
    X(CONNECT, "connect", true, true, "no connection")                                              \
    X(TLS, "tls", false, false, "no secure connection")                                             \
    X(NETWORK, "network", true, true, "the connection was lost")                                    \
    X(TIMEOUT, "timeout", true, true, "time ran out")                                               \
    X(PROTOCOL, "protocol", false, false, "the answer cannot be read")                              \
    X(CANCELLED, "cancelled", false, false, "the job was cancelled")                                \
    X(CLOSED, "closed", false, false, "the client is closed")                                       \
    X(BLOCKING, "blocking", false, false, "the call would block its host")

enum kind {
    KIND_NONE,
#define KIND_CONSTANT(constant, word, retryable, retried, text) KIND_##constant,
    ERROR_KINDS(KIND_CONSTANT)
#undef KIND_CONSTANT
};

struct kind_row {
    const char *word;
    bool retryable;                 /* the same call may well succeed later */
    bool retried;                   /* the call itself tries again */
    const char *text;
};

const struct kind_row *kind_row(enum kind kind);

#endif
