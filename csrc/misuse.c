/*
 * misuse.c - errors of the caller's program.
 */
#include "misuse.h"

#include <stdarg.h>
#include <string.h>

#include "text.h"

#define SHOWN_BYTES 40

int misuse(lua_State *L, const struct place *place, const char *format, ...)
{
    va_list arguments;
    luaL_where(L, 1);
    lua_pushfstring(L, "bad argument #%d to '%s' (", place->argument, place->function);
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    lua_pushliteral(L, ")");
    lua_concat(L, 4);
    return lua_error(L);
}

const char *misuse_shown(lua_State *L, int index)
{
    char shown[SHOWN_BYTES + 1];
    size_t length;
    if (lua_type(L, index) != LUA_TSTRING)
        return lua_pushfstring(L, "[%s]", luaL_typename(L, index));
    const char *name = lua_tolstring(L, index, &length);
    size_t cut = length < SHOWN_BYTES ? length : SHOWN_BYTES;
    for (size_t i = 0; i < cut; i++)
        shown[i] = text_has_control(name + i, 1) ? '?' : name[i];
    shown[cut] = '\0';
    return lua_pushfstring(L, "%s%s", shown, cut < length ? "..." : "");
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn one name into the other. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][SHOWN_BYTES + 1];        /* the last three rows of the table, in turn */
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > SHOWN_BYTES || b_length > SHOWN_BYTES)
        return SHOWN_BYTES;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], higher[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

const char *misuse_name(lua_State *L, int index)
{
    size_t length = 0;
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : "";
    return strlen(name) == length ? name : "";
}

int misuse_unknown(lua_State *L, const struct place *place, const char *what, int index, const char *const *names,
                   size_t count)
{
    index = compat_absolute(L, index);
    const char *shown = misuse_shown(L, index), *closest = NULL;
    size_t best = strlen(shown) < 6 ? 1 : 2;
    for (size_t i = 0; i < count && lua_type(L, index) == LUA_TSTRING; i++) {
        size_t away = distance(lua_tostring(L, index), names[i]);
        if (away <= best) {
            best = away - (away > 0);
            closest = names[i];
        }
    }
    return closest ? misuse(L, place, "unknown %s '%s'; did you mean '%s'?", what, shown, closest)
                   : misuse(L, place, "unknown %s '%s'", what, shown);
}

int misuse_type(lua_State *L, const struct place *place, const char *expected, int index)
{
    return misuse(L, place, "%s expected, got %s", expected, lua_isnone(L, index) ? "no value" : luaL_typename(L, index));
}
