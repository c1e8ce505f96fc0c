/*
 * signature.c - whether the owner of a secret signed some bytes.
 */
#include "signature.h"

#include "base64.h"
#include "misuse.h"
#include "sha256.h"

#define SECRETS_MOST 8
#define SECRET_MAX_BYTES 1024       /* decoded */

struct secrets secrets_push(lua_State *L, int index, const char *function)
{
    const struct place place = { function, index };
    struct secrets secrets = { lua_gettop(L) + 1, 1 };
    luaL_checkstack(L, SECRETS_MOST + 8, "too many nested calls");
    if (lua_type(L, index) == LUA_TSTRING) {
        lua_pushvalue(L, index);
        return secrets;
    }
    if (!lua_istable(L, index))
        misuse_type(L, &place, "string or list of strings", index);
    size_t count = compat_length(L, index);
    if (count < 1 || count > SECRETS_MOST)
        misuse(L, &place, "a list of 1 to %d secrets expected", SECRETS_MOST);
    for (secrets.count = 0; (size_t)secrets.count < count; secrets.count++) {
        lua_rawgeti(L, index, secrets.count + 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            misuse(L, &place, "secret %d must be a string, got %s", secrets.count + 1, luaL_typename(L, -1));
    }
    return secrets;
}

/* Decodes the secret at `index` into `key`: how long it is; 0 if it is empty, negative if it is no base64. */
static long decode(lua_State *L, int index, unsigned char key[SECRET_MAX_BYTES])
{
    size_t length;
    const char *secret = lua_tolstring(L, index, &length);
    return base64_decode(secret, length, key, SECRET_MAX_BYTES);
}

void secrets_push_problem(lua_State *L, const struct secrets *secrets)
{
    unsigned char key[SECRET_MAX_BYTES];
    for (int i = 0; i < secrets->count; i++) {
        long length = decode(L, secrets->first + i, key);
        wipe(key, sizeof key);
        if (length > 0)
            continue;
        lua_pushfstring(L, "secret %d is %s", i + 1, length == 0 ? "empty" : "no base64, or longer than 1024 bytes");
        return;
    }
    lua_pushnil(L);
}

/* Takes as long whichever byte is wrong. */
static bool is_signed(lua_State *L, const struct secrets *secrets, const struct text *bytes,
                      const unsigned char signature[SHA256_BYTES])
{
    unsigned char key[SECRET_MAX_BYTES], digest[SHA256_BYTES];
    bool any = false;
    for (int i = 0; i < secrets->count; i++) {
        unsigned difference = 0;
        long length = decode(L, secrets->first + i, key);
        sha256_hmac(key, (size_t)length, bytes->data, bytes->length, digest);
        for (int j = 0; j < SHA256_BYTES; j++)
            difference |= (unsigned)(digest[j] ^ signature[j]);
        any |= difference == 0;
    }
    wipe(key, sizeof key);
    wipe(digest, sizeof digest);
    return any;
}

const char *signature_problem(lua_State *L, int index, const struct secrets *secrets, const struct text *bytes)
{
    unsigned char signature[SHA256_BYTES];
    size_t length;
    const char *given = lua_tolstring(L, index, &length);
    if (base64_decode(given, length, signature, sizeof signature) != SHA256_BYTES)
        return "the signature is not one of HMAC-SHA256 in base64";
    return is_signed(L, secrets, bytes, signature) ? NULL : "the signature is not that of this body and secret";
}
