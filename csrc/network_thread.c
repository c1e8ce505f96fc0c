/*
 * network_thread.c - what the thread of a network does, or whoever else runs its pool.
 */
#include "network_thread.h"

#include "clock.h"
#include "descriptor.h"

/* How long the thread works before it looks for orders, for one of which somebody waits. */
#define SLICE_SECONDS 0.0005

/* An order or an event wakes it. */
#define FOREVER 1e9

/* To be given out. It may be late as well. */
static void end(struct network *network, struct exchange *exchange)
{
    queue_leave(&exchange->link);
    queue_add(&network->ended, &exchange->link, exchange);
}

void network_end_unsent(struct network *network, struct exchange *exchange, enum kind fault, bool no_memory)
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

void network_carry_out(struct network *network)
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
            network_end_unsent(network, exchange, KIND_CONNECT, true);
    }
}

void network_collect(struct network *network)
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

void network_round(void *data)
{
    struct network *network = data;
    struct runner *runner = &network->runner;
    network_carry_out(network);
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
    network_collect(network);
    tell(network, now);
}

void network_wake_by(struct network *network, double moment)
{
    if (moment >= 0 && moment < network->wakes_at)
        runner_wake(&network->runner);
}

void network_send(struct network *network, struct exchange *exchange)
{
    double now = clock_now();
    if (start(network, exchange))
        pool_prepare(network->pool, -1, now + SLICE_SECONDS, &now);
    else
        network_end_unsent(network, exchange, KIND_CONNECT, true);
    network_collect(network);
    tell(network, now);
    network_wake_by(network, pool_due(network->pool));
}
