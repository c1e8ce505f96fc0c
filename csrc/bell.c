/*
 * bell.c - userdata: a unix socket for a host whose loop can wait for sockets only.
 */
#define _GNU_SOURCE
#include "bell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "descriptor.h"
#include "flight.h"
#include "roster.h"

static const char BELL_TYPE[] = "mediastop.bell";

#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 0
#endif

struct bell {
    struct sockaddr_un address;     /* sun_path is empty once it is removed */
    int listener;                   /* -1: none any more */
    int connection;                 /* our end of the host's; -1: none */
    ino_t listener_inode, connection_inode;
    pid_t pid;                      /* of the process whose folder it is */
    bool open;
};

static bool make_folder(struct sockaddr_un *address)
{
    const char *folders[] = { getenv("TMPDIR"), "/tmp", "/dev/shm", "/var/tmp" };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        size_t room = sizeof address->sun_path - sizeof "/s" + 1;
        if (!folders[i] || !*folders[i])
            continue;
        int length = snprintf(address->sun_path, room, "%s/mediastop-XXXXXX", folders[i]);
        if (length > 0 && (size_t)length < room && mkdtemp(address->sun_path)) {
            memcpy(address->sun_path + length, "/s", sizeof "/s");
            return true;
        }
    }
    address->sun_path[0] = '\0';
    return false;
}

static void remove_folder(struct bell *bell)
{
    char *path = bell->address.sun_path;
    if (path[0] == '\0')
        return;
    if (bell->pid == getpid()) {
        unlink(path);
        *strrchr(path, '/') = '\0';
        rmdir(path);
    }
    path[0] = '\0';
}

static void close_listener(struct bell *bell)
{
    descriptor_close(bell->listener, bell->listener_inode);
    bell->listener = -1;
}

static void shut(struct bell *bell)
{
    close_listener(bell);
    descriptor_close(bell->connection, bell->connection_inode);
    bell->connection = -1;
    remove_folder(bell);
    bell->open = false;
}

static bool start_listening(struct bell *bell)
{
    bell->address.sun_family = AF_UNIX;
    if (!make_folder(&bell->address))
        return false;
    bell->listener = descriptor_close_on_exec(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bell->listener < 0)
        return false;
    bell->listener_inode = descriptor_inode(bell->listener);
    return descriptor_set_nonblocking(bell->listener) &&
           bind(bell->listener, (struct sockaddr *)&bell->address, sizeof bell->address) == 0 &&
           listen(bell->listener, 1) == 0;
}

static struct bell *check(lua_State *L)
{
    struct bell *bell = compat_test_userdata(L, 1, BELL_TYPE);
    if (!bell || !bell->open)
        luaL_error(L, "an open bell expected");
    return bell;
}

static int fail(lua_State *L, int error)
{
    lua_pushnil(L);
    compat_push_error(L, error);
    return 2;
}

int bell_new(lua_State *L)
{
    struct bell *bell = compat_new_userdata(L, sizeof *bell, BELL_TYPE);
    bell->listener = bell->connection = -1;
    bell->pid = getpid();
    bell->open = true;
    if (start_listening(bell))
        return 1;
    int error = errno;
    shut(bell);
    return fail(L, error);
}

static int path(lua_State *L)
{
    lua_pushstring(L, check(L)->address.sun_path);
    return 1;
}

static int accept_host(lua_State *L)
{
    struct bell *bell = check(L);
    /* The host has connected, so that this does not wait. */
    bell->connection = descriptor_close_on_exec(accept(bell->listener, NULL, NULL));
    int error = errno;
    bell->connection_inode = descriptor_inode(bell->connection);
    close_listener(bell);
    remove_folder(bell);
    if (bell->connection < 0 || !descriptor_set_nonblocking(bell->connection))
        return fail(L, error);
    lua_pushboolean(L, 1);
    return 1;
}

static int add(lua_State *L)
{
    const struct bell *bell = check(L);
    struct client *client = client_check(L, 2);
    struct network *network = client->closed || bell->connection < 0 ? NULL : flight_network(client);
    int copy = network ? fcntl(bell->connection, F_DUPFD_CLOEXEC, 0) : -1;
    bool rings = copy >= 0 && network_set_bell(network, copy);
    lua_pushboolean(L, rings);
    return 1;
}

static int ring(lua_State *L)
{
    descriptor_ring(check(L)->connection);
    return 0;
}

/* Whether the host still has its end, on which it sends nothing. */
static int is_heard(lua_State *L)
{
    char byte;
    ssize_t length = recv(check(L)->connection, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    lua_pushboolean(L, length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
    return 1;
}

/* Safe to call twice. */
static int close_bell(lua_State *L)
{
    struct bell *bell = compat_test_userdata(L, 1, BELL_TYPE);
    if (bell && bell->open)
        shut(bell);
    return 0;
}

int bell_ring_at(lua_State *L)
{
    struct client *client = client_check(L, 1);
    double due = lua_isnoneornil(L, 2) ? -1 : clock_now() + luaL_checknumber(L, 2);
    roster_check_fork(client);
    if (client->network)
        network_ring_at(client->network, due, lua_toboolean(L, 3));
    return 0;
}

int bell_silence(lua_State *L)
{
    struct client *client = client_check(L, 1);
    roster_check_fork(client);
    if (client->network)
        network_silence(client->network);
    return 0;
}

void bell_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "path", path }, { "accept", accept_host }, { "add", add }, { "ring", ring },
        { "is_heard", is_heard }, { "close", close_bell }, { NULL, NULL },
    };
    compat_new_type(L, BELL_TYPE, methods, close_bell);
}
