/*
 * flight.h - moving the jobs of a client on: sending, waiting, trying again. Sees lua.h.
 */
#ifndef MEDIASTOP_FLIGHT_H
#define MEDIASTOP_FLIGHT_H

#include "client.h"

/* Links the job, userdata at `index`, to the client, userdata at `client_index`; the next run begins its first attempt. */
void flight_start(lua_State *L, int client_index, int index);

/* Moves all jobs on, for a slice of time at most, once it has waited at most so many seconds for the network; where they are negative
 * it is not looked at. False if a signal ended the wait. `*now`, of clock_now, is brought up to date. */
bool flight_run(lua_State *L, int client_index, double seconds, double *now);

/* Seconds until the next run is needed without a descriptor becoming ready; negative: not at all. */
double flight_due(lua_State *L, int client_index);

/* The client's network in this process, made if there is none; NULL if memory or descriptors are short. */
struct network *flight_network(struct client *client);

/* From now on a thread goes on with the client's network while the program is busy elsewhere; if anything is unfinished. */
void flight_use_thread(struct client *client);

#endif
