/*
 * job.c - the state machine of one stop.
 */
#include "job.h"

#include <stddef.h>
#include <string.h>

#include "clock.h"
#include "confirm.h"
#include "result.h"
#include "retry.h"

const char JOB_TYPE[] = "mediastop.job";

/* Fields of the userdata's user table; the job's memory is there under its address. */
#define JOB_CLIENT "client"         /* which is not freed before the job is off it */

/* The userdata. */
struct handle {
    struct job *job;
};

struct job *job_new(lua_State *L, int client_index)
{
    struct handle *handle = compat_new_userdata(L, sizeof *handle, JOB_TYPE);
    compat_push_user_table(L, -1);
    lua_pushvalue(L, client_index);
    lua_setfield(L, -2, JOB_CLIENT);
    struct job *job = compat_new_memory(L, sizeof *job);
    compat_raw_set_pointer(L, -2, job);
    lua_pop(L, 1);
    handle->job = job;
    return job;
}

void job_push_client(lua_State *L, int index)
{
    compat_push_user_table(L, index);
    lua_getfield(L, -1, JOB_CLIENT);
    lua_remove(L, -2);
}

struct job *job_at(lua_State *L, int index)
{
    const struct handle *handle = lua_touserdata(L, index);
    return handle->job;
}

struct job *job_test(lua_State *L, int index)
{
    const struct handle *handle = compat_test_userdata(L, index, JOB_TYPE);
    return handle ? handle->job : NULL;
}

void job_pin(lua_State *L, struct job *job, int index)
{
    compat_push_user_table(L, index);
    compat_raw_get_pointer(L, -1, job);
    compat_raw_set_pointer(L, LUA_REGISTRYINDEX, job);
    lua_pop(L, 1);
    job->is_pinned = true;
}

void job_unpin(lua_State *L, struct job *job)
{
    if (!job->is_pinned)
        return;                     /* to set what is not there would take memory */
    job->is_pinned = false;
    lua_pushnil(L);
    compat_raw_set_pointer(L, LUA_REGISTRYINDEX, job);
}

void job_renew(struct job *job)
{
    queue_leave(&job->membership);
    memset(job, 0, offsetof(struct job, is_pinned));
    reply_clear(&job->reply);
}

void job_set_up(struct job *job, const struct operation *operation, const char *id, size_t length,
                const struct options *options)
{
    job->operation = operation;
    memcpy(job->id, id, length);
    job->id[length] = '\0';
    job->id_length = length;
    job->attempt_timeout = options->attempt_timeout;
    job->connect_timeout = options->connect_timeout;
    job->attempts_most = options->attempts;
    job->confirm = options->confirm;
    job->ignore_ended = options->ignore_ended;
    job->allow_blocking = options->allow_blocking;
}

/* How much later than libcurl the attempt's end is seen to here. libcurl overlooks the time of a transfer that waits in its
 * own queue for a connection (7.88), and can say more of the others. */
#define GRACE_SECONDS 0.05

static double least(double a, double b)
{
    return a < b ? a : b;
}

bool job_send(struct job *job, struct network *network, double now)
{
    double attempt = least(job->attempt_timeout, job->deadline - now);
    job->exchange = (struct exchange){
        .request = &job->request,
        .reply = &job->reply,
        .limits = {
            .timeout = attempt,
            .connect_timeout = least(job->connect_timeout, attempt),
            .requests = job->reading || job->attempts >= job->attempts_most ? 1 : job->attempts_most - job->attempts,
        },
        .owner = job,
    };
    job->attempts += job->reading ? 0 : 1;
    job->state = JOB_SENDING;
    job->began = now;
    job->timer.due = now + attempt + GRACE_SECONDS;
    reply_clear(&job->reply);       /* an order that is called off before it is carried out has sent nothing */
    if (network) {
        network_start(network, &job->exchange);
        return true;
    }
    job->reply.fault = KIND_CONNECT;
    job->reply.no_memory = true;
    return false;
}

/* Adds the requests of the exchange that is over, of which libcurl may have repeated one. */
static void count_requests(struct job *job)
{
    const struct reply *reply = &job->reply;
    if (reply->sent == 0 || job->reading)
        return;
    job->sent += reply->sent;
    job->unanswered += reply->sent - (reply->answered ? 1 : 0);
    job->attempts += reply->sent - 1;
}

void job_take_reply(struct job *job)
{
    struct reply *reply = &job->reply;
    job->state = JOB_ANSWERED;
    count_requests(job);
    /* An answer of which a part had no room is a lost one. */
    if (reply->no_memory && reply->sent > 0 && reply->fault == KIND_PROTOCOL)
        reply->fault = KIND_NETWORK;
    request_mask(&job->request, &reply->body);
    request_mask(&job->request, &reply->problem);
    if (request_echoed(&job->request, reply_header(reply, HEADER_REQUEST_ID)))
        reply_drop_header(reply, HEADER_REQUEST_ID);
    if (request_echoed(&job->request, reply_header(reply, HEADER_CF_RAY)))
        reply_drop_header(reply, HEADER_CF_RAY);
}

