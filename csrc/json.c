/*
 * json.c - our own instance of cjson.
 */
#include "json.h"

#include <langinfo.h>
#include <string.h>

#include "mediastop.h"

static const char decode_key, new_key;      /* their addresses are the keys of lua-cjson's functions in the registry */

static void set(lua_State *L, int cjson, const char *setting, int value, int arguments)
{
    lua_getfield(L, cjson, setting);
    if (value < 0)
        lua_pushboolean(L, 0);
    else
        lua_pushinteger(L, value);
    lua_call(L, arguments, 0);
}

void json_open(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "cjson");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "new");
    lua_pushvalue(L, -1);
    compat_raw_set_pointer(L, LUA_REGISTRYINDEX, &new_key);
    lua_call(L, 0, 1);
    int cjson = lua_gettop(L);
    set(L, cjson, "decode_max_depth", JSON_MAX_DEPTH, 1);
    set(L, cjson, "decode_invalid_numbers", -1, 1);
    lua_getfield(L, cjson, "decode");
    compat_raw_set_pointer(L, LUA_REGISTRYINDEX, &decode_key);
    lua_getfield(L, cjson, "null");
    lua_replace(L, cjson - 1);
    lua_pop(L, 1);
}

#if LUA_VERSION_NUM >= 503
/* lua-cjson 2.1.0 makes a float of every number. Turns whole ones into integers, in the table on top and below. */
static void restore_integers(lua_State *L)
{
    luaL_checkstack(L, 6, "answer nested too deeply");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (lua_type(L, -1) == LUA_TNUMBER && compat_push_as_integer(L, -1)) {
            lua_pushvalue(L, -3);
            lua_insert(L, -2);
            lua_rawset(L, -5);
        } else if (lua_istable(L, -1)) {
            restore_integers(L);
        }
        lua_pop(L, 1);
    }
}
#endif

/* Calls a function, and leaves what it returns: true. Leaves nothing if it fails: false. Raises if memory is short. */
static bool call(lua_State *L, int arguments)
{
    int status = lua_pcall(L, arguments, 1, 0);
    if (status == LUA_ERRMEM)
        lua_error(L);
    if (status != 0)
        lua_pop(L, 1);
    return status == 0;
}

/* lua-cjson reads numbers by strtod, which wants the decimal point of the locale, and all of its instances keep the point
 * that was in force when the last one was made: [200,4] may become 200.4 where the host has changed the locale since. Makes
 * another instance if a number shows that one is needed: true. A point of several bytes ends the process in lua-cjson. */
static bool renew_point(lua_State *L)
{
    compat_raw_get_pointer(L, LUA_REGISTRYINDEX, &decode_key);
    lua_pushliteral(L, "0.5");
    bool fits = call(L, 1);
    lua_pop(L, fits ? 1 : 0);
    if (fits || nl_langinfo(RADIXCHAR)[1] != '\0')
        return false;
    compat_raw_get_pointer(L, LUA_REGISTRYINDEX, &new_key);
    bool made = call(L, 0);
    lua_pop(L, made ? 1 : 0);
    return made;
}

/* Pushes the value of the JSON on top: true. Pushes nothing if it is none: false. */
static bool decode_once(lua_State *L)
{
    compat_raw_get_pointer(L, LUA_REGISTRYINDEX, &decode_key);
    lua_pushvalue(L, -2);
    return call(L, 1);
}

/* Replaces the JSON on top by its value: true. Pops it if it is none: false. */
static bool decode(lua_State *L)
{
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    /* lua-cjson takes a NUL for the end and would not see what follows. */
    bool sound = length > 0 && !memchr(text, '\0', length);
    if (sound && nl_langinfo(RADIXCHAR)[0] != '.')
        renew_point(L);
    if (!sound || (!decode_once(L) && !(renew_point(L) && decode_once(L)))) {
        lua_pop(L, 1);
        return false;
    }
    lua_remove(L, -2);
#if LUA_VERSION_NUM >= 503
    if (lua_istable(L, -1))
        restore_integers(L);
#endif
    return true;
}

int json_decode_string(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 1);
    return decode(L) ? 1 : 0;
}

/* Pushes the value of the text: true. Pushes nothing if it is no JSON: false. */
static bool decode_text(lua_State *L, const struct text *text)
{
    size_t mark = text->length >= 3 && memcmp(text->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;       /* a byte order mark */
    lua_pushlstring(L, text->data ? text->data + mark : "", text->length - mark);
    return decode(L);
}

bool json_push_object(lua_State *L, const struct text *text)
{
    bool decoded = decode_text(L, text);
    if (!decoded || !lua_istable(L, -1)) {
        lua_pop(L, decoded ? 1 : 0);
        lua_pushnil(L);
        return false;
    }
    return text->data[strspn(text->data, " \t\r\n\xEF\xBB\xBF")] == '{';
}

void json_push_field(lua_State *L, int index, const char *path)
{
    const char *dot = strchr(path, '.');
    int type = LUA_TNIL;
    if (lua_type(L, index) == LUA_TTABLE) {
        index = compat_absolute(L, index);
        if (dot)
            lua_pushlstring(L, path, (size_t)(dot - path));
        else
            lua_pushstring(L, path);        /* of which Lua 5.3 and later know by its address that it is a known one */
        lua_rawget(L, index);
        type = lua_type(L, -1);
    } else {
        lua_pushnil(L);
    }
    if (dot && type == LUA_TTABLE) {
        json_push_field(L, -1, dot + 1);
        lua_replace(L, -2);
    } else if (dot || type == LUA_TLIGHTUSERDATA) {     /* null is one */
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}
