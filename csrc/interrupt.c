/*
 * interrupt.c - Ctrl-C, as the plain `lua` program has it: its signal handler sets a hook that raises "interrupted!" at
 * the next call of a function.
 */
#include "interrupt.h"

#include <string.h>

#define WORD "interrupted!"

static int nothing(lua_State *L)
{
    (void)L;
    return 0;
}

#if LUA_VERSION_NUM >= 502

void interrupt_open(lua_State *L)
{
    (void)L;
}

static void push_main_state(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
}

#else

static const char main_key;         /* its address is the key of the main state in the registry */

void interrupt_open(lua_State *L)
{
    if (lua_pushthread(L) == 1)
        compat_raw_set_pointer(L, LUA_REGISTRYINDEX, &main_key);
    else
        lua_pop(L, 1);              /* loaded within a coroutine */
}

static void push_main_state(lua_State *L)
{
    compat_raw_get_pointer(L, LUA_REGISTRYINDEX, &main_key);
}

#endif

static lua_State *main_state(lua_State *L)
{
    push_main_state(L);
    lua_State *main = lua_tothread(L, -1);
    lua_pop(L, 1);
    return main ? main : L;         /* not known where the module was loaded within a coroutine */
}

lua_Hook interrupt_hook(lua_State *L)
{
    return lua_gethook(main_state(L));
}

/* Whether the hook looks like that of Ctrl-C, which may have come between two waits. */
static bool is_of_interrupt(lua_State *main)
{
    const int mask = LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT;
    return lua_gethookcount(main) == 1 && (lua_gethookmask(main) & mask) == mask;
}

/* ask() -> what debug.gethook says of the main state. */
static int ask(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_getfield(L, -1, "debug");
    lua_getfield(L, -1, "gethook");
    push_main_state(L);
    lua_call(L, 1, 1);
    return 1;
}

/* Whether the main state's hook is the program's own, by debug.sethook: for any other that library has a mere word. On
 * LuaJIT, whose hooks are for all states, that of Ctrl-C raises here. */
static bool is_of_program(lua_State *L)
{
    lua_pushcfunction(L, ask);
    bool is_own = lua_pcall(L, 0, 1, 0) == 0 && lua_isfunction(L, -1);
    lua_pop(L, 1);
    return is_own;
}

bool interrupt_came(lua_State *L, lua_Hook hook_before)
{
    /* The hook is the main state's alone, and would come to a coroutine only after its wait. */
    lua_State *main = main_state(L);
    lua_Hook hook = lua_gethook(main);
    if (main != L && hook && (hook != hook_before || is_of_interrupt(main)) && !is_of_program(L)) {
        lua_sethook(main, NULL, 0, 0);      /* it is to raise once, here */
        lua_pushliteral(L, WORD);
        return true;
    }
    if (!lua_gethook(L))
        return false;
    lua_pushcfunction(L, nothing);
    return lua_pcall(L, 0, 0, 0) != 0;
}

bool interrupt_is_error(lua_State *L)
{
    size_t length;
    const char *words = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    size_t word = strlen(WORD);
    return words && length >= word && strcmp(words + length - word, WORD) == 0;
}
