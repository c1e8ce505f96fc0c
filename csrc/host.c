/*
 * host.c - hosts that stand still while a call waits.
 */
#include "host.h"

#include <string.h>

/* Phases of nginx in which it serves nobody: before its first request and after its last. */
static bool serves_nobody(const char *phase)
{
    static const char *const phases[] = { "init", "init_worker", "exit_worker" };
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        if (strcmp(phases[i], phase) == 0)
            return true;
    }
    return false;
}

bool host_must_not_block(lua_State *L)
{
    int top = lua_gettop(L);
    bool serves = false;
    luaL_checkstack(L, 4, "too many nested calls");
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    if (lua_istable(L, -1)) {
        lua_pushliteral(L, "ngx");
        lua_rawget(L, -2);
    }
    if (lua_istable(L, -1) && lua_gettop(L) == top + 2) {
        lua_pushliteral(L, "get_phase");
        lua_rawget(L, -2);
        /* It raises where there is no phase, as in nginx's worker threads, which may well wait. */
        if (lua_isfunction(L, -1) && lua_pcall(L, 0, 1, 0) == 0 && lua_type(L, -1) == LUA_TSTRING)
            serves = !serves_nobody(lua_tostring(L, -1));
    }
    lua_settop(L, top);
    return serves;
}
