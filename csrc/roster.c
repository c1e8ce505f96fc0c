/*
 * roster.c - where each job of a client stands: at a gate, under way, waiting, among the answered.
 */
#include "roster.h"

struct gate *roster_gate(struct client *client, const struct job *job)
{
    return &client->gates[job->operation->provider - providers];
}

struct job *roster_next(const struct client *client, const struct gate *gate, double now, double *wait)
{
    struct job *first = queue_first(&gate->ready);
    if (!first)
        return NULL;
    *wait = gate_wait(gate, client->settings.max_connections, first->deadline, now);
    for (const struct link *link = gate->ready.first; link && *wait > 0; link = link->next) {
        struct job *job = link->owner;
        if (gate_wait(gate, client->settings.max_connections, job->deadline, now) == 0) {
            *wait = 0;
            return job;
        }
    }
    return first;
}

void roster_make_ready(struct client *client, struct job *job)
{
    job->state = JOB_READY;
    if (job->request.cleartext)
        roster_gate(client, job)->one_by_one = true;
    job->timer.due = job->deadline;
    timers_add(&client->timers, &job->timer);
    queue_add(&roster_gate(client, job)->ready, &job->link, job);
}

/* The attempt is no longer under way. */
static void leave_gate(struct client *client, struct job *job)
{
    if (job->exchange.owner)
        roster_gate(client, job)->under_way--;
    job->exchange.owner = NULL;
}

void roster_add_answered(struct client *client, struct job *job)
{
    leave_gate(client, job);
    timers_remove(&client->timers, &job->timer);
    job_take_reply(job);
    queue_add(&client->answered, &job->link, job);
}

void roster_take_off(struct client *client, struct job *job)
{
    if (job->exchange.owner)
        network_cancel(client->network, &job->exchange);
    leave_gate(client, job);
    queue_leave(&job->link);
    timers_remove(&client->timers, &job->timer);
}

void roster_forget(struct job *job)
{
    struct client *client = job->client;
    if (!client)
        return;
    roster_take_off(client, job);
    queue_leave(&job->membership);
    job->client = NULL;
}

void roster_drop(lua_State *L, struct job *job)
{
    roster_forget(job);
    queue_leave(&job->membership);
    job_release(job);
    job_unpin(L, job);
}

void roster_leave_job_to_parent(struct client *client, struct job *job)
{
    static const char words[] = "the process forked, and its parent goes on with the job";
    queue_leave(&job->link);
    reply_clear(&job->reply);
    job->reply.fault = KIND_CANCELLED;
    job->reply.sent = job->state == JOB_SENDING;
    text_add_string(&job->reply.problem, words);
    roster_add_answered(client, job);
}

/* In the child of a fork: the connections, and the jobs on them, are the parent's. */
static void leave_to_parent(struct client *client)
{
    if (client->network)
        network_abandon(client->network);
    client->network = NULL;
    for (struct link *link = client->jobs.first; link; link = link->next) {
        struct job *job = link->owner;
        if (job->busy)
            job->end_as = KIND_CANCELLED;       /* unless its answer is the last word */
        else if (job->state != JOB_ANSWERED && job->state != JOB_DONE)
            roster_leave_job_to_parent(client, job);
    }
}

void roster_check_fork(struct client *client)
{
    if (origin_is_here(&client->origin))
        return;
    leave_to_parent(client);
    origin_free(&client->origin);
    origin_set(&client->origin);
}
