/*
 * failing.c - for specs only: malloc and its kin that fail when told to, for our code and, through memory.c, for libcurl.
 *
 * It is linked into the module of `make asan` by --wrap; luaopen_failing is found in that.
 */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *string);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *string);

__attribute__((visibility("default"))) int luaopen_failing(lua_State *L);

/* Of the thread that asked for it: others go on. */
static __thread struct {
    bool armed;
    bool lasting;                   /* once one has failed, all do */
    bool spares_strings;            /* strdup never fails */
    long left;                      /* allocations until the one that fails */
    long failed;
} failing;

static bool fails(void)
{
    if (!failing.armed || failing.left-- > 0)
        return false;
    failing.armed = failing.lasting;
    failing.left = 0;
    failing.failed++;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *string)
{
    return !failing.spares_strings && fails() ? NULL : __real_strdup(string);
}

/* within(n, lasting, function, spares_strings): calls the function while the n-th allocation from now fails, and all after it
 * if that is to last; strdup's on demand not among them. Returns whether any did, then what pcall returns. */
static int within(lua_State *L)
{
    failing.left = (long)luaL_checkinteger(L, 1);
    failing.lasting = lua_toboolean(L, 2);
    failing.failed = 0;
    failing.spares_strings = lua_toboolean(L, 4);
    lua_settop(L, 3);
    failing.armed = true;
    int status = lua_pcall(L, 0, 1, 0);
    failing.armed = false;
    lua_pushboolean(L, failing.failed > 0);
    lua_replace(L, 1);
    lua_pushboolean(L, status == 0);
    lua_replace(L, 2);
    return 3;
}

int luaopen_failing(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, within);
    lua_setfield(L, -2, "within");
    return 1;
}
