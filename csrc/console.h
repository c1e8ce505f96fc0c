/*
 * console.h - what the command needs of the system, for Lua. Sees lua.h.
 */
#ifndef MEDIASTOP_CONSOLE_H
#define MEDIASTOP_CONSOLE_H

#include "compat.h"

/* Pushes a table of the functions now, read, left, columns and outlive_readers. */
void console_push(lua_State *L);

#endif
