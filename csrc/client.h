/*
 * client.h - userdata: options, pool, jobs in flight. Sees lua.h.
 */
#ifndef MEDIASTOP_CLIENT_H
#define MEDIASTOP_CLIENT_H

#include <stdint.h>

#include "gate.h"
#include "job.h"
#include "origin.h"

extern const char CLIENT_TYPE[];

/* Fields of the client's user table. */
#define CLIENT_CREDENTIALS "credentials"    /* the option of that name, copied */
#define CLIENT_FIND "find"                  /* function that finds a credential where none is given */
#define CLIENT_JOBS "jobs"                  /* unfinished jobs by their address; weak values */
#define CLIENT_LISTENER "on_event"          /* the option of that name */
#define CLIENT_PUBLIC "public"              /* what indexing the client gives */

struct client {
    struct options options;                 /* defaults of its calls; the strings are owned */
    struct transfer_settings settings;
    struct network *network;                /* made at the first request */
    struct origin origin;                   /* of the process whose jobs and network these are */
    struct queue jobs;                      /* unfinished */
    struct queue kept;                      /* done, with their storage: at the end of a state only the client is finalised */
    struct gate gates[PROVIDER_COUNT];      /* where jobs wait for room */
    struct queue answered;                  /* jobs whose attempt is over, but not settled */
    struct timers timers;                   /* of jobs that are at a gate, or wait for their next attempt */
    uint64_t random;
    unsigned long ended;                    /* jobs that were settled, ever */
    size_t busy;                            /* jobs that somebody down the stack works on */
    bool closed;
    bool has_listener;
    bool interrupted;                       /* Ctrl-C came within a listener */
};

/* Registers the metatables of client and job. */
void client_open(lua_State *L);

/* Pushes a new client with these options, which the table at `table` (or nil) holds too; `find`: index of a function
 * or nil. */
struct client *client_new(lua_State *L, const struct options *options, int table, int find);

/* The client at `index`. Raises if there is none. */
struct client *client_check(lua_State *L, int index);

/* The base URL of this provider's requests. */
const char *client_base_url(const struct client *client, const struct provider *provider);

/* How many jobs a run may come to finish. */
size_t client_unfinished(const struct client *client);

/* Ends all jobs with kind `closed` and closes the connections. Safe to call twice. */
void client_close(lua_State *L, int client_index);

#endif
