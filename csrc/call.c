/*
 * call.c - the Lua functions that end jobs.
 */
#include "call.h"

#include "clock.h"
#include "credential.h"
#include "event.h"
#include "flight.h"
#include "interrupt.h"

/* How long a wait goes on before it looks whether it is to stop: a signal may come just before the system call. */
#define LOOK_UP_SECONDS 0.25

/* Gives the job on the top the call's listener, or the client's. */
static void set_listener(lua_State *L, int client_index, int options, struct job *job)
{
    int index = lua_gettop(L);
    lua_pushnil(L);
    if (lua_istable(L, options)) {
        lua_pop(L, 1);
        lua_getfield(L, options, "on_event");
    }
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        compat_push_user_table(L, client_index);
        lua_getfield(L, -1, CLIENT_LISTENER);
        lua_remove(L, -2);
    }
    if (lua_isnil(L, -1))
        lua_pop(L, 1);
    else
        event_listen(L, job, index);
}

/* Makes the job that `operation` asks for, with the id at `id` and the options at `id` + 1, and pushes it: true. Pushes
 * nil, message, error if it cannot be sent: false. Raises on misuse. */
static bool create(lua_State *L, int client_index, const struct operation *operation, int id)
{
    struct client *client = lua_touserdata(L, client_index);
    struct options options = client->options;
    const struct provider *provider = operation->provider;
    const struct place id_place = { operation->name, id }, options_place = { operation->name, id + 1 };
    double started = clock_now();
    size_t length;
    if (lua_type(L, id) != LUA_TSTRING)
        misuse_type(L, &id_place, "string", id);
    options.base_url[provider - providers] = client_base_url(client, provider);
    options_read(L, id + 1, &options_place, SCOPE_CALL, provider, &options);
    const char *bytes = lua_tolstring(L, id, &length), *base_url = options.base_url[provider - providers];
    const char *problem = request_id_problem(operation, bytes, length);
    enum kind kind = problem ? KIND_INVALID_ID : client->closed ? KIND_CLOSED : KIND_NONE;
    if (kind != KIND_NONE) {
        job_push_refusal(L, operation, bytes, length, kind, problem, started);
        return false;
    }
    struct job *job = compat_new_userdata(L, sizeof *job, JOB_TYPE);
    job->started = started;
    job->deadline = started + options.timeout;
    job_set_up(job, operation, bytes, length, &options);
    if (!request_address(&job->request, operation, base_url, bytes, length))
        luaL_error(L, "not enough memory");
    if (!credential_find(L, client_index, id + 1, operation, base_url, &job->request)) {
        problem = lua_tostring(L, -1);
        job_push_refusal(L, operation, bytes, length, KIND_CREDENTIALS, problem, started);
        return false;
    }
    set_listener(L, client_index, id + 1, job);
    return true;
}

/* Waits until the job, userdata at `index`, is done. */
static void wait(lua_State *L, int client_index, int index)
{
    struct job *job = lua_touserdata(L, index);
    struct client *client = lua_touserdata(L, client_index);
    lua_Hook hook_before = interrupt_hook(L);
    double look_up = clock_now() + LOOK_UP_SECONDS;
    while (job->state != JOB_DONE) {
        bool quiet = flight_run(L, client_index, look_up - clock_now());
        if (quiet && clock_now() < look_up)
            continue;
        if (client->interrupted)
            lua_pushliteral(L, "interrupted!");
        if (client->interrupted || interrupt_came(L, hook_before)) {
            client->interrupted = false;
            flight_end(L, job, index, KIND_CANCELLED);
            lua_error(L);
        }
        look_up = clock_now() + LOOK_UP_SECONDS;
    }
}

static int call(lua_State *L)
{
    int client_index = lua_upvalueindex(1);
    const struct operation *operation = lua_touserdata(L, lua_upvalueindex(2));
    lua_settop(L, 2);
    if (!create(L, client_index, operation, 1))
        return 3;
    int index = lua_gettop(L);
    flight_start(L, client_index, index);
    wait(L, client_index, index);
    compat_push_user_table(L, index);
    for (int i = 1; i <= 3; i++)
        lua_rawgeti(L, index + 1, i);
    if (lua_isnil(L, -3))
        return 3;
    lua_pop(L, 2);
    return 1;
}

void call_push(lua_State *L, int client_index, const struct operation *operation)
{
    lua_pushvalue(L, client_index);
    lua_pushlightuserdata(L, (void *)operation);
    lua_pushcclosure(L, call, 2);
}
