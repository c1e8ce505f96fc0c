/*
 * compat.c - Lua 5.1 to 5.5 and LuaJIT under one set of names.
 */
#define _POSIX_C_SOURCE 200809L     /* and nothing of GNU's, whose strerror_r is another */
#include "compat.h"

#include <string.h>

#define ERROR_WORDS_BYTES 256

void compat_check_version(lua_State *L)
{
#if LUA_VERSION_NUM >= 502
    luaL_checkversion(L);
#else
    /* A symbol that only 5.1 has: a later Lua refuses to load what refers to it. */
    (void)lua_objlen(L, 0 * lua_gettop(L) + LUA_REGISTRYINDEX);
#endif
}

#if LUA_VERSION_NUM == 501
/* LuaJIT has it and Lua 5.1 has not, but a module that is built for one works in the other. */
LUA_API int lua_isyieldable(lua_State *L) __attribute__((weak));
#endif

bool compat_is_yieldable(lua_State *L)
{
#if LUA_VERSION_NUM == 502
    (void)L;
    return true;
#elif LUA_VERSION_NUM == 501
    return !lua_isyieldable || lua_isyieldable(L);
#else
    return lua_isyieldable(L);
#endif
}

int compat_absolute(lua_State *L, int index)
{
    return index > 0 || index <= LUA_REGISTRYINDEX ? index : lua_gettop(L) + index + 1;
}

void *compat_new_userdata(lua_State *L, size_t size, const char *type)
{
#if LUA_VERSION_NUM >= 504
    void *data = lua_newuserdatauv(L, size, 1);
#else
    void *data = lua_newuserdata(L, size);
#endif
    memset(data, 0, size);
    compat_raw_get_pointer(L, LUA_REGISTRYINDEX, type);
    lua_setmetatable(L, -2);
    lua_createtable(L, 3, 2);       /* as a job needs it, of which there may be many */
#if LUA_VERSION_NUM >= 504
    lua_setiuservalue(L, -2, 1);
#elif LUA_VERSION_NUM >= 502
    lua_setuservalue(L, -2);
#else
    lua_setfenv(L, -2);
#endif
    return data;
}

void *compat_new_memory(lua_State *L, size_t size)
{
#if LUA_VERSION_NUM >= 504
    void *data = lua_newuserdatauv(L, size, 0);
#else
    void *data = lua_newuserdata(L, size);
#endif
    return memset(data, 0, size);
}

void *compat_test_userdata(lua_State *L, int index, const char *type)
{
    void *data = lua_touserdata(L, index);
    if (!data || !lua_getmetatable(L, index))
        return NULL;
    compat_raw_get_pointer(L, LUA_REGISTRYINDEX, type);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? data : NULL;
}

void compat_push_user_table(lua_State *L, int index)
{
#if LUA_VERSION_NUM >= 504
    lua_getiuservalue(L, index, 1);
#elif LUA_VERSION_NUM >= 502
    lua_getuservalue(L, index);
#else
    lua_getfenv(L, index);
#endif
}

void compat_set_functions(lua_State *L, const luaL_Reg *functions, int upvalues)
{
    luaL_checkstack(L, upvalues + 2, "too many upvalues");
    for (; functions->name; functions++) {
        for (int i = 0; i < upvalues; i++)
            lua_pushvalue(L, -upvalues);
        lua_pushcclosure(L, functions->func, upvalues);
        lua_setfield(L, -(upvalues + 2), functions->name);
    }
    lua_pop(L, upvalues);
}

void compat_raw_get_pointer(lua_State *L, int index, const void *key)
{
#if LUA_VERSION_NUM >= 502
    lua_rawgetp(L, index, key);
#else
    index = compat_absolute(L, index);
    lua_pushlightuserdata(L, (void *)key);
    lua_rawget(L, index);
#endif
}

void compat_raw_set_pointer(lua_State *L, int index, const void *key)
{
#if LUA_VERSION_NUM >= 502
    lua_rawsetp(L, index, key);
#else
    index = compat_absolute(L, index);
    lua_pushlightuserdata(L, (void *)key);
    lua_insert(L, -2);
    lua_rawset(L, index);
#endif
}

void compat_push_seconds(lua_State *L, double seconds)
{
    if (seconds < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, seconds);
}

void compat_push_type(lua_State *L, const char *type)
{
    compat_raw_get_pointer(L, LUA_REGISTRYINDEX, type);
    if (!lua_isnil(L, -1))
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushstring(L, type);
    lua_setfield(L, -2, "__name");
    lua_pushvalue(L, -1);
    compat_raw_set_pointer(L, LUA_REGISTRYINDEX, type);
}

void compat_new_type(lua_State *L, const char *type, const luaL_Reg *methods, lua_CFunction finalizer)
{
    compat_push_type(L, type);
    lua_newtable(L);
    compat_set_functions(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, finalizer);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

size_t compat_length(lua_State *L, int index)
{
#if LUA_VERSION_NUM >= 502
    return (size_t)lua_rawlen(L, index);
#else
    return lua_objlen(L, index);
#endif
}

void compat_push_error(lua_State *L, int error)
{
    char words[ERROR_WORDS_BYTES];
    if (strerror_r(error, words, sizeof words) == 0)
        lua_pushstring(L, words);
    else
        lua_pushfstring(L, "error %d", error);
}

void compat_push_whole(lua_State *L, long long number)
{
#if LUA_VERSION_NUM >= 503
    lua_pushinteger(L, (lua_Integer)number);
#else
    lua_pushnumber(L, (lua_Number)number);
#endif
}

bool compat_push_as_integer(lua_State *L, int index)
{
#if LUA_VERSION_NUM >= 503
    int is_whole;
    lua_Integer integer = lua_tointegerx(L, index, &is_whole);
    if (!is_whole || lua_isinteger(L, index))
        return false;
    lua_pushinteger(L, integer);
    return true;
#else
    (void)L;
    (void)index;
    return false;
#endif
}
