/*
 * engine.h - what the Lua files of the module use of it. Sees lua.h.
 */
#ifndef MEDIASTOP_ENGINE_H
#define MEDIASTOP_ENGINE_H

#include "compat.h"

/* Pushes the table of functions on which `each` and mediastop.resty are built. They raise misuse as the string that it is.
 * start_into(client, done, blocks, operation, id, options, name, kept) is as start, but puts the job at the end of the list
 * `done` once it is done. `blocks`: whoever starts it is to wait where that is refused. Misuse names the function `name`,
 * by default start. `kept`: a job to use again, or true where the new one is to be used again.
 * call_into is the same for the operation's own function, which misuse names. take(job), of one that is done: whether it may
 * be `kept` for another start_into on the same client and list, then its result, message, error, which it holds no more.
 * check(client, operation, id, options, name): whether start_into would start a job: true, or nil, message, error.
 * drain(from, to): moves what is in the list `from` over what is in `to`, undisturbed by finalizers, which may add to it: how many.
 * run(client, seconds): moves the jobs on, and waits so long for that; a thread goes on with the network afterwards. Returns how
 * many are unfinished. send(client): sends what can be sent, without a look at the network, and returns what due would.
 * must_not_block(): whether the host would stand still. is_yieldable(): whether the caller may yield.
 * bell, ring_at, silence: see bell.h. operations: the list of their names. providers: a list of
 * { name, credentials }, whose credential it has. */
void engine_push(lua_State *L);

#endif
