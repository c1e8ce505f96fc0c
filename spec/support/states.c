/*
 * states.c - for the specs: Lua states beside the one that runs, one after the other or each in a thread of its own.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>

#define THREADS_MOST 64

__attribute__((visibility("default"))) int luaopen_states(lua_State *L);

struct work {
    const char *source;
    int number;
    char problem[512];
};

/* Runs the source, given the number, in a state of its own. */
static void run(struct work *work)
{
    lua_State *L = luaL_newstate();
    work->problem[0] = '\0';
    if (!L) {
        snprintf(work->problem, sizeof work->problem, "not enough memory");
        return;
    }
    luaL_openlibs(L);
    int status = luaL_loadstring(L, work->source);
    lua_pushnumber(L, work->number);
    if (status != 0 || lua_pcall(L, 1, 0, 0) != 0)
        snprintf(work->problem, sizeof work->problem, "%s", lua_tostring(L, status != 0 ? -2 : -1));
    lua_close(L);
}

/* sequence(count, source): so many states, one after the other. */
static int sequence(lua_State *L)
{
    int count = (int)luaL_checknumber(L, 1);
    struct work work = { luaL_checkstring(L, 2), 0, "" };
    for (work.number = 1; work.number <= count; work.number++) {
        run(&work);
        if (work.problem[0])
            return luaL_error(L, "state %d: %s", work.number, work.problem);
    }
    return 0;
}

static void *run_thread(void *data)
{
    run(data);
    return NULL;
}

/* threads(count, source): so many states at once. */
static int threads(lua_State *L)
{
    struct work works[THREADS_MOST];
    pthread_t ids[THREADS_MOST];
    int count = (int)luaL_checknumber(L, 1), started = 0;
    const char *source = luaL_checkstring(L, 2);
    luaL_argcheck(L, count >= 1 && count <= THREADS_MOST, 1, "from 1 to 64");
    for (; started < count; started++) {
        works[started].source = source;
        works[started].number = started + 1;
        if (pthread_create(&ids[started], NULL, run_thread, &works[started]) != 0)
            break;
    }
    for (int i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    for (int i = 0; i < started; i++) {
        if (works[i].problem[0])
            return luaL_error(L, "thread %d: %s", i + 1, works[i].problem);
    }
    return started == count ? 0 : luaL_error(L, "no more threads");
}

int luaopen_states(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, sequence);
    lua_setfield(L, -2, "sequence");
    lua_pushcfunction(L, threads);
    lua_setfield(L, -2, "threads");
    return 1;
}
