/*
 * request.h - operation + id + credential -> method, URL, headers, body. Sees libc.
 */
#ifndef MEDIASTOP_REQUEST_H
#define MEDIASTOP_REQUEST_H

#include "operation.h"
#include "text.h"

/* What is sent in every attempt of a job. All of it is wiped when freed. */
struct request {
    const char *method;
    struct text url;
    size_t origin_length;           /* how much of it is scheme, host and port */
    struct text body;
    struct text read_url;           /* of the job's state, once it is stopped; empty for none */
    struct text authorization;      /* the whole header line */
    struct text secrets[3];         /* what no answer may echo: the parts of the credential, and their Basic form */
    bool has_body;
    bool loopback;                  /* the URL stays on this machine */
    bool cleartext;                 /* it is without TLS, and so without HTTP/2 */
};

/* The parts of a credential, borrowed from the caller; unused ones are NULL. */
struct credential {
    const char *part[2];
    size_t length[2];
};

/* NULL if the id can be sent, else why it cannot. */
const char *request_id_problem(const struct operation *operation, const char *id, size_t length);

/* NULL if the credential can be sent, else what is wrong with it, without any of its bytes. Parts that are NULL or
 * empty are missing. `*part` is then the index of the part that is at fault. */
const char *request_credential_problem(const struct provider *provider, const struct credential *credential,
                                       int *part);

/* URL and body. The id and the base URL have no problem. False if memory is short. */
bool request_address(struct request *request, const struct operation *operation, const char *base_url, const char *id,
                     size_t length);

/* The address of the job's state. The id and the base URL have no problem. False if memory is short. */
bool request_address_read(struct request *request, const struct operation *read, const char *base_url, const char *id,
                          size_t length);

/* Makes it the request that reads the job's state. */
void request_turn_to_read(struct request *request, const struct operation *read);

/* The Authorization header; replaces the one before. The credential has no problem. False if memory is short. */
bool request_authorize(struct request *request, enum auth auth, const struct credential *credential);

/* Replaces the credential by "***" wherever the text echoes it, or ends within it. */
void request_mask(const struct request *request, struct text *text);

/* Whether the string echoes the credential. */
bool request_echoed(const struct request *request, const char *string);

/* Wipes all of it for another request, and keeps the storage. */
void request_clear(struct request *request);

/* Wipes and frees. Safe to call twice. */
void request_free(struct request *request);

#endif
