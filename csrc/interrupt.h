/*
 * interrupt.h - Ctrl-C, as the plain `lua` program has it. Sees lua.h.
 */
#ifndef MEDIASTOP_INTERRUPT_H
#define MEDIASTOP_INTERRUPT_H

#include "compat.h"

/* Notes the main state, which 5.1 does not tell of later. */
void interrupt_open(lua_State *L);

/* What the main state's hook is before a wait. */
lua_Hook interrupt_hook(lua_State *L);

/* Whether the program is to stop, `hook_before` having been the hook as the wait began. Leaves the error on the top if
 * so. */
bool interrupt_came(lua_State *L, lua_Hook hook_before);

/* Whether the error on the top is that of Ctrl-C, which no pcall of ours may swallow. */
bool interrupt_is_error(lua_State *L);

#endif
