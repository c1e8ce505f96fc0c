/*
 * callback.c - `memories.callback`: what Memories.ai posts when a stream ends.
 *
 * The provider's pages differ on it: `code` is a number or a string, `message` may be `msg`, and `data` null. Only the
 * status 14 is documented; all else passes through.
 */
#include "callback.h"

#include <string.h>

#include "envelope.h"
#include "json.h"
#include "posted.h"
#include "words.h"

#define STOPPED_BY_USER 14
#define STATUS_TEXT_BYTES 15        /* whole numbers of so many digits are exact */

static const struct operation this_function = {
    .provider = &providers[MEMORIES],
    .name = "callback",
    .full_name = "memories.callback",
};

/* Pushes the first of two fields that is there, or nil. */
static void push_either(lua_State *L, int body, const char *path, const char *other_path)
{
    json_push_field(L, body, path);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        json_push_field(L, body, other_path);
    }
}

/* Pushes the task's id as text: true; nil if there is none that could be one: false. */
static bool push_id(lua_State *L, int body)
{
    int top = lua_gettop(L);
    size_t length = 0;
    push_either(L, body, "task_id", "data.task_id");
    if (lua_type(L, -1) == LUA_TNUMBER) {
        double number = lua_tonumber(L, -1);
        if (number >= 0 && number < ENVELOPE_EXACT_BELOW && number == (double)(long long)number)
            envelope_make_text(L);
        else
            lua_pushnil(L);         /* digits are lost, and what is left may be another's */
    }
    const char *id = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (id && length > 0 && length <= ID_MAX_BYTES && !text_has_control(id, length))
        return true;
    lua_settop(L, top);
    lua_pushnil(L);
    return false;
}

/* Pushes the status as a whole number, or nil. True if it is that of a stream that was stopped. */
static bool push_status(lua_State *L, int body)
{
    push_either(L, body, "data.status", "status");
    bool is_number = lua_type(L, -1) == LUA_TNUMBER;
    if (lua_type(L, -1) == LUA_TSTRING) {
        size_t length;
        const char *text = lua_tolstring(L, -1, &length);
        size_t sign = *text == '-', digits = strspn(text + sign, "0123456789");
        is_number = digits > 0 && digits <= STATUS_TEXT_BYTES && sign + digits == length;
    }
    double status = is_number ? lua_tonumber(L, -1) : 0;
    lua_pop(L, 1);
    if (!is_number || status < -1e15 || status > 1e15 || status != (double)(long long)status) {
        lua_pushnil(L);
        return false;
    }
    compat_push_whole(L, (long long)status);
    return status == STOPPED_BY_USER;
}

/* Pushes the words as one line, or nil. */
static void push_message(lua_State *L, int body)
{
    static const char *const paths[] = { "data.message", "message", "msg" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        json_push_field(L, body, paths[i]);
        if (lua_type(L, -1) == LUA_TSTRING && lua_tostring(L, -1)[0] != '\0') {
            words_make_line(L, DETAIL_MAX_BYTES);
            return;
        }
        lua_pop(L, 1);
    }
    lua_pushnil(L);
}

/***
 * @module mediastop */

/*** Reads the callback that Memories.ai posts when a stream ends. Nothing authenticates it: whoever knows the address
 * can post one.
 * @function memories.callback
 * @tparam string body the request's body as it came, 1 MiB at most
 * @treturn[1] table `id` (string), `code` (string or nil), `status` (integer or nil), `ended` (boolean: `status` is 14),
 * `state` (`"stopped_by_user"` if it has ended, else nil), `message` (`data.message`, else the envelope's, as one line,
 * or nil), `body` (its JSON)
 * @treturn[2] nil
 * @treturn[2] string message
 * @treturn[2] table error of kind `protocol`: no JSON object, or one that names no task
 * @raise if `body` is no string */
int callback_read(lua_State *L)
{
    lua_settop(L, 1);
    luaL_checkstack(L, 16, "too many nested calls");
    struct text bytes = posted_body(L, 1, this_function.name);
    const char *problem = posted_push_object(L, &bytes);
    if (problem)
        return posted_refuse(L, &this_function, KIND_PROTOCOL, problem);
    lua_createtable(L, 0, 7);
    if (!push_id(L, 2))
        return posted_refuse(L, &this_function, KIND_PROTOCOL, "the body names no task");
    lua_setfield(L, 3, "id");
    json_push_field(L, 2, "code");
    envelope_make_text(L);
    lua_setfield(L, 3, "code");
    bool ended = push_status(L, 2);
    lua_setfield(L, 3, "status");
    lua_pushboolean(L, ended);
    lua_setfield(L, 3, "ended");
    lua_pushstring(L, ended ? "stopped_by_user" : NULL);
    lua_setfield(L, 3, "state");
    push_message(L, 2);
    lua_setfield(L, 3, "message");
    lua_pushvalue(L, 2);
    lua_setfield(L, 3, "body");
    return 1;
}
