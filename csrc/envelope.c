/*
 * envelope.c - what the JSON of an answer says.
 *
 * The providers' envelopes differ and contradict their own pages: `message` or `msg`, `code` a number or a string,
 * failure said by `success`, `failed`, `error`, `code` or `status`, at times under HTTP 200. All are read in one way.
 */
#include "envelope.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "mediastop.h"
#include "text.h"
#include "words.h"

#define CODE_MAX_BYTES 64

/* Whether the field says `word` as a boolean, or as the text or number that some write in its place. */
static bool says(lua_State *L, int body, const char *path, bool word)
{
    bool said = false;
    json_push_field(L, body, path);
    if (lua_type(L, -1) == LUA_TBOOLEAN) {
        said = lua_toboolean(L, -1) == word;
    } else if (lua_type(L, -1) == LUA_TNUMBER) {
        said = lua_tonumber(L, -1) == (word ? 1 : 0);
    } else if (lua_type(L, -1) == LUA_TSTRING) {
        const char *text = lua_tostring(L, -1);
        said = text_is_one_of(text, strlen(text), word ? "true" : "false");
    }
    lua_pop(L, 1);
    return said;
}

/* `error` that is not false, null, 0 or an empty string. */
static bool has_error(lua_State *L, int body)
{
    json_push_field(L, body, "error");
    bool none = !lua_toboolean(L, -1) || (lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == 0) ||
                (lua_type(L, -1) == LUA_TSTRING && lua_tostring(L, -1)[0] == '\0');
    lua_pop(L, 1);
    return !none;
}

static double as_number(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TNUMBER)
        return lua_tonumber(L, index);
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    double number = *text ? 0 : -1;
    for (; *text && number >= 0; text++)
        number = *text >= '0' && *text <= '9' && number < 1e9 ? number * 10 + (*text - '0') : -1;
    return number;
}

/* Pushes `code`, else FastPix's `error.code`, else emogg's `status`. */
static void push_raw_code(lua_State *L, int body)
{
    static const char *const paths[] = { "code", "error.code", "status" };
    for (size_t i = 0; i < 3; i++) {
        json_push_field(L, body, paths[i]);
        if (!lua_isnil(L, -1) && (i < 2 || as_number(L, -1) >= 0))
            return;
        lua_pop(L, 1);
    }
    lua_pushnil(L);
}

/* 0 and "0000" are what sibling interfaces of the same providers send for a success. */
static bool is_success_code(double code)
{
    return code == 0 || (code >= 200 && code < 300);
}

static bool has_failing_status(lua_State *L, int body)
{
    json_push_field(L, body, "status");
    bool failing = false;
    if (as_number(L, -1) >= 0)
        failing = as_number(L, -1) >= 400;
    else if (lua_type(L, -1) == LUA_TSTRING)
        failing = text_is_one_of(lua_tostring(L, -1), strlen(lua_tostring(L, -1)), "error|errored|failed");
    lua_pop(L, 1);
    return failing;
}

static bool has_code(lua_State *L, int body, bool success)
{
    json_push_field(L, body, "code");
    bool has = !lua_isnil(L, -1) && is_success_code(as_number(L, -1)) == success;
    lua_pop(L, 1);
    return has;
}

bool envelope_says_failure(lua_State *L, int body)
{
    return says(L, body, "success", false) || says(L, body, "failed", true) || has_error(L, body) ||
           has_code(L, body, false) || has_failing_status(L, body);
}

bool envelope_says_success(lua_State *L, int body)
{
    return says(L, body, "success", true) || has_code(L, body, true);
}

double envelope_code(lua_State *L, int body)
{
    push_raw_code(L, body);
    double code = as_number(L, -1);
    lua_pop(L, 1);
    return code;
}

void envelope_make_text(lua_State *L)
{
    if (lua_type(L, -1) == LUA_TNUMBER) {
        char text[CODE_MAX_BYTES];
        double number = lua_tonumber(L, -1);
        /* Whole numbers as they were sent, as far as a double holds them. */
        int length = snprintf(text, sizeof text, number > -1e15 && number < 1e15 ? "%.15g" : "%.17g", number);
        char *comma = strchr(text, ',');     /* in some locales */
        if (comma)
            *comma = '.';
        lua_pop(L, 1);
        lua_pushlstring(L, text, (size_t)length);
    } else if (lua_type(L, -1) == LUA_TSTRING) {
        words_make_line(L, CODE_MAX_BYTES);
    } else {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}

void envelope_push_code(lua_State *L, int body)
{
    push_raw_code(L, body);
    envelope_make_text(L);
}

/* Pushes the first of the paths that holds words, or nil. */
static bool push_words(lua_State *L, int body, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_push_field(L, body, paths[i]);
        if (lua_type(L, -1) == LUA_TSTRING && lua_tostring(L, -1)[0] != '\0')
            return true;
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    return false;
}

void envelope_push_detail(lua_State *L, int body)
{
    static const char *const said[] = { "message", "msg", "error.message", "error", "data.message" };
    static const char *const described[] = { "error.description" };
    bool has_words = push_words(L, body, said, sizeof said / sizeof *said);
    bool has_more = push_words(L, body, described, 1);
    if (has_words && has_more) {
        lua_pushliteral(L, ": ");
        lua_insert(L, -2);
        lua_concat(L, 3);
    } else {
        lua_remove(L, has_words ? -1 : -2);
    }
    if (has_words || has_more)
        words_make_line(L, DETAIL_MAX_BYTES);
}

void envelope_push_fields(lua_State *L, int body)
{
    json_push_field(L, body, "error.fields");
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}
