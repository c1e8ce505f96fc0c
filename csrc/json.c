/*
 * json.c - our own instance of cjson.
 */
#include "json.h"

#include <string.h>

#include "mediastop.h"

static const char decode_key;       /* its address is the key of the decode function in the registry */

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

bool json_decode(lua_State *L, const struct text *text)
{
    const char *from = text->data;
    size_t length = text->length;
    if (length >= 3 && memcmp(from, "\xEF\xBB\xBF", 3) == 0) {      /* a byte order mark */
        from += 3;
        length -= 3;
    }
    /* lua-cjson takes a NUL for the end and would not see what follows. */
    if (length == 0 || memchr(from, '\0', length))
        return false;
    compat_raw_get_pointer(L, LUA_REGISTRYINDEX, &decode_key);
    lua_pushlstring(L, from, length);
    int status = lua_pcall(L, 1, 1, 0);
    if (status == LUA_ERRMEM)
        lua_error(L);
    if (status != 0) {
        lua_pop(L, 1);
        return false;
    }
#if LUA_VERSION_NUM >= 503
    if (lua_istable(L, -1))
        restore_integers(L);
#endif
    return true;
}

bool json_push_object(lua_State *L, const struct text *text)
{
    bool decoded = json_decode(L, text);
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
