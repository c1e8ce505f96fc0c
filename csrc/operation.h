/*
 * operation.h - the operations as rows: how each is asked, and how its answers read. A new provider is a new row.
 * Sees nothing.
 */
#ifndef MEDIASTOP_OPERATION_H
#define MEDIASTOP_OPERATION_H

#include <stdbool.h>
#include <stddef.h>

#include "mediastop.h"

enum auth { AUTH_KEY, AUTH_BEARER, AUTH_BASIC };

struct provider {
    const char *name;
    const char *credentials;        /* whose credential and base URL it uses where it has none of its own */
    const char *base_url;
    enum auth auth;
    const char *fields[2];          /* names of the credential's parts; the second is NULL where there is one */
};

struct operation {
    const struct provider *provider;
    const char *name;               /* "stop" */
    const char *full_name;          /* "memories.stop" */
    const char *method;
    const char *path;               /* "{id}" stands for the id, percent-encoded as one segment */
    const char *body;               /* the same as JSON, "{id}" escaped as a string; NULL for none */

    /* Answers. Paths are keys joined by dots; NULL where the provider sends no such thing. */
    const char *id_path;            /* the job that a success speaks of */
    const char *state_path;         /* the job's state */
    const char *end_states;         /* '|'-separated states in which the job is over */
    bool success_means_ended;       /* a success says by itself that the job has ended */
    enum kind bad_request;          /* what a 400 means, and */
    enum kind conflict;             /* a 409, unless the provider's words say otherwise: */
    const char *not_found_words;    /* a 400 that has one of these is not_found */
    const char *not_active_words;   /* a 400 that has one of these is not_active */
    bool reads;                     /* it ends nothing: it reads the job's state */
    bool secret_answer;             /* the answer holds keys: only the state may be shown */
    const struct operation *read;   /* the one that reads the job's state; NULL where the provider has none */
};

enum { MEMORIES, SCREENPLAY, EMOGG, FASTPIX, PROVIDER_COUNT };

enum {
    MEMORIES_STOP,
    SCREENPLAY_CANCEL,
    SCREENPLAY_STATUS,
    EMOGG_STOP,
    EMOGG_STATUS,
    FASTPIX_FINISH,
    FASTPIX_STATUS,
    OPERATION_COUNT
};

extern const struct provider providers[PROVIDER_COUNT];
extern const struct operation operations[OPERATION_COUNT];

/* The index of the part of the provider's credential that has this name, -1 for none. */
int operation_part(const struct provider *provider, const char *name);

/* The operation with this full name, or NULL. */
const struct operation *operation_find(const char *full_name);

#endif
