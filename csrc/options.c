/*
 * options.c - table-driven reader of options.
 */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include "address.h"
#include "text.h"

#define DEFAULT_TIMEOUT 30.0
#define DEFAULT_ATTEMPT_TIMEOUT 10.0
#define DEFAULT_CONNECT_TIMEOUT 5.0
#define DEFAULT_ATTEMPTS 3
#define DEFAULT_MAX_CONNECTIONS 32
#define COUNT_MAX 1000000
#define STRING_MAX_BYTES 4096

struct reading {
    const struct place *place;
    const char *name;
    enum scope scope;
    const struct provider *provider;
    struct options *options;
};

/* Each checks the value on the top of the stack and leaves the stack as it was. */
typedef void read_value(lua_State *L, const struct reading *reading, size_t offset);

static void *field(const struct reading *reading, size_t offset)
{
    return (char *)reading->options + offset;
}

static int wrong_type(lua_State *L, const struct reading *reading, const char *expected)
{
    return misuse(L, reading->place, "option '%s' must be %s, got %s", reading->name, expected, luaL_typename(L, -1));
}

static void read_seconds(lua_State *L, const struct reading *reading, size_t offset)
{
    if (lua_type(L, -1) != LUA_TNUMBER)
        wrong_type(L, reading, "a number of seconds");
    double seconds = lua_tonumber(L, -1);
    if (!(seconds > 0) || seconds - seconds != 0)
        misuse(L, reading->place, "option '%s' must be a finite number above 0", reading->name);
    *(double *)field(reading, offset) = seconds;
}

static void read_count(lua_State *L, const struct reading *reading, size_t offset)
{
    if (lua_type(L, -1) != LUA_TNUMBER)
        wrong_type(L, reading, "a whole number");
    double number = lua_tonumber(L, -1);
    int count = number >= 1 && number <= COUNT_MAX ? (int)number : 0;
    if (count < 1 || count < number)
        misuse(L, reading->place, "option '%s' must be a whole number from 1 to %d", reading->name, COUNT_MAX);
    *(int *)field(reading, offset) = count;
}


static void read_boolean(lua_State *L, const struct reading *reading, size_t offset)
{
    if (lua_type(L, -1) != LUA_TBOOLEAN)
        wrong_type(L, reading, "a boolean");
    *(bool *)field(reading, offset) = lua_toboolean(L, -1);
}

static void read_function(lua_State *L, const struct reading *reading, size_t offset)
{
    (void)offset;
    if (!lua_isfunction(L, -1))
        wrong_type(L, reading, "a function");
}

static void read_string(lua_State *L, const struct reading *reading, size_t offset)
{
    size_t length;
    if (lua_type(L, -1) != LUA_TSTRING)
        wrong_type(L, reading, "a string");
    const char *string = lua_tolstring(L, -1, &length);
    if (length > STRING_MAX_BYTES)
        misuse(L, reading->place, "option '%s' is longer than %d bytes", reading->name, STRING_MAX_BYTES);
    if (text_has_control(string, length))
        misuse(L, reading->place, "option '%s' holds a control byte", reading->name);
    *(const char **)field(reading, offset) = string;
}

static size_t provider_index(const char *name)
{
    size_t i = 0;
    while (i < PROVIDER_COUNT && strcmp(providers[i].name, name) != 0)
        i++;
    return i;
}

static void read_url(lua_State *L, const struct reading *reading, const struct provider *provider)
{
    size_t length;
    if (lua_type(L, -1) != LUA_TSTRING)
        wrong_type(L, reading, "a string");
    const char *url = lua_tolstring(L, -1, &length);
    const char *problem = address_problem(url, length);
    if (problem)
        misuse(L, reading->place, "option '%s' %s", reading->name, problem);
    reading->options->base_url[provider - providers] = url;
}

/* Calls `read` for each entry of the table on the top, which is keyed by provider. */
static void read_by_provider(lua_State *L, const struct reading *reading,
                             void (*read)(lua_State *, const struct reading *, const struct provider *))
{
    const char *names[PROVIDER_COUNT];
    for (size_t i = 0; i < PROVIDER_COUNT; i++)
        names[i] = providers[i].name;
    if (!lua_istable(L, -1))
        wrong_type(L, reading, "a table keyed by provider");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        size_t i = provider_index(misuse_name(L, -2));
        if (i == PROVIDER_COUNT)
            misuse_unknown(L, reading->place, lua_pushfstring(L, "provider in option '%s':", reading->name), -3, names,
                           PROVIDER_COUNT);
        struct reading entry = *reading;
        entry.name = lua_pushfstring(L, "%s.%s", reading->name, names[i]);
        lua_insert(L, -2);
        read(L, &entry, &providers[i]);
        lua_pop(L, 2);
    }
}

static void read_base_url(lua_State *L, const struct reading *reading, size_t offset)
{
    (void)offset;
    if (reading->scope == SCOPE_CALL)
        read_url(L, reading, reading->provider);
    else
        read_by_provider(L, reading, read_url);
}

static void read_credential(lua_State *L, const struct reading *reading, const struct provider *provider)
{
    size_t count = provider->fields[1] ? 2 : 1;
    if (lua_isfunction(L, -1))
        return;
    if (!lua_istable(L, -1))
        wrong_type(L, reading, "a table or a function");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const char *name = misuse_name(L, -2);
        if (operation_part(provider, name) < 0)
            misuse_unknown(L, reading->place, lua_pushfstring(L, "field in option '%s':", reading->name), -3,
                           provider->fields, count);
        if (lua_type(L, -1) != LUA_TSTRING)
            misuse(L, reading->place, "option '%s': field '%s' must be a string, got %s", reading->name, name,
                   luaL_typename(L, -1));
        lua_pop(L, 1);
    }
}

