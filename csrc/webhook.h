/*
 * webhook.h - `fastpix.webhook`: an event that FastPix posts, and its signature. Sees lua.h.
 */
#ifndef MEDIASTOP_WEBHOOK_H
#define MEDIASTOP_WEBHOOK_H

#include "compat.h"

/* Lua: webhook(body, signature, secret) -> event | nil, message, error */
int webhook_read(lua_State *L);

#endif
