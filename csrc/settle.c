/*
 * settle.c - deciding on a client's jobs that are answered, and ending jobs.
 *
 * All that makes Lua's tables and strings may run a finalizer, and that may run the client, end its jobs or close it. So a job
 * is on no queue while it is worked on, and whoever would end it then leaves that to the one who works on it.
 */
#define _POSIX_C_SOURCE 200809L
#include "settle.h"

#include <unistd.h>

#include "clock.h"
#include "credential.h"
#include "event.h"
#include "random.h"
#include "retry.h"
#include "roster.h"

/* How long a run works on what came of the network. */
#define SETTLE_SECONDS 0.0003

struct task {
    struct job *job;
    enum kind end_as;               /* KIND_NONE: what the answer means decides */
    double random, now;
    double wait;                    /* what job_settle returned */
};

/* Lua: job, task */
static int carry_out(lua_State *L)
{
    struct task *task = lua_touserdata(L, 2);
    lua_settop(L, 1);
    if (task->end_as == KIND_NONE)
        task->wait = job_settle(L, task->job, 1, task->random, task->now);
    else
        job_fail(L, task->job, 1, task->end_as);
    return 0;
}

/* Calls the function on the stack for a job that is on no queue and that nobody else works on meanwhile; returns as lua_pcall. */
static int call_alone(lua_State *L, struct client *client, struct job *job, int arguments, int results)
{
    if (client)
        client->busy++;
    job->busy = true;
    int status = lua_pcall(L, arguments, results, 0);
    job->busy = false;
    if (client)
        client->busy--;
    return status;
}

/* Has carry_out, which is at `function`, do it to the job at `index`, which is among the answered afterwards, done or not. */
static void work(lua_State *L, struct client *client, int function, int index, struct task *task)
{
    struct job *job = task->job;
    lua_pushvalue(L, function);
    lua_pushvalue(L, index);
    lua_pushlightuserdata(L, task);
    if (client)
        roster_take_off(client, job);
    int status = call_alone(L, client, job, 2, 0);
    if (job->client)                /* else it was finalised meanwhile */
        queue_add(&job->client->answered, &job->link, job);
    if (status != 0)
        lua_error(L);
}

/* Takes a job that is done off its client. If memory is short it raises and is to be called again: the job is where it was. */
static void end(lua_State *L, struct client *client, struct job *job, int index)
{
    event_list(L, job, index);
    roster_forget(job);
    if (job->is_kept)
        queue_add(&client->kept, &job->membership, job);
    else
        job_unpin(L, job);
    client->ended++;
    event_result(L, client, job, index);
}

void settle_end(lua_State *L, struct job *job, int index, enum kind kind)
{
    index = compat_absolute(L, index);
    luaL_checkstack(L, 8, "too many nested calls");
    lua_pushcfunction(L, carry_out);        /* with Lua 5.1 this may run a finalizer, too */
    struct client *client = job->client;
    if (job->end_as == KIND_NONE && job->state != JOB_DONE)
        job->end_as = kind;
    if (!job->busy) {
        if (job->state != JOB_DONE)
            work(L, client, lua_gettop(L), index, &(struct task){ .job = job, .end_as = kind });
        if (job->client) {
            end(L, job->client, job, index);
        } else {
            job_release(job);
            job_unpin(L, job);
        }
    }
    lua_pop(L, 1);
}

/* Lua: client, job, whom to ask -> whether the job has a new credential. */
static int ask_again(lua_State *L)
{
    lua_pushboolean(L, credential_renew(L, 1, 2, (enum job_ask)lua_tointeger(L, 3)));
    return 1;
}

/* The client may have been closed as the job was worked on. */
static void end_if_closed(const struct client *client, struct job *job)
{
    if (client->closed && job->end_as == KIND_NONE)
        job->end_as = KIND_CLOSED;
}

