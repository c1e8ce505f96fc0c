/*
 * secret.c - userdata: a credential that was found.
 *
 * It has no fields, is no table that pairs or a JSON encoder could open, and is wiped when it is collected.
 */
#include "secret.h"

#include <string.h>

#include "mediastop.h"
#include "misuse.h"

static const char SECRET_TYPE[] = "mediastop.secret";

const struct secret *secret_at(lua_State *L, int index)
{
    return compat_test_userdata(L, index, SECRET_TYPE);
}

struct credential secret_credential(const struct secret *secret)
{
    struct credential credential = { { NULL, NULL }, { 0, 0 } };
    for (int i = 0; i < 2; i++) {
        credential.part[i] = secret->part[i].data;
        credential.length[i] = secret->part[i].length;
    }
    return credential;
}

static int secret_gc(lua_State *L)
{
    struct secret *secret = compat_test_userdata(L, 1, SECRET_TYPE);
    if (!secret)
        return 0;
    text_free(&secret->part[0]);
    text_free(&secret->part[1]);
    text_free(&secret->source);
    return 0;
}

static int secret_tostring(lua_State *L)
{
    const struct secret *secret = secret_at(L, 1);
    if (!secret || !secret->source.data)
        return luaL_error(L, "credential expected");
    lua_pushfstring(L, "credential for %s from %s", secret->provider->name, secret->source.data);
    return 1;
}

void secret_open(lua_State *L)
{
    static const luaL_Reg metamethods[] = { { "__gc", secret_gc }, { "__tostring", secret_tostring }, { NULL, NULL } };
    compat_push_type(L, SECRET_TYPE);
    compat_set_functions(L, metamethods, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

/* Pushes what is wrong with the fields of the table at `index`: false. */
static bool take_fields(lua_State *L, struct secret *secret, int index)
{
    lua_pushnil(L);
    while (lua_next(L, index)) {
        const char *name = misuse_name(L, -2);
        int part = operation_part(secret->provider, name);
        size_t length;
        if (part < 0) {
            lua_pushfstring(L, "unknown field '%s'", name[0] ? name : "?");
            return false;
        }
        if (lua_type(L, -1) != LUA_TSTRING) {
            lua_pushfstring(L, "field '%s' is no string", name);
            return false;
        }
        const char *bytes = lua_tolstring(L, -1, &length);
        text_clear(&secret->part[part]);
        if (!text_add(&secret->part[part], bytes, length, BODY_MAX_BYTES))
            luaL_error(L, "not enough memory");
        lua_pop(L, 1);
    }
    return true;
}

int secret_new(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1), *source = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    struct secret *secret = compat_new_userdata(L, sizeof *secret, SECRET_TYPE);
    for (size_t i = 0; i < PROVIDER_COUNT; i++) {
        if (strcmp(providers[i].name, name) == 0)
            secret->provider = &providers[i];
    }
    if (!secret->provider)
        return luaL_error(L, "unknown provider '%s'", name);
    if (!text_add_string(&secret->source, source))
        return luaL_error(L, "not enough memory");
    if (!take_fields(L, secret, 3)) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    int part;
    struct credential credential = secret_credential(secret);
    const char *problem = request_credential_problem(secret->provider, &credential, &part);
    if (problem) {
        lua_pushnil(L);
        lua_pushfstring(L, "'%s' %s", secret->provider->fields[part], problem);
        return 2;
    }
    lua_pushvalue(L, 4);
    return 1;
}
