/*
 * bell.h - userdata: a unix socket for a host whose loop can wait for sockets only, as nginx's. The threads of
 * clients write a byte to it where there is something to do. Sees lua.h.
 */
#ifndef MEDIASTOP_BELL_H
#define MEDIASTOP_BELL_H

#include "compat.h"

/* Registers the metatable. */
void bell_open(lua_State *L);

/* A function of Lua: bell() -> bell; or nil and the system's words. It listens in a private folder. Its methods:
 * path() -> string, where the host is to connect to, once; accept() -> true once it has connected, or nil and the
 * system's words; add(client) -> boolean, whether the client has a thread now, which rings it; ring(); close(),
 * which the threads do not notice. */
int bell_new(lua_State *L);

/* A function of Lua: ring_at(client, seconds from now or nil, sooner). The client's bell rings then, too; in place
 * of the moment before, or if that is later. */
int bell_ring_at(lua_State *L);

/* A function of Lua: silence(client). Its thread ends, unless somebody has the descriptor that it makes readable. */
int bell_silence(lua_State *L);

#endif
