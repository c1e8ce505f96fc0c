/*
 * event.c - what `on_event` is told.
 */
#include "event.h"

#include "interrupt.h"
#include "roster.h"

/* Fields of the job's user table. */
#define LISTENER "on_event"
#define COLLECTION "done"

void event_listen(lua_State *L, struct job *job, int index)
{
    job->has_listener = !lua_isnil(L, -1);
    job->has_fields = true;
    index = compat_absolute(L, index);
    compat_push_user_table(L, index);
    lua_insert(L, -2);
    lua_setfield(L, -2, LISTENER);
    lua_pop(L, 1);
}

void event_collect(lua_State *L, struct job *job, int index)
{
    job->is_collected = true;
    index = compat_absolute(L, index);
    compat_push_user_table(L, index);
    lua_insert(L, -2);
    lua_setfield(L, -2, COLLECTION);
    lua_pop(L, 1);
}

void event_list(lua_State *L, const struct job *job, int index)
{
    if (!job->is_collected)
        return;
    luaL_checkstack(L, 8, "too many nested calls");
    index = compat_absolute(L, index);
    compat_push_user_table(L, index);
    lua_getfield(L, -1, COLLECTION);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, (int)compat_length(L, -2) + 1);
    lua_pop(L, 2);
}

/***
 * @module mediastop */

/*** What `on_event` is told. It carries no credential.
 * @table Event
 * @field type (string) `"attempt"`, `"retry"` or `"result"`
 * @field provider (string)
 * @field operation (string)
 * @field id (string)
 * @field attempt (integer) of an attempt: the number of the one that begins; of a retry: of the one that failed
 * @field kind (string) of a retry: why it failed
 * @field wait (number) of a retry: seconds until the next
 * @field result (table or nil) of a result: see `Result`
 * @field error (table or nil) of a result: see `Error` */

/* Pushes the listener and the event's table; its own fields are still to be added. */
static void begin(lua_State *L, const struct job *job, int index, const char *type)
{
    luaL_checkstack(L, 16, "too many nested calls");
    compat_push_user_table(L, index);
    lua_getfield(L, -1, LISTENER);
    lua_remove(L, -2);
    lua_createtable(L, 0, 8);
    lua_pushstring(L, type);
    lua_setfield(L, -2, "type");
    lua_pushstring(L, job->operation->provider->name);
    lua_setfield(L, -2, "provider");
    lua_pushstring(L, job->operation->name);
    lua_setfield(L, -2, "operation");
    lua_pushlstring(L, job->id, job->id_length);
    lua_setfield(L, -2, "id");
}

static void deliver(lua_State *L, struct client *client)
{
    if (lua_pcall(L, 1, 0, 0) != 0) {
        client->interrupted = client->interrupted || interrupt_is_error(L);
        lua_pop(L, 1);
    }
    roster_check_fork(client);      /* the listener may have forked, and this be the child */
}

void event_attempt(lua_State *L, struct client *client, const struct job *job, int index)
{
    if (!job->has_listener || job->reading)
        return;
    begin(L, job, index, "attempt");
    compat_push_whole(L, job->attempts + 1);
    lua_setfield(L, -2, "attempt");
    deliver(L, client);
}

void event_retry(lua_State *L, struct client *client, const struct job *job, int index, double wait)
{
    if (!job->has_listener || job->reading)
        return;
    begin(L, job, index, "retry");
    compat_push_whole(L, job->attempts);
    lua_setfield(L, -2, "attempt");
    lua_pushstring(L, kind_row(job->kind)->word);
    lua_setfield(L, -2, "kind");
    lua_pushnumber(L, wait);
    lua_setfield(L, -2, "wait");
    deliver(L, client);
}

void event_result(lua_State *L, struct client *client, const struct job *job, int index)
{
    if (!job->has_listener)
        return;
    index = compat_absolute(L, index);
    begin(L, job, index, "result");
    compat_push_user_table(L, index);
    lua_rawgeti(L, -1, 1);
    lua_setfield(L, -3, "result");
    lua_rawgeti(L, -1, 3);
    lua_setfield(L, -3, "error");
    lua_pop(L, 1);
    deliver(L, client);
}
