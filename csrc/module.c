/*
 * module.c - luaopen_mediastop_core: registers everything.
 */
#include "bell.h"
#include "call.h"
#include "callback.h"
#include "console.h"
#include "engine.h"
#include "handle.h"
#include "interrupt.h"
#include "json.h"
#include "secret.h"
#include "system.h"
#include "ticketing.h"
#include "webhook.h"

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT int luaopen_mediastop_core(lua_State *L);

/* What needs no client. */
static void add_pure(lua_State *L, const struct provider *provider)
{
    static const struct {
        const struct provider *provider;
        const char *name;
        lua_CFunction function;
    } functions[] = {
        { &providers[MEMORIES], "callback", callback_read },
        { &providers[FASTPIX], "webhook", webhook_read },
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (functions[i].provider != provider)
            continue;
        lua_pushcfunction(L, functions[i].function);
        lua_setfield(L, -2, functions[i].name);
    }
}

/* Fills the tables of the providers into the table on the top, bound to the client below it. */
static void add_providers(lua_State *L)
{
    int client = lua_gettop(L) - 1;
    for (size_t i = 0; i < PROVIDER_COUNT; i++) {
        lua_newtable(L);
        for (size_t j = 0; j < OPERATION_COUNT; j++) {
            if (operations[j].provider != &providers[i])
                continue;
            call_push(L, client, &operations[j]);
            lua_setfield(L, -2, operations[j].name);
        }
        add_pure(L, &providers[i]);
        lua_setfield(L, -2, providers[i].name);
    }
}

/* Copies the functions of the table at `methods` into the table on the top. */
static void add_methods(lua_State *L, int methods)
{
    lua_pushnil(L);
    while (lua_next(L, methods)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

/*** The C module. It has the functions of `mediastop` but `each`, and no `credentials`: it looks for none, they are handed in,
 * `core.memories.stop(id, { credentials = { api_key = "…" } })`. What else is in it is for the Lua modules and may change.
 * @module mediastop.core */

/*** A client with options and connections of its own.
 * @function new
 * @tparam[opt] table options the defaults of its calls
 * @treturn client
 * @raise on an unknown option, or one of the wrong type */
static int new_client(lua_State *L)
{
    const struct place place = { "new", 1 };
    struct options options;
    lua_settop(L, 1);
    options_set_defaults(&options);
    options_read(L, 1, &place, SCOPE_CLIENT, NULL, &options);
    client_new(L, &options, 1, lua_upvalueindex(1));
    compat_push_user_table(L, -1);
    lua_getfield(L, -1, CLIENT_PUBLIC);
    lua_remove(L, -2);
    add_providers(L);
    handle_add_functions(L, 0);
    if (lua_istable(L, lua_upvalueindex(2)))
        add_methods(L, lua_upvalueindex(2));
    lua_pop(L, 1);
    return 1;
}

/*** A `new` whose clients look for credentials where neither the call nor the client was given one.
 * @function constructor
 * @tparam function find called with the provider's name; the base URL, where a found credential must not go without leave;
 * the profile or nil; the seconds that are left; whether the provider refused what it returned before; whether it may
 * block where the host must not be. It returns a `secret`; or nil, a sentence that says where it looked, and whether it found one that may not be sent there
 * @tparam table methods more methods of the clients
 * @treturn function like `new` */
static int constructor(lua_State *L)
{
    const struct place find_place = { "constructor", 1 }, methods_place = { "constructor", 2 };
    if (!lua_isfunction(L, 1))
        misuse_type(L, &find_place, "function", 1);
    if (!lua_istable(L, 2))
        misuse_type(L, &methods_place, "table", 2);
    lua_settop(L, 2);
    lua_pushcclosure(L, new_client, 2);
    return 1;
}

/*** The functions of one client, that need not be given it: the four providers' tables, start, step, fd, due.
 * @function bind
 * @param client
 * @treturn table */
static int bind(lua_State *L)
{
    const struct place place = { "bind", 1 };
    if (!compat_test_userdata(L, 1, CLIENT_TYPE))
        misuse_type(L, &place, "client", 1);
    lua_settop(L, 1);
    lua_newtable(L);
    add_providers(L);
    handle_add_functions(L, 1);
    return 1;
}

int luaopen_mediastop_core(lua_State *L)
{
    compat_check_version(L);
    interrupt_open(L);
    client_open(L);
    handle_open(L);
    secret_open(L);
    bell_open(L);
    ticketing_open(L);
    /* The module's own functions are those of a client without options. */
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushcclosure(L, new_client, 2);
    lua_pushvalue(L, -1);
    lua_call(L, 0, 1);
    lua_newtable(L);
    add_providers(L);
    handle_add_functions(L, lua_gettop(L) - 1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "new");
    lua_pushliteral(L, MEDIASTOP_VERSION);
    lua_setfield(L, -2, "_VERSION");
    json_open(L);
    lua_setfield(L, -2, "null");
    system_push(L);
    lua_setfield(L, -2, "system");
    console_push(L);
    lua_setfield(L, -2, "console");
    engine_push(L);
    lua_setfield(L, -2, "engine");
    ticketing_push(L);
    lua_setfield(L, -2, "tickets");
    lua_pushcfunction(L, secret_new);
    lua_setfield(L, -2, "secret");
    lua_pushcfunction(L, constructor);
    lua_setfield(L, -2, "constructor");
    lua_pushcfunction(L, bind);
    lua_setfield(L, -2, "bind");
    return 1;
}
