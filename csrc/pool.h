/*
 * pool.h - the multi handle: sockets, timers, connection reuse, fork. Sees curl.h in its .c only.
 */
#ifndef MEDIASTOP_POOL_H
#define MEDIASTOP_POOL_H

#include "transfer.h"

struct pool;

enum pool_run { POOL_OK, POOL_INTERRUPTED };

/* The first pool of a process starts libcurl. The settings' strings are borrowed and outlive the pool. NULL if memory
 * or descriptors are short. */
struct pool *pool_new(const struct transfer_settings *settings);

/* Starts an exchange. Request and reply are borrowed until pool_finished gives out the owner, or until pool_cancel.
 * NULL if memory is short. */
struct transfer *pool_start(struct pool *pool, const struct request *request, struct reply *reply,
                            const struct transfer_limits *limits, void *owner);

/* How many exchanges are under way. */
size_t pool_count(const struct pool *pool);

/* Ends an exchange without an answer. */
void pool_cancel(struct pool *pool, struct transfer *transfer);

/* Ends an exchange whose time is over: its reply says so. */
void pool_time_out(struct pool *pool, struct transfer *transfer);

/* Moves all exchanges on; waits for the network so many seconds at most, and from `slice_end` on leaves what is left to
 * the next run. Where `seconds` is negative nothing of the network is looked at: new requests are sent, and what is due is
 * done. `*now`, of clock_now, is brought up to date. POOL_INTERRUPTED: a signal ended the wait. */
enum pool_run pool_run(struct pool *pool, double seconds, double slice_end, double *now);

/* The parts of pool_run, for who lets another use the pool while it waits. Returns how long to wait; negative: not at all,
 * and there is nothing to finish. */
double pool_prepare(struct pool *pool, double seconds, double slice_end, double *now);

/* The only one during which somebody else may call the others, where pool_fd gives a descriptor. */
void pool_wait(struct pool *pool, double seconds);
enum pool_run pool_finish(struct pool *pool, double slice_end, double *now);

/* When a run is needed without a descriptor becoming ready; negative: never. */
double pool_due(const struct pool *pool);

/* A descriptor that is readable when a run has work; -1 where the system has none. */
int pool_fd(const struct pool *pool);

/* Lets a byte on this socket end the wait of pool_run, in place of the one before; -1: none. False if the system refuses. */
bool pool_watch(struct pool *pool, int fd);

/* Sees to what came on idle connections while no exchange is under way. */
void pool_tend(struct pool *pool);

/* The owner of an exchange that has finished, its reply filled in, in order of finishing; NULL for no more. */
void *pool_finished(struct pool *pool);

/* Ends what is under way, closes the connections, frees all. */
void pool_free(struct pool *pool);

/* In the child of a fork: forgets the pool and touches no connection of it. */
void pool_abandon(struct pool *pool);

#endif
