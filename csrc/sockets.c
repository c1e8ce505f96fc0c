/*
 * sockets.c - the descriptors that libcurl uses.
 *
 * A connection of HTTP/1.1 stays watched while it is idle. That saves system calls, as the next call waits for the same
 * thing, and it keeps a late or a second answer from being taken for that of the next request: such a connection is
 * ended before it is used again.
 */
#define _GNU_SOURCE
#include "sockets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "descriptor.h"

#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 0
#endif

#define IDLE_EVENTS 64

struct socket {
    double opened;                  /* of clock_now */
    double last_in;                 /* of clock_now; when something came on it; 0: nothing yet */
    struct transfer *transfer;      /* under way on it; one of them, over HTTP/2 */
    ino_t inode;                    /* of a connection */
    unsigned char watched;          /* what the poller watches for */
    bool ours;                      /* a connection, not a descriptor within libcurl */
    bool heard;                     /* something came on it */
    bool loose;                     /* libcurl does not wait on it, but may come back to it */
    bool idle;                      /* loose, and its transfer is over */
};

struct sockets {
    struct poller *poller;
    struct poller *face;            /* of epoll: stays, and watches the poller, which may not; NULL until asked for */
    struct socket *table;           /* by descriptor */
    int capacity;
    int idle;
    int wake;                       /* a descriptor that only ends the wait; -1: none */
    bool stale;                     /* the poller may watch what was closed without a word */
    bool changed;                   /* since sockets_expect a descriptor has become another's */
};

struct sockets *sockets_new(void)
{
    struct sockets *sockets = calloc(1, sizeof *sockets);
    if (!sockets)
        return NULL;
    sockets->wake = -1;
    sockets->poller = poller_new();
    if (!sockets->poller) {
        free(sockets);
        return NULL;
    }
    return sockets;
}

/* The entry of the descriptor, made if there is none; NULL if memory is short. */
static struct socket *entry(struct sockets *sockets, int fd)
{
    if (fd >= sockets->capacity) {
        int capacity = sockets->capacity ? sockets->capacity : 64;
        while (capacity <= fd)
            capacity *= 2;
        struct socket *table = realloc(sockets->table, (size_t)capacity * sizeof *table);
        if (!table)
            return NULL;
        memset(table + sockets->capacity, 0, (size_t)(capacity - sockets->capacity) * sizeof *table);
        sockets->table = table;
        sockets->capacity = capacity;
    }
    return &sockets->table[fd];
}

static void watch(struct sockets *sockets, int fd, int what)
{
    struct socket *socket = &sockets->table[fd];
    if (socket->watched == what)
        return;
    if (poller_watch(sockets->poller, fd, what, socket->watched != 0) || what == 0)
        socket->watched = (unsigned char)what;
}

static void set_idle(struct sockets *sockets, int fd, bool idle)
{
    sockets->idle += idle - sockets->table[fd].idle;
    sockets->table[fd].idle = idle;
}

/* Whether the descriptor is still the connection: libcurl (7.88) closes one that has not come about without a word, and
 * its number may be another's. */
static bool is_ours(const struct sockets *sockets, int fd)
{
    return sockets->table[fd].ours && descriptor_is(fd, sockets->table[fd].inode);
}

/* Drops what is known of a descriptor whose number is another connection's now, or anybody's. */
static void forget(struct sockets *sockets, int fd)
{
    sockets->stale = sockets->stale || sockets->table[fd].watched != 0;
    watch(sockets, fd, 0);
    set_idle(sockets, fd, false);
    memset(&sockets->table[fd], 0, sizeof *sockets->table);
}

int sockets_open(struct sockets *sockets, int family, int type, int protocol)
{
    int fd = descriptor_close_on_exec(socket(family, type | SOCK_CLOEXEC, protocol));
    struct socket *socket = fd >= 0 ? entry(sockets, fd) : NULL;
    if (!socket) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    forget(sockets, fd);
    sockets->changed = true;
    socket->ours = true;
    socket->opened = clock_now();
    socket->inode = descriptor_inode(fd);
    return fd;
}

void sockets_close(struct sockets *sockets, int fd)
{
    watch(sockets, fd, 0);
    set_idle(sockets, fd, false);
    sockets->table[fd].ours = false;
    sockets->table[fd].transfer = NULL;
    close(fd);
}

