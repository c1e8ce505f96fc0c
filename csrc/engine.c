/*
 * engine.c - what the Lua files of the module use of it.
 */
#include "engine.h"

#include "bell.h"
#include "call.h"
#include "flight.h"
#include "host.h"

/* The client of a function of the engine, whose arguments are `count`. */
static struct client *check_client(lua_State *L, int count)
{
    struct client *client = client_check(L, 1);
    lua_settop(L, count);
    return client;
}

/* The arguments of start_into and call_into: client, done, blocks, operation, id, options, name, kept. */
static int into(lua_State *L, bool as_call)
{
    check_client(L, 8);
    luaL_checktype(L, 2, LUA_TTABLE);
    const struct place place = { luaL_optstring(L, 7, "start"), 1 };
    const struct operation *operation = call_operation_at(L, 4, &place);
    const struct job *kept = job_test(L, 8);
    if (lua_isuserdata(L, 8) && !(kept && kept->is_kept && kept->state == JOB_DONE))
        return luaL_argerror(L, 8, "a job from take expected");
    const struct call call = {
        .operation = operation,
        .function = as_call ? operation->name : place.function,
        .id_argument = as_call ? 1 : 2,
        .blocks = lua_toboolean(L, 3),
        .kept = lua_toboolean(L, 8) ? 8 : 0,
    };
    return call_start(L, 1, &call, 5, 2);
}

static int start_into(lua_State *L)
{
    return into(L, false);
}

static int call_into(lua_State *L)
{
    return into(L, true);
}

static int take(lua_State *L)
{
    const struct job *job = job_test(L, 1);
    if (!job || job->state != JOB_DONE)
        return luaL_argerror(L, 1, "a job that is done expected");
    lua_settop(L, 1);
    compat_push_user_table(L, 1);
    for (int i = 1; i <= 3; i++)
        lua_rawgeti(L, 2, i);
    lua_pushboolean(L, call_empty(L, 1));
    lua_replace(L, 2);
    return 4;
}

/* Here, since any step of Lua's may run a finalizer, which may run the client, which adds to the list. */
static int drain(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    int count = (int)compat_length(L, 1);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        lua_rawseti(L, 2, i);
    }
    for (int i = count; i >= 1; i--) {
        lua_pushnil(L);
        lua_rawseti(L, 1, i);
    }
    compat_push_whole(L, count);
    return 1;
}

static int check(lua_State *L)
{
    check_client(L, 5);
    const struct place place = { luaL_optstring(L, 5, "start"), 1 };
    const struct call call = { call_operation_at(L, 2, &place), place.function, 2, false, 0 };
    if (!call_create(L, 1, &call, 3))
        return 3;
    lua_pushboolean(L, 1);
    return 1;
}

static int is_yieldable(lua_State *L)
{
    lua_pushboolean(L, compat_is_yieldable(L));
    return 1;
}

static int must_not_block(lua_State *L)
{
    lua_pushboolean(L, host_must_not_block(L));
    return 1;
}

static int run(lua_State *L)
{
    struct client *client = check_client(L, 2);
    flight_use_thread(client);
    call_run(L, 1, luaL_checknumber(L, 2));
    compat_push_whole(L, (long long)client_unfinished(client));
    return 1;
}

static int send(lua_State *L)
{
    check_client(L, 1);
    call_run(L, 1, -1);
    compat_push_seconds(L, flight_due(L, 1));
    return 1;
}

void engine_push(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "start_into", start_into }, { "call_into", call_into }, { "take", take }, { "drain", drain }, { "check", check },
        { "run", run }, { "send", send }, { "must_not_block", must_not_block }, { "is_yieldable", is_yieldable },
        { "bell", bell_new }, { "ring_at", bell_ring_at }, { "silence", bell_silence }, { NULL, NULL },
    };
    lua_newtable(L);
    compat_set_functions(L, functions, 0);
    lua_newtable(L);
    for (int i = 0; i < OPERATION_COUNT; i++) {
        lua_pushstring(L, operations[i].full_name);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "operations");
    lua_newtable(L);
    for (int i = 0; i < PROVIDER_COUNT; i++) {
        lua_createtable(L, 0, 2);
        lua_pushstring(L, providers[i].name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, providers[i].credentials);
        lua_setfield(L, -2, "credentials");
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "providers");
}
