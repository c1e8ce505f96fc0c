/*
 * answer.h - status + JSON -> verdict. Sees lua.h.
 */
#ifndef MEDIASTOP_ANSWER_H
#define MEDIASTOP_ANSWER_H

#include "compat.h"
#include "operation.h"
#include "reply.h"

enum outcome {
    OUTCOME_ENDED,
    OUTCOME_ALREADY_ENDED,
    OUTCOME_ACCEPTED,
    OUTCOME_NONE                    /* of a read that found the job in no end state */
};

struct verdict {
    enum kind kind;                 /* KIND_NONE: a success, of which the next two speak */
    enum outcome outcome;
    bool confirmed;                 /* the provider reported an end state */
    const char *problem;            /* what is wrong with an answer that cannot be read, else NULL */
};

/* Reads the reply and pushes the answer's JSON: a table, or nil. Raises only if memory is short. */
void answer_read(lua_State *L, const struct operation *operation, const char *id, const struct reply *reply,
                 struct verdict *verdict);

/* Pushes the provider's word for the job's state out of the JSON at `body`, or nil. */
void answer_push_state(lua_State *L, const struct operation *operation, int body);

#endif
