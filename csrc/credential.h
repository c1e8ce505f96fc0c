/*
 * credential.h - which credential a call takes: its own, its client's, or one that is found. Sees lua.h.
 */
#ifndef MEDIASTOP_CREDENTIAL_H
#define MEDIASTOP_CREDENTIAL_H

#include "client.h"

/* Puts the Authorization header of a call into the request: true. If there is no credential, or none that can be sent,
 * pushes a sentence that says where it looked and why that gave nothing: false. `options`: index of the call's options,
 * or of nil. `base_url`: where the call goes. May raise. */
bool credential_find(lua_State *L, int client_index, int options, const struct operation *operation,
                     const char *base_url, struct request *request);

#endif
