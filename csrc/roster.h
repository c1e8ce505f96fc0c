/*
 * roster.h - where each job of a client stands: at a gate, under way, waiting, among the answered. Sees lua.h.
 */
#ifndef MEDIASTOP_ROSTER_H
#define MEDIASTOP_ROSTER_H

#include "client.h"

struct gate *roster_gate(struct client *client, const struct job *job);

/* The job at the gate that may begin next, and in how many seconds, as gate_wait says: while the provider asked for a pause, who
 * would miss its deadline goes ahead of those who can wait. NULL for none. */
struct job *roster_next(const struct client *client, const struct gate *gate, double now, double *wait);

/* Queues the job for its next attempt; its timer is now that of its deadline. */
void roster_make_ready(struct client *client, struct job *job);

/* The attempt is over, and the job to be settled. */
void roster_add_answered(struct client *client, struct job *job);

/* Ends the attempt that is under way, if there is one: the job stands nowhere. */
void roster_take_off(struct client *client, struct job *job);

/* Takes the job off its client, if it is on one. */
void roster_forget(struct job *job);

/* The same, without a word to anybody; the job lets go of all that it has. That is for its finalizer, and for whoever finds it
 * gone from Lua's weak table: it is garbage, whose finalizer may be a while in coming, or was skipped. No loop is to wait for
 * it. The memory stays as long as the userdata. */
void roster_drop(lua_State *L, struct job *job);

/* In the child of a fork: leaves the connections, and the jobs on them, to the parent. */
void roster_check_fork(struct client *client);

/* The job is the parent's, which a function that forked has not let check_fork see. */
void roster_leave_job_to_parent(struct client *client, struct job *job);

#endif
