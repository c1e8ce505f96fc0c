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

static lua_State *main_state(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    lua_State *main = lua_tothread(L, -1);
    lua_pop(L, 1);
    return main;
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

static lua_State *main_state(lua_State *L)
{
    compat_raw_get_pointer(L, LUA_REGISTRYINDEX, &main_key);
    lua_State *main = lua_tothread(L, -1);
    lua_pop(L, 1);
    return main ? main : L;
}

#endif

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

bool interrupt_came(lua_State *L, lua_Hook hook_before)
{
    /* The hook is the main state's alone, and would come to a coroutine only after its wait. */
    lua_State *main = main_state(L);
    lua_Hook hook = lua_gethook(main);
    if (main != L && hook && (hook != hook_before || is_of_interrupt(main))) {
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
