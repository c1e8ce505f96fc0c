/*
 * settle.h - deciding on a client's jobs that are answered, and ending jobs. Sees lua.h.
 */
#ifndef MEDIASTOP_SETTLE_H
#define MEDIASTOP_SETTLE_H

#include "client.h"

/* Decides on answered jobs until the slice is over. `jobs`: index of the client's table of jobs. If it raises, no job is lost. */
void settle_answered(lua_State *L, int client_index, struct client *client, int jobs, double *now);

/* Ends an unfinished job with this kind; the job is the userdata at `index`. If it raises, the next run ends the job. */
void settle_end(lua_State *L, struct job *job, int index, enum kind kind);

#endif
