/*
 * credential.c - which credential a call takes.
 *
 * The first source that has something wins. The secret's bytes go from Lua's string into the request and nowhere else;
 * no message holds any of them.
 */
#include "credential.h"

#include <string.h>

#include "address.h"
#include "interrupt.h"

enum found {
    FOUND,
    FOUND_NOTHING,                  /* the next source may have some */
    FOUND_FAULT                     /* half a credential, or one that cannot be sent: nobody wants another instead */
};

/* The index of the field of this name, -1 for none. */
static int part_of(const struct provider *provider, const char *name)
{
    for (int i = 0; i < 2 && provider->fields[i]; i++) {
        if (strcmp(provider->fields[i], name) == 0)
            return i;
    }
    return -1;
}

/* Reads the table on the top. Pushes a sentence unless it returns FOUND. */
static enum found read_fields(lua_State *L, const struct provider *provider, const char *where,
                              struct credential *credential)
{
    int table = lua_gettop(L);
    bool any = false;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        int part = part_of(provider, name);
        if (part < 0 || lua_type(L, -1) != LUA_TSTRING) {
            lua_pushfstring(L, part < 0 ? "%s: unknown field '%s'" : "%s: field '%s' is no string", where, name);
            return FOUND_FAULT;
        }
        credential->part[part] = lua_tolstring(L, -1, &credential->length[part]);
        any = any || credential->length[part] > 0;
        lua_pop(L, 1);
    }
    if (!any) {
        lua_pushfstring(L, "%s (empty)", where);
        return FOUND_NOTHING;
    }
    int part;
    const char *problem = request_credential_problem(provider, credential, &part);
    if (problem) {
        lua_pushfstring(L, "%s: '%s' %s", where, provider->fields[part], problem);
        return FOUND_FAULT;
    }
    return FOUND;
}

/* Calls the caller's function on the top: its table in its place, or a sentence. */
static enum found ask_function(lua_State *L, const struct provider *provider, const char *where)
{
    lua_pushstring(L, provider->name);
    if (lua_pcall(L, 1, 2, 0) != 0) {
        if (interrupt_is_error(L))
            lua_error(L);
        const char *words = lua_tostring(L, -1);
        lua_pushfstring(L, "%s: the function failed: %s", where, words ? words : luaL_typename(L, -1));
        return FOUND_FAULT;
    }
    if (lua_istable(L, -2)) {
        lua_pop(L, 1);
        return FOUND;
    }
    if (lua_isnil(L, -2) && lua_isnil(L, -1)) {
        lua_pushfstring(L, "%s (the function gave none)", where);
        return FOUND_NOTHING;
    }
    if (lua_isnil(L, -2) && lua_type(L, -1) == LUA_TSTRING)
        lua_pushfstring(L, "%s: %s", where, lua_tostring(L, -1));
    else
        lua_pushfstring(L, "%s: the function returned no table", where);
    return FOUND_FAULT;
}

/* Takes what is given on the top: a table, a function, or nil. Pushes a sentence unless it returns FOUND. */
static enum found take(lua_State *L, const struct provider *provider, const char *where, struct request *request)
{
    struct credential credential = { { NULL, NULL }, { 0, 0 } };
    if (lua_isnil(L, -1)) {
        lua_pushfstring(L, "%s (not given)", where);
        return FOUND_NOTHING;
    }
    enum found found = lua_isfunction(L, -1) ? ask_function(L, provider, where) : FOUND;
    if (found == FOUND)
        found = read_fields(L, provider, where, &credential);
    if (found == FOUND && !request_authorize(request, provider->auth, &credential))
        luaL_error(L, "not enough memory");
    return found;
}

/* Pushes what the client was given for this provider, or for the one whose credential it shares. */
static void push_given(lua_State *L, int client_index, const struct provider *provider)
{
    compat_push_user_table(L, client_index);
    lua_getfield(L, -1, CLIENT_CREDENTIALS);
    lua_remove(L, -2);
    if (lua_isnil(L, -1))
        return;
    lua_getfield(L, -1, provider->name);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_getfield(L, -1, provider->credentials);
    }
    lua_remove(L, -2);
}

/* Pushes what the client's finder gives: its table, or nil and a sentence. */
static enum found search(lua_State *L, int client_index, const struct provider *provider, const char *base_url)
{
    compat_push_user_table(L, client_index);
    lua_getfield(L, -1, CLIENT_FIND);
    lua_remove(L, -2);
    if (lua_isnil(L, -1)) {
        lua_pushliteral(L, "");
        return FOUND_NOTHING;
    }
    bool own_address = strcmp(base_url, provider->base_url) == 0 || address_is_loopback(base_url);
    lua_pushstring(L, provider->credentials);
    lua_pushstring(L, own_address ? NULL : base_url);
    lua_call(L, 2, 2);
    return lua_istable(L, -2) ? FOUND : FOUND_NOTHING;
}

bool credential_find(lua_State *L, int client_index, int options, const struct operation *operation,
                     const char *base_url, struct request *request)
{
    const struct provider *provider = operation->provider;
    int top = lua_gettop(L);
    luaL_checkstack(L, 24, "too many nested calls");
    lua_pushstring(L, base_url);        /* the option's own string may go while a function runs */
    base_url = lua_tostring(L, -1);
    if (lua_istable(L, options))
        lua_getfield(L, options, "credentials");
    else
        lua_pushnil(L);
    enum found found = take(L, provider, "options.credentials", request);
    int first = lua_gettop(L), second = first;
    if (found == FOUND_NOTHING) {
        push_given(L, client_index, provider);
        found = take(L, provider, "the client's credentials", request);
        second = lua_gettop(L);
    }
    if (found == FOUND_NOTHING) {
        found = search(L, client_index, provider, base_url);
        if (found == FOUND) {
            lua_pop(L, 1);
            found = take(L, provider, "the credential that was found", request);
        } else {
            const char *more = lua_tostring(L, -1);
            lua_pushfstring(L, "none found: %s, %s%s%s", lua_tostring(L, first), lua_tostring(L, second),
                            more && *more ? ", " : "", more ? more : "");
        }
    }
    if (found == FOUND) {
        lua_settop(L, top);
        return true;
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    return false;
}
