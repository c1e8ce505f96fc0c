/*
 * network.h - the exchanges of a client, on a pool that the client runs itself or that a thread of its own runs.
 * Sees libc.
 */
#ifndef MEDIASTOP_NETWORK_H
#define MEDIASTOP_NETWORK_H

#include "pool.h"

struct network;

/* One exchange; zeroed before its first use. What it borrows lives until it is given out, or cancelled. */
struct exchange {
    struct link link;               /* in one of the network's queues */
    const struct request *request;
    struct reply *reply;
    struct transfer_limits limits;
    void *owner;                    /* who is told */
    struct transfer *transfer;      /* of whoever runs the pool */
};

/* The settings' strings are borrowed and outlive it. NULL if memory or descriptors are short. */
struct network *network_new(const struct transfer_settings *settings);

/* From now on a thread runs the pool, so that network_run only looks what has come. Does nothing where network_fd
 * has given out the pool's own descriptor, or where no thread is to be had. */
void network_use_thread(struct network *network);

/* Uses a thread, which writes a byte to the socket `fd`, owned from here on, where network_run has work. False if
 * there is no thread to be had. */
bool network_set_bell(struct network *network, int fd);

/* The bell rings at this moment, of clock_now, too; negative: it does not. Replaces the moment before; with
 * `sooner` only a later one. */
void network_ring_at(struct network *network, double due, bool sooner);

/* Takes the bell away, and the thread, unless somebody waits for the descriptor that network_fd gave out. */
void network_silence(struct network *network);

/* The thread ends, and the caller of network_run runs the pool again. */
void network_stop_thread(struct network *network);

bool network_has_thread(const struct network *network);

/* Starts an exchange, whose fields from `request` to `owner` are filled in. Where memory is short its reply says
 * so. */
void network_start(struct network *network, struct exchange *exchange);

/* Ends an exchange without an answer. */
void network_cancel(struct network *network, struct exchange *exchange);

/* Ends an exchange whose time is over: its reply will say so. */
void network_time_out(struct network *network, struct exchange *exchange);

/* As pool_run. With a thread it waits until an exchange has finished. */
enum pool_run network_run(struct network *network, double seconds, double slice_end, double *now);

/* The owner of an exchange that has finished, in order of finishing; NULL for no more. */
void *network_finished(struct network *network);

/* When network_run is needed without the descriptor becoming readable; negative: never. */
double network_due(struct network *network);

/* A descriptor that is readable when network_run has work; -1 where the system has none. */
int network_fd(struct network *network);

/* Sees to what came on idle connections while no exchange is under way. */
void network_tend(struct network *network);

/* All exchanges have been given out or cancelled. */
void network_free(struct network *network);

/* In the child of a fork: forgets the network and touches no connection of it. */
void network_abandon(struct network *network);

#endif
