/*
 * console.c - what the command needs of the system, for Lua.
 */
#define _GNU_SOURCE
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"

#define PART_BYTES 65536
#define USUAL_COLUMNS 80
#define LOOK_UP_SECONDS 0.25        /* for Ctrl-C */

/* now() -> seconds since some moment in the past */
static int now(lua_State *L)
{
    lua_pushnumber(L, clock_now());
    return 1;
}

/* read(seconds) -> some bytes of standard input, once it has waited at most so long for them; "" for none yet; nil at
 * its end; or nil and the system's words. Raises on Ctrl-C. */
static int read_input(lua_State *L)
{
    char bytes[PART_BYTES];
    lua_Hook hook_before = interrupt_hook(L);
    struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
    int ready = poll(&input, 1, clock_milliseconds(luaL_checknumber(L, 1)));
    ssize_t count = ready > 0 ? read(STDIN_FILENO, bytes, sizeof bytes) : 0;
    int error = ready < 0 || count < 0 ? errno : 0;
    if (ready <= 0 && interrupt_came(L, hook_before))
        return lua_error(L);
    if (error != 0 && error != EINTR && error != EAGAIN) {
        lua_pushnil(L);
        compat_push_error(L, error);
        return 2;
    }
    if (ready > 0 && count == 0)
        lua_pushnil(L);
    else
        lua_pushlstring(L, bytes, count > 0 ? (size_t)count : 0);
    return 1;
}

/* write(text) -> true once standard output has taken all of it; or nil and the system's words. Where that does not block, as
 * whoever shares it may have set it, it waits all the same. Raises on Ctrl-C while it waits. */
static int write_output(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    lua_Hook hook_before = interrupt_hook(L);
    while (length > 0) {
        ssize_t count = write(STDOUT_FILENO, bytes, length);
        int error = count < 0 ? errno : 0;
        if (error != 0 && error != EAGAIN && error != EINTR) {
            lua_pushnil(L);
            compat_push_error(L, error);
            return 2;
        }
        bytes += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
        struct pollfd output = { STDOUT_FILENO, POLLOUT, 0 };
        if (error == EAGAIN)
            poll(&output, 1, clock_milliseconds(LOOK_UP_SECONDS));
        if (length > 0 && interrupt_came(L, hook_before))
            return lua_error(L);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* left() -> how many bytes standard input still has, or nil if it is no file */
static int left(lua_State *L)
{
    struct stat file;
    off_t here = lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (here < 0 || fstat(STDIN_FILENO, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size <= here)
        lua_pushnil(L);
    else
        lua_pushnumber(L, (double)(file.st_size - here));
    return 1;
}

/* columns(fd) -> how wide the terminal is, or nil if it is none */
static int columns(lua_State *L)
{
    struct winsize size = { 0, 0, 0, 0 };
    int fd = (int)luaL_checknumber(L, 1);
    if (!isatty(fd)) {
        lua_pushnil(L);
        return 1;
    }
    bool known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    compat_push_whole(L, known ? size.ws_col : USUAL_COLUMNS);
    return 1;
}

/* outlive_readers(): a write to a pipe that nobody reads any more fails from now on, and does not end the process. */
static int outlive_readers(lua_State *L)
{
    struct sigaction ignore;
    (void)L;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, NULL);
    return 0;
}

/* hold_standard(): where a standard stream is closed, its descriptor is none that a connection could get. Whoever uses it has
 * an error all the same. */
static int hold_standard(lua_State *L)
{
    (void)L;
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);   /* the lowest one that is free: this */
    }
    return 0;
}

void console_push(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "now", now },
        { "read", read_input },
        { "write", write_output },
        { "left", left },
        { "columns", columns },
        { "outlive_readers", outlive_readers },
        { "hold_standard", hold_standard },
        { NULL, NULL },
    };
    lua_newtable(L);
    compat_set_functions(L, functions, 0);
}
