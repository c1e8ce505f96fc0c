/*
 * process.c - for the specs: processes and descriptors, which Lua by itself knows nothing of.
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int luaopen_process(lua_State *L);

static int failed(lua_State *L)
{
    return luaL_error(L, "%s", strerror(errno));
}

/* fork(): the child's id, 0 in the child. */
static int process_fork(lua_State *L)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return failed(L);
    lua_pushnumber(L, pid);
    return 1;
}

/* wait(pid): how it ended: "exit" or "signal", and the number. */
static int process_wait(lua_State *L)
{
    int status;
    pid_t pid = (pid_t)luaL_checknumber(L, 1);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return failed(L);
    }
    lua_pushstring(L, WIFEXITED(status) ? "exit" : "signal");
    lua_pushnumber(L, WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return 2;
}

/* kill(pid, number) */
static int process_kill(lua_State *L)
{
    return kill((pid_t)luaL_checknumber(L, 1), (int)luaL_checknumber(L, 2)) == 0 ? 0 : failed(L);
}

/* ignore(name): "CHLD" or "PIPE" */
static int process_ignore(lua_State *L)
{
    static const char *const names[] = { "CHLD", "PIPE", NULL };
    static const int numbers[] = { SIGCHLD, SIGPIPE };
    return signal(numbers[luaL_checkoption(L, 1, NULL, names)], SIG_IGN) != SIG_ERR ? 0 : failed(L);
}

/* heed_pipe(): SIGPIPE ends the process, as it does where nobody ignores it; LuaSocket does, and children inherit that. */
static int process_heed_pipe(lua_State *L)
{
    return signal(SIGPIPE, SIG_DFL) != SIG_ERR ? 0 : failed(L);
}

static int process_pid(lua_State *L)
{
    lua_pushnumber(L, getpid());
    return 1;
}

/* leave(status): ends the process at once, nothing closed. */
static int process_leave(lua_State *L)
{
    fflush(NULL);
    _exit((int)luaL_checknumber(L, 1));
}

/* alarm(seconds): the process is killed then, so that a spec does not hang with it. */
static int process_alarm(lua_State *L)
{
    alarm((unsigned)luaL_checknumber(L, 1));
    return 0;
}

/* close(first, last): closes all descriptors from one number to another, as those do that become a daemon. */
static int process_close(lua_State *L)
{
    int last = (int)luaL_checknumber(L, 2);
    for (int fd = (int)luaL_checknumber(L, 1); fd <= last; fd++)
        close(fd);
    return 0;
}

/* How many entries the folder has; negative if it is none. */
static int entries(const char *path)
{
    DIR *list = opendir(path);
    int count = 0;
    if (!list)
        return -1;
    while (readdir(list))
        count++;
    closedir(list);
    return count - 2;
}

/* descriptors(): how many are open. */
static int process_descriptors(lua_State *L)
{
    int count = entries("/proc/self/fd") - 1;       /* that folder's own */
    if (count < 0) {
        long most = sysconf(_SC_OPEN_MAX);
        count = 0;
        for (int fd = 0; fd < most && fd < 65536; fd++)
            count += fcntl(fd, F_GETFD) >= 0;
    }
    lua_pushnumber(L, count);
    return 1;
}

/* threads(): how many there are; nil where that cannot be told. */
static int process_threads(lua_State *L)
{
    int count = entries("/proc/self/task");
    if (count < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, count);
    return 1;
}

/* clock(): seconds of the processor that the calling thread has used. */
static int process_clock(lua_State *L)
{
    struct timespec used = { 0 };
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    lua_pushnumber(L, (lua_Number)used.tv_sec + (lua_Number)used.tv_nsec / 1e9);
    return 1;
}

/* limit(count): no descriptor from this number on. */
static int process_limit(lua_State *L)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)luaL_checknumber(L, 1);
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : failed(L);
}

int luaopen_process(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "fork", process_fork },   { "wait", process_wait },   { "kill", process_kill },
        { "pid", process_pid },     { "leave", process_leave }, { "alarm", process_alarm },
        { "limit", process_limit }, { "ignore", process_ignore }, { "heed_pipe", process_heed_pipe }, { "descriptors", process_descriptors },
        { "threads", process_threads }, { "clock", process_clock },   { "close", process_close },
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        lua_pushcfunction(L, functions[i].func);
        lua_setfield(L, -2, functions[i].name);
    }
    return 1;
}
