/*
 * ticketing.c - userdata: a ticket, for Lua.
 */
#include "ticketing.h"

#include <errno.h>

#include "ticket.h"

static const char TICKET_TYPE[] = "mediastop.ticket";

static int issue(lua_State *L)
{
    size_t length;
    const char *key = luaL_checklstring(L, 1, &length);
    struct ticket *ticket = compat_new_userdata(L, sizeof *ticket, TICKET_TYPE);
    if (ticket_issue(ticket, key, length))
        return 1;
    int error = errno;
    lua_pushnil(L);
    compat_push_error(L, error);
    return 2;
}

/* Safe to call twice. */
static int take(lua_State *L)
{
    struct ticket *ticket = compat_test_userdata(L, 1, TICKET_TYPE);
    lua_pushboolean(L, ticket && ticket_take(ticket));
    return 1;
}

static int call_off(lua_State *L)
{
    size_t length;
    const char *key = luaL_checklstring(L, 1, &length);
    compat_push_whole(L, ticket_call_off(key, length));
    return 1;
}

static int sweep(lua_State *L)
{
    (void)L;
    ticket_sweep();
    return 0;
}

void ticketing_open(lua_State *L)
{
    static const luaL_Reg methods[] = { { "take", take }, { NULL, NULL } };
    compat_new_type(L, TICKET_TYPE, methods, take);
}

void ticketing_push(lua_State *L)
{
    static const luaL_Reg functions[] = { { "issue", issue }, { "call_off", call_off }, { "sweep", sweep }, { NULL, NULL } };
    lua_newtable(L);
    compat_set_functions(L, functions, 0);
}
