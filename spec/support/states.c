/*
 * states.c - for the specs: Lua states beside the one that runs, one after the other or each in a thread of its own.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

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

/* A state that outlives the fork in whose middle its thread is told to go on. */
static lua_State *kept;
static const char *kept_source;
static enum { KEPT_WAITS, KEPT_RUNS, KEPT_DONE } kept_stage;
static pthread_mutex_t kept_lock = PTHREAD_MUTEX_INITIALIZER;

static bool kept_is_at(int stage)
{
    pthread_mutex_lock(&kept_lock);
    bool is_there = (int)kept_stage >= stage;
    pthread_mutex_unlock(&kept_lock);
    return is_there;
}

static void set_stage(int stage)
{
    pthread_mutex_lock(&kept_lock);
    kept_stage = stage;
    pthread_mutex_unlock(&kept_lock);
}

static void await(int stage, int most)
{
    const struct timespec pause = { 0, 10000000 };
    for (int i = 0; i < most && !kept_is_at(stage); i++)
        nanosleep(&pause, NULL);
}

static void *run_kept(void *data)
{
    await(KEPT_RUNS, 1000);
    if (luaL_dostring(kept, kept_source) != 0)
        fprintf(stderr, "%s\n", lua_tostring(kept, -1));
    set_stage(KEPT_DONE);
    return data;
}

/* It waits for the thread, as a host does that brings its own to a standstill. Some systems let nobody register more handlers
 * while they call these: the thread is done after the fork. */
static void before_fork(void)
{
    if (kept_is_at(KEPT_RUNS))
        return;
    set_stage(KEPT_RUNS);
    await(KEPT_DONE, 200);
}

/* while_forking(source): in the middle of the next fork a thread runs the source in a state of its own. */
static int while_forking(lua_State *L)
{
    pthread_t id;
    kept_source = luaL_checkstring(L, 1);
    lua_pushvalue(L, 1);
    luaL_ref(L, LUA_REGISTRYINDEX);
    kept = luaL_newstate();
    luaL_openlibs(kept);
    /* The C library looks as a fork begins whether there is another thread, and cares for its memory only then. */
    if (pthread_create(&id, NULL, run_kept, NULL) != 0 || pthread_detach(id) != 0 ||
        pthread_atfork(before_fork, NULL, NULL) != 0)
        return luaL_error(L, "no thread");
    return 0;
}

/* go_on(source): runs this in that state, after the first source. */
static int go_on(lua_State *L)
{
    await(KEPT_DONE, 1000);
    if (luaL_dostring(kept, luaL_checkstring(L, 1)) != 0)
        return luaL_error(L, "%s", lua_tostring(kept, -1));
    return 0;
}

int luaopen_states(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, sequence);
    lua_setfield(L, -2, "sequence");
    lua_pushcfunction(L, threads);
    lua_setfield(L, -2, "threads");
    lua_pushcfunction(L, while_forking);
    lua_setfield(L, -2, "while_forking");
    lua_pushcfunction(L, go_on);
    lua_setfield(L, -2, "go_on");
    return 1;
}
