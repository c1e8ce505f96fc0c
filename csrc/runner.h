/*
 * runner.h - a thread that stands still while the process forks, and once it exits. Sees libc.
 */
#ifndef MEDIASTOP_RUNNER_H
#define MEDIASTOP_RUNNER_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

struct runner {
    void (*round)(void *owner);     /* what the thread does, over and over; the lock is held when it is called and returns */
    void *owner;
    pthread_t thread;
    bool exists;                    /* the thread; for the one who starts and stops it */
    struct runner *next;            /* among all of the process */
    int ours, its;                  /* two ends of a connection: a byte wakes the thread, or tells the other side */
    ino_t ours_inode, its_inode;
    pthread_mutex_t lock;           /* of what follows, and of what the owner says */
    pthread_cond_t changed;
    bool stop;
    bool retired;                   /* the process exits: the thread stands still for good */
    bool asleep;                    /* it waits for `its`, too */
    bool rung;                      /* `ours` is readable, or about to be */
    bool held;                      /* it stands still */
    bool ended;                     /* it is not there any more */
    int holds;                      /* it is to */
};

/* Prepares a runner without a thread. */
void runner_set_up(struct runner *runner);

/* Starts the thread; false if there is none to be had. Before that, what it shares with the caller is to be ready. */
bool runner_start(struct runner *runner, void (*round)(void *owner), void *owner);

/* Makes the connection, if there is none yet; false if descriptors are short. */
bool runner_connect(struct runner *runner);

/* Ends the thread and waits for that. */
void runner_stop(struct runner *runner);

/* Closes the connection. There is no thread, or this is the child of a fork. */
void runner_close(struct runner *runner);

void runner_lock(struct runner *runner);
void runner_unlock(struct runner *runner);

/* With the lock: makes a thread that sleeps look up. */
void runner_wake(struct runner *runner);

/* With the lock: makes `ours` readable. */
void runner_ring(struct runner *runner);

/* With the lock: makes it unreadable again. */
void runner_hush(struct runner *runner);

#endif
