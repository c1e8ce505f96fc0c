/*
 * handle.c - the methods of a job, and those of a client that move jobs on.
 */
#include "handle.h"

#include "call.h"
#include "flight.h"
#include "host.h"
#include "poller.h"
#include "roster.h"
#include "settle.h"

#define LONGEST_WAIT 1e9

/* The client that a function is for, and where its own arguments begin. */
static int client_of(lua_State *L, const char *function, int *first)
{
    if (lua_isuserdata(L, lua_upvalueindex(1))) {
        *first = 1;
        return lua_upvalueindex(1);
    }
    const struct place place = { function, 1 };
    if (!compat_test_userdata(L, 1, CLIENT_TYPE))
        misuse_type(L, &place, "client", 1);
    *first = 2;
    return 1;
}

static int start(lua_State *L)
{
    const struct place place = { "start", 1 };
    int first, client_index = client_of(L, "start", &first);
    lua_settop(L, first + 2);
    const struct call call = { call_operation_at(L, first, &place), "start", 2, false, 0 };
    int count = call_start(L, client_index, &call, first + 1, 0);
    /* libcurl takes some milliseconds to start, the first time, for which a step has no room. */
    if (count == 1)
        flight_network(lua_touserdata(L, client_index));
    return count;
}

/***
 * @module mediastop */

/*** What `new` returns: the operations with a dot, `client.emogg.stop(id)`, and as methods `start`, `each`, `step`, `fd` and
 * `due`, which are as the functions of this module. On Lua 5.4 `local client <close>` closes it at the end of the block.
 * @type Client */

static int step(lua_State *L)
{
    int first, client_index = client_of(L, "step", &first);
    struct client *client = lua_touserdata(L, client_index);
    roster_check_fork(client);
    flight_use_thread(client);
    if (client_unfinished(client) > 0)
        call_run(L, client_index, 0);
    else if (client->network)
        network_tend(client->network);
    compat_push_whole(L, (long long)client_unfinished(client));
    return 1;
}

static int fd(lua_State *L)
{
    int first, client_index = client_of(L, "fd", &first);
    struct client *client = lua_touserdata(L, client_index);
    struct network *network = client->closed ? NULL : flight_network(client);
    int descriptor = network ? network_fd(network) : -1;
    if (descriptor >= 0) {
        compat_push_whole(L, descriptor);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, client->closed ? "the client is closed"
                      : network && POLLER_BY == POLLER_POLL
                          ? "this system has no descriptor for many: call step() as due() says"
                          : "not enough memory, or not enough descriptors");
    return 2;
}

static int due(lua_State *L)
{
    int first, client_index = client_of(L, "due", &first);
    compat_push_seconds(L, flight_due(L, client_index));
    return 1;
}

/*** Ends its jobs with kind `closed`, and its connections. What is started afterwards returns that error.
 * @function Client:close */
static int close(lua_State *L)
{
    int first, client_index = client_of(L, "close", &first);
    client_close(L, client_index);
    return 0;
}

static struct job *check_job(lua_State *L, const char *method)
{
    const struct place place = { method, 1 };
    if (!job_test(L, 1))
        misuse_type(L, &place, "job", 1);
    struct job *job = job_at(L, 1);
    /* At the end of a Lua state the client may be gone before a finalizer asks for the job. */
    if (job->state != JOB_DONE && !job->client)
        settle_end(L, job, 1, KIND_CLOSED);
    return job;
}

/* Pushes the job's client: its index. */
static int push_client(lua_State *L)
{
    job_push_client(L, 1);
    return lua_gettop(L);
}

/*** What `start` returns. One that is dropped unfinished is cancelled by the garbage collector; on Lua 5.4 `local job <close>`
 * cancels it at the end of the block.
 * @type Job */

/*** Moves the job on without blocking.
 * @function Job:poll
 * @treturn boolean whether it is done */
static int poll(lua_State *L)
{
    const struct job *job = check_job(L, "poll");
    if (job->state != JOB_DONE)
        call_run(L, push_client(L), 0);
    lua_pushboolean(L, job->state == JOB_DONE);
    return 1;
}

/*** Waits for the job.
 * @function Job:wait
 * @tparam[opt] number seconds at most; without them until the job's timeout
 * @treturn[1] boolean whether it is done
 * @treturn[2] nil in nginx, where a wait would stall the worker
 * @treturn[2] string message
 * @treturn[2] table error of kind `blocking` */
static int wait(lua_State *L)
{
    const struct job *job = check_job(L, "wait");
    const struct place place = { "wait", 1 };
    double seconds = LONGEST_WAIT;
    if (!lua_isnoneornil(L, 2)) {
        if (lua_type(L, 2) != LUA_TNUMBER)
            misuse_type(L, &place, "number of seconds", 2);
        seconds = lua_tonumber(L, 2);
        if (!(seconds >= 0))
            misuse(L, &place, "a number from 0 expected");
    }
    if (job->state != JOB_DONE && seconds > 0 && !job->allow_blocking && host_must_not_block(L)) {
        job_push_no_wait(L, job, HOST_ADVICE);
        return 3;
    }
    if (job->state != JOB_DONE)
        call_wait(L, push_client(L), 1, seconds < LONGEST_WAIT ? seconds : LONGEST_WAIT, true);
    lua_pushboolean(L, job->state == JOB_DONE);
    return 1;
}

/*** What the call would have returned.
 * @function Job:result
 * @treturn[1] table result
 * @treturn[2] nil
 * @treturn[2] string message; before the end `"pending"`
 * @treturn[2] table error; before the end `{ kind = "pending" }` */
static int result(lua_State *L)
{
    const struct job *job = check_job(L, "result");
    if (job->state == JOB_DONE)
        return call_push_results(L, 1);
    lua_pushnil(L);
    lua_pushliteral(L, "pending");
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "pending");
    lua_setfield(L, -2, "kind");
    return 3;
}

/*** Ends the job with kind `cancelled`. The provider may still have got the request.
 * @function Job:cancel */
static int cancel(lua_State *L)
{
    struct job *job = check_job(L, "cancel");
    if (job->client)
        roster_check_fork(job->client);
    if (job->state != JOB_DONE)
        settle_end(L, job, 1, KIND_CANCELLED);
    return 0;
}

void handle_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "poll", poll }, { "wait", wait }, { "result", result }, { "cancel", cancel }, { NULL, NULL },
    };
    compat_push_type(L, JOB_TYPE);
    lua_newtable(L);
    compat_set_functions(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, cancel);
    lua_setfield(L, -2, "__close");
    compat_push_type(L, CLIENT_TYPE);
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 2);
}

void handle_add_functions(lua_State *L, int client_index)
{
    static const luaL_Reg functions[] = {
        { "start", start }, { "step", step }, { "fd", fd }, { "due", due }, { "close", close }, { NULL, NULL },
    };
    if (client_index != 0)
        lua_pushvalue(L, client_index);
    compat_set_functions(L, functions, client_index != 0 ? 1 : 0);
}
