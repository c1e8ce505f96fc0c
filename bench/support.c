/*
 * support.c - for Lua: waiting for a descriptor, and telling callgrind where to count. A Lua module, `bench_support`.
 */
#include <lauxlib.h>
#include <lua.h>
#include <poll.h>

#if defined(__has_include)
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif
#endif
#ifndef CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_START_INSTRUMENTATION ((void)0)
#define CALLGRIND_ZERO_STATS ((void)0)
#define CALLGRIND_DUMP_STATS ((void)0)
#define CALLGRIND_STOP_INSTRUMENTATION ((void)0)
#endif

int luaopen_bench_support(lua_State *L);

/* readable(fd, seconds): waits until the descriptor is readable, or so long; nil for ever. */
static int readable(lua_State *L)
{
    struct pollfd one = { (int)luaL_checkinteger(L, 1), POLLIN, 0 };
    int milliseconds = lua_isnoneornil(L, 2) ? -1 : (int)(luaL_checknumber(L, 2) * 1000) + (lua_tonumber(L, 2) > 0);
    lua_pushboolean(L, poll(&one, 1, milliseconds) > 0);
    return 1;
}

/* count(true): callgrind counts from here on; count(false): it writes down what it counted and stops. */
static int count(lua_State *L)
{
    if (lua_toboolean(L, 1)) {
        CALLGRIND_START_INSTRUMENTATION;
        CALLGRIND_ZERO_STATS;
    } else {
        CALLGRIND_DUMP_STATS;
        CALLGRIND_STOP_INSTRUMENTATION;
    }
    return 0;
}

int luaopen_bench_support(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, readable);
    lua_setfield(L, -2, "readable");
    lua_pushcfunction(L, count);
    lua_setfield(L, -2, "count");
    return 1;
}
