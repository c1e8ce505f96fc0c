/*
 * shortage.c - for specs only: an allocator of the running Lua state that fails when told to.
 */
#include <lauxlib.h>
#include <lua.h>

struct shortage {
    lua_Alloc allocate;
    void *data;
    long left;                      /* allocations until those that fail; negative: none fails */
    int lasting;                    /* once one has failed, all do */
    long failed;
};

static struct shortage shortage = { NULL, NULL, -1, 0, 0 };

static void *allocate(void *data, void *block, size_t old_size, size_t new_size)
{
    struct shortage *s = data;
    /* A block that shrinks or is freed never fails: Lua relies on it. */
    if (s->left >= 0 && new_size > 0 && (!block || new_size > old_size) && s->left-- == 0) {
        s->left = s->lasting ? 0 : -1;
        s->failed++;
        return NULL;
    }
    return s->allocate(s->data, block, old_size, new_size);
}

/* within(n, lasting, function): calls the function while the n-th allocation from now fails, and all after it if that is to
 * last. Returns whether any did, then what pcall returns. */
static int within(lua_State *L)
{
    long count = (long)luaL_checkinteger(L, 1);
    shortage.failed = 0;
    shortage.lasting = lua_toboolean(L, 2);
    lua_settop(L, 3);
    shortage.left = count;
    int status = lua_pcall(L, 0, 1, 0);
    shortage.left = -1;
    lua_pushboolean(L, shortage.failed > 0);
    lua_replace(L, 1);
    lua_pushboolean(L, status == 0);
    lua_replace(L, 2);
    return 3;
}

#ifdef __GNUC__
__attribute__((visibility("default")))
#endif
int luaopen_shortage(lua_State *L);

int luaopen_shortage(lua_State *L)
{
    if (!shortage.allocate) {
        shortage.allocate = lua_getallocf(L, &shortage.data);
        lua_setallocf(L, allocate, &shortage);
    }
    lua_newtable(L);
    lua_pushcfunction(L, within);
    lua_setfield(L, -2, "within");
    return 1;
}
