/*
 * flight.c - the jobs of a client that are under way: sending, settling, trying again.
 */
#define _POSIX_C_SOURCE 200809L
#include "flight.h"

#include <unistd.h>

#include "clock.h"
#include "credential.h"
#include "event.h"
#include "random.h"
#include "retry.h"

/* How long a run works on the network, and how long on what came of it: a game has 16 ms for a frame. What libcurl does at
 * one stretch, half of a TLS handshake say, comes on top. */
#define SLICE_SECONDS 0.0007
#define SETTLE_SECONDS 0.0003

/* How many attempts begin before libcurl is let at them, all of which it starts at one stretch; over HTTP/2, which sends what
 * it has of several together, while somebody waits; and where a thread does all that. */
#define BEGIN_AT_ONCE 2
#define BEGIN_TOGETHER 16
#define ORDER_AT_ONCE 64

static struct gate *gate_of(struct client *client, const struct job *job)
{
    return &client->gates[job->operation->provider - providers];
}

/* The attempt is no longer under way. */
static void leave_gate(struct client *client, struct job *job)
{
    if (job->exchange.owner)
        gate_of(client, job)->under_way--;
    job->exchange.owner = NULL;
}

/* Ends the attempt that is under way, if there is one. */
static void cancel_attempt(struct client *client, struct job *job)
{
    if (job->exchange.owner)
        network_cancel(client->network, &job->exchange);
    leave_gate(client, job);
}

static void forget(struct job *job)
{
    struct client *client = job->client;
    if (!client)
        return;
    cancel_attempt(client, job);
    queue_leave(&job->link);
    timers_remove(&client->timers, &job->timer);
    queue_leave(&job->membership);
    job->client = NULL;
}

void flight_drop(lua_State *L, struct job *job)
{
    forget(job);
    queue_leave(&job->membership);
    job_release(job);
    job_unpin(L, job);
}

static void add_answered(struct client *client, struct job *job)
{
    leave_gate(client, job);
    timers_remove(&client->timers, &job->timer);
    job_take_reply(job);
    queue_add(&client->answered, &job->link, job);
}

static void leave_job_to_parent(struct client *client, struct job *job)
{
    static const char words[] = "the process forked, and its parent goes on with the job";
    queue_leave(&job->link);
    reply_clear(&job->reply);
    job->reply.fault = KIND_CANCELLED;
    job->reply.sent = job->state == JOB_SENDING;
    text_add_string(&job->reply.problem, words);
    add_answered(client, job);
}

/* In the child of a fork: the connections, and the jobs on them, are the parent's. */
static void leave_to_parent(struct client *client)
{
    if (client->network)
        network_abandon(client->network);
    client->network = NULL;
    for (struct link *link = client->jobs.first; link; link = link->next) {
        struct job *job = link->owner;
        if (job->state != JOB_ANSWERED && job->state != JOB_DONE)
            leave_job_to_parent(client, job);
    }
}

void flight_check_fork(struct client *client)
{
    if (origin_is_here(&client->origin))
        return;
    leave_to_parent(client);
    origin_free(&client->origin);
    origin_set(&client->origin);
}

struct network *flight_network(struct client *client)
{
    flight_check_fork(client);
    if (!client->network) {
        client->network = network_new(&client->settings);
        client->random = random_seed();
    }
    return client->network;
}

/* Queues the job for its next attempt; its timer is now that of its deadline. */
static void make_ready(struct client *client, struct job *job)
{
    job->state = JOB_READY;
    if (job->request.cleartext)
        gate_of(client, job)->one_by_one = true;
    job->timer.due = job->deadline;
    timers_add(&client->timers, &job->timer);
    queue_add(&gate_of(client, job)->ready, &job->link, job);
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
    flight_check_fork(client);
    job->timer.owner = job;
    job->client = client;
    queue_add(&client->jobs, &job->membership, job);
    make_ready(client, job);
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
        add_answered(client, job);
        return;
    }
    gate_of(client, job)->under_way++;
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
        while ((job = queue_first(&gate->ready)) != NULL) {
            double wait = gate_wait(gate, client->settings.max_connections, job->deadline, *now);
            if (wait == 0 && begun >= most)
                return 0;
            if (wait != 0) {
                next = wait > 0 && (next < 0 || wait < next) ? wait : next;
                break;
            }
            begun++;
            compat_raw_get_pointer(L, jobs, job);
            if (lua_isnil(L, -1)) {
                flight_drop(L, job);
            } else if (job->deadline <= *now || job->state == JOB_DONE) {
                flight_end(L, job, lua_gettop(L), KIND_TIMEOUT);
                *now = clock_now();
            } else {
                send(L, client, job, lua_gettop(L), now);
            }
            lua_pop(L, 1);
        }
    }
    return next;
}

