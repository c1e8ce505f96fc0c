/*
 * answer.c - fuzzes what is made of an answer: status and bytes -> verdict -> the tables that the caller gets.
 *
 * Input: operation, status, what became of the transfer, what the caller asked for; then the body.
 */
#include "fuzz.h"

#include <string.h>

#include "answer.h"
#include "envelope.h"
#include "result.h"

static const long statuses[] = { 200, 400, 401, 402, 403, 404, 405, 408, 409, 422, 429, 500, 302, 204, 520, 100, 0, 700 };

static const char id[] = "job-1";

/* A body that says failure in so many words is nobody's success. Asked of the bytes, not of the library's own reading. */
static void check_success(lua_State *L, const struct operation *operation, const struct reply *reply,
                          const struct verdict *verdict, int body)
{
    CHECK(reply->fault == KIND_NONE && reply->status < 300);
    CHECK(!verdict->confirmed || verdict->outcome == OUTCOME_ENDED || verdict->outcome == OUTCOME_ALREADY_ENDED);
    CHECK(operation->reads ? verdict->outcome == OUTCOME_NONE || verdict->outcome == OUTCOME_ALREADY_ENDED
                           : verdict->outcome == OUTCOME_ENDED || verdict->outcome == OUTCOME_ACCEPTED);
    if (!lua_istable(L, body)) {
        CHECK(verdict->outcome == OUTCOME_ACCEPTED && !verdict->confirmed);
        CHECK(strspn(reply->body.data ? reply->body.data : "", " \t\r\n") == reply->body.length);
        return;
    }
    lua_getfield(L, body, "success");
    CHECK(lua_type(L, -1) != LUA_TBOOLEAN || lua_toboolean(L, -1));
    lua_getfield(L, body, "failed");
    CHECK(lua_type(L, -1) != LUA_TBOOLEAN || !lua_toboolean(L, -1));
    lua_getfield(L, body, "error");
    CHECK(!lua_istable(L, -1) && (lua_type(L, -1) != LUA_TBOOLEAN || !lua_toboolean(L, -1)));
    lua_getfield(L, body, "code");
    CHECK(lua_type(L, -1) != LUA_TNUMBER || lua_tonumber(L, -1) < 400);
    lua_pop(L, 4);
}

static void check_result(lua_State *L, const struct operation *operation, const struct verdict *verdict, int first)
{
    static const char *const words[] = { "ended", "already_ended", "accepted", NULL };
    CHECK(lua_istable(L, first) && lua_isnil(L, first + 1) && lua_isnil(L, first + 2));
    CHECK(fuzz_field_is(L, first, "outcome", words[verdict->outcome]));
    CHECK(fuzz_field_is(L, first, "id", id));
    lua_getfield(L, first, "body");
    CHECK(!operation->secret_answer || lua_isnil(L, -1));
    lua_getfield(L, first, "state");
    CHECK(lua_isnil(L, -1) || lua_type(L, -1) == LUA_TSTRING);
    lua_pop(L, 2);
}

static void check_error(lua_State *L, const struct operation *operation, const struct verdict *verdict, int first)
{
    CHECK(verdict->kind > KIND_NONE && verdict->kind <= KIND_BLOCKING);
    CHECK(lua_isnil(L, first) && fuzz_is_line(L, first + 1) && lua_istable(L, first + 2));
    CHECK(fuzz_field_is(L, first + 2, "message", lua_tostring(L, first + 1)));
    CHECK(fuzz_field_is(L, first + 2, "kind", kind_row(verdict->kind)->word));
    CHECK(compat_length(L, first + 1) < 4096);
    lua_getfield(L, first + 2, "raw");
    CHECK(lua_isnil(L, -1) || (compat_length(L, -1) <= ERROR_RAW_BYTES && !operation->secret_answer));
    lua_getfield(L, first + 2, "detail");
    CHECK(lua_isnil(L, -1) || (fuzz_is_line(L, -1) && compat_length(L, -1) <= DETAIL_MAX_BYTES + 3));
    lua_getfield(L, first + 2, "code");
    CHECK(lua_isnil(L, -1) || lua_type(L, -1) == LUA_TSTRING);
    lua_getfield(L, first + 2, "fields");
    CHECK(lua_isnil(L, -1) || lua_istable(L, -1));
    lua_pop(L, 4);
}

/* What the pcall below calls: nothing that an answer holds may make it raise. */
static int read_reply(lua_State *L)
{
    const struct operation *operation = lua_touserdata(L, 1);
    struct reply *reply = lua_touserdata(L, 2);
    struct verdict verdict;
    answer_read(L, operation, id, reply, &verdict);
    int body = lua_gettop(L);
    CHECK(body == 3 && (lua_isnil(L, body) || lua_istable(L, body)));
    if (verdict.kind == KIND_NONE)
        check_success(L, operation, reply, &verdict, body);
    struct report report = { operation, id, sizeof id - 1, verdict, NULL, REACHED_YES, 1, 0.5, 3, reply };
    result_push(L, &report, lua_isnil(L, body) ? 0 : body);
    CHECK(lua_gettop(L) == body + 3);
    if (verdict.kind == KIND_NONE)
        check_result(L, operation, &verdict, body + 1);
    else
        check_error(L, operation, &verdict, body + 1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum kind faults[] = { KIND_NONE, KIND_NETWORK, KIND_TIMEOUT, KIND_PROTOCOL };
    struct input input = { (const char *)data, size };
    lua_State *L = fuzz_lua();
    struct reply reply;
    memset(&reply, 0, sizeof reply);
    const struct operation *operation = &operations[input_choose(&input, OPERATION_COUNT)];
    reply.status = statuses[input_choose(&input, sizeof statuses / sizeof *statuses)];
    unsigned became = input_choose(&input, 8);
    reply.fault = faults[became % 4];
    reply.headers_whole = became < 4;
    /* As the transfer sees to it. */
    if (reply.fault == KIND_NONE && (!reply.headers_whole || reply.status < 200))
        reply.fault = KIND_NETWORK;
    if (reply.status < 200)
        reply.status = 0;
    reply.sent = 1;
    reply.answered = true;
    reply.body = input_take_rest(&input);
    if (reply.body.length == 0)
        text_free(&reply.body);
    lua_pushcfunction(L, read_reply);
    lua_pushlightuserdata(L, (void *)operation);
    lua_pushlightuserdata(L, &reply);
    fuzz_call(L, 2);
    reply_free(&reply);
    return 0;
}
