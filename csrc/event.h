/*
 * event.h - what `on_event` is told. Sees lua.h.
 */
#ifndef MEDIASTOP_EVENT_H
#define MEDIASTOP_EVENT_H

#include "client.h"

/* Each tells the job's listener, if it has one; the job is the userdata at `index`. The listener may do anything, also
 * end the job or close the client; an error in it is dropped. `wait`: seconds. The reads that confirm a stop are no
 * attempts of it: nobody is told of them. */
void event_attempt(lua_State *L, struct client *client, const struct job *job, int index);
void event_retry(lua_State *L, struct client *client, const struct job *job, int index, double wait);
void event_result(lua_State *L, struct client *client, const struct job *job, int index);

/* Puts a job that is done into its list, if it has one; the job is the userdata at `index`. May raise. */
void event_list(lua_State *L, const struct job *job, int index);

/* Makes the list on the top the one that the job is put into once it is done, and pops it. */
void event_collect(lua_State *L, struct job *job, int index);

/* Makes the function on the top the job's listener and pops it; nil is none. */
void event_listen(lua_State *L, struct job *job, int index);

#endif
