/*
 * result.c - verdict -> result table, or nil, message, error table.
 */
#include "result.h"

#include "envelope.h"
#include "text.h"
#include "words.h"

#define SENTENCE_MAX_BYTES 2000     /* of which a provider's words are DETAIL_MAX_BYTES at most */

static void set_string(lua_State *L, const char *field, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, field);
}

static void set_whole(lua_State *L, const char *field, long value)
{
    compat_push_whole(L, value);
    lua_setfield(L, -2, field);
}

static void set_number(lua_State *L, const char *field, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, field);
}

static void set_boolean(lua_State *L, const char *field, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, field);
}

/* What a result and an error have in common. */
static void set_common(lua_State *L, const struct report *report, int body, size_t raw_limit)
{
    const struct reply *reply = report->reply;
    set_string(L, "provider", report->operation->provider->name);
    set_string(L, "operation", report->operation->name);
    if (report->id) {
        lua_pushlstring(L, report->id, report->id_length);
        lua_setfield(L, -2, "id");
    }
    set_whole(L, "attempts", report->attempts);
    set_number(L, "elapsed", report->elapsed);
    if (!reply || reply->status == 0)
        return;
    set_whole(L, "status", reply->status);
    if (reply->value[HEADER_REQUEST_ID] > 0)
        set_string(L, "request_id", reply_header(reply, HEADER_REQUEST_ID));
    else if (reply->value[HEADER_CF_RAY] > 0)
        set_string(L, "request_id", reply_header(reply, HEADER_CF_RAY));
    if (report->operation->secret_answer)
        return;
    if (body) {
        lua_pushvalue(L, body);
        lua_setfield(L, -2, "body");
    }
    size_t length = text_cut(reply->body.data, reply->body.length, raw_limit);
    lua_pushlstring(L, length > 0 ? reply->body.data : "", length);
    lua_setfield(L, -2, "raw");
}

static const char *const outcomes[] = {
    [OUTCOME_ENDED] = "ended",
    [OUTCOME_ALREADY_ENDED] = "already_ended",
    [OUTCOME_ACCEPTED] = "accepted",
    [OUTCOME_NONE] = NULL,
};

/***
 * @module mediastop */

/*** What a call returns that went well.
 * @table Result
 * @field provider (string) `"fastpix"`
 * @field operation (string) `"finish"`
 * @field id (string) as given
 * @field outcome (string or nil) `"ended"`: the provider says it ended it; `"already_ended"`: it says that the job is not
 * running; `"accepted"`: it took the request without saying that the job is over; nil of a read that found no end
 * @field confirmed (boolean) whether the provider reported an end state, and not merely said yes
 * @field state (string or nil) the provider's own word for the job's state
 * @field unconfirmed (string or nil) why `confirm` saw no end state
 * @field status (integer) HTTP status
 * @field attempts (integer) requests sent
 * @field elapsed (number) seconds from call to result
 * @field request_id (string or nil) the provider's trace id, for its support: `x-request-id`, else `cf-ray`
 * @field body (table or nil) the answer's JSON, in which null is `mediastop.null`
 * @field raw (string) the answer's body as received; neither of `fastpix.status`, whose answer holds keys */
static void push_success(lua_State *L, const struct report *report, int body)
{
    lua_createtable(L, 0, 12);
    set_common(L, report, body, BODY_MAX_BYTES);
    set_string(L, "outcome", outcomes[report->verdict.outcome]);
    set_boolean(L, "confirmed", report->verdict.confirmed);
    if (body) {
        answer_push_state(L, report->operation, body);
        lua_setfield(L, -2, "state");
    }
}

/* Pushes "(HTTP 400, 2 attempts; …)" with a space in front; nothing but "" if nothing was tried. */
static void push_circumstances(lua_State *L, const struct report *report)
{
    if (report->attempts == 0) {
        lua_pushliteral(L, "");
        return;
    }
    lua_pushliteral(L, " (");
    if (report->reply && report->reply->status != 0)
        lua_pushfstring(L, "HTTP %d, ", (int)report->reply->status);
    else
        lua_pushliteral(L, "");
    lua_pushfstring(L, "%d attempt%s%s)", report->attempts, report->attempts == 1 ? "" : "s",
                    report->reached == REACHED_MAYBE && !report->operation->reads ? "; the job may have been ended" : "");
    lua_concat(L, 3);
}

/* Pushes the sentence that says what happened: the provider's words, where it gave some, else our own. */
static void push_sentence(lua_State *L, const struct report *report, int detail)
{
    const char *text = kind_row(report->verdict.kind)->text;
    if (report->verdict.problem)
        lua_pushstring(L, report->verdict.problem);
    else if (!lua_isnil(L, detail))
        lua_pushvalue(L, detail);
    else if (report->problem && report->attempts > 0)
        lua_pushfstring(L, "%s: %s", text, report->problem);
    else
        lua_pushstring(L, report->problem ? report->problem : text);
}

