/*
 * webhook.c - `fastpix.webhook`: an event that FastPix posts.
 *
 * The pages of its events contradict the SDK on names; both are read.
 */
#include "webhook.h"

#include <string.h>

#include "envelope.h"
#include "json.h"
#include "posted.h"
#include "signature.h"

#define PROBE_MAX_BYTES 1024

static const struct operation this_function = {
    .provider = &providers[FASTPIX],
    .name = "webhook",
    .full_name = "fastpix.webhook",
};

/* Whether the body tells of nothing, as the request's does by which FastPix tries an address. */
static bool is_probe(lua_State *L, const struct text *body)
{
    if (body->length > PROBE_MAX_BYTES)
        return false;
    if (strspn(body->data, " \t\r\n") == body->length)
        return true;
    bool readable = !posted_push_object(L, body);
    json_push_field(L, -1, "type");
    json_push_field(L, -2, "id");
    bool probe = readable && lua_isnil(L, -1) && lua_isnil(L, -2);
    lua_pop(L, 3);
    return probe;
}

static int push_probe(lua_State *L)
{
    lua_createtable(L, 0, 2);
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "probe");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "ended");
    return 1;
}

/* Sets a field of the table on the top to the first of the body's that is there, as text. */
static void set_text(lua_State *L, int body, const char *field, const char *path, const char *other_path)
{
    json_push_field(L, body, path);
    if (lua_isnil(L, -1) && other_path) {
        lua_pop(L, 1);
        json_push_field(L, body, other_path);
    }
    if (lua_type(L, -1) != LUA_TSTRING)
        envelope_make_text(L);
    lua_setfield(L, -2, field);
}

/* The last word of a type of a live stream's events, "idle" of "video.live_stream.idle"; NULL for others. */
static const char *live_stream_event(lua_State *L, int event)
{
    static const char front[] = "video.live_stream.";
    lua_getfield(L, event, "type");
    const char *type = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    lua_pop(L, 1);
    bool is_one = strncmp(type, front, sizeof front - 1) == 0 && !strchr(type + sizeof front - 1, '.');
    return is_one ? type + sizeof front - 1 : NULL;
}

/* Pushes the event of the JSON at `body`. */
static int push_event(lua_State *L, int body)
{
    lua_createtable(L, 0, 10);
    int event = lua_gettop(L);
    set_text(L, body, "id", "id", "webhookId");
    set_text(L, body, "type", "type", NULL);
    set_text(L, body, "created_at", "createdAt", "created_at");
    lua_createtable(L, 0, 2);
    set_text(L, body, "type", "object.type", "object.name");
    set_text(L, body, "id", "object.id", NULL);
    lua_setfield(L, event, "object");
    const char *word = live_stream_event(L, event);
    bool ended = word && text_is_one_of(word, strlen(word), "idle|disabled");
    set_text(L, body, "stream_id", "data.streamId", word ? "object.id" : NULL);
    if (word && text_is_one_of(word, strlen(word), "idle|disabled|active|preparing")) {
        lua_pushstring(L, word);
        lua_setfield(L, event, "state");
    } else {
        set_text(L, body, "state", "data.status", NULL);
    }
    lua_pushboolean(L, ended);
    lua_setfield(L, event, "ended");
    lua_pushboolean(L, 0);
    lua_setfield(L, event, "probe");
    json_push_field(L, body, "data");
    lua_setfield(L, event, "data");
    lua_pushvalue(L, body);
    lua_setfield(L, event, "body");
    return 1;
}

/***
 * @module mediastop */

/*** Verifies that FastPix signed a webhook, and reads its event. There is no time in the signature: whoever sees an event
 * can post it again, so that a receiver keeps the ids that it has seen.
 * @function fastpix.webhook
 * @tparam string body the request's body, byte by byte as it came, 1 MiB at most
 * @tparam string|nil signature the header FastPix-Signature
 * @tparam string|table secret the signing secret as the dashboard shows it, in base64; or a list of up to 8, while
 * one takes the place of another
 * @treturn[1] table the event: `id` (its own), `type`, `created_at`, `object` (`type`, `id`), `stream_id` and `state`
 * of a live stream, `ended` (boolean: the type is `video.live_stream.idle` or `.disabled`), `data`, `body` (its JSON),
 * `probe` (false); or `{ probe = true, ended = false }` for the request by which FastPix tries an address: empty, or a
 * small object without `id` and `type`, signed or not, to be answered with 200
 * @treturn[2] nil
 * @treturn[2] string message
 * @treturn[2] table error of kind `unauthorized` (the signature), `credentials` (a secret is no base64) or `protocol`
 * (a signed body that is no JSON object, or any over 1 MiB)
 * @raise on arguments of other types */
int webhook_read(lua_State *L)
{
    const struct place signature_place = { this_function.name, 2 };
    lua_settop(L, 3);
    luaL_checkstack(L, 32, "too many nested calls");
    struct text bytes = posted_body(L, 1, this_function.name);
    if (!lua_isnil(L, 2) && lua_type(L, 2) != LUA_TSTRING)
        misuse_type(L, &signature_place, "string or nil", 2);
    struct secrets secrets = secrets_push(L, 3, this_function.name);
    secrets_push_problem(L, &secrets);
    if (!lua_isnil(L, -1))
        return posted_refuse(L, &this_function, KIND_CREDENTIALS, lua_tostring(L, -1));
    if (bytes.length > BODY_MAX_BYTES)
        return posted_refuse(L, &this_function, KIND_PROTOCOL, "the body is over 1 MiB");
    bool is_unsigned = lua_isnil(L, 2) || lua_tostring(L, 2)[0] == '\0';
    const char *problem = is_unsigned ? NULL : signature_problem(L, 2, &secrets, &bytes);
    if (!problem && is_probe(L, &bytes))
        return push_probe(L);
    if (is_unsigned)
        problem = "the body is not signed";
    if (problem)
        return posted_refuse(L, &this_function, KIND_UNAUTHORIZED, problem);
    problem = posted_push_object(L, &bytes);
    if (problem)
        return posted_refuse(L, &this_function, KIND_PROTOCOL, problem);
    return push_event(L, lua_gettop(L));
}
