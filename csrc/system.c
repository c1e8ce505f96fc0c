/*
 * system.c - what the sources of credentials need of the system, and of JSON, for Lua.
 */
#include "system.h"

#include <errno.h>
#include <string.h>

#include "file.h"
#include "host.h"
#include "interrupt.h"
#include "json.h"
#include "process.h"

#define ARGUMENTS_MAX 64

/* A text inside of userdata, so that it is wiped and freed whatever is raised. */
static const char TEXT_TYPE[] = "mediastop.text";

static int text_gc(lua_State *L)
{
    text_free(lua_touserdata(L, 1));
    return 0;
}

static struct text *new_text(lua_State *L)
{
    return compat_new_userdata(L, sizeof(struct text), TEXT_TYPE);
}

/* Pushes the text as a string and wipes it. */
static void push_text(lua_State *L, struct text *text)
{
    lua_pushlstring(L, text->data ? text->data : "", text->length);
    text_free(text);
}

static int fail(lua_State *L, const char *word, int error)
{
    lua_pushnil(L);
    lua_pushstring(L, word);
    if (error)
        compat_push_error(L, error);
    else
        lua_pushnil(L);
    return 3;
}

/* read(path, private) -> content, or nil, a word for why not, the system's words. */
static int read_file(lua_State *L)
{
    static const char *const words[] = {
        [FILE_READ] = "",
        [FILE_MISSING] = "missing",
        [FILE_UNREADABLE] = "unreadable",
        [FILE_NOT_REGULAR] = "not_regular",
        [FILE_TOO_LARGE] = "too_large",
        [FILE_OPEN_TO_OTHERS] = "open_to_others",
        [FILE_OF_ANOTHER] = "of_another",
    };
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    struct text *content = new_text(L);
    if (strlen(path) != length)
        return fail(L, "missing", 0);
    enum file_result result = file_read(path, lua_toboolean(L, 2), content);
    if (content->no_memory)
        return luaL_error(L, "not enough memory");
    if (result != FILE_READ)
        return fail(L, words[result], result == FILE_UNREADABLE ? errno : 0);
    push_text(L, content);
    return 1;
}

/* home() -> the user's home directory, or nil. */
static int home(lua_State *L)
{
    struct text *path = new_text(L);
    bool found = file_add_home(path);
    if (path->no_memory)
        return luaL_error(L, "not enough memory");
    if (!found)
        lua_pushnil(L);
    else
        push_text(L, path);
    return 1;
}

/* Who waits for a program. */
struct waiter {
    lua_State *L;
    lua_Hook hook_before;
};

/* Whether Ctrl-C came; leaves the error on the top. */
static bool must_stop(void *context)
{
    const struct waiter *waiter = context;
    return interrupt_came(waiter->L, waiter->hook_before);
}

/* run(arguments, seconds, may_block) -> what the program printed, or nil, a word for why not, the system's words. */
static int run(lua_State *L)
{
    static const char *const words[] = {
        [PROCESS_DONE] = "",
        [PROCESS_NOT_STARTED] = "not_started",
        [PROCESS_FAILED] = "failed",
        [PROCESS_TOO_SLOW] = "too_slow",
        [PROCESS_TOO_LONG] = "too_long",
        [PROCESS_STOPPED] = "stopped",
    };
    char *arguments[ARGUMENTS_MAX + 1];
    int count = 0;
    luaL_checktype(L, 1, LUA_TTABLE);
    double seconds = luaL_checknumber(L, 2);
    luaL_checkstack(L, ARGUMENTS_MAX + 8, "too many nested calls");
    for (;; count++) {
        lua_rawgeti(L, 1, count + 1);
        if (lua_isnil(L, -1))
            break;
        if (lua_type(L, -1) != LUA_TSTRING || count == ARGUMENTS_MAX)
            return luaL_argerror(L, 1, "at most 64 strings expected");
        arguments[count] = (char *)lua_tostring(L, -1);     /* posix_spawn does not write to them */
    }
    arguments[count] = NULL;
    luaL_argcheck(L, count > 0, 1, "a program expected");
    if (!lua_toboolean(L, 3) && host_must_not_block(L))
        return fail(L, "blocking", 0);
    struct text *output = new_text(L);
    struct waiter waiter = { L, interrupt_hook(L) };
    enum process_result result = process_run(arguments, seconds, output, must_stop, &waiter);
    if (result == PROCESS_STOPPED)
        return lua_error(L);
    if (output->no_memory)
        return luaL_error(L, "not enough memory");
    if (result != PROCESS_DONE)
        return fail(L, words[result], result == PROCESS_NOT_STARTED ? errno : 0);
    push_text(L, output);
    return 1;
}

void system_push(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "read", read_file }, { "home", home }, { "run", run }, { "decode", json_decode_string }, { NULL, NULL }
    };
    compat_push_type(L, TEXT_TYPE);
    lua_pushcfunction(L, text_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    lua_newtable(L);
    compat_set_functions(L, functions, 0);
}
