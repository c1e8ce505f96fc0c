/*
 * call.h - the Lua functions that end jobs. Sees lua.h.
 */
#ifndef MEDIASTOP_CALL_H
#define MEDIASTOP_CALL_H

#include "client.h"

/* Pushes the blocking function of an operation of the client at `client_index`. */
void call_push(lua_State *L, int client_index, const struct operation *operation);

#endif
