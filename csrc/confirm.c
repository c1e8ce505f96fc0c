/*
 * confirm.c - reading a job's state after its stop.
 */
#include "confirm.h"

#include "clock.h"
#include "result.h"
#include "retry.h"

/* Ends a job whose state was being read, with the stop's result. */
static void end(lua_State *L, struct job *job, int index, enum outcome outcome)
{
    struct confirmation confirmation = { outcome, clock_now() - job->started, job->kind, job->reply.status };
    compat_push_user_table(L, index);
    lua_rawgeti(L, -1, 1);
    lua_remove(L, -2);
    result_confirm(L, &confirmation);
    lua_pushnil(L);
    lua_pushnil(L);
    job_finish(L, job, index);
}

/* Waits before the next read, or ends the job if another would be in vain: a read costs nothing but time, so that it is
 * tried again after every failure but those that the provider will stand by. */
static double pause_before_read(lua_State *L, struct job *job, int index, enum kind kind, double asked)
{
    bool may_improve = kind == KIND_NONE || kind_row(kind)->retried || kind == KIND_PROTOCOL || kind == KIND_REJECTED;
    double now = clock_now();
    double wait = may_improve ? retry_read_wait(job->reads, asked, job->deadline - now) : RETRY_STOP;
    job->kind = kind;
    job->pause_until = now + (wait >= 0 ? wait : asked >= 0 ? asked : 0);
    if (wait == RETRY_STOP) {
        end(L, job, index, OUTCOME_ACCEPTED);
        return RETRY_STOP;
    }
    job->state = JOB_WAITING;
    job->timer.due = now + wait;
    return wait;
}

double confirm_begin(lua_State *L, struct job *job, int index, bool was_ended)
{
    lua_pop(L, 2);
    compat_push_user_table(L, index);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    lua_pop(L, 1);
    request_turn_to_read(&job->request, job->operation->read);
    job->reading = true;
    job->was_ended = was_ended;
    return pause_before_read(L, job, index, KIND_NONE, -1);
}

double confirm_settle(lua_State *L, struct job *job, int index, const struct verdict *verdict)
{
    int body = lua_gettop(L);
    if (verdict->kind == KIND_NONE) {
        compat_push_user_table(L, index);
        lua_rawgeti(L, -1, 1);
        answer_push_state(L, job->operation->read, body);
        lua_setfield(L, -2, "state");
    }
    lua_settop(L, body - 1);
    job->reads++;
    if (!verdict->confirmed) {
        double asked = verdict->kind == KIND_NONE ? -1 : retry_after(&job->reply, verdict->kind, time(NULL));
        return pause_before_read(L, job, index, verdict->kind, asked);
    }
    job->kind = KIND_NONE;
    end(L, job, index, job->was_ended ? OUTCOME_ALREADY_ENDED : OUTCOME_ENDED);
    return RETRY_STOP;
}

void confirm_give_up(lua_State *L, struct job *job, int index)
{
    end(L, job, index, OUTCOME_ACCEPTED);
}
