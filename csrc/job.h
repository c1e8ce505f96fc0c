/*
 * job.h - one stop on its way: its request, at most one transfer, its attempts, its deadline. Sees lua.h.
 */
#ifndef MEDIASTOP_JOB_H
#define MEDIASTOP_JOB_H

#include "compat.h"
#include "operation.h"
#include "network.h"
#include "options.h"
#include "queue.h"
#include "timers.h"

extern const char JOB_TYPE[];

enum job_state {
    JOB_NEW,
    JOB_READY,                      /* the next attempt begins when there is room */
    JOB_SENDING,                    /* a transfer is under way */
    JOB_ANSWERED,                   /* it is over; what it means is not yet known */
    JOB_WAITING,                    /* the next attempt has its time */
    JOB_DONE                        /* the result is in the user table, at 1 to 3 */
};

enum job_ask {                      /* who can be asked for another credential, once the provider refuses this one */
    JOB_ASKS_NOBODY,
    JOB_ASKS_CALLER,                /* a function of the caller's */
    JOB_ASKS_FINDER                 /* the client's own */
};

/* The client links it as long as it is not done. Lua's program holds userdata that points to it, whose finalizer takes
 * the job off its client. Where memory is short Lua skips finalizers and frees the userdata all the same: so the job has
 * memory of its own, which is pinned while the client has it. */
struct job {
    enum job_state state;
    struct client *client;          /* NULL before it is linked and after it is done */
    struct link membership;         /* among the client's unfinished jobs, or those that are kept */
    struct link link;               /* at a gate, or among the answered */
    struct timer timer;             /* of the next attempt; of the deadline while it is at a gate; of the attempt's end */
    struct exchange exchange;       /* while sending */
    const struct operation *operation;
    enum job_ask ask;
    double attempt_timeout, connect_timeout;
    int attempts_most;
    bool confirm;                   /* once it is stopped, its state is to be read until that is an end */
    bool reading;                   /* the stop's result is in the user table, at 1 */
    bool was_ended;                 /* it was no longer running when it was to be stopped */
    bool ignore_ended;
    bool allow_blocking;            /* also in a host that must not be blocked */
    bool has_listener, is_collected;
    bool has_fields;                /* its user table has more than the result */
    bool is_kept;                   /* once it is done it serves the next call: its storage is wiped, not freed */
    bool announced;                 /* its listener knows of the next attempt */
    bool busy;                      /* somebody works on it, alone: it is settled, ended, or asks for a credential */
    enum kind end_as;               /* what it is to end as, if its answer is not the last word */
    double started, deadline;       /* of clock_now */
    double began;                   /* of clock_now; the last attempt */
    int attempts;                   /* begun, and repeated by libcurl */
    int sent, unanswered;           /* requests over all attempts */
    int reads;                      /* of its state, once it is stopped; in none of the three above */
    enum kind kind;                 /* how the last attempt failed */
    double pause_until;             /* of clock_now; what was asked or chosen after it */
    bool may_have_ended;            /* an attempt before this one may have taken effect */
    size_t id_length;
    /* From here on what job_renew does not zero. */
    bool is_pinned;
    struct request request;
    struct reply reply;
    char id[ID_MAX_BYTES + 1];
};

/* Pushes the userdata of a new job of this client, which lives as long as that. */
struct job *job_new(lua_State *L, int client_index);

/* Pushes the client of the job at `index`. */
void job_push_client(lua_State *L, int index);

/* The job at `index`, which is one. NULL if there was no memory for it, which only its finalizer sees. */
struct job *job_at(lua_State *L, int index);

/* The same if a job is there, else NULL. */
struct job *job_test(lua_State *L, int index);

/* Keeps the memory of the job, which is at `index`, until job_unpin. May raise. */
void job_pin(lua_State *L, struct job *job, int index);

/* Does nothing if it is not pinned. */
void job_unpin(lua_State *L, struct job *job);

/* Makes a job that is done, and was kept, as good as new. */
void job_renew(struct job *job);

/* Fills in a zeroed job. The id has no problem. */
void job_set_up(struct job *job, const struct operation *operation, const char *id, size_t length,
                const struct options *options);

/* Begins the next attempt; `now`: of clock_now. False if it failed at once, for want of a network. */
bool job_send(struct job *job, struct network *network, double now);

/* The attempt is over, its transfer gone and the reply filled in. */
void job_take_reply(struct job *job);

/* What job_settle returns in place of seconds: ask for another credential, set `ask` to nobody, then send or settle. */
#define JOB_ASK_AGAIN (-2.0)

/* Decides what an answered job does next. Seconds to wait before the next attempt; or RETRY_STOP: the job, which is
 * the userdata at `index`, is done; or JOB_ASK_AGAIN. `random`: from 0 to 1; `now`: of
 * clock_now. If memory is short it raises and can be called again. */
double job_settle(lua_State *L, struct job *job, int index, double random, double now);

/* Stores the three values on the top as the job's result, pops them, and lets go of all else. */
void job_finish(lua_State *L, struct job *job, int index);

/* Ends a job that has no transfer with this kind; the job is the userdata at `index`. */
void job_fail(lua_State *L, struct job *job, int index, enum kind kind);

/* Pushes nil, message, error for a call that does not become a job. `problem` may be NULL. */
void job_push_refusal(lua_State *L, const struct operation *operation, const char *id, size_t length, enum kind kind,
                      const char *problem, double started);

/* Pushes nil, message, error for a wait that is refused, of a job that goes on. */
void job_push_no_wait(lua_State *L, const struct job *job, const char *problem);

/* Wipes and frees what the job holds. Safe to call twice. */
void job_release(struct job *job);

#endif
