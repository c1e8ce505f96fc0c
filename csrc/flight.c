/*
 * flight.c - moving the jobs of a client on: sending, waiting, trying again.
 */
#define _POSIX_C_SOURCE 200809L
#include "flight.h"

#include "clock.h"
#include "event.h"
#include "random.h"
#include "roster.h"
#include "settle.h"

/* How long a run works on the network: a game has 16 ms for a frame. What libcurl does at one stretch, half of a TLS handshake
 * say, comes on top. */
#define SLICE_SECONDS 0.0007

/* How many attempts begin before libcurl is let at them, all of which it starts at one stretch; over HTTP/2, which sends what
 * it has of several together, while somebody waits; and where a thread does all that. */
#define BEGIN_AT_ONCE 2
#define BEGIN_TOGETHER 16
#define ORDER_AT_ONCE 64

struct network *flight_network(struct client *client)
{
    roster_check_fork(client);
    if (!client->network) {
        client->network = network_new(&client->settings);
        client->random = random_seed();
    }
    return client->network;
}

void flight_use_thread(struct client *client)
{
    struct network *network = client->closed || client_unfinished(client) == 0 ? NULL : flight_network(client);
    if (network)
        network_use_thread(network);
}

void flight_start(lua_State *L, int client_index, int index)
{
    struct client *client = lua_touserdata(L, client_index);
    struct job *job = job_at(L, index);
    if (!timers_reserve(&client->timers, client->jobs.count + 1))
        luaL_error(L, "not enough memory");
    compat_push_user_table(L, client_index);
    lua_getfield(L, -1, CLIENT_JOBS);
    lua_pushvalue(L, index);
    compat_raw_set_pointer(L, -2, job);
    lua_pop(L, 2);
    job_pin(L, job, index);
    roster_check_fork(client);
    job->timer.owner = job;
    job->client = client;
    queue_add(&client->jobs, &job->membership, job);
    roster_make_ready(client, job);
}

/* Begins the next attempt of a job, which leaves its queue only then: the listener may raise for want of memory, or end
 * the job, or move it on by a run of its own, or fork, whose child has no part in the job. */
static void send(lua_State *L, struct client *client, struct job *job, int index, double *now)
{
    if (!job->announced) {
        job->announced = true;
        event_attempt(L, client, job, index);
        *now = job->has_listener ? clock_now() : *now;
    }
    if (job->client != client || !job->announced || job->state != JOB_READY)
        return;
    job->announced = false;
    queue_leave(&job->link);
    timers_remove(&client->timers, &job->timer);
    if (!job_send(job, flight_network(client), *now)) {
        job->exchange.owner = NULL;
        roster_add_answered(client, job);
        return;
    }
    roster_gate(client, job)->under_way++;
    timers_add(&client->timers, &job->timer);
}

/* Begins attempts for which there is room, a few at once. Seconds until the next may begin, negative for none. */
static double begin_ready(lua_State *L, struct client *client, int jobs, bool waits, double *now)
{
    double next = -1;
    bool has_thread = client->network && network_has_thread(client->network);
    int begun = 0;
    for (size_t i = 0; i < PROVIDER_COUNT; i++) {
        struct gate *gate = &client->gates[i];
        int most = has_thread ? ORDER_AT_ONCE : waits && !gate->one_by_one ? BEGIN_TOGETHER : BEGIN_AT_ONCE;
        struct job *job;
        double wait;
        while ((job = roster_next(client, gate, *now, &wait)) != NULL) {
            if (wait == 0 && begun >= most)
                return 0;
            if (wait != 0) {
                next = wait > 0 && (next < 0 || wait < next) ? wait : next;
                break;
            }
            begun++;
            compat_raw_get_pointer(L, jobs, job);
            if (lua_isnil(L, -1)) {
                roster_drop(L, job);
            } else if (job->deadline <= *now) {
                settle_end(L, job, lua_gettop(L), KIND_TIMEOUT);
                *now = clock_now();
            } else {
                send(L, client, job, lua_gettop(L), now);
            }
            lua_pop(L, 1);
        }
    }
    return next;
}

/* Jobs whose pause is over queue for their next attempt; attempts whose time is over have their answer; jobs whose deadline
 * came while they queued end. */
static void fire_timers(lua_State *L, struct client *client, int jobs, double slice_end, double *now)
{
    struct timer *timer;
    while ((timer = timers_first(&client->timers)) != NULL && timer->due <= *now && *now < slice_end) {
        struct job *job = timer->owner;
        if (job->state == JOB_WAITING) {
            timers_remove(&client->timers, timer);
            roster_make_ready(client, job);
        } else if (job->exchange.owner) {
            timers_remove(&client->timers, timer);
            network_time_out(client->network, &job->exchange);
        } else {
            compat_raw_get_pointer(L, jobs, job);
            if (lua_isnil(L, -1))
                roster_drop(L, job);
            else
                settle_end(L, job, lua_gettop(L), KIND_TIMEOUT);
            lua_pop(L, 1);
        }
        *now = clock_now();
    }
}

static bool run_network(struct client *client, double seconds, double slice_end, double *now)
{
    struct timer *first = timers_first(&client->timers);
    if (first && first->due - *now < seconds)
        seconds = first->due - *now;
    if (client->answered.count > 0 && seconds > 0)
        seconds = 0;
    if (!client->network) {
        bool slept = clock_sleep(seconds);
        *now = clock_now();
        return slept;
    }
    bool quiet = network_run(client->network, seconds, slice_end, now) == POOL_OK;
    struct job *job;
    while ((job = network_finished(client->network)) != NULL) {
        if (job->reply.status != 0)
            roster_gate(client, job)->one_by_one = !job->reply.multiplexed;
        roster_add_answered(client, job);
        if (clock_now() >= slice_end)
            break;
    }
    return quiet;
}

/* Whether an attempt could begin now. */
static bool has_ready(const struct client *client, double now)
{
    for (size_t i = 0; i < PROVIDER_COUNT; i++) {
        double wait;
        if (roster_next(client, &client->gates[i], now, &wait) && wait == 0)
            return true;
    }
    return false;
}

bool flight_run(lua_State *L, int client_index, double seconds, double *now)
{
    struct client *client = lua_touserdata(L, client_index);
    double slice_end = *now + SLICE_SECONDS, next;
    bool quiet, waits = seconds > 0;
    luaL_checkstack(L, 16, "too many nested calls");
    roster_check_fork(client);
    compat_push_user_table(L, client_index);
    lua_getfield(L, -1, CLIENT_JOBS);
    int jobs = lua_gettop(L);
    unsigned long ended = client->ended;
    do {
        fire_timers(L, client, jobs, slice_end, now);
        next = begin_ready(L, client, jobs, waits, now);
        if (client->ended != ended)
            seconds = 0;            /* somebody may wait for just that */
        quiet = run_network(client, next >= 0 && next < seconds ? next : seconds, slice_end, now);
        settle_answered(L, client_index, client, jobs, now);
        next = client->ended != ended && has_ready(client, *now) ? 0 : next;
    } while (next == 0 && quiet && (*now = clock_now()) < slice_end);
    lua_pop(L, 2);
    return quiet && !client->interrupted;
}
