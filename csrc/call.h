/*
 * call.h - making a job of what a Lua function was given, and waiting for it. Sees lua.h.
 */
#ifndef MEDIASTOP_CALL_H
#define MEDIASTOP_CALL_H

#include "client.h"

/* Which function was called, and the number of its first argument that is read here. */
struct call {
    const struct operation *operation;
    const char *function;
    int id_argument;                /* as the caller counts; the options are the next */
    bool blocks;                    /* the caller is to wait where it stands */
    int kept;                       /* index of a job to use again, if that is one; 0: none is kept */
};

/* Makes the job of the id at `id` and the options at `id` + 1, and pushes it: true. Pushes nil, message, error if it
 * cannot be sent: false. Raises on misuse. */
bool call_create(lua_State *L, int client_index, const struct call *call, int id);

/* The operation whose name is at `index`. Raises on misuse. */
const struct operation *call_operation_at(lua_State *L, int index, const struct place *place);

/* Starts the job of the id at `id` and the options behind it and pushes it, or nil, message, error: how many. It comes to
 * the end of the list at `done`, if that is not 0, once it is done. */
int call_start(lua_State *L, int client_index, const struct call *call, int id, int done);

/* Waits until the job, userdata at `index`, is done, or so many seconds have passed. On Ctrl-C it ends the job and
 * raises, if the job is not to outlive the wait; raises all the same if it is. */
void call_wait(lua_State *L, int client_index, int index, double seconds, bool outlives);

/* Runs the client once, as flight_run; raises on Ctrl-C. */
void call_run(lua_State *L, int client_index, double seconds);

/* Pushes the results of a job that is done: how many. */
int call_push_results(lua_State *L, int index);

/* Takes the results out of the job at `index`, which is done. False if it cannot be used again. */
bool call_empty(lua_State *L, int index);

/* Pushes the blocking function of an operation of the client at `client_index`. */
void call_push(lua_State *L, int client_index, const struct operation *operation);

#endif