static void read_credentials(lua_State *L, const struct reading *reading, size_t offset)
{
    (void)offset;
    if (reading->scope == SCOPE_CALL)
        read_credential(L, reading, reading->provider);
    else
        read_by_provider(L, reading, read_credential);
}

/***
 * @module mediastop */

/*** Options of one call, or of `new` as that client's defaults. An unknown name raises, and so does a wrong type, a number
 * out of range, and an option of a client's that is given to a call.
 * @table Options
 * @field credentials (table or function; default: found) `{ api_key = }`, `{ token = }` or `{ username =, password = }`,
 * or a function that returns one, asked once a call and once more after a 401; to `new`: keyed by provider
 * @field profile (string; `"default"`) which profile of the credentials file
 * @field base_url (string; the provider's) `https`, or `http` to a loopback address; to `new`: keyed by provider
 * @field timeout (number; 30) seconds for the whole call: every attempt, wait, name look-up and confirmation
 * @field attempt_timeout (number; 10) seconds for one attempt, connecting included
 * @field connect_timeout (number; 5) seconds for name look-up, TCP and TLS of one attempt
 * @field attempts (integer; 3) at most this many requests
 * @field confirm (boolean; false) after the stop, read the job until its provider reports an end state; not for memories,
 * whose streams nobody can read
 * @field ignore_ended (boolean; false) `not_active` is a result whose `outcome` is `"already_ended"`
 * @field allow_blocking (boolean; false) in nginx, where a call that blocks is refused, block all the same
 * @field on_event (function; nil) told of each attempt, wait and result: see `Event`; an error in it disturbs nothing
 * @field ca_file (string; the system's) PEM file of trusted roots; of a client only
 * @field proxy (string; the environment's) URL, `""` for none; of a client only
 * @field user_agent (string; nil) is put in front of `mediastop/VERSION`; of a client only
 * @field max_connections (integer; 32) at most this many at once to each provider; of a client only */
static const struct row {
    const char *name;
    int scopes;
    read_value *read;
    size_t offset;
} rows[] = {
    { "credentials", SCOPE_CALL | SCOPE_CLIENT, read_credentials, 0 },
    { "profile", SCOPE_CALL | SCOPE_CLIENT, read_string, offsetof(struct options, profile) },
    { "base_url", SCOPE_CALL | SCOPE_CLIENT, read_base_url, 0 },
    { "timeout", SCOPE_CALL | SCOPE_CLIENT, read_seconds, offsetof(struct options, timeout) },
    { "attempt_timeout", SCOPE_CALL | SCOPE_CLIENT, read_seconds, offsetof(struct options, attempt_timeout) },
    { "connect_timeout", SCOPE_CALL | SCOPE_CLIENT, read_seconds, offsetof(struct options, connect_timeout) },
    { "attempts", SCOPE_CALL | SCOPE_CLIENT, read_count, offsetof(struct options, attempts) },
    { "confirm", SCOPE_CALL | SCOPE_CLIENT, read_boolean, offsetof(struct options, confirm) },
    { "ignore_ended", SCOPE_CALL | SCOPE_CLIENT, read_boolean, offsetof(struct options, ignore_ended) },
    { "allow_blocking", SCOPE_CALL | SCOPE_CLIENT, read_boolean, offsetof(struct options, allow_blocking) },
    { "on_event", SCOPE_CALL | SCOPE_CLIENT, read_function, 0 },
    { "ca_file", SCOPE_CLIENT, read_string, offsetof(struct options, ca_file) },
    { "proxy", SCOPE_CLIENT, read_string, offsetof(struct options, proxy) },
    { "user_agent", SCOPE_CLIENT, read_string, offsetof(struct options, user_agent) },
    { "max_connections", SCOPE_CLIENT, read_count, offsetof(struct options, max_connections) },
};

#define ROWS (sizeof rows / sizeof *rows)

void options_set_defaults(struct options *options)
{
    memset(options, 0, sizeof *options);
    options->timeout = DEFAULT_TIMEOUT;
    options->attempt_timeout = DEFAULT_ATTEMPT_TIMEOUT;
    options->connect_timeout = DEFAULT_CONNECT_TIMEOUT;
    options->attempts = DEFAULT_ATTEMPTS;
    options->max_connections = DEFAULT_MAX_CONNECTIONS;
}

static int unknown_option(lua_State *L, const struct place *place, enum scope scope)
{
    const char *names[ROWS];
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].scopes & (int)scope)
            names[count++] = rows[i].name;
    }
    return misuse_unknown(L, place, "option", -2, names, count);
}

void options_read(lua_State *L, int index, const struct place *place, enum scope scope, const struct provider *provider,
                  struct options *options)
{
    if (lua_isnoneornil(L, index))
        return;
    if (!lua_istable(L, index))
        misuse_type(L, place, "table", index);
    luaL_checkstack(L, 16, "too many nested calls");
    lua_pushvalue(L, index);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        size_t i = 0;
        const char *name = misuse_name(L, -2);
        while (i < ROWS && strcmp(rows[i].name, name) != 0)
            i++;
        if (i == ROWS)
            unknown_option(L, place, scope);
        if (!(rows[i].scopes & (int)scope))
            misuse(L, place, "option '%s' belongs to mediastop.new, not to a call", name);
        struct reading reading = { place, rows[i].name, scope, provider, options };
        rows[i].read(L, &reading, rows[i].offset);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void options_push(lua_State *L, int index, const char *name)
{
    if (!lua_istable(L, index)) {
        lua_pushnil(L);
        return;
    }
    index = compat_absolute(L, index);
    lua_pushstring(L, name);
    lua_rawget(L, index);
}