static enum reached how_far(const struct job *job)
{
    return job->sent == 0 ? REACHED_NO : job->unanswered > 0 ? REACHED_MAYBE : REACHED_YES;
}

void job_finish(lua_State *L, struct job *job, int index)
{
    compat_push_user_table(L, index);
    lua_insert(L, -4);
    for (int i = 3; i >= 1; i--)
        lua_rawseti(L, -1 - i, i);
    lua_pop(L, 1);
    job->state = JOB_DONE;
    if (job->is_kept) {
        request_clear(&job->request);
        reply_clear(&job->reply);
    } else {
        job_release(job);
    }
}

/* A job that is in no state to be ended is what the caller wants, if an earlier attempt may have ended it, or if the
 * caller does not mind who did. */
static void forgive(const struct job *job, struct verdict *verdict)
{
    bool repeated = job->may_have_ended || job->reply.sent > 1;
    if (verdict->kind == KIND_NOT_ACTIVE && (repeated || job->ignore_ended)) {
        verdict->kind = KIND_NONE;
        verdict->outcome = OUTCOME_ALREADY_ENDED;
    }
}

static void note_failure(struct job *job, enum kind kind)
{
    if (job->reply.sent > 1)
        job->may_have_ended = true;         /* libcurl repeated a request that was lost */
    if (job->reply.sent > 0 && (kind == KIND_NETWORK || kind == KIND_TIMEOUT || kind == KIND_SERVER))
        job->may_have_ended = true;
}

double job_settle(lua_State *L, struct job *job, int index, double random, double now)
{
    struct verdict verdict;
    luaL_checkstack(L, 16, "too many nested calls");
    index = compat_absolute(L, index);
    answer_read(L, job->reading ? job->operation->read : job->operation, job->id, &job->reply, &verdict);
    int body = lua_gettop(L);
    if (verdict.kind == KIND_UNAUTHORIZED && job->ask != JOB_ASKS_NOBODY && job->deadline > now) {
        if (!job->reading)
            note_failure(job, verdict.kind);
        lua_pop(L, 1);
        return JOB_ASK_AGAIN;
    }
    /* In the child of a fork it is called off. */
    if (job->reading && verdict.kind != KIND_CANCELLED)
        return confirm_settle(L, job, index, &verdict);
    forgive(job, &verdict);
    double asked = verdict.kind == KIND_NONE ? -1 : retry_after(&job->reply, verdict.kind, time(NULL));
    struct retry retry = { verdict.kind, job->attempts, job->attempts_most, asked, job->deadline - now, random };
    double wait = retry_wait(&retry);
    job->kind = verdict.kind;
    job->pause_until = now + (wait >= 0 ? wait : asked >= 0 ? asked : 0);
    if (wait >= 0) {
        note_failure(job, verdict.kind);
        job->state = JOB_WAITING;
        job->timer.due = now + wait;
        lua_pop(L, 1);
        return wait;
    }
    const char *problem = job->reply.problem.length > 0 ? job->reply.problem.data
                          : job->reply.no_memory        ? "not enough memory, or not enough descriptors"
                                                        : NULL;
    struct report report = { job->operation, job->id, job->id_length, verdict, problem, how_far(job), job->attempts,
                             now - job->started, asked, &job->reply };
    result_push(L, &report, lua_isnil(L, body) ? 0 : body);
    lua_remove(L, body);
    if (verdict.kind == KIND_NONE && !verdict.confirmed && job->confirm)
        return confirm_begin(L, job, index, verdict.outcome == OUTCOME_ALREADY_ENDED);
    job_finish(L, job, index);
    return RETRY_STOP;
}

void job_fail(lua_State *L, struct job *job, int index, enum kind kind)
{
    index = compat_absolute(L, index);
    if (job->reading && kind == KIND_TIMEOUT) {
        confirm_give_up(L, job, index);
        return;
    }
    /* A request whose answer nobody waits for any more may have taken effect. */
    if (job->state == JOB_SENDING) {
        job->reply.answered = false;
        count_requests(job);
        job->reply.sent = 0;        /* once, also if memory is short below */
    }
    const char *problem = job->reading ? "the provider had taken the stop, and the job's state was being read" : NULL;
    struct report report = { job->operation, job->id, job->id_length, { .kind = kind }, problem, how_far(job),
                             job->attempts, clock_now() - job->started, -1, NULL };
    result_push(L, &report, 0);
    job_finish(L, job, index);
}

void job_push_refusal(lua_State *L, const struct operation *operation, const char *id, size_t length, enum kind kind,
                      const char *problem, double started)
{
    struct report report = { operation, id, length, { .kind = kind }, problem, REACHED_NO, 0, clock_now() - started,
                             -1, NULL };
    result_push(L, &report, 0);
}

void job_push_no_wait(lua_State *L, const struct job *job, const char *problem)
{
    enum reached reached = job->state == JOB_SENDING ? REACHED_MAYBE : how_far(job);
    struct report report = { job->operation, job->id, job->id_length, { .kind = KIND_BLOCKING }, problem, reached,
                             job->attempts, clock_now() - job->started, -1, NULL };
    result_push(L, &report, 0);
}

void job_release(struct job *job)
{
    request_free(&job->request);
    reply_free(&job->reply);
}
