/*
 * system.h - what the sources of credentials need of the system, and of JSON, for Lua. Sees lua.h.
 */
#ifndef MEDIASTOP_SYSTEM_H
#define MEDIASTOP_SYSTEM_H

#include "compat.h"

/* Pushes a table of the functions read, home, run and decode. */
void system_push(lua_State *L);

#endif
