/*
 * network.c - the exchanges of a client: whoever asks runs the pool, or a thread does.
 *
 * What libcurl does at one stretch, half of a TLS handshake say, nobody can part, and a game's frame has no room for
 * it. The thread has the pool to itself for as long as there is one: everyone else leaves an order. It ends an
 * exchange at once where that is asked for, since the caller then tells how far the request came.
 *
 * But nginx's worker, whose processor may be the thread's as well, sends a request itself while the thread sleeps and few
 * are under way: the thread would have to be woken, and wait for the processor.
 */
#define _POSIX_C_SOURCE 200809L
#include "network.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "descriptor.h"
#include "network_thread.h"
#include "poller.h"

/* How many exchanges under way are few. With more the thread is awake most of the time, and sends what has come together. */
#define FEW 128

/* When it is tried again after there was no thread, or no descriptor for it, to be had. */
#define AGAIN_SECONDS 1

struct network *network_new(const struct transfer_settings *settings)
{
    struct network *network = calloc(1, sizeof *network);
    if (!network)
        return NULL;
    network->pool = pool_new(settings);
    if (!network->pool) {
        free(network);
        return NULL;
    }
    network->bell = -1;
    network->ring_at = -1;
    runner_set_up(&network->runner);
    return network;
}

void network_use_thread(struct network *network)
{
    bool has_failed = network->failed_at > 0 && clock_now() < network->failed_at + AGAIN_SECONDS;
    if (network->exposed || network->runner.exists || has_failed)
        return;
    if (runner_connect(&network->runner) && pool_watch(network->pool, network->runner.its) &&
        runner_start(&network->runner, network_round, network))
        return;
    network->failed_at = clock_now();
    network_stop_thread(network);
}

void network_stop_thread(struct network *network)
{
    runner_stop(&network->runner);
    pool_watch(network->pool, -1);
    runner_lock(&network->runner);
    network_carry_out(network);
    runner_unlock(&network->runner);
}

static void take_bell(struct network *network, int fd)
{
    runner_lock(&network->runner);
    if (network->bell >= 0)
        close(network->bell);
    network->bell = fd;
    network->bell_inode = descriptor_inode(fd);
    network->bell_rung = false;
    network->ring_at = -1;
    runner_unlock(&network->runner);
}

bool network_set_bell(struct network *network, int fd)
{
    network_use_thread(network);
    take_bell(network, fd);
    return network->runner.exists;
}

void network_ring_at(struct network *network, double due, bool sooner)
{
    runner_lock(&network->runner);
    if (!sooner || network->ring_at < 0 || due < network->ring_at) {
        network->ring_at = due;
        network_wake_by(network, due);
    }
    runner_unlock(&network->runner);
}

void network_silence(struct network *network)
{
    take_bell(network, -1);
    if (!network->listens)
        network_stop_thread(network);
}

bool network_has_thread(const struct network *network)
{
    return network->runner.exists;
}

/* Locks what is shared with the thread. Where that stands still for good, the pool is the caller's again. */
static void lock(struct network *network)
{
    runner_lock(&network->runner);
    if (network->runner.retired && network->runner.exists) {
        runner_unlock(&network->runner);
        network_stop_thread(network);
        runner_lock(&network->runner);
    }
}

/* With the lock: an order was left. */
static void pass_on(struct network *network)
{
    if (network->runner.exists)
        runner_wake(&network->runner);
    else
        network_carry_out(network);
}

void network_start(struct network *network, struct exchange *exchange)
{
    lock(network);
    bool sleeps = network->runner.asleep && POLLER_BY != POLLER_POLL;   /* whose wait sees no change */
    if (network->bell >= 0 && sleeps && pool_count(network->pool) < FEW) {
        network_send(network, exchange);
    } else {
        queue_add(&network->orders, &exchange->link, exchange);
        pass_on(network);
    }
    runner_unlock(&network->runner);
}

void network_cancel(struct network *network, struct exchange *exchange)
{
    lock(network);
    if (exchange->link.queue == &network->orders || exchange->link.queue == &network->ended) {
        queue_leave(&exchange->link);
    } else {
        network->unwanted = exchange;
        pass_on(network);
        while (network->unwanted && !network->runner.retired)
            pthread_cond_wait(&network->runner.changed, &network->runner.lock);
        if (network->unwanted) {
            runner_unlock(&network->runner);
            network_stop_thread(network);
            runner_lock(&network->runner);
        }
    }
    runner_unlock(&network->runner);
}

void network_time_out(struct network *network, struct exchange *exchange)
{
    lock(network);
    if (exchange->link.queue == &network->orders) {
        network_end_unsent(network, exchange, KIND_TIMEOUT, false);
    } else if (exchange->link.queue != &network->ended) {
        queue_add(&network->late, &exchange->link, exchange);
        pass_on(network);
    }
    runner_unlock(&network->runner);
}

/* Waits for the thread to ring. */
static enum pool_run listen_for(struct network *network, double seconds)
{
    struct pollfd ours = { .fd = network->runner.ours, .events = POLLIN };
    bool listens = network->listens;
    network->listens = true;
    runner_unlock(&network->runner);
    bool interrupted = poll(&ours, 1, clock_milliseconds(seconds)) < 0 && errno == EINTR;
    runner_lock(&network->runner);
    network->listens = listens;
    return interrupted ? POOL_INTERRUPTED : POOL_OK;
}

enum pool_run network_run(struct network *network, double seconds, double slice_end, double *now)
{
    enum pool_run outcome = POOL_OK;
    lock(network);
    if (network->ended.count > 0 && seconds > 0)
        seconds = 0;
    if (network->runner.exists) {
        if (seconds > 0)
            outcome = listen_for(network, seconds);
        runner_unlock(&network->runner);
        *now = clock_now();
        return outcome;
    }
    runner_unlock(&network->runner);
    outcome = pool_run(network->pool, seconds, slice_end, now);
    network_collect(network);
    return outcome;
}

void *network_finished(struct network *network)
{
    lock(network);
    struct exchange *exchange = queue_first(&network->ended);
    if (exchange)
        queue_leave(&exchange->link);
    if (network->ended.count == 0) {
        runner_hush(&network->runner);
        network->bell_rung = false;
    }
    runner_unlock(&network->runner);
    return exchange ? exchange->owner : NULL;
}

double network_due(struct network *network)
{
    lock(network);
    bool has_thread = network->runner.exists;
    double due = network->ended.count > 0 ? 0 : -1;
    runner_unlock(&network->runner);
    return due < 0 && !has_thread ? pool_due(network->pool) : due;
}

int network_fd(struct network *network)
{
    lock(network);
    bool has_thread = network->runner.exists;
    network->listens = network->listens || has_thread;
    if (network->listens && network->ended.count > 0)
        runner_ring(&network->runner);
    runner_unlock(&network->runner);
    network->exposed = network->exposed || !has_thread;
    return has_thread ? network->runner.ours : pool_fd(network->pool);
}

void network_tend(struct network *network)
{
    lock(network);
    bool has_thread = network->runner.exists;
    if (has_thread && network->ended.count == 0)
        runner_hush(&network->runner);      /* what it rang for was cancelled */
    runner_unlock(&network->runner);
    if (!has_thread)
        pool_tend(network->pool);
}

void network_free(struct network *network)
{
    if (!network)
        return;
    network_stop_thread(network);
    take_bell(network, -1);
    pool_free(network->pool);
    runner_close(&network->runner);
    free(network);
}

void network_abandon(struct network *network)
{
    pool_abandon(network->pool);
    descriptor_close(network->bell, network->bell_inode);
    runner_close(&network->runner);
    free(network);
}
