/*
 * posted.c - what readers of a provider's posts have in common.
 */
#include "posted.h"

#include "json.h"
#include "result.h"

struct text posted_body(lua_State *L, int index, const char *function)
{
    const struct place place = { function, index };
    struct text body = { 0 };
    if (lua_type(L, index) != LUA_TSTRING)
        misuse_type(L, &place, "string", index);
    body.data = (char *)lua_tolstring(L, index, &body.length);      /* nobody writes to it */
    return body;
}

const char *posted_push_object(lua_State *L, const struct text *body)
{
    if (body->length <= BODY_MAX_BYTES && json_push_object(L, body))
        return NULL;
    if (body->length > BODY_MAX_BYTES)
        lua_pushnil(L);
    return body->length > BODY_MAX_BYTES ? "the body is over 1 MiB"
                                         : "the body is no JSON object, or one that is nested too deeply";
}

int posted_refuse(lua_State *L, const struct operation *function, enum kind kind, const char *problem)
{
    struct report report = { function, NULL, 0, { .kind = kind }, problem, REACHED_NO, 0, 0, -1, NULL };
    result_push(L, &report, 0);
    return 3;
}
