/*
 * compat.h - Lua 5.1 to 5.5 and LuaJIT under one set of names. The names are our own: LuaJIT and hosts define some of
 * Lua's newer ones themselves. Sees lua.h.
 */
#ifndef MEDIASTOP_COMPAT_H
#define MEDIASTOP_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#include <stdbool.h>

#if LUA_VERSION_NUM < 501
#error "mediastop needs Lua 5.1 or later"
#endif

/* Raises if the module was built for another Lua. */
void compat_check_version(lua_State *L);

/* Whether a function of Lua that calls us may yield; true where this Lua cannot tell. */
bool compat_is_yieldable(lua_State *L);

/* An index that stays right while values are pushed. */
int compat_absolute(lua_State *L, int index);

/* A type of userdata is the address of its name: another copy of the module in the same Lua state has types of its own. */

/* Pushes zeroed userdata of this type (already registered), and a new table as its user value. May raise. */
void *compat_new_userdata(lua_State *L, size_t size, const char *type);

/* Pushes zeroed memory that Lua frees: userdata with nothing attached. May raise. */
void *compat_new_memory(lua_State *L, size_t size);

/* The userdata at `index` if it is of this type, else NULL. */
void *compat_test_userdata(lua_State *L, int index, const char *type);

/* Pushes the table that compat_new_userdata attached. */
void compat_push_user_table(lua_State *L, int index);

/* Registers functions into the table on top, each with the `upvalues` values above it, which are popped. */
void compat_set_functions(lua_State *L, const luaL_Reg *functions, int upvalues);

/* Pushes the value, or sets it from the top and pops it, under an address as key. */
void compat_raw_get_pointer(lua_State *L, int index, const void *key);
void compat_raw_set_pointer(lua_State *L, int index, const void *key);

/* Pushes the metatable of this type, a new one if there is none. May raise. */
void compat_push_type(lua_State *L, const char *type);

/* Registers a type of userdata with these methods and this finalizer; getmetatable gives false in its place. */
void compat_new_type(lua_State *L, const char *type, const luaL_Reg *methods, lua_CFunction finalizer);

/* Pushes seconds, or nil for what is negative. */
void compat_push_seconds(lua_State *L, double seconds);

/* The raw length of the table at `index`. */
size_t compat_length(lua_State *L, int index);

/* Pushes the system's words for an errno. Unlike strerror it may be called by many threads at once. */
void compat_push_error(lua_State *L, int error);

/* Pushes a whole number: as an integer where Lua has them. */
void compat_push_whole(lua_State *L, long long number);

/* Turns the number at `index` (a field of `table`, say) into an integer on the top of the stack if it is a whole one
 * and this Lua has integers; false, with nothing pushed, if it can stay as it is. */
bool compat_push_as_integer(lua_State *L, int index);

#endif