/* The provider refused the credential: the job queues for another attempt, if there is another one. If not, or if asking
 * raises, the next look at it settles it. A function that is asked may do anything: run the client and wait for the job, which
 * nobody is to move on meanwhile, have the job ended, or fork. */
static void renew(lua_State *L, int client_index, struct client *client, struct job *job, int index, double *now)
{
    lua_pushcfunction(L, ask_again);
    lua_pushvalue(L, client_index);
    lua_pushvalue(L, index);
    lua_pushinteger(L, (lua_Integer)job->ask);
    if (job->link.queue != &client->answered || job->state != JOB_ANSWERED) {
        lua_pop(L, 4);              /* a finalizer ran the client */
        return;
    }
    job->ask = JOB_ASKS_NOBODY;
    queue_leave(&job->link);
    pid_t pid = getpid();
    bool raised = call_alone(L, client, job, 3, 1) != 0, is_child = getpid() != pid;
    *now = clock_now();
    roster_check_fork(client);
    end_if_closed(client, job);
    if (job->client != client) {
        job_release(job);           /* the client was finalised meanwhile */
    } else if (is_child) {
        job->end_as = KIND_NONE;    /* its reply says why it ends */
        roster_leave_job_to_parent(client, job);
    } else if (job->end_as != KIND_NONE) {
        settle_end(L, job, index, job->end_as);
    } else if (!raised && lua_toboolean(L, -1)) {
        roster_make_ready(client, job);
    } else {
        queue_add(&client->answered, &job->link, job);
    }
    if (raised)
        lua_error(L);
    lua_pop(L, 1);
}

/* Where the provider asked for fewer requests, all of its jobs wait. */
static void hold_gate(struct client *client, const struct job *job)
{
    struct gate *gate = roster_gate(client, job);
    if (job->kind == KIND_RATE_LIMITED && gate->held_until < job->pause_until)
        gate->held_until = job->pause_until;
}

static void wait_for_retry(lua_State *L, struct client *client, struct job *job, int index, double wait)
{
    queue_leave(&job->link);
    timers_add(&client->timers, &job->timer);
    event_retry(L, client, job, index, wait);
}

/* What job_settle returns, unless the job was to be ended meanwhile and its answer is not the last word. */
static double settle(lua_State *L, struct client *client, struct job *job, int function, int index, double now)
{
    if (job->state == JOB_DONE)
        return RETRY_STOP;
    struct task task = { job, job->end_as, random_next(&client->random), now, RETRY_STOP };
    work(L, client, function, index, &task);
    end_if_closed(client, job);
    if (task.wait != RETRY_STOP && job->end_as != KIND_NONE) {
        task = (struct task){ .job = job, .end_as = job->end_as, .wait = RETRY_STOP };
        work(L, client, function, index, &task);
    }
    return task.wait;
}

void settle_answered(lua_State *L, int client_index, struct client *client, int jobs, double *now)
{
    double slice_end = *now + SETTLE_SECONDS;
    struct job *job;
    if (client->answered.count == 0)
        return;
    lua_pushcfunction(L, carry_out);
    int function = lua_gettop(L);
    while ((job = queue_first(&client->answered)) != NULL) {
        compat_raw_get_pointer(L, jobs, job);
        int index = lua_gettop(L);
        if (lua_isnil(L, index)) {
            roster_drop(L, job);
            lua_pop(L, 1);
            continue;
        }
        double wait = settle(L, client, job, function, index, *now);
        hold_gate(client, job);
        if (job->client != client)
            job_release(job);       /* the client was finalised meanwhile */
        else if (wait == JOB_ASK_AGAIN)
            renew(L, client_index, client, job, index, now);
        else if (wait == RETRY_STOP)
            end(L, client, job, index);
        else
            wait_for_retry(L, client, job, index, wait);
        lua_pop(L, 1);
        *now = clock_now();
        if (*now >= slice_end)
            break;
    }
    lua_pop(L, 1);
}
