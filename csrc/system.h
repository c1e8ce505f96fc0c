/*
 * system.h - what the sources of credentials need of the system, for Lua. Sees lua.h.
 */
#ifndef MEDIASTOP_SYSTEM_H
#define MEDIASTOP_SYSTEM_H

#include "compat.h"

/* Pushes a table of the functions read, home and run. */
void system_push(lua_State *L);

#endif