/* Lua: client, job, whom to ask -> whether the job has a new credential. */
static int ask_again(lua_State *L)
{
    lua_pushboolean(L, credential_renew(L, 1, 2, (enum job_ask)lua_tointeger(L, 3)));
    return 1;
}

/* The provider refused the credential: the job queues for another attempt, if there is another one. If not, or if asking
 * raises, the next look at it settles it. A function that is asked may do anything: run the client, which is not to settle this
 * job meanwhile, end the job, or fork. */
static void renew(lua_State *L, int client_index, struct client *client, struct job *job, int index,
                  double *now)
{
    lua_pushcfunction(L, ask_again);
    lua_pushvalue(L, client_index);
    lua_pushvalue(L, index);
    lua_pushinteger(L, (lua_Integer)job->ask);
    job->ask = JOB_ASKS_NOBODY;
    queue_leave(&job->link);
    pid_t pid = getpid();
    bool raised = lua_pcall(L, 3, 1, 0) != 0, is_child = getpid() != pid;
    *now = clock_now();
    flight_check_fork(client);
    if (job->state == JOB_ANSWERED && is_child)
        leave_job_to_parent(client, job);
    else if (job->state == JOB_ANSWERED && !raised && lua_toboolean(L, -1))
        make_ready(client, job);
    else if (job->state == JOB_ANSWERED)
        queue_add(&client->answered, &job->link, job);
    if (raised)
        lua_error(L);
    lua_pop(L, 1);
}

/* Takes a job that is done off its client. If memory is short it raises and is to be called again: the job is where it was. */
static void end(lua_State *L, struct client *client, struct job *job, int index)
{
    event_list(L, job, index);
    forget(job);
    if (job->is_kept)
        queue_add(&client->kept, &job->membership, job);
    else
        job_unpin(L, job);
    client->ended++;
    event_result(L, client, job, index);
}

/* Where the provider asked for fewer requests, all of its jobs wait. */
static void hold_gate(struct client *client, const struct job *job)
{
    struct gate *gate = gate_of(client, job);
    if (job->kind == KIND_RATE_LIMITED && gate->held_until < job->pause_until)
        gate->held_until = job->pause_until;
}

static void wait_for_retry(lua_State *L, struct client *client, struct job *job, int index, double wait)
{
    queue_leave(&job->link);
    timers_add(&client->timers, &job->timer);
    event_retry(L, client, job, index, wait);
}

/* Decides on answered jobs until the slice is over. Each is taken off the queue only when that is done, so that a memory
 * error in between loses none. */
static void settle_answered(lua_State *L, int client_index, struct client *client, int jobs, double *now)
{
    double slice_end = *now + SETTLE_SECONDS;
    struct job *job;
    while ((job = queue_first(&client->answered)) != NULL) {
        compat_raw_get_pointer(L, jobs, job);
        int index = lua_gettop(L);
        if (lua_isnil(L, index)) {
            flight_drop(L, job);
            lua_pop(L, 1);
            continue;
        }
        double wait = job->state == JOB_DONE ? RETRY_STOP
                                             : job_settle(L, job, index, random_next(&client->random), *now);
        hold_gate(client, job);
        if (wait == JOB_ASK_AGAIN)
            renew(L, client_index, client, job, index, now);
        else if (wait == RETRY_STOP)
            end(L, client, job, index);
        else
            wait_for_retry(L, client, job, index, wait);
        lua_pop(L, 1);
        *now = clock_now();
        if (*now >= slice_end)
            return;
    }
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
            make_ready(client, job);
        } else if (job->exchange.owner) {
            timers_remove(&client->timers, timer);
            network_time_out(client->network, &job->exchange);
        } else {
            /* Or memory was short as the job was ended. */
            compat_raw_get_pointer(L, jobs, job);
            if (lua_isnil(L, -1))
                flight_drop(L, job);
            else
                flight_end(L, job, lua_gettop(L), KIND_TIMEOUT);
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
            gate_of(client, job)->one_by_one = !job->reply.multiplexed;
        add_answered(client, job);
        if (clock_now() >= slice_end)
            break;
    }
    return quiet;
}

/* Whether an attempt could begin now. */
static bool has_ready(const struct client *client, double now)
{
    for (size_t i = 0; i < PROVIDER_COUNT; i++) {
        const struct job *job = queue_first(&client->gates[i].ready);
        if (job && gate_wait(&client->gates[i], client->settings.max_connections, job->deadline, now) == 0)
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
    flight_check_fork(client);
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

void flight_end(lua_State *L, struct job *job, int index, enum kind kind)
{
    struct client *client = job->client;
    if (client)
        cancel_attempt(client, job);
    if (job->state != JOB_DONE)
        job_fail(L, job, index, kind);
    if (client)
        end(L, client, job, index);
    else
        job_release(job);
}
