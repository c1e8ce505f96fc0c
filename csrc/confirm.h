/*
 * confirm.h - reading a job's state after its stop. Sees lua.h.
 *
 * The stop's result is made when its answer comes; what is read afterwards only changes `outcome`, `confirmed`, `state`
 * and `elapsed` in it. The job is the userdata at `index`. If memory is short each raises and can be called again.
 */
#ifndef MEDIASTOP_CONFIRM_H
#define MEDIASTOP_CONFIRM_H

#include "answer.h"
#include "job.h"

/* Keeps the stop's result, the first of the three values on the top, which are popped. Seconds to wait before the first
 * read; or RETRY_STOP, there is no time for one: the job is done. `was_ended`: it was no longer running when it was to be
 * stopped. */
double confirm_begin(lua_State *L, struct job *job, int index, bool was_ended);

/* Takes a read's verdict, and its JSON from the top. Seconds to wait before the next read, or RETRY_STOP: the job is
 * done. */
double confirm_settle(lua_State *L, struct job *job, int index, const struct verdict *verdict);

/* The job's time is up: it is done. */
void confirm_give_up(lua_State *L, struct job *job, int index);

#endif
