/*
 * watcher.c - a thread that waits for a host whose loop can wait for sockets only.
 *
 * The thread knows nothing of Lua, of libcurl or of jobs: it waits for descriptors and for one moment, and rings.
 */
#define _GNU_SOURCE
#include "watcher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "descriptor.h"
#include "poller.h"

#define EVENTS_AT_ONCE 16
#define STACK_BYTES (128 * 1024)
#define NEVER 1e300

#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 0
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0              /* the thread hears of no signal */
#endif

struct watcher {
    struct poller *poller;
    struct sockaddr_un address;     /* sun_path is empty once it is removed */
    int listener;
    int bell;                       /* our end of the host's connection */
    int wake[2];                    /* wakes the thread */
    pid_t pid;                      /* of the process that has the thread */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;           /* of what follows */
    bool stop;
    double due;                     /* of clock_now; negative: never */
    double sleeps_until;            /* until when the thread sleeps at most; negative while it is awake */
};

static void wake_thread(struct watcher *watcher)
{
    ssize_t ignored = write(watcher->wake[1], "", 1);
    (void)ignored;                  /* full, it is readable all the same */
}

/* Whether the host is to hear; false as well once the thread is to stop. */
static bool wait_for_work(struct watcher *watcher)
{
    struct poller_event events[EVENTS_AT_ONCE];
    bool rings = false;
    pthread_mutex_lock(&watcher->lock);
    double until = watcher->due >= 0 ? watcher->due : NEVER;
    watcher->sleeps_until = until;
    pthread_mutex_unlock(&watcher->lock);
    int count = poller_wait(watcher->poller, clock_milliseconds(until - clock_now()), events, EVENTS_AT_ONCE);
    for (int i = 0; i < count; i++) {
        char bytes[64];
        if (events[i].fd != watcher->wake[0])
            rings = true;
        else
            while (read(watcher->wake[0], bytes, sizeof bytes) > 0)
                continue;
    }
    pthread_mutex_lock(&watcher->lock);
    watcher->sleeps_until = -1;
    if (watcher->due >= 0 && watcher->due <= clock_now()) {
        watcher->due = -1;
        rings = true;
    }
    rings = rings && !watcher->stop;
    pthread_mutex_unlock(&watcher->lock);
    return rings;
}

static bool must_stop(struct watcher *watcher)
{
    pthread_mutex_lock(&watcher->lock);
    bool stop = watcher->stop;
    pthread_mutex_unlock(&watcher->lock);
    return stop;
}

static void *run(void *data)
{
    struct watcher *watcher = data;
    while (!must_stop(watcher)) {
        /* Where there is no room for one more byte, the host has some to read. */
        if (wait_for_work(watcher))
            send(watcher->bell, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    return NULL;
}

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

static void remove_folder(struct watcher *watcher)
{
    char *path = watcher->address.sun_path;
    if (path[0] == '\0')
        return;
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    path[0] = '\0';
}

static int new_listener(struct watcher *watcher)
{
    watcher->address.sun_family = AF_UNIX;
    if (!make_folder(&watcher->address))
        return -1;
    int fd = descriptor_close_on_exec(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd >= 0 && descriptor_set_nonblocking(fd) &&
        bind(fd, (struct sockaddr *)&watcher->address, sizeof watcher->address) == 0 &&
        listen(fd, 1) == 0)
        return fd;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

struct watcher *watcher_new(void)
{
    struct watcher *watcher = calloc(1, sizeof *watcher);
    if (!watcher)
        return NULL;
    pthread_mutex_init(&watcher->lock, NULL);
    watcher->pid = getpid();
    watcher->listener = watcher->bell = watcher->wake[0] = watcher->wake[1] = -1;
    watcher->due = watcher->sleeps_until = -1;
    watcher->poller = poller_new();
    if (watcher->poller && descriptor_pipe(watcher->wake) && descriptor_set_nonblocking(watcher->wake[0]) &&
        descriptor_set_nonblocking(watcher->wake[1]) &&
        poller_watch(watcher->poller, watcher->wake[0], POLLER_IN, false))
        watcher->listener = new_listener(watcher);
    if (watcher->listener < 0) {
        int error = errno;
        watcher_free(watcher);
        errno = error;
        return NULL;
    }
    return watcher;
}

const char *watcher_path(const struct watcher *watcher)
{
    return watcher->address.sun_path;
}

/* The thread is to hear of no signal: they are the host's. */
static int start_thread(struct watcher *watcher)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0)
        return error;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&watcher->thread, &attributes, run, watcher);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    watcher->has_thread = error == 0;
    return error;
}

bool watcher_accept(struct watcher *watcher)
{
    /* The host has connected, so that this does not wait. */
    watcher->bell = descriptor_close_on_exec(accept(watcher->listener, NULL, NULL));
    int error = watcher->bell < 0 ? errno : start_thread(watcher);
    close(watcher->listener);
    watcher->listener = -1;
    remove_folder(watcher);
    errno = error;
    return error == 0;
}

bool watcher_watch(struct watcher *watcher, int fd)
{
    return poller_watch(watcher->poller, fd, POLLER_IN | POLLER_ONCE, true) ||
           poller_watch(watcher->poller, fd, POLLER_IN | POLLER_ONCE, false);
}

static void set_due(struct watcher *watcher, double due, bool only_sooner)
{
    pthread_mutex_lock(&watcher->lock);
    if (!only_sooner || watcher->due < 0 || due < watcher->due)
        watcher->due = due;
    /* Where the moment is later than before, the thread finds out once it wakes. */
    bool wakes = watcher->due >= 0 && watcher->due < watcher->sleeps_until;
    pthread_mutex_unlock(&watcher->lock);
    if (wakes)
        wake_thread(watcher);
}

void watcher_set_due(struct watcher *watcher, double due)
{
    set_due(watcher, due, false);
}

void watcher_hasten(struct watcher *watcher, double due)
{
    set_due(watcher, due, true);
}

void watcher_free(struct watcher *watcher)
{
    const int fds[] = { watcher->listener, watcher->bell, watcher->wake[0], watcher->wake[1] };
    bool ours = watcher->pid == getpid();       /* the child of a fork has no thread, and the folder is not its own */
    if (watcher->has_thread && ours) {
        pthread_mutex_lock(&watcher->lock);
        watcher->stop = true;
        pthread_mutex_unlock(&watcher->lock);
        wake_thread(watcher);
        pthread_join(watcher->thread, NULL);
    }
    if (ours)
        remove_folder(watcher);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    poller_free(watcher->poller);
    pthread_mutex_destroy(&watcher->lock);
    free(watcher);
}
