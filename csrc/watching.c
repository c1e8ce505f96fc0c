/*
 * watching.c - userdata: a watcher, for Lua.
 */
#include "watching.h"

#include <errno.h>

#include "clock.h"
#include "watcher.h"

#define WATCHER_TYPE "mediastop.watcher"

struct watching {
    struct watcher *watcher;        /* NULL once it is closed */
};

static struct watcher *check(lua_State *L)
{
    struct watching *watching = compat_test_userdata(L, 1, WATCHER_TYPE);
    struct watcher *watcher = watching ? watching->watcher : NULL;
    if (!watcher)
        luaL_error(L, "an open watcher expected");
    return watcher;
}

static int fail(lua_State *L)
{
    int error = errno;
    lua_pushnil(L);
    compat_push_error(L, error);
    return 2;
}

int watching_new(lua_State *L)
{
    struct watching *watching = compat_new_userdata(L, sizeof *watching, WATCHER_TYPE);
    watching->watcher = watcher_new();
    return watching->watcher ? 1 : fail(L);
}

static int path(lua_State *L)
{
    lua_pushstring(L, watcher_path(check(L)));
    return 1;
}

static int accept(lua_State *L)
{
    if (!watcher_accept(check(L)))
        return fail(L);
    lua_pushboolean(L, 1);
    return 1;
}

static int watch(lua_State *L)
{
    lua_pushboolean(L, watcher_watch(check(L), (int)luaL_checkinteger(L, 2)));
    return 1;
}

static int set_due(lua_State *L)
{
    watcher_set_due(check(L), lua_isnoneornil(L, 2) ? -1 : clock_now() + luaL_checknumber(L, 2));
    return 0;
}

static int hasten(lua_State *L)
{
    watcher_hasten(check(L), clock_now() + luaL_checknumber(L, 2));
    return 0;
}

/* Safe to call twice. */
static int close(lua_State *L)
{
    struct watching *watching = compat_test_userdata(L, 1, WATCHER_TYPE);
    if (watching && watching->watcher)
        watcher_free(watching->watcher);
    if (watching)
        watching->watcher = NULL;
    return 0;
}

void watching_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "path", path }, { "accept", accept }, { "watch", watch }, { "set_due", set_due },
        { "hasten", hasten }, { "close", close }, { NULL, NULL },
    };
    luaL_newmetatable(L, WATCHER_TYPE);
    lua_newtable(L);
    compat_set_functions(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
