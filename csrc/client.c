/*
 * client.c - userdata: options, pool, jobs in flight.
 */
#define _POSIX_C_SOURCE 200809L
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "roster.h"
#include "settle.h"

const char CLIENT_TYPE[] = "mediastop.client";

static void free_network(struct client *client)
{
    network_free(client->network);
    client->network = NULL;
}

/* Many exchanges are ended sooner without it. */
static void stop_thread(struct client *client)
{
    if (client->network)
        network_stop_thread(client->network);
}

/* A job that somebody down the stack works on ends when he has done with it. */
static struct job *first_idle(const struct client *client)
{
    const struct link *link = client->jobs.first;
    while (link && ((struct job *)link->owner)->busy)
        link = link->next;
    return link ? link->owner : NULL;
}

void client_close(lua_State *L, int client_index)
{
    struct client *client = lua_touserdata(L, client_index);
    client->closed = true;
    roster_check_fork(client);
    stop_thread(client);
    compat_push_user_table(L, client_index);
    lua_getfield(L, -1, CLIENT_JOBS);
    struct job *job;
    while ((job = first_idle(client)) != NULL) {
        compat_raw_get_pointer(L, -1, job);
        if (lua_isnil(L, -1))
            roster_drop(L, job);
        else
            settle_end(L, job, -1, KIND_CLOSED);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    free_network(client);
}

static void disown(const char **string)
{
    free((char *)*string);
    *string = NULL;
}

/* Called by Lua, at most once with jobs left: Lua may finalise client and jobs in any order. */
static int client_gc(lua_State *L)
{
    struct client *client = lua_touserdata(L, 1);
    client->closed = true;
    roster_check_fork(client);
    stop_thread(client);
    struct job *job;
    /* At the end of a state Lua may not come to finalise them. */
    while ((job = first_idle(client)) != NULL)
        roster_drop(L, job);
    while ((job = queue_first(&client->jobs)) != NULL)
        roster_forget(job);
    while ((job = queue_first(&client->kept)) != NULL)
        roster_drop(L, job);
    free_network(client);
    timers_free(&client->timers);
    origin_free(&client->origin);
    for (size_t i = 0; i < PROVIDER_COUNT; i++)
        disown(&client->options.base_url[i]);
    disown(&client->options.ca_file);
    disown(&client->options.proxy);
    disown(&client->options.user_agent);
    disown(&client->options.profile);
    return 0;
}

static int job_gc(lua_State *L)
{
    struct job *job = job_at(L, 1);
    if (job && job->client)
        roster_check_fork(job->client);     /* this may be the child, and the job the parent's */
    if (job)
        roster_drop(L, job);
    return 0;
}

static int client_index(lua_State *L)
{
    compat_push_user_table(L, 1);
    lua_getfield(L, -1, CLIENT_PUBLIC);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

static int object_tostring(lua_State *L)
{
    lua_pushfstring(L, "%s: %p", lua_tostring(L, lua_upvalueindex(1)), lua_touserdata(L, 1));
    return 1;
}

static void open_type(lua_State *L, const char *type, const luaL_Reg *metamethods)
{
    compat_push_type(L, type);
    compat_set_functions(L, metamethods, 0);
    lua_pushstring(L, type);
    lua_pushcclosure(L, object_tostring, 1);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);                  /* getmetatable gives this away in place of __gc */
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void client_open(lua_State *L)
{
    static const luaL_Reg of_client[] = { { "__gc", client_gc }, { "__index", client_index }, { NULL, NULL } };
    static const luaL_Reg of_job[] = { { "__gc", job_gc }, { NULL, NULL } };
    open_type(L, CLIENT_TYPE, of_client);
    open_type(L, JOB_TYPE, of_job);
}

/* Keeps a copy of the string, which outlives Lua's. */
static void own(lua_State *L, const char **to, const char *string)
{
    *to = string ? strdup(string) : NULL;
    if (string && !*to)
        luaL_error(L, "not enough memory");
}

/* Pushes a copy of the `credentials` option: a table by provider of functions and of tables of strings. */
static void copy_credentials(lua_State *L, int table)
{
    options_push(L, table, "credentials");
    if (!lua_istable(L, -1))
        return;
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, -3)) {
        lua_pushvalue(L, -2);
        if (lua_istable(L, -2)) {
            lua_newtable(L);
            lua_pushnil(L);
            while (lua_next(L, -4)) {
                lua_pushvalue(L, -2);
                lua_insert(L, -2);
                lua_rawset(L, -4);
            }
        } else {
            lua_pushvalue(L, -2);
        }
        lua_rawset(L, -5);
        lua_pop(L, 1);
    }
    lua_remove(L, -2);
}

struct client *client_new(lua_State *L, const struct options *options, int table, int find)
{
    struct client *client = compat_new_userdata(L, sizeof *client, CLIENT_TYPE);
    luaL_checkstack(L, 16, "too many nested calls");
    origin_set(&client->origin);
    client->options = *options;
    memset(client->options.base_url, 0, sizeof client->options.base_url);
    client->options.ca_file = client->options.proxy = client->options.user_agent = client->options.profile = NULL;
    own(L, &client->options.ca_file, options->ca_file);
    own(L, &client->options.proxy, options->proxy);
    own(L, &client->options.user_agent, options->user_agent);
    own(L, &client->options.profile, options->profile);
    for (size_t i = 0; i < PROVIDER_COUNT; i++)
        own(L, &client->options.base_url[i], options->base_url[i]);
    client->settings.ca_file = client->options.ca_file;
    client->settings.proxy = client->options.proxy;
    client->settings.user_agent = client->options.user_agent;
    client->settings.max_connections = options->max_connections;
    compat_push_user_table(L, -1);
    copy_credentials(L, table);
    lua_setfield(L, -2, CLIENT_CREDENTIALS);
    options_push(L, table, "on_event");
    client->has_listener = !lua_isnil(L, -1);
    lua_setfield(L, -2, CLIENT_LISTENER);
    lua_pushvalue(L, find);
    lua_setfield(L, -2, CLIENT_FIND);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, CLIENT_JOBS);
    lua_newtable(L);
    lua_setfield(L, -2, CLIENT_PUBLIC);
    lua_pop(L, 1);
    return client;
}

struct client *client_check(lua_State *L, int index)
{
    struct client *client = compat_test_userdata(L, index, CLIENT_TYPE);
    luaL_argcheck(L, client, index, "client expected");
    return client;
}

size_t client_unfinished(const struct client *client)
{
    return client->jobs.count - client->busy;
}

const char *client_base_url(const struct client *client, const struct provider *provider)
{
    size_t own_index = (size_t)(provider - providers), index = own_index;
    if (client->options.base_url[own_index])
        return client->options.base_url[own_index];
    for (size_t i = 0; i < PROVIDER_COUNT; i++)
        index = strcmp(providers[i].name, provider->credentials) == 0 ? i : index;
    return client->options.base_url[index] ? client->options.base_url[index] : provider->base_url;
}
