/*
 * credential.h - which credential a call takes: its own, its client's, or one that is found. Sees lua.h.
 */
#ifndef MEDIASTOP_CREDENTIAL_H
#define MEDIASTOP_CREDENTIAL_H

#include "client.h"

/* Puts the Authorization header into the request of the job, userdata at `index`: true. If there is no credential, or
 * none that can be sent, pushes a sentence that says where it looked and why that gave nothing: false. `options`: index
 * of the call's options, or of nil. `base_url`: where the call goes. May raise. */
bool credential_find(lua_State *L, int client_index, int index, int options, const char *base_url,
                     const char *profile);

/* Asks those again that the job's credential came from, and puts what is new into the request. False if
 * there is nothing new. May raise. */
bool credential_renew(lua_State *L, int client_index, int index, enum job_ask ask);

#endif
