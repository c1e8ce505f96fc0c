/*
 * callback.h - `memories.callback`: what Memories.ai posts when a stream ends. Sees lua.h.
 */
#ifndef MEDIASTOP_CALLBACK_H
#define MEDIASTOP_CALLBACK_H

#include "compat.h"

/* Lua: callback(body) -> table | nil, message, error */
int callback_read(lua_State *L);

#endif
