/*
 * answer.c - status + JSON -> verdict.
 */
#include "answer.h"

#include <string.h>

#include "envelope.h"
#include "json.h"

static bool is_blank(const struct text *text)
{
    return text->length == 0 || strspn(text->data, " \t\r\n") == text->length;
}

static bool detail_has(lua_State *L, int body, const char *words)
{
    size_t length;
    envelope_push_detail(L, body);
    const char *detail = words ? lua_tolstring(L, -1, &length) : NULL;
    bool has = detail && text_has_word(detail, length, words);
    lua_pop(L, 1);
    return has;
}

static enum kind kind_of_bad_request(lua_State *L, const struct operation *operation, int body)
{
    if (detail_has(L, body, operation->not_found_words))
        return KIND_NOT_FOUND;
    return detail_has(L, body, operation->not_active_words) ? KIND_NOT_ACTIVE : operation->bad_request;
}

static enum kind kind_of_status(lua_State *L, const struct operation *operation, long status, int body)
{
    switch (status) {
    case 400:
        return kind_of_bad_request(L, operation, body);
    case 401:
        return KIND_UNAUTHORIZED;
    case 402:
        return KIND_PAYMENT_REQUIRED;
    case 403:
        return KIND_FORBIDDEN;
    case 404:
        return KIND_NOT_FOUND;
    case 408:
        return KIND_TIMEOUT;
    case 409:
        return operation->conflict;
    case 429:
        return KIND_RATE_LIMITED;
    default:
        return status < 300 || status > 599 ? KIND_PROTOCOL
               : status < 400               ? KIND_REDIRECT
               : status < 500               ? KIND_INVALID_REQUEST
                                            : KIND_SERVER;
    }
}

/* A failure under a 2xx: of the kind of the HTTP status that its code names, if it names one. */
static enum kind kind_of_rejection(lua_State *L, const struct operation *operation, int body)
{
    double code = envelope_code(L, body);
    return code >= 400 && code < 600 ? kind_of_status(L, operation, (long)code, body) : KIND_REJECTED;
}

/* Letter case apart. A number that a double cannot hold is no sure sign. */
static bool is_about_another(lua_State *L, const struct operation *operation, const char *id, int body)
{
    if (!operation->id_path)
        return false;
    json_push_field(L, body, operation->id_path);
    bool readable = lua_type(L, -1) == LUA_TSTRING ||
                    (lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) < ENVELOPE_EXACT_BELOW);
    size_t length = 0;
    if (lua_type(L, -1) == LUA_TNUMBER)
        envelope_make_text(L);      /* Lua's own would round it to 14 digits */
    const char *named = readable ? lua_tolstring(L, -1, &length) : NULL;
    bool another = named && (length != strlen(id) || !text_same_nocase(named, id, length));
    lua_pop(L, 1);
    return another;
}

static bool is_end_state(lua_State *L, const struct operation *operation, int body)
{
    size_t length;
    answer_push_state(L, operation, body);
    const char *state = lua_tolstring(L, -1, &length);
    bool end = state && operation->end_states && text_is_one_of(state, length, operation->end_states);
    lua_pop(L, 1);
    return end;
}

static void read_success(lua_State *L, const struct operation *operation, const char *id, bool object, int body,
                         struct verdict *verdict)
{
    if (!object) {
        verdict->kind = KIND_PROTOCOL;
        verdict->problem = "the answer is no JSON object, or one that is nested too deeply";
    } else if (envelope_says_failure(L, body)) {
        verdict->kind = kind_of_rejection(L, operation, body);
    } else if (is_about_another(L, operation, id, body)) {
        verdict->kind = KIND_PROTOCOL;
        verdict->problem = "the answer is about another id";
    } else if (is_end_state(L, operation, body)) {
        verdict->outcome = operation->reads ? OUTCOME_ALREADY_ENDED : OUTCOME_ENDED;
        verdict->confirmed = true;
    } else if (operation->success_means_ended && envelope_says_success(L, body)) {
        verdict->outcome = OUTCOME_ENDED;
    }
}

void answer_read(lua_State *L, const struct operation *operation, const char *id, const struct reply *reply,
                 struct verdict *verdict)
{
    bool failing = reply->headers_whole && reply->status >= 300;
    bool object = false;
    /* What came of a lost answer says nothing. */
    if (reply->fault == KIND_NONE || failing)
        object = json_push_object(L, &reply->body);
    else
        lua_pushnil(L);
    int body = lua_gettop(L);
    memset(verdict, 0, sizeof *verdict);
    verdict->outcome = operation->reads ? OUTCOME_NONE : OUTCOME_ACCEPTED;
    bool lost = reply->fault == KIND_NETWORK || reply->fault == KIND_TIMEOUT;
    /* Once a failing status is whole, nothing that happens to its body makes it better; but of a 400 the body tells the
     * kind, and whether the job is over. */
    if (failing && !(lost && reply->status == 400))
        verdict->kind = kind_of_status(L, operation, reply->status, body);
    else if (reply->fault != KIND_NONE)
        verdict->kind = reply->fault;
    else if (operation->reads || !is_blank(&reply->body))
        read_success(L, operation, id, object, body, verdict);
}

void answer_push_state(lua_State *L, const struct operation *operation, int body)
{
    json_push_field(L, body, operation->state_path ? operation->state_path : "state");
    if (!operation->state_path || lua_type(L, -1) != LUA_TSTRING) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}
