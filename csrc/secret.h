/*
 * secret.h - userdata: a credential that was found, closed to everybody but the call that sends it. Sees lua.h.
 */
#ifndef MEDIASTOP_SECRET_H
#define MEDIASTOP_SECRET_H

#include "compat.h"
#include "operation.h"
#include "request.h"
#include "text.h"

struct secret {
    const struct provider *provider;
    struct text part[2];            /* in the order of the provider's fields */
    struct text source;             /* where it was found, in words */
};

/* Registers the metatable. */
void secret_open(lua_State *L);

/* The secret at `index`, or NULL. */
const struct secret *secret_at(lua_State *L, int index);

/* Its bytes, which are as good as it lives. */
struct credential secret_credential(const struct secret *secret);

/* Lua: secret(provider, source, fields) -> the object, which can be sent, or nil and what is wrong with the fields. */
int secret_new(lua_State *L);

#endif
