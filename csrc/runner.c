/*
 * runner.c - a thread that stands still while the process forks, and once it exits.
 *
 * In the child of a fork there is only the thread that forked: a lock of OpenSSL's that another one held would be
 * held for ever, and memory half written. At the exit OpenSSL frees what such a thread may be using.
 */
#define _GNU_SOURCE
#include "runner.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptor.h"

/* A handshake of OpenSSL's takes some tens of KiB; a system's own default may be less, or 8 MiB. */
#define STACK_BYTES ((size_t)1024 * 1024)

#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 0
#endif

/* All threads of the process, whichever Lua states they are of. */
static pthread_mutex_t lock_of_all = PTHREAD_MUTEX_INITIALIZER;
static struct runner *all;
static int forks;                   /* under way: all stand still */
static bool exiting;

/* The process that these are of. A fork calls no handler that was registered after it had begun: its child has a list of
 * threads that are not there, and a lock that may be held for ever. It touches neither, and has no threads. */
static pthread_once_t begun = PTHREAD_ONCE_INIT;
static pid_t process;

static void begin(void)
{
    process = getpid();
}

static bool is_here(void)
{
    return process == getpid();
}

void runner_lock(struct runner *runner)
{
    pthread_mutex_lock(&runner->lock);
}

void runner_unlock(struct runner *runner)
{
    pthread_mutex_unlock(&runner->lock);
}

static void hold(struct runner *runner)
{
    runner_lock(runner);
    runner->holds++;
    runner_wake(runner);
    while (!runner->held && !runner->ended)
        pthread_cond_wait(&runner->changed, &runner->lock);
    runner_unlock(runner);
}

static void release(struct runner *runner)
{
    runner_lock(runner);
    runner->holds--;
    runner->held = runner->holds > 0;
    pthread_cond_broadcast(&runner->changed);
    runner_unlock(runner);
}

/* The lock is not kept: whoever starts or stops a thread meanwhile may be one for whom another handler waits. */
static void before_fork(void)
{
    if (!is_here())
        return;
    pthread_mutex_lock(&lock_of_all);
    forks++;
    for (struct runner *runner = all; runner; runner = runner->next)
        hold(runner);
    pthread_mutex_unlock(&lock_of_all);
}

static void after_fork(void)
{
    if (!is_here())
        return;
    pthread_mutex_lock(&lock_of_all);
    forks--;
    for (struct runner *runner = all; runner; runner = runner->next)
        release(runner);
    pthread_mutex_unlock(&lock_of_all);
}

static void after_fork_in_child(void)
{
    process = getpid();
    lock_of_all = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    all = NULL;
    forks = 0;
}

/* Functions that are registered later are called sooner: libcurl, and with it OpenSSL, was started before. */
static void at_exit(void)
{
    if (!is_here())
        return;
    pthread_mutex_lock(&lock_of_all);
    exiting = true;
    for (struct runner *runner = all; runner; runner = runner->next) {
        hold(runner);
        runner_lock(runner);
        runner->retired = true;
        pthread_cond_broadcast(&runner->changed);
        runner_unlock(runner);
    }
    pthread_mutex_unlock(&lock_of_all);
}

static void strike_off(struct runner *runner)
{
    pthread_mutex_lock(&lock_of_all);
    struct runner **place = &all;
    while (*place && *place != runner)
        place = &(*place)->next;
    if (*place)
        *place = runner->next;
    pthread_mutex_unlock(&lock_of_all);
}

/* With the lock of all; false if memory is short. */
static bool is_held_at_forks(void)
{
    static bool registered;
    registered = registered || pthread_atfork(before_fork, after_fork, after_fork_in_child) == 0;
    return registered;
}

void runner_set_up(struct runner *runner)
{
    pthread_once(&begun, begin);
    if (is_here()) {
        pthread_mutex_lock(&lock_of_all);
        is_held_at_forks();         /* before there is a thread that a fork could meet */
        pthread_mutex_unlock(&lock_of_all);
    }
    runner->ours = runner->its = -1;
    pthread_mutex_init(&runner->lock, NULL);
    pthread_cond_init(&runner->changed, NULL);
}

static bool set_up_end(int fd)
{
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int));
#endif
    return descriptor_set_nonblocking(descriptor_close_on_exec(fd));
}

bool runner_connect(struct runner *runner)
{
    int ends[2];
    if (runner->ours >= 0)
        return true;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    runner->ours = ends[0];
    runner->its = ends[1];
    runner->ours_inode = descriptor_inode(ends[0]);
    runner->its_inode = descriptor_inode(ends[1]);
    if (set_up_end(ends[0]) && set_up_end(ends[1]))
        return true;
    runner_close(runner);
    return false;
}

static void *run(void *data)
{
    struct runner *runner = data;
    runner_lock(runner);
    while (!runner->stop) {
        if (runner->holds > 0) {
            runner->held = true;
            pthread_cond_broadcast(&runner->changed);
            pthread_cond_wait(&runner->changed, &runner->lock);
        } else {
            runner->round(runner->owner);
        }
    }
    runner->ended = true;
    pthread_cond_broadcast(&runner->changed);
    runner_unlock(runner);
    return NULL;
}

/* The thread is to hear of no signal: they are the host's. */
static bool create(struct runner *runner)
{
    sigset_t every, before;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    bool created = pthread_create(&runner->thread, &attributes, run, runner) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return created;
}

bool runner_start(struct runner *runner, void (*round)(void *owner), void *owner)
{
    static bool held_at_exit;
    if (!is_here())
        return false;
    runner->round = round;
    runner->owner = owner;
    runner->stop = runner->ended = runner->held = false;
    pthread_mutex_lock(&lock_of_all);
    runner->holds = forks;
    held_at_exit = held_at_exit || atexit(at_exit) == 0;
    runner->exists = is_held_at_forks() && held_at_exit && !exiting && create(runner);
    if (runner->exists) {
        runner->next = all;
        all = runner;
    }
    pthread_mutex_unlock(&lock_of_all);
    return runner->exists;
}

void runner_stop(struct runner *runner)
{
    if (!runner->exists)
        return;
    runner_lock(runner);
    runner->stop = true;
    runner_wake(runner);
    pthread_cond_broadcast(&runner->changed);
    runner_unlock(runner);
    pthread_join(runner->thread, NULL);
    strike_off(runner);             /* until it has ended, a fork waits for it */
    runner->exists = false;
}

void runner_close(struct runner *runner)
{
    descriptor_close(runner->ours, runner->ours_inode);
    descriptor_close(runner->its, runner->its_inode);
    runner->ours = runner->its = -1;
}

void runner_wake(struct runner *runner)
{
    if (runner->asleep)
        descriptor_ring(runner->ours);        /* full, it is readable all the same */
    runner->asleep = false;
}

void runner_ring(struct runner *runner)
{
    if (!runner->rung)
        descriptor_ring(runner->its);
    runner->rung = true;
}

void runner_hush(struct runner *runner)
{
    char bytes[16];
    if (runner->rung) {
        while (recv(runner->ours, bytes, sizeof bytes, 0) == sizeof bytes)
            continue;
    }
    runner->rung = false;
}
