/*
 * result.h - verdict -> result table, or nil, message, error table. Sees lua.h.
 */
#ifndef MEDIASTOP_RESULT_H
#define MEDIASTOP_RESULT_H

#include "answer.h"

enum reached { REACHED_NO, REACHED_MAYBE, REACHED_YES };

/* All that is known at the end of a call; everything is borrowed. */
struct report {
    const struct operation *operation;
    const char *id;                 /* NULL: it is about no job */
    size_t id_length;
    struct verdict verdict;
    const char *problem;            /* our own words, or libcurl's, on a failure; NULL for none */
    enum reached reached;
    int attempts;
    double elapsed;                 /* seconds */
    double retry_after;             /* seconds; negative for none */
    const struct reply *reply;      /* of the last attempt; NULL if nothing was sent */
};

/* Pushes three values: the result table, nil, nil; or nil, the message, the error table. `body` is the index of the
 * answer's JSON, 0 for none. Raises only if memory is short. */
void result_push(lua_State *L, const struct report *report, int body);

/* What reading the job brought after a stop. */
struct confirmation {
    enum outcome outcome;           /* OUTCOME_ACCEPTED: no end state was seen */
    double elapsed;                 /* seconds */
    enum kind kind;                 /* how the last read failed; KIND_NONE: it did not */
    long status;                    /* its HTTP status; 0 for none */
};

/* Writes it into the stop's result table on the top, which has the state that was read, if one was. Raises only if memory
 * is short. */
void result_confirm(lua_State *L, const struct confirmation *confirmation);

#endif
