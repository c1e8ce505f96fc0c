/*
 * rooms.c - the rooms of the C code that see no Lua, for specs that speak to them directly. A Lua module, `rooms`; no
 * part of what is installed.
 */
#include <lauxlib.h>
#include <lua.h>

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "base64.h"
#include "operation.h"
#include "request.h"
#include "retry.h"
#include "sha256.h"
#include "text.h"
#include "timers.h"

#define TIMERS_MOST 1000

int luaopen_rooms(lua_State *L);

static enum kind kind_of_word(lua_State *L, const char *word)
{
    static const struct {
        const char *word;
        enum kind kind;
    } kinds[] = {
#define WORD(constant, name, retryable, retried, text) { name, KIND_##constant },
        ERROR_KINDS(WORD)
#undef WORD
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].word, word) == 0)
            return kinds[i].kind;
    }
    luaL_error(L, "no kind '%s'", word);
    return KIND_NONE;
}

/* A field of the table at 1. */
static double number_field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    double number = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return number;
}

/* The string stays in the table. */
static const char *string_field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    const char *string = luaL_optstring(L, -1, "");
    lua_pop(L, 1);
    return string;
}

static int push_seconds(lua_State *L, double seconds)
{
    if (seconds < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, seconds);
    return 1;
}

/* retry_wait{ kind, attempts_made, attempts_most, retry_after, left, random } -> seconds, nil for stop */
static int wait(lua_State *L)
{
    struct retry retry;
    memset(&retry, 0, sizeof retry);
    retry.kind = kind_of_word(L, string_field(L, "kind"));
    retry.attempts_made = (int)number_field(L, "attempts_made");
    retry.attempts_most = (int)number_field(L, "attempts_most");
    retry.retry_after = number_field(L, "retry_after");
    retry.left = number_field(L, "left");
    retry.random = number_field(L, "random");
    return push_seconds(L, retry_wait(&retry));
}

/* retry_read_wait(reads, retry_after, left) -> seconds, nil for stop */
static int read_wait(lua_State *L)
{
    return push_seconds(L, retry_read_wait((int)luaL_checknumber(L, 1), luaL_checknumber(L, 2), luaL_checknumber(L, 3)));
}

/* As a line of the answer. */
static void add_header(lua_State *L, const char *field, const char *header, struct reply *reply)
{
    size_t length;
    lua_pushfstring(L, "%s: %s\r\n", header, string_field(L, field));
    const char *line = lua_tolstring(L, -1, &length);
    reply_add_header(reply, line, length);
    lua_pop(L, 1);
}

/* retry_after{ kind, now, retry_after, policy, reset } -> seconds, nil for none */
static int after(lua_State *L)
{
    enum kind kind = kind_of_word(L, string_field(L, "kind"));
    time_t now = (time_t)number_field(L, "now");
    struct reply reply;
    memset(&reply, 0, sizeof reply);
    add_header(L, "retry_after", "Retry-After", &reply);
    add_header(L, "policy", "RateLimit-Policy", &reply);
    add_header(L, "reset", "RateLimit-Reset", &reply);
    double seconds = retry_after(&reply, kind, now);
    reply_free(&reply);
    return push_seconds(L, seconds);
}

/* problem(url) -> words, nil for none */
static int url_problem(lua_State *L)
{
    size_t length;
    const char *url = luaL_checklstring(L, 1, &length);
    lua_pushstring(L, address_problem(url, length));
    return 1;
}

static int is_loopback(lua_State *L)
{
    lua_pushboolean(L, address_is_loopback(luaL_checkstring(L, 1)));
    return 1;
}

static int push_text(lua_State *L, struct text *text)
{
    lua_pushlstring(L, text->length > 0 ? text->data : "", text->length);
    text_free(text);
    text_free(text);
    return 1;
}

/* mask(string, needle) -> string, how many */
static int mask(lua_State *L)
{
    size_t length, needle_length;
    const char *string = luaL_checklstring(L, 1, &length), *needle = luaL_checklstring(L, 2, &needle_length);
    struct text text;
    memset(&text, 0, sizeof text);
    text_add(&text, string, length, length);
    double found = (double)text_mask(&text, needle, needle_length);
    push_text(L, &text);
    lua_pushnumber(L, found);
    return 2;
}

/* add(limit, string...) -> string, whether all had room */
static int add(lua_State *L)
{
    size_t limit = (size_t)luaL_checknumber(L, 1);
    struct text text;
    bool all = true;
    memset(&text, 0, sizeof text);
    for (int i = 2; i <= lua_gettop(L); i++) {
        size_t length;
        const char *string = luaL_checklstring(L, i, &length);
        all = text_add(&text, string, length, limit) && all;
    }
    push_text(L, &text);
    lua_pushboolean(L, all);
    return 2;
}

/* line(limit, string) -> string */
static int line(lua_State *L)
{
    size_t length;
    const char *string = luaL_checklstring(L, 2, &length);
    struct text text;
    memset(&text, 0, sizeof text);
    text_add_line(&text, string, length, (size_t)luaL_checknumber(L, 1));
    return push_text(L, &text);
}

static int is_utf8(lua_State *L)
{
    size_t length;
    const char *string = luaL_checklstring(L, 1, &length);
    /* A copy of that very size, so that a look behind the end is noticed. */
    char *copy = malloc(length + 1);
    if (!copy)
        return luaL_error(L, "not enough memory");
    memcpy(copy, string, length);
    bool good = text_is_utf8(copy, length);
    free(copy);
    lua_pushboolean(L, good);
    return 1;
}

