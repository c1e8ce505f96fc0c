/*
 * call.c - making a job of what a Lua function was given, and waiting for it.
 */
#include "call.h"

#include "clock.h"
#include "credential.h"
#include "event.h"
#include "flight.h"
#include "host.h"
#include "interrupt.h"
#include "settle.h"

/* How long a wait goes on before it looks whether it is to stop: a signal may come just before the system call. */
#define LOOK_UP_SECONDS 0.25

/* A job ends by its own deadline. */
#define FOREVER 1e9

/* Reads the options at `index`. A client's `confirm` holds where there is something to read; a call's must have it. */
static void read_options(lua_State *L, int index, const struct call *call, struct options *options)
{
    const struct operation *operation = call->operation;
    const struct place place = { call->function, call->id_argument + 1 };
    options->confirm = options->confirm && operation->read;
    options_read(L, index, &place, SCOPE_CALL, operation->provider, options);
    if (options->confirm && !operation->read)
        misuse(L, &place, operation->reads ? "option 'confirm' is for a stop: %s is the read itself"
                                           : "option 'confirm': there is nothing to read for %s, whose provider tells "
                                             "nobody a job's state", operation->full_name);
}

/* Gives the job at `index` the call's listener, or the client's. */
static void set_listener(lua_State *L, int client_index, int index, int options)
{
    const struct client *client = lua_touserdata(L, client_index);
    if (!client->has_listener && !lua_istable(L, options))
        return;
    options_push(L, options, "on_event");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        compat_push_user_table(L, client_index);
        lua_getfield(L, -1, CLIENT_LISTENER);
        lua_remove(L, -2);
    }
    if (lua_isnil(L, -1))
        lua_pop(L, 1);
    else
        event_listen(L, job_at(L, index), index);
}

/* Pushes a job: the kept one, or a new one. */
static struct job *push_job(lua_State *L, int client_index, int kept)
{
    struct job *job = kept ? job_test(L, kept) : NULL;
    if (!job) {
        job = job_new(L, client_index);
    } else {
        lua_pushvalue(L, kept);
        lua_pushnil(L);
        lua_replace(L, kept);
        job_renew(job);
    }
    job->is_kept = kept != 0;
    return job;
}

bool call_empty(lua_State *L, int index)
{
    const struct job *job = job_at(L, index);
    compat_push_user_table(L, index);
    for (int i = 1; i <= 3; i++) {
        lua_pushnil(L);
        lua_rawseti(L, -2, i);
    }
    lua_pop(L, 1);
    return job->is_kept && !job->has_fields;
}

bool call_create(lua_State *L, int client_index, const struct call *call, int id)
{
    struct client *client = lua_touserdata(L, client_index);
    struct options options = client->options;
    const struct operation *operation = call->operation;
    const struct provider *provider = operation->provider;
    const struct place id_place = { call->function, call->id_argument };
    double started = clock_now();
    size_t length;
    if (lua_type(L, id) != LUA_TSTRING)
        misuse_type(L, &id_place, "string", id);
    options.base_url[provider - providers] = client_base_url(client, provider);
    read_options(L, id + 1, call, &options);
    const char *bytes = lua_tolstring(L, id, &length), *base_url = options.base_url[provider - providers];
    const char *problem = request_id_problem(operation, bytes, length);
    enum kind kind = problem ? KIND_INVALID_ID : client->closed ? KIND_CLOSED : KIND_NONE;
    if (kind == KIND_NONE && call->blocks && !options.allow_blocking) {
        kind = KIND_BLOCKING;
        problem = HOST_ADVICE;
    }
    if (kind != KIND_NONE) {
        job_push_refusal(L, operation, bytes, length, kind, problem, started);
        return false;
    }
    struct job *job = push_job(L, client_index, call->kept);
    int index = lua_gettop(L);
    job->started = started;
    job->deadline = started + options.timeout;
    job_set_up(job, operation, bytes, length, &options);
    if (!request_address(&job->request, operation, base_url, bytes, length) ||
        (job->confirm && !request_address_read(&job->request, operation->read, base_url, bytes, length)))
        luaL_error(L, "not enough memory");
    if (!credential_find(L, client_index, index, id + 1, base_url, options.profile)) {
        job_release(job);
        job_push_refusal(L, operation, bytes, length, KIND_CREDENTIALS, lua_tostring(L, -1), started);
        return false;
    }
    set_listener(L, client_index, index, id + 1);
    if (client->closed) {           /* by a function that was asked, or a finalizer: none runs from here to the start */
        job_release(job);
        job_push_refusal(L, operation, bytes, length, KIND_CLOSED, NULL, started);
        return false;
    }
    return true;
}

