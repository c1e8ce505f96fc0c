/*
 * host.h - hosts that stand still while a call waits. Sees lua.h.
 */
#ifndef MEDIASTOP_HOST_H
#define MEDIASTOP_HOST_H

#include "compat.h"

/* What a call that is refused advises. */
#define HOST_ADVICE \
    "it would stall the nginx worker: call mediastop.resty instead, and its later() in a phase that cannot wait " \
    "(allow_blocking = true waits all the same)"

/* Whether this is a worker of nginx that serves requests, all of which would wait with us. */
bool host_must_not_block(lua_State *L);

#endif