static void push_message(lua_State *L, const struct report *report, int detail)
{
    lua_pushfstring(L, report->id ? "%s " : "%s", report->operation->full_name);
    lua_pushlstring(L, report->id ? report->id : "", report->id_length);
    words_make_line(L, ID_SHOWN_BYTES);
    lua_pushfstring(L, ": %s: ", kind_row(report->verdict.kind)->word);
    push_sentence(L, report, detail);
    words_make_line(L, SENTENCE_MAX_BYTES);
    push_circumstances(L, report);
    lua_concat(L, 5);
}

/*** What a call returns third that went wrong, behind nil and the message.
 * @table Error
 * @field kind (string) one word of `Kinds`: what programs test
 * @field message (string) one line; the second value
 * @field reached (string) over all attempts: `"no"`, the provider never got a request; `"maybe"`, a request was sent whose
 * answer never came, so that the job may have been ended; `"yes"`, every request that was sent was answered
 * @field retryable (boolean) whether the same call may well succeed later
 * @field provider (string)
 * @field operation (string)
 * @field id (string)
 * @field attempts (integer) requests sent
 * @field elapsed (number) seconds
 * @field status (integer or nil) HTTP status
 * @field code (string or nil) the provider's own code, as text
 * @field detail (string or nil) the provider's own words
 * @field fields (table or nil) FastPix's list of the fields that it does not take
 * @field retry_after (number or nil) seconds that the provider asked to wait
 * @field request_id (string or nil) the provider's trace id
 * @field body (table or nil) the answer's JSON
 * @field raw (string or nil) the first 4 KiB of the answer's body */
static void push_failure(lua_State *L, const struct report *report, int body)
{
    static const char *const reached[] = {
        [REACHED_NO] = "no",
        [REACHED_MAYBE] = "maybe",
        [REACHED_YES] = "yes",
    };
    lua_pushnil(L);
    if (report->operation->secret_answer && report->reply && report->reply->status < 400)
        body = 0;               /* it is not the envelope of an error */
    if (body)
        envelope_push_detail(L, body);
    else
        lua_pushnil(L);
    int detail = lua_gettop(L);
    push_message(L, report, detail);
    lua_createtable(L, 0, 16);
    set_common(L, report, body, ERROR_RAW_BYTES);
    set_string(L, "kind", kind_row(report->verdict.kind)->word);
    set_string(L, "reached", reached[report->reached]);
    set_boolean(L, "retryable", kind_row(report->verdict.kind)->retryable);
    lua_pushvalue(L, detail + 1);
    lua_setfield(L, -2, "message");
    lua_pushvalue(L, detail);
    lua_setfield(L, -2, "detail");
    if (report->retry_after >= 0)
        set_number(L, "retry_after", report->retry_after);
    if (body) {
        envelope_push_code(L, body);
        lua_setfield(L, -2, "code");
        envelope_push_fields(L, body);
        lua_setfield(L, -2, "fields");
    }
    lua_remove(L, detail);
}

/* Pushes why no end state was seen. Without the provider's words: some of its answers hold keys. */
static void push_doubt(lua_State *L, const struct confirmation *confirmation)
{
    lua_getfield(L, -1, "state");
    const char *state = lua_tostring(L, -1);
    const struct kind_row *kind = kind_row(confirmation->kind);
    if (confirmation->kind == KIND_NONE || (confirmation->kind == KIND_TIMEOUT && state))
        lua_pushfstring(L, state ? "timeout: the state last reported is '%s'" : "timeout: no state was seen in time", state);
    else if (confirmation->status != 0)
        lua_pushfstring(L, "%s: %s (HTTP %d)", kind->word, kind->text, (int)confirmation->status);
    else
        lua_pushfstring(L, "%s: %s", kind->word, kind->text);
    lua_remove(L, -2);
    words_make_line(L, SENTENCE_MAX_BYTES);
}

void result_confirm(lua_State *L, const struct confirmation *confirmation)
{
    bool confirmed = confirmation->outcome != OUTCOME_ACCEPTED;
    luaL_checkstack(L, 8, "too many nested calls");
    set_string(L, "outcome", outcomes[confirmation->outcome]);
    set_boolean(L, "confirmed", confirmed);
    set_number(L, "elapsed", confirmation->elapsed);
    if (!confirmed) {
        push_doubt(L, confirmation);
        lua_setfield(L, -2, "unconfirmed");
    }
}

void result_push(lua_State *L, const struct report *report, int body)
{
    luaL_checkstack(L, 16, "too many nested calls");
    if (report->verdict.kind != KIND_NONE) {
        push_failure(L, report, body);
        return;
    }
    push_success(L, report, body);
    lua_pushnil(L);
    lua_pushnil(L);
}
