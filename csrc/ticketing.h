/*
 * ticketing.h - userdata: a ticket, for Lua. Sees lua.h.
 */
#ifndef MEDIASTOP_TICKETING_H
#define MEDIASTOP_TICKETING_H

#include "compat.h"

/* Registers the metatable. */
void ticketing_open(lua_State *L);

/* Pushes a table of functions: issue(key) -> ticket, or nil and the system's words, where ticket:take() tells
 * whether it was still there, and the collector takes it as well; call_off(key) -> how many; sweep(). */
void ticketing_push(lua_State *L);

#endif
