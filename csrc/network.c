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
#include "runner.h"

/* How long the thread works before it looks for orders, for one of which somebody waits. */
#define SLICE_SECONDS 0.0005

/* An order or an event wakes it. */
#define FOREVER 1e9

/* How many exchanges under way are few. With more the thread is awake most of the time, and sends what has come together. */
#define FEW 128

struct network {
    struct pool *pool;
    struct runner runner;
    bool exposed;                   /* the pool's own descriptor was given out */
    bool cannot;                    /* there was no thread to be had */
    /* From here on under the runner's lock. */
    struct exchange *unwanted;      /* to be ended; somebody waits for that */
    struct queue orders;            /* to be started */
    struct queue late;              /* their time is over */
    struct queue ended;             /* not yet given out */
    bool listens;                   /* somebody waits for `ours` */
    int bell;                       /* the host's connection; -1: none */
    bool bell_rung;
    double ring_at;                 /* when the bell is to ring, be there work or not; negative: never */
    double wakes_at;                /* when the thread that sleeps looks up by itself */
};

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

/* To be given out. It may be late as well. */
static void end(struct network *network, struct exchange *exchange)
{
    queue_leave(&exchange->link);
    queue_add(&network->ended, &exchange->link, exchange);
}

/* Of the exchange nothing was sent. */
static void end_unsent(struct network *network, struct exchange *exchange, enum kind fault, bool no_memory)
{
    reply_clear(exchange->reply);
    exchange->reply->fault = fault;
    exchange->reply->no_memory = no_memory;
    end(network, exchange);
}

static bool start(struct network *network, struct exchange *exchange)
{
    exchange->transfer = pool_start(network->pool, exchange->request, exchange->reply, &exchange->limits, exchange);
    return exchange->transfer != NULL;
}

/* Carries out what was ordered, the end of an exchange first. Whoever runs the pool has the lock; it is free while
 * libcurl works. */
static void carry_out(struct network *network)
{
    struct runner *runner = &network->runner;
    struct exchange *exchange = network->unwanted;
    if (exchange) {
        bool has_ended = exchange->link.queue == &network->ended;
        queue_leave(&exchange->link);
        runner_unlock(runner);
        if (!has_ended)
            pool_cancel(network->pool, exchange->transfer);
        runner_lock(runner);
        network->unwanted = NULL;
        pthread_cond_broadcast(&runner->changed);
    }
    while ((exchange = queue_first(&network->late)) != NULL) {
        queue_leave(&exchange->link);
        runner_unlock(runner);
        pool_time_out(network->pool, exchange->transfer);
        runner_lock(runner);
        end(network, exchange);
    }
    while ((exchange = queue_first(&network->orders)) != NULL && !network->unwanted) {
        queue_leave(&exchange->link);
        runner_unlock(runner);
        bool started = start(network, exchange);
        runner_lock(runner);
        if (!started)
            end_unsent(network, exchange, KIND_CONNECT, true);
    }
}

static void collect(struct network *network)
{
    struct exchange *exchange;
    while ((exchange = pool_finished(network->pool)) != NULL)
        end(network, exchange);
}

static void ring_bell(struct network *network)
{
    /* Where there is no room for one more byte, the host has some to read. */
    if (network->bell >= 0 && !network->bell_rung)
        descriptor_ring(network->bell);
    network->bell_rung = true;
}

/* Tells whoever waits what the thread has done. */
static void tell(struct network *network, double now)
{
    if (network->ring_at >= 0 && network->ring_at <= now) {
        network->ring_at = -1;
        network->bell_rung = false;
        ring_bell(network);
    }
    if (network->ended.count == 0)
        return;
    ring_bell(network);
    if (network->listens)
        runner_ring(&network->runner);
}

static bool has_orders(const struct network *network)
{
    return network->orders.count > 0 || network->late.count > 0 || network->unwanted;
}

/* Sleeps so long at most. An earlier moment that was set before is kept, though nobody may need it any more: each request
 * comes with moments that are later than those of the one before, and would wake the thread to set them. */
static void sleep_for(struct network *network, double now, double seconds)
{
    struct runner *runner = &network->runner;
    double until = now + seconds;
    if (network->ring_at >= 0 && network->ring_at < until)
        until = network->ring_at;
    if (network->wakes_at <= now || network->wakes_at > until)
        network->wakes_at = until;
    seconds = has_orders(network) || runner->stop || runner->holds > 0 ? 0 : network->wakes_at - now;
    runner->asleep = seconds > 0;
    runner_unlock(runner);
    pool_wait(network->pool, seconds > 0 ? seconds : 0);
    runner_lock(runner);
    runner->asleep = false;
}

/* What the thread does, over and over. */
static void run_round(void *data)
{
    struct network *network = data;
    struct runner *runner = &network->runner;
    carry_out(network);
    runner_unlock(runner);
    double now = clock_now(), seconds = pool_prepare(network->pool, FOREVER, now + SLICE_SECONDS, &now);
    runner_lock(runner);
    if (seconds >= 0) {
        sleep_for(network, now, seconds);
        runner_unlock(runner);
        now = clock_now();
        pool_finish(network->pool, now + SLICE_SECONDS, &now);
        runner_lock(runner);
    }
    collect(network);
    tell(network, now);
}

void network_use_thread(struct network *network)
{
    if (network->exposed || network->cannot || network->runner.exists)
        return;
    network->cannot = !runner_connect(&network->runner) || !pool_watch(network->pool, network->runner.its) ||
                      !runner_start(&network->runner, run_round, network);
    if (network->cannot)
        network_stop_thread(network);
}

void network_stop_thread(struct network *network)
{
    runner_stop(&network->runner);
    pool_watch(network->pool, -1);
    runner_lock(&network->runner);
    carry_out(network);
    runner_unlock(&network->runner);
}

static void take_bell(struct network *network, int fd)
{
    runner_lock(&network->runner);
    if (network->bell >= 0)
        close(network->bell);
    network->bell = fd;
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

/* With the lock: a thread that sleeps looks up by this moment; negative: there is no need to. */
static void wake_by(struct network *network, double moment)
{
    if (moment >= 0 && moment < network->wakes_at)
        runner_wake(&network->runner);
}

void network_ring_at(struct network *network, double due, bool sooner)
{
    runner_lock(&network->runner);
    if (!sooner || network->ring_at < 0 || due < network->ring_at) {
        network->ring_at = due;
        wake_by(network, due);
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
        carry_out(network);
}

/* With the lock: starts the exchange and sends it. */
static void start_here(struct network *network, struct exchange *exchange)
{
    if (!start(network, exchange)) {
        end_unsent(network, exchange, KIND_CONNECT, true);
        return;
    }
    double now = clock_now();
    pool_prepare(network->pool, -1, now + SLICE_SECONDS, &now);
    collect(network);
    tell(network, now);
    wake_by(network, pool_due(network->pool));
}

void network_start(struct network *network, struct exchange *exchange)
{
    lock(network);
    bool sleeps = network->runner.asleep && pool_fd(network->pool) >= 0;
    if (network->bell >= 0 && sleeps && pool_count(network->pool) < FEW) {
        start_here(network, exchange);
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
        end_unsent(network, exchange, KIND_TIMEOUT, false);
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
    collect(network);
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
    if (!network->runner.exists)
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
    if (network->bell >= 0)
        close(network->bell);
    runner_close(&network->runner);
    free(network);
}
