/*
 * network_thread.h - a network from within: what it holds, and what whoever runs its pool does. Sees libc.
 */
#ifndef MEDIASTOP_NETWORK_THREAD_H
#define MEDIASTOP_NETWORK_THREAD_H

#include "network.h"
#include "runner.h"

struct network {
    struct pool *pool;
    struct runner runner;
    bool exposed;                   /* the pool's own descriptor was given out */
    double failed_at;               /* when there was no thread to be had; 0: never */
    /* From here on under the runner's lock. */
    struct exchange *unwanted;      /* to be ended; somebody waits for that */
    struct queue orders;            /* to be started */
    struct queue late;              /* their time is over */
    struct queue ended;             /* not yet given out */
    bool listens;                   /* somebody waits for `ours` */
    int bell;                       /* the host's connection; -1: none */
    ino_t bell_inode;
    bool bell_rung;
    double ring_at;                 /* when the bell is to ring, be there work or not; negative: never */
    double wakes_at;                /* when the thread that sleeps looks up by itself */
};

/* All of these are called with the lock of the runner, where there is a thread. */

/* The exchange is over: nothing of it was sent. */
void network_end_unsent(struct network *network, struct exchange *exchange, enum kind fault, bool no_memory);

/* Carries out what was ordered, the end of an exchange first. The lock is free while libcurl works. */
void network_carry_out(struct network *network);

/* Collects what has ended. */
void network_collect(struct network *network);

/* Starts an exchange and sends its request, while the thread sleeps. */
void network_send(struct network *network, struct exchange *exchange);

/* A thread that sleeps looks up by this moment, of clock_now; negative: there is no need to. */
void network_wake_by(struct network *network, double moment);

/* What the thread does, over and over. */
void network_round(void *network);

#endif
