/*
 * reply.h - what came back of one HTTP exchange: filled by the transfer, read by the answer. Sees libc.
 */
#ifndef MEDIASTOP_REPLY_H
#define MEDIASTOP_REPLY_H

#include "mediastop.h"
#include "text.h"

#define HEADER_VALUE_BYTES 256      /* of a longer value nothing is kept */

enum header {
    HEADER_REQUEST_ID,
    HEADER_CF_RAY,
    HEADER_RETRY_AFTER,
    HEADER_RATELIMIT_POLICY,
    HEADER_RATELIMIT_RESET,
    HEADER_COUNT
};

struct reply {
    enum kind fault;                /* KIND_NONE: a whole answer came */
    long status;                    /* of the last status line; 0 for none */
    int sent;                       /* requests handed to the network: libcurl repeats one on a dead connection */
    bool answered;                  /* at least one byte came back for the last of them */
    bool headers_whole;             /* the empty line behind the last status line came */
    bool multiplexed;               /* it came over HTTP/2 */
    bool no_memory;
    size_t header_bytes;
    struct text body;
    struct text problem;            /* of a fault, in libcurl's words */
    struct text values;             /* of headers, each behind a NUL */
    unsigned value[HEADER_COUNT];   /* where one begins in `values`; 0 for none */
};

/* Empties it for the next exchange and keeps the storage. */
void reply_clear(struct reply *reply);

/* Takes one header line as it came, status lines and the empty line included; false if there are too many, or if memory is
 * short. */
bool reply_add_header(struct reply *reply, const char *line, size_t length);

/* The value of a header of the last answer, until another line comes; "" for none. */
const char *reply_header(const struct reply *reply, enum header header);

/* Makes it none. */
void reply_drop_header(struct reply *reply, enum header header);

/* Wipes and frees. Safe to call twice. */
void reply_free(struct reply *reply);

#endif