/* What comes from now on on the descriptor that the transfer was on is not for it. */
static void leave(struct sockets *sockets, const struct transfer *transfer)
{
    if (transfer->fd >= 0 && sockets->table[transfer->fd].transfer == transfer)
        sockets->table[transfer->fd].transfer = NULL;
}

void sockets_want(struct sockets *sockets, int fd, int what, struct transfer *transfer)
{
    struct socket *socket = entry(sockets, fd);
    if (!socket)
        return;
    /* One on which something came has come about. */
    if (socket->ours && !socket->heard && !is_ours(sockets, fd))
        forget(sockets, fd);
    socket->loose = what == 0 && socket->ours;
    set_idle(sockets, fd, false);
    /* Of several transfers over HTTP/2 it is not always the last one that is noted here, and then nobody lets go of it. */
    watch(sockets, fd, socket->loose && socket->transfer ? SOCKETS_IN : what);
    if (what == 0)
        return;
    if (transfer) {
        leave(sockets, transfer);       /* a connection that refused it, say, and goes on without it */
        transfer->fd = fd;
    }
    socket->transfer = transfer;
}

void sockets_release(struct sockets *sockets, struct transfer *transfer)
{
    int fd = transfer->fd;
    transfer->fd = -1;
    if (fd < 0 || sockets->table[fd].transfer != transfer)
        return;
    sockets->table[fd].transfer = NULL;
    if (!sockets->table[fd].loose)
        return;
    /* Over HTTP/2 a server may well say something of the connection while it is idle. */
    if (transfer->reply->multiplexed)
        watch(sockets, fd, 0);
    else
        set_idle(sockets, fd, true);
}

/* Puts an end in the place of the connection, which libcurl sees when it looks whether it can use it again. */
static void bury(struct sockets *sockets, int fd)
{
    int ends[2];
    sockets->changed = true;
    watch(sockets, fd, 0);
    set_idle(sockets, fd, false);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
        close(ends[1]);
#ifdef __linux__
        dup3(ends[0], fd, O_CLOEXEC);
#else
        descriptor_close_on_exec(dup2(ends[0], fd));
#endif
#ifdef SO_NOSIGPIPE
        setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int));
#endif
        close(ends[0]);
        sockets->table[fd].inode = descriptor_inode(fd);
    } else {
        char dropped[4096];
        shutdown(fd, SHUT_RDWR);
        while (recv(fd, dropped, sizeof dropped, MSG_DONTWAIT) > 0)
            continue;
    }
}

void sockets_end_silent(struct sockets *sockets, int fd, double sent_at)
{
    /* One that was opened since has the number of the one that was silent, which is closed. Half of the time that a transfer
     * waited without a byte for anybody tells a dead connection from a slow answer. */
    if (fd < 0 || fd >= sockets->capacity || !is_ours(sockets, fd) || sockets->table[fd].opened > sent_at ||
        sockets->table[fd].last_in > (sent_at + clock_now()) / 2)
        return;
    bool loose = sockets->table[fd].loose;
    bury(sockets, fd);
    if (!loose)
        watch(sockets, fd, SOCKETS_IN);     /* so that the other transfers on it learn of the end */
}

static void drain(int fd)
{
    char bytes[64];
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) == sizeof bytes)
        continue;
}

bool sockets_set_wake(struct sockets *sockets, int fd)
{
    if (sockets->wake >= 0)
        poller_watch(sockets->poller, sockets->wake, 0, true);
    sockets->wake = fd;
    return fd < 0 || poller_watch(sockets->poller, fd, POLLER_IN, false);
}

/* Sees to what happened on idle connections, and drops that from the events: how many are left. */
static int drop_idle(struct sockets *sockets, struct poller_event *events, int count)
{
    int left = 0;
    for (int i = 0; i < count; i++) {
        int fd = events[i].fd;
        if (fd == sockets->wake)
            drain(fd);
        else if (!sockets->table[fd].loose)
            events[left++] = events[i];
        else if (!is_ours(sockets, fd))
            forget(sockets, fd);
        else if (sockets->table[fd].idle)
            bury(sockets, fd);
        else
            watch(sockets, fd, 0);
    }
    return left;
}