/* ends_headers(line) -> whether it is the line behind the last header */
static int ends_headers(lua_State *L)
{
    size_t length;
    const char *line = luaL_checklstring(L, 1, &length);
    struct reply reply;
    char *copy = malloc(length + (length == 0));
    if (!copy)
        return luaL_error(L, "not enough memory");
    memcpy(copy, line, length);
    memset(&reply, 0, sizeof reply);
    reply_add_header(&reply, copy, length);
    free(copy);
    lua_pushboolean(L, reply.headers_whole);
    reply_free(&reply);
    return 1;
}

static const struct operation *operation_at(lua_State *L, int index)
{
    const struct operation *operation = operation_find(luaL_checkstring(L, index));
    luaL_argcheck(L, operation, index, "no such operation");
    return operation;
}

/* id_problem(operation, id) -> words, nil for none */
static int id_problem(lua_State *L)
{
    size_t length;
    const char *id = luaL_checklstring(L, 2, &length);
    lua_pushstring(L, request_id_problem(operation_at(L, 1), id, length));
    return 1;
}

/* credential_problem(operation, part, part) -> words, nil for none; the name of the part at fault */
static int credential_problem(lua_State *L)
{
    const struct provider *provider = operation_at(L, 1)->provider;
    struct credential credential;
    int part = 0;
    memset(&credential, 0, sizeof credential);
    for (int i = 0; i < 2; i++)
        credential.part[i] = luaL_optlstring(L, 2 + i, NULL, &credential.length[i]);
    const char *problem = request_credential_problem(provider, &credential, &part);
    lua_pushstring(L, problem);
    lua_pushstring(L, problem ? provider->fields[part] : NULL);
    return 2;
}

/* order(dues, removed) -> the indices of `dues` in the order in which they come, without those in `removed` */
static int order(lua_State *L)
{
    static struct timer timer[TIMERS_MOST];
    struct timers timers;
    size_t count = 0;
    memset(timer, 0, sizeof timer);
    memset(&timers, 0, sizeof timers);
    for (;; count++) {
        lua_rawgeti(L, 1, (int)count + 1);
        if (lua_isnil(L, -1) || count == TIMERS_MOST || !timers_reserve(&timers, count + 1))
            break;
        timer[count].due = lua_tonumber(L, -1);
        timer[count].owner = &timer[count];
        timers_add(&timers, &timer[count]);
        lua_pop(L, 1);
    }
    for (int i = 1;; i++) {
        lua_rawgeti(L, 2, i);
        size_t index = (size_t)lua_tonumber(L, -1);
        if (index < 1 || index > count)
            break;
        timers_remove(&timers, &timer[index - 1]);
        lua_pop(L, 1);
    }
    lua_newtable(L);
    int place = 0;
    for (struct timer *first; (first = timers_first(&timers)) != NULL; timers_remove(&timers, first)) {
        lua_pushnumber(L, (double)((struct timer *)first->owner - timer + 1));
        lua_rawseti(L, -2, ++place);
    }
    timers_remove(&timers, &timer[0]);      /* one that is not in */
    timers_free(&timers);
    timers_free(&timers);
    return 1;
}

static int push_digest(lua_State *L, const unsigned char digest[SHA256_BYTES])
{
    lua_pushlstring(L, (const char *)digest, SHA256_BYTES);
    return 1;
}

/* sha256(string...) -> digest of all of them, given to it one by one */
static int hash(lua_State *L)
{
    unsigned char digest[SHA256_BYTES];
    struct sha256 state;
    sha256_begin(&state);
    for (int i = 1; i <= lua_gettop(L); i++) {
        size_t length;
        const char *string = luaL_checklstring(L, i, &length);
        sha256_add(&state, string, length);
    }
    sha256_end(&state, digest);
    return push_digest(L, digest);
}

/* hmac(key, message) -> digest */
static int hmac(lua_State *L)
{
    unsigned char digest[SHA256_BYTES];
    size_t key_length, length;
    const char *key = luaL_checklstring(L, 1, &key_length), *message = luaL_checklstring(L, 2, &length);
    sha256_hmac(key, key_length, message, length, digest);
    return push_digest(L, digest);
}

/* unbase64(string, room) -> bytes, nil for none */
static int unbase64(lua_State *L)
{
    size_t length, room = (size_t)luaL_checknumber(L, 2);
    const char *string = luaL_checklstring(L, 1, &length);
    unsigned char *bytes = malloc(room + 1);
    if (!bytes)
        return luaL_error(L, "not enough memory");
    long count = base64_decode(string, length, bytes, room);
    if (count < 0)
        lua_pushnil(L);
    else
        lua_pushlstring(L, (const char *)bytes, (size_t)count);
    free(bytes);
    return 1;
}

__attribute__((visibility("default"))) int luaopen_rooms(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "retry_wait", wait },       { "retry_after", after },       { "address_problem", url_problem },
        { "is_loopback", is_loopback }, { "mask", mask },             { "add", add },
        { "line", line },             { "is_utf8", is_utf8 },         { "id_problem", id_problem },
        { "credential_problem", credential_problem }, { "order", order }, { "retry_read_wait", read_wait },
        { "sha256", hash },           { "hmac", hmac },               { "unbase64", unbase64 },
        { "ends_headers", ends_headers },
        { NULL, NULL },
    };
    lua_newtable(L);
    for (const luaL_Reg *function = functions; function->name; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    return 1;
}
