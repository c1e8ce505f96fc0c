/*
 * handle.h - the methods of a job, and those of a client that move jobs on. Sees lua.h.
 */
#ifndef MEDIASTOP_HANDLE_H
#define MEDIASTOP_HANDLE_H

#include "compat.h"

/* Adds the methods to the job's metatable. */
void handle_open(lua_State *L);

/* Adds start, step, fd, due and close to the table on the top: as methods of a client; or, where `client_index` is not
 * 0, as functions of the client there. */
void handle_add_functions(lua_State *L, int client_index);

#endif
