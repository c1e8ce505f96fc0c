/*
 * posted.h - what readers of a provider's posts have in common. Sees lua.h.
 */
#ifndef MEDIASTOP_POSTED_H
#define MEDIASTOP_POSTED_H

#include "misuse.h"
#include "operation.h"
#include "text.h"

/* The bytes of the body at `index`, the function's first argument, borrowed from Lua. Raises on what is no string. */
struct text posted_body(lua_State *L, int index, const char *function);

/* Pushes the table of the body's JSON object: NULL; or nil: what is wrong with it. */
const char *posted_push_object(lua_State *L, const struct text *body);

/* Pushes nil, message, error: 3. `function` has its provider and its names. */
int posted_refuse(lua_State *L, const struct operation *function, enum kind kind, const char *problem);

#endif
