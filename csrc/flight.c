/*
 * flight.c - the jobs of a client that are under way: sending, settling, trying again.
 */
#include "flight.h"

#include "clock.h"
#include "event.h"
#include "random.h"
#include "retry.h"

static void link_job(struct client *client, struct job *job)
{
    job->client = client;
    job->previous = NULL;
    job->next = client->jobs;
    if (client->jobs)
        client->jobs->previous = job;
    client->jobs = job;
    client->job_count++;
}

static void unlink_answered(struct client *client, struct job *job)
{
    struct job *before = NULL, *at = client->answered;
    while (at && at != job) {
        before = at;
        at = at->next_answered;
    }
    if (!at)
        return;
    if (before)
        before->next_answered = at->next_answered;
    else
        client->answered = at->next_answered;
    if (client->answered_last == at)
        client->answered_last = before;
    at->next_answered = NULL;
}

void flight_forget(struct job *job)
{
    struct client *client = job->client;
    if (!client)
        return;
    if (job->transfer)
        pool_cancel(client->pool, job->transfer);
    job->transfer = NULL;
    unlink_answered(client, job);
    timers_remove(&client->timers, &job->timer);
    if (job->previous)
        job->previous->next = job->next;
    else
        client->jobs = job->next;
    if (job->next)
        job->next->previous = job->previous;
    job->next = job->previous = NULL;
    job->client = NULL;
    client->job_count--;
}

static void add_answered(struct client *client, struct job *job)
{
    job->next_answered = NULL;
    if (client->answered_last)
        client->answered_last->next_answered = job;
    else
        client->answered = job;
    client->answered_last = job;
}

/* In the child of a fork: the connections, and the jobs on them, are the parent's. */
static void leave_to_parent(struct client *client)
{
    static const char words[] = "the process forked, and its parent goes on with the job";
    pool_abandon(client->pool);
    client->pool = NULL;
    for (struct job *job = client->jobs; job; job = job->next) {
        timers_remove(&client->timers, &job->timer);
        if (job->state == JOB_ANSWERED)
            continue;
        reply_clear(&job->reply);
        job->reply.fault = KIND_CANCELLED;
        job->reply.sent = job->state == JOB_SENDING;
        text_add_string(&job->reply.problem, words);
        job_take_reply(job);
        add_answered(client, job);
    }
}

void flight_check_fork(struct client *client)
{
    if (client->pool && !pool_is_ours(client->pool))
        leave_to_parent(client);
}

static void send(lua_State *L, struct client *client, struct job *job, int index)
{
    event_attempt(L, client, job, index);
    if (job->client != client)
        return;                     /* the listener ended it */
    if (!client->pool) {
        client->pool = pool_new(&client->settings);
        client->random = random_seed();
    }
    job_send(job, client->pool);
    if (job->state == JOB_ANSWERED)
        add_answered(client, job);
}

void flight_start(lua_State *L, int client_index, int index)
{
    struct client *client = lua_touserdata(L, client_index);
    struct job *job = lua_touserdata(L, index);
    if (!timers_reserve(&client->timers, client->job_count + 1))
        luaL_error(L, "not enough memory");
    index = compat_absolute(L, index);
    compat_push_user_table(L, client_index);
    lua_getfield(L, -1, CLIENT_JOBS);
    lua_pushvalue(L, index);
    compat_raw_set_pointer(L, -2, job);
    lua_pop(L, 2);
    flight_check_fork(client);
    job->timer.owner = job;
    link_job(client, job);
    send(L, client, job, index);
}

/* Decides on every answered job. Each is taken off the queue only when that is done, so that a memory error in between
 * loses none. */
static void settle_answered(lua_State *L, struct client *client, int jobs)
{
    while (client->answered) {
        struct job *job = client->answered;
        compat_raw_get_pointer(L, jobs, job);
        if (lua_isnil(L, -1)) {             /* about to be collected */
            unlink_answered(client, job);
        } else {
            double wait = job_settle(L, job, -1, random_next(&client->random));
            if (wait == RETRY_STOP) {
                flight_forget(job);
                event_result(L, client, job, -1);
            } else {
                unlink_answered(client, job);
                timers_add(&client->timers, &job->timer);
                event_retry(L, client, job, lua_gettop(L), wait);
            }
        }
        lua_pop(L, 1);
    }
}

static void send_due(lua_State *L, struct client *client, int jobs)
{
    struct timer *timer;
    double now = clock_now();
    while ((timer = timers_first(&client->timers)) != NULL && timer->due <= now) {
        timers_remove(&client->timers, timer);
        compat_raw_get_pointer(L, jobs, timer->owner);
        if (!lua_isnil(L, -1))
            send(L, client, timer->owner, lua_gettop(L));
        lua_pop(L, 1);
    }
}

static bool run_network(struct client *client, double seconds)
{
    struct timer *first = timers_first(&client->timers);
    if (first && first->due - clock_now() < seconds)
        seconds = first->due - clock_now();
    if (client->answered)
        seconds = 0;
    if (!client->pool)
        return clock_sleep(seconds);
    bool quiet = pool_run(client->pool, seconds) == POOL_OK;
    struct job *job;
    while ((job = pool_finished(client->pool)) != NULL) {
        job_take_reply(job);
        add_answered(client, job);
    }
    return quiet;
}

bool flight_run(lua_State *L, int client_index, double seconds)
{
    struct client *client = lua_touserdata(L, client_index);
    luaL_checkstack(L, 16, "too many nested calls");
    flight_check_fork(client);
    bool quiet = run_network(client, seconds);
    compat_push_user_table(L, client_index);
    lua_getfield(L, -1, CLIENT_JOBS);
    int jobs = lua_gettop(L);
    settle_answered(L, client, jobs);
    send_due(L, client, jobs);
    lua_pop(L, 2);
    return quiet && !client->interrupted;
}

void flight_end(lua_State *L, struct job *job, int index, enum kind kind)
{
    index = compat_absolute(L, index);
    if (job->client && job->transfer) {
        pool_cancel(job->client->pool, job->transfer);
        job->transfer = NULL;
    }
    struct client *client = job->client;
    job_fail(L, job, index, kind);
    flight_forget(job);
    if (client)
        event_result(L, client, job, index);
}
