/*
 * options.h - table-driven reader of options: types, ranges, unknown names. Sees lua.h.
 */
#ifndef MEDIASTOP_OPTIONS_H
#define MEDIASTOP_OPTIONS_H

#include "misuse.h"
#include "operation.h"

enum scope { SCOPE_CALL = 1, SCOPE_CLIENT = 2 };

struct options {
    double timeout;                 /* seconds, as are the next two */
    double attempt_timeout;
    double connect_timeout;
    int attempts;
    int max_connections;
    bool confirm;
    bool ignore_ended;
    bool allow_blocking;
    const char *base_url[PROVIDER_COUNT];       /* strings of Lua: whoever keeps them copies them; NULL for none */
    const char *ca_file;
    const char *proxy;
    const char *user_agent;
    const char *profile;
};

void options_set_defaults(struct options *options);

/* Reads the table at `index` (nil and none are an empty one) over what `options` holds. For a call `provider` is the
 * one it goes to. Raises on whatever is wrong with it; allocates nothing. */
void options_read(lua_State *L, int index, const struct place *place, enum scope scope, const struct provider *provider,
                  struct options *options);

/* Pushes the option of this name of the table at `index`, which options_read has read; nil if it is no table. Nothing that only
 * a metatable knows of is an option: nobody has looked at it. */
void options_push(lua_State *L, int index, const char *name);

#endif
