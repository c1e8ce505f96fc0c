/*
 * watching.h - userdata: a watcher, for Lua. Sees lua.h.
 */
#ifndef MEDIASTOP_WATCHING_H
#define MEDIASTOP_WATCHING_H

#include "compat.h"

/* Registers the metatable. */
void watching_open(lua_State *L);

/* A function of Lua: watcher() -> watcher; or nil and the system's words. The methods of a watcher: path() -> string;
 * accept() -> true, or nil and the system's words; watch(descriptor) -> boolean, whether the system agrees; set_due(seconds
 * from now, or nil); hasten(seconds from now); close(). */
int watching_new(lua_State *L);

#endif