const struct operation *call_operation_at(lua_State *L, int index, const struct place *place)
{
    const char *names[OPERATION_COUNT];
    if (lua_type(L, index) != LUA_TSTRING)
        misuse_type(L, place, "string", index);
    const struct operation *operation = operation_find(misuse_name(L, index));
    for (size_t i = 0; i < OPERATION_COUNT; i++)
        names[i] = operations[i].full_name;
    if (!operation)
        misuse_unknown(L, place, "operation", index, names, OPERATION_COUNT);
    return operation;
}

int call_start(lua_State *L, int client_index, const struct call *call, int id, int done)
{
    if (!call_create(L, client_index, call, id))
        return 3;
    int index = lua_gettop(L);
    if (done != 0) {
        lua_pushvalue(L, done);
        event_collect(L, job_at(L, index), index);
    }
    flight_start(L, client_index, index);
    return 1;
}

/* Whether the program is to stop; leaves the error on the top if so. */
static bool must_stop(lua_State *L, struct client *client, lua_Hook hook_before)
{
    if (!client->interrupted)
        return interrupt_came(L, hook_before);
    client->interrupted = false;
    lua_pushliteral(L, "interrupted!");
    return true;
}

void call_wait(lua_State *L, int client_index, int index, double seconds, bool outlives)
{
    struct client *client = lua_touserdata(L, client_index);
    struct job *job = job_at(L, index);
    lua_Hook hook_before = interrupt_hook(L);
    double now = clock_now(), until = now + seconds, look_up = now + LOOK_UP_SECONDS;
    while (job->state != JOB_DONE && !job->busy && now <= until) {
        bool quiet = flight_run(L, client_index, (look_up < until ? look_up : until) - now, &now);
        if (job->state != JOB_DONE && !job->client)
            settle_end(L, job, index, KIND_CLOSED);     /* garbage, in a finalizer: its client has let go of it */
        if (quiet && now < look_up)
            continue;
        if (must_stop(L, client, hook_before)) {
            if (!outlives && job->state != JOB_DONE)
                settle_end(L, job, index, KIND_CANCELLED);
            lua_error(L);
        }
        look_up = now + LOOK_UP_SECONDS;
    }
}

void call_run(lua_State *L, int client_index, double seconds)
{
    struct client *client = lua_touserdata(L, client_index);
    lua_Hook hook_before = interrupt_hook(L);
    double now = clock_now();
    flight_run(L, client_index, seconds < LOOK_UP_SECONDS ? seconds : LOOK_UP_SECONDS, &now);
    if (must_stop(L, client, hook_before))
        lua_error(L);
}

int call_push_results(lua_State *L, int index)
{
    compat_push_user_table(L, index);
    int table = lua_gettop(L);
    for (int i = 1; i <= 3; i++)
        lua_rawgeti(L, table, i);
    if (lua_isnil(L, -3))
        return 3;
    lua_pop(L, 2);
    return 1;
}

static int blocking(lua_State *L)
{
    int client_index = lua_upvalueindex(1);
    const struct operation *operation = lua_touserdata(L, lua_upvalueindex(2));
    const struct call call = { operation, operation->name, 1, host_must_not_block(L), lua_upvalueindex(3) };
    lua_settop(L, 2);
    if (!call_create(L, client_index, &call, 1))
        return 3;
    int index = lua_gettop(L);
    flight_start(L, client_index, index);
    call_wait(L, client_index, index, FOREVER, false);
    int results = call_push_results(L, index);
    if (call_empty(L, index)) {
        lua_pushvalue(L, index);
        lua_replace(L, call.kept);
    }
    return results;
}

void call_push(lua_State *L, int client_index, const struct operation *operation)
{
    lua_pushvalue(L, client_index);
    lua_pushlightuserdata(L, (void *)operation);
    lua_pushnil(L);                 /* a job to use again, once there is one */
    lua_pushcclosure(L, blocking, 3);
}
