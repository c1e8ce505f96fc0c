/*
 * misuse.h - errors of the caller's program: raised before anything is sent, naming argument and option. Sees lua.h.
 */
#ifndef MEDIASTOP_MISUSE_H
#define MEDIASTOP_MISUSE_H

#include "compat.h"

/* Which argument of which function is read. Lua's own luaL_argerror finds the name only for some ways of calling. */
struct place {
    const char *function;
    int argument;
};

/* Raises "bad argument #2 to 'stop' (…)", with the caller's line in front; never returns. Takes what lua_pushfstring
 * takes. */
int misuse(lua_State *L, const struct place *place, const char *format, ...);

/* Raises that `what` ("option", say) with the name at `index` is unknown, with the closest of the names if one is
 * close; never returns. */
int misuse_unknown(lua_State *L, const struct place *place, const char *what, int index, const char *const *names,
                   size_t count);

/* Raises that a value has the wrong type; never returns. */
int misuse_type(lua_State *L, const struct place *place, const char *expected, int index);

/* The name at `index`, or "" if that is no string, or one with a NUL: no name of ours has one. */
const char *misuse_name(lua_State *L, int index);

/* A name out of the caller's program as a short printable string, pushed. */
const char *misuse_shown(lua_State *L, int index);

#endif
