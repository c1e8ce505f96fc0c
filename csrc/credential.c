/*
 * credential.c - which credential a call takes.
 *
 * The first source that has something wins. The secret's bytes go into the request and nowhere else; no message holds
 * any of them.
 */
#include "credential.h"

#include <string.h>

#include "address.h"
#include "clock.h"
#include "interrupt.h"
#include "secret.h"

/* Fields of the job's user table. */
#define JOB_ASK "credentials"       /* the function of the caller's that is asked */
#define JOB_BASE_URL "base_url"     /* what the client's finder is told */
#define JOB_PROFILE "profile"

enum found {
    FOUND,
    FOUND_NOTHING,                  /* the next source may have some */
    FOUND_FAULT                     /* half a credential, or one that cannot be sent: nobody wants another instead */
};

/* Reads the table at the top. Pushes a sentence unless it returns FOUND. */
static enum found read_fields(lua_State *L, const struct provider *provider, const char *where,
                              struct credential *credential)
{
    int table = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        const char *name = misuse_name(L, -2);
        int part = operation_part(provider, name);
        if (part < 0 || lua_type(L, -1) != LUA_TSTRING) {
            lua_pushfstring(L, part < 0 ? "%s: unknown field '%s'" : "%s: field '%s' is no string", where,
                            name[0] ? name : "?");
            return FOUND_FAULT;
        }
        credential->part[part] = lua_tolstring(L, -1, &credential->length[part]);
        lua_pop(L, 1);
    }
    return FOUND;
}

/* Whether the credential can be sent. Pushes a sentence unless it returns FOUND. */
static enum found check(lua_State *L, const struct provider *provider, const char *where,
                        const struct credential *credential)
{
    int part;
    if (credential->length[0] == 0 && credential->length[1] == 0) {
        lua_pushfstring(L, "%s (empty)", where);
        return FOUND_NOTHING;
    }
    const char *problem = request_credential_problem(provider, credential, &part);
    if (!problem)
        return FOUND;
    lua_pushfstring(L, "%s: '%s' %s", where, provider->fields[part], problem);
    return FOUND_FAULT;
}

