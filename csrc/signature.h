/*
 * signature.h - whether the owner of a secret signed some bytes. Sees lua.h.
 */
#ifndef MEDIASTOP_SIGNATURE_H
#define MEDIASTOP_SIGNATURE_H

#include "compat.h"
#include "text.h"

/* Base64 strings on Lua's stack. */
struct secrets {
    int first;                      /* index */
    int count;
};

/* Pushes the secrets of the argument at `index`, a string or a list of up to 8. Raises on anything else. */
struct secrets secrets_push(lua_State *L, int index, const char *function);

/* Pushes what is wrong with one of the secrets, without any of its bytes; or nil. */
void secrets_push_problem(lua_State *L, const struct secrets *secrets);

/* NULL if the string at `index` is the base64 of HMAC-SHA256 over the bytes by one of the secrets, base64-decoded, none of
 * which has a problem; else what is wrong with it. */
const char *signature_problem(lua_State *L, int index, const struct secrets *secrets, const struct text *bytes);

#endif
