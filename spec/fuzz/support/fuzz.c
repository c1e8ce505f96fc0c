/*
 * fuzz.c - what the fuzzers share.
 */
#include "fuzz.h"

#include <lualib.h>
#include <string.h>

#define TIDY_EVERY 200

int luaopen_mediastop_core(lua_State *L);

unsigned input_choose(struct input *input, unsigned count)
{
    if (input->left == 0)
        return 0;
    input->left--;
    /* From '0' on, so that choices can be typed. */
    return (unsigned)(uint8_t)(*input->at++ - '0') % count;
}

static struct text copy(const char *bytes, size_t length)
{
    struct text text = { malloc(length + 1), length, length + 1, false };
    CHECK(text.data);
    if (length > 0)
        memcpy(text.data, bytes, length);
    text.data[length] = '\0';
    return text;
}

struct text input_take_line(struct input *input)
{
    const char *end = input->left > 0 ? memchr(input->at, '\n', input->left) : NULL;
    size_t length = end ? (size_t)(end - input->at) : input->left;
    struct text text = copy(input->at, length);
    input->at += length + (end != NULL);
    input->left -= length + (end != NULL);
    return text;
}

struct text input_take_rest(struct input *input)
{
    struct text text = copy(input->at, input->left);
    input->left = 0;
    return text;
}

static void fail(lua_State *L)
{
    fprintf(stderr, "raised: %s\n", lua_tostring(L, -1));
    abort();
}

lua_State *fuzz_lua(void)
{
    static lua_State *L;
    if (L)
        return L;
    L = luaL_newstate();
    CHECK(L);
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_pushliteral(L, "lua/?.lua;lua/?/init.lua");
    lua_setfield(L, -2, "path");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_mediastop_core);
    lua_setfield(L, -2, "mediastop.core");
    lua_settop(L, 0);
    if (luaL_dostring(L, "require('mediastop.core')") != 0)
        fail(L);
    return L;
}

void fuzz_push_function(const char *source)
{
    static int reference = LUA_NOREF;
    lua_State *L = fuzz_lua();
    if (reference == LUA_NOREF) {
        if (luaL_loadstring(L, source) != 0 || lua_pcall(L, 0, 1, 0) != 0)
            fail(L);
        reference = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, reference);
}

static int trace(lua_State *L)
{
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

void fuzz_call(lua_State *L, int arguments)
{
    int function = lua_gettop(L) - arguments;
    lua_pushcfunction(L, trace);
    lua_insert(L, function);
    if (lua_pcall(L, arguments, 0, function) != 0)
        fail(L);
    fuzz_tidy(L);
}

void fuzz_tidy(lua_State *L)
{
    static int runs;
    lua_settop(L, 0);
    if (++runs % TIDY_EVERY == 0)
        lua_gc(L, LUA_GCCOLLECT, 0);
}

bool fuzz_is_line(lua_State *L, int index)
{
    size_t length;
    const char *line = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;
    return line && length > 0 && !text_has_control(line, length);
}

bool fuzz_field_is(lua_State *L, int index, const char *name, const char *word)
{
    lua_getfield(L, index, name);
    const char *value = lua_tostring(L, -1);
    bool same = word && value ? strcmp(word, value) == 0 : !word && !value;
    lua_pop(L, 1);
    return same;
}