/* Calls the caller's function at the top: its table on the top, or a sentence. */
static enum found ask_function(lua_State *L, const struct provider *provider, const char *where)
{
    lua_pushvalue(L, -1);
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

static void authorize(lua_State *L, struct job *job, const struct credential *credential)
{
    if (!request_authorize(&job->request, job->operation->provider->auth, credential))
        luaL_error(L, "not enough memory");
}

/* Reads what is given at the top, a table or a function, as a credential. Its bytes live as long as what is pushed.
 * Pushes a sentence unless it returns FOUND. */
static enum found read_given(lua_State *L, const struct provider *provider, const char *where,
                             struct credential *credential)
{
    enum found found = lua_isfunction(L, -1) ? ask_function(L, provider, where) : FOUND;
    if (found == FOUND)
        found = read_fields(L, provider, where, credential);
    return found == FOUND ? check(L, provider, where, credential) : found;
}

/* Takes what is given at the top: a table, a function, or nil. Pushes a sentence unless it returns FOUND; nil in place of
 * one where nothing was given. */
static enum found take_given(lua_State *L, struct job *job, int index, const char *where)
{
    struct credential credential = { { NULL, NULL }, { 0, 0 } };
    int given = lua_gettop(L);
    if (lua_isnil(L, given)) {
        lua_pushnil(L);
        return FOUND_NOTHING;
    }
    enum found found = read_given(L, job->operation->provider, where, &credential);
    if (found != FOUND)
        return found;
    authorize(L, job, &credential);
    if (lua_isfunction(L, given)) {
        compat_push_user_table(L, index);
        lua_pushvalue(L, given);
        lua_setfield(L, -2, JOB_ASK);
        lua_pop(L, 1);
        job->has_fields = true;
        job->ask = JOB_ASKS_CALLER;
    }
    return FOUND;
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

/* Asks the client's finder, told the base URL and the profile in the job's user table, for one that was looked for `newest`
 * seconds ago at most; negative: at any time. Pushes the secret, or a sentence, and returns the secret or NULL; `*found` tells
 * which kind of sentence it is. */
static const struct secret *ask_finder(lua_State *L, int client_index, int index, double newest, enum found *found)
{
    const struct job *job = job_at(L, index);
    *found = FOUND_NOTHING;
    compat_push_user_table(L, client_index);
    lua_getfield(L, -1, CLIENT_FIND);
    lua_remove(L, -2);
    if (lua_isnil(L, -1))
        return NULL;
    lua_pushstring(L, job->operation->provider->credentials);
    compat_push_user_table(L, index);
    lua_getfield(L, -1, JOB_BASE_URL);
    lua_getfield(L, -2, JOB_PROFILE);
    lua_remove(L, -3);
    lua_pushnumber(L, job->deadline - clock_now());
    compat_push_seconds(L, newest);
    lua_pushboolean(L, job->allow_blocking);
    lua_call(L, 6, 3);
    const struct secret *secret = secret_at(L, -3);
    *found = lua_toboolean(L, -1) ? FOUND_FAULT : FOUND_NOTHING;
    lua_pop(L, 1);
    lua_remove(L, secret ? -1 : -2);
    if (secret && strcmp(secret->provider->name, job->operation->provider->credentials) != 0) {
        lua_pushfstring(L, "%s is for another provider", secret->source.data);
        *found = FOUND_FAULT;
        return NULL;
    }
    return secret;
}

/* Takes what the client's finder finds. Pushes a sentence unless it returns FOUND. */
static enum found take_found(lua_State *L, int client_index, struct job *job, int index, const char *base_url,
                             const char *profile)
{
    const struct provider *provider = job->operation->provider;
    compat_push_user_table(L, index);
    if (!address_is_same(base_url, provider->base_url) && !address_is_loopback(base_url)) {
        lua_pushstring(L, base_url);
        lua_setfield(L, -2, JOB_BASE_URL);
        job->has_fields = true;
    }
    if (profile) {
        lua_pushstring(L, profile);
        lua_setfield(L, -2, JOB_PROFILE);
        job->has_fields = true;
    }
    lua_pop(L, 1);
    enum found found;
    const struct secret *secret = ask_finder(L, client_index, index, -1, &found);
    if (!secret)
        return found;
    struct credential credential = secret_credential(secret);
    authorize(L, job, &credential);
    job->ask = JOB_ASKS_FINDER;
    return FOUND;
}

/* Pushes copies of two strings, which are good as long as those are on the stack. */
static void keep(lua_State *L, const char **first, const char **second)
{
    lua_pushstring(L, *first);
    *first = lua_tostring(L, -1);
    lua_pushstring(L, *second);
    *second = lua_tostring(L, -1);
}

bool credential_find(lua_State *L, int client_index, int index, int options, const char *base_url,
                     const char *profile)
{
    struct job *job = job_at(L, index);
    int top = lua_gettop(L);
    luaL_checkstack(L, 24, "too many nested calls");
    if (lua_istable(L, options))        /* whose strings may go while a function runs */
        keep(L, &base_url, &profile);
    options_push(L, options, "credentials");
    enum found found = take_given(L, job, index, "options.credentials");
    int first = lua_gettop(L), second = first;
    if (found == FOUND_NOTHING) {
        push_given(L, client_index, job->operation->provider);
        if (lua_isfunction(L, -1)) {    /* and the client's, which a finalizer may run */
            keep(L, &base_url, &profile);
            lua_pushvalue(L, -3);
        }
        found = take_given(L, job, index, "the client's credentials");
        second = lua_gettop(L);
    }
    if (found == FOUND_NOTHING) {
        found = take_found(L, client_index, job, index, base_url, profile);
        if (found == FOUND_NOTHING) {
            const char *of_call = lua_tostring(L, first), *of_client = lua_tostring(L, second);
            const char *more = lua_tostring(L, -1);
            lua_pushfstring(L, "none found: %s, %s%s%s", of_call ? of_call : "options.credentials (not given)",
                            of_client ? of_client : "the client's credentials (not given)", more ? ", " : "",
                            more ? more : "");
        }
    }
    if (found != FOUND) {
        lua_replace(L, top + 1);
        lua_settop(L, top + 1);
        return false;
    }
    lua_settop(L, top);
    return true;
}

static bool is_new(const struct request *request, const struct credential *credential)
{
    for (int i = 0; i < 2; i++) {
        const struct text *old = &request->secrets[i];
        if (credential->length[i] != old->length ||
            (old->length > 0 && memcmp(credential->part[i], old->data, old->length) != 0))
            return true;
    }
    return false;
}

bool credential_renew(lua_State *L, int client_index, int index, enum job_ask ask)
{
    struct job *job = job_at(L, index);
    struct credential credential = { { NULL, NULL }, { 0, 0 } };
    enum found found = FOUND_NOTHING;
    int top = lua_gettop(L);
    luaL_checkstack(L, 24, "too many nested calls");
    if (ask == JOB_ASKS_CALLER) {
        compat_push_user_table(L, index);
        lua_getfield(L, -1, JOB_ASK);
        found = read_given(L, job->operation->provider, "", &credential);
    }
    /* Another job may have found the new one already, or looked for it since this one was sent. */
    double newest[2] = { -1, clock_now() - job->began };
    for (int i = 0; i < 2 && ask == JOB_ASKS_FINDER && !(found == FOUND && is_new(&job->request, &credential)); i++) {
        const struct secret *secret = ask_finder(L, client_index, index, newest[i], &found);
        if (secret) {
            credential = secret_credential(secret);
            found = FOUND;
        }
    }
    /* The function may have had the job ended, which then takes no credential. */
    bool renewed = found == FOUND && job->client && job->end_as == KIND_NONE && is_new(&job->request, &credential);
    if (renewed)
        authorize(L, job, &credential);
    lua_settop(L, top);
    return renewed;
}