void sockets_check_idle(struct sockets *sockets)
{
    struct poller_event events[IDLE_EVENTS];
    int count;
    do {
        int idle = sockets->idle;
        count = idle > 0 ? poller_wait(sockets->poller, 0, events, IDLE_EVENTS) : 0;
        if (count > 0)
            drop_idle(sockets, events, count);
        if (sockets->idle == idle)
            break;                  /* what is left is for those who wait */
    } while (count == IDLE_EVENTS);
}

/* libcurl tells of an answer only once a line of it is whole. Without TLS its first byte can be seen. */
static void note_first_byte(const struct sockets *sockets, const struct poller_event *event)
{
    struct transfer *transfer = sockets->table[event->fd].transfer;
    char byte;
    if (transfer && transfer->cleartext)
        transfer_look(transfer);
    if (transfer && transfer->cleartext && transfer->reply->sent > 0 && !transfer->reply->answered &&
        event->what & POLLER_IN)
        transfer->reply->answered = !(event->what & POLLER_END) ||
                                    recv(event->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* Whether this poller watches all that is watched, and still ours. */
static bool move_to(struct sockets *sockets, struct poller *poller)
{
    if (sockets->wake >= 0 && !poller_watch(poller, sockets->wake, POLLER_IN, false))
        return false;
    for (int fd = 0; fd < sockets->capacity; fd++) {
        if (sockets->table[fd].ours && !is_ours(sockets, fd))
            forget(sockets, fd);
        if (sockets->table[fd].watched && !poller_watch(poller, fd, sockets->table[fd].watched, false))
            return false;
    }
    return !sockets->face || poller_watch(sockets->face, poller_fd(poller), POLLER_IN, false);
}

/* Epoll tells of what was closed for as long as the child of a fork has a copy, and only by the descriptor that is closed
 * could it be told not to. So another one takes its place; where there is none to be had, the next time. */
static void renew(struct sockets *sockets)
{
    struct poller *poller = poller_new();
    if (!poller || !move_to(sockets, poller)) {
        poller_free(poller);
        return;
    }
    if (sockets->face)
        poller_watch(sockets->face, poller_fd(sockets->poller), 0, true);
    poller_free(sockets->poller);
    sockets->poller = poller;
    sockets->stale = false;
}

void sockets_expect(struct sockets *sockets)
{
    if (sockets->stale && POLLER_BY == POLLER_EPOLL)
        renew(sockets);
    sockets->changed = false;
}

int sockets_wait(struct sockets *sockets, int milliseconds, struct poller_event *events, int most)
{
    return poller_wait(sockets->poller, milliseconds, events, most);
}

int sockets_sort_out(struct sockets *sockets, struct poller_event *events, int count, double now)
{
    if (sockets->changed)
        return 0;                   /* an event may be that of the one before; what holds comes again */
    count = drop_idle(sockets, events, count);
    for (int i = 0; i < count; i++) {
        struct socket *socket = &sockets->table[events[i].fd];
        if (events[i].what & POLLER_IN)
            socket->last_in = now;
        socket->heard = socket->heard || (events[i].what & (POLLER_IN | POLLER_ERROR)) == POLLER_IN;
        note_first_byte(sockets, &events[i]);
    }
    return count;
}

int sockets_fd(struct sockets *sockets)
{
    if (POLLER_BY != POLLER_EPOLL)
        return poller_fd(sockets->poller);
    if (!sockets->face) {
        struct poller *face = poller_new();
        if (!face || !poller_watch(face, poller_fd(sockets->poller), POLLER_IN, false)) {
            poller_free(face);
            return -1;
        }
        sockets->face = face;
    }
    return poller_fd(sockets->face);
}

void sockets_free(struct sockets *sockets)
{
    if (sockets) {
        poller_free(sockets->face);
        poller_free(sockets->poller);
        free(sockets->table);
        free(sockets);
    }
}

void sockets_abandon(struct sockets *sockets)
{
    for (int fd = 0; fd < sockets->capacity; fd++) {
        if (is_ours(sockets, fd))
            close(fd);
    }
    poller_abandon(sockets->face);
    poller_abandon(sockets->poller);
    free(sockets->table);
    free(sockets);
}
