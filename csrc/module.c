/*
 * module.c - luaopen_mediastop_core: registers everything.
 */
#include "call.h"
#include "flight.h"
#include "json.h"

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT int luaopen_mediastop_core(lua_State *L);

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
        lua_setfield(L, -2, providers[i].name);
    }
}

static int client_close_method(lua_State *L)
{
    if (!compat_test_userdata(L, 1, CLIENT_TYPE))
        misuse_type(L, &(struct place){ "close", 1 }, "client", 1);
    client_close(L, 1);
    return 0;
}

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
    lua_pushcfunction(L, client_close_method);
    lua_setfield(L, -2, "close");
    lua_pop(L, 1);
    return 1;
}

/*** A `new` whose clients look for credentials where neither the call nor the client was given one.
 * @function constructor
 * @tparam function find called with the provider's name and, where a found credential must not go without leave, the
 * base URL; returns a table of the credential's fields, or nil and a sentence that says where it looked
 * @treturn function like `new` */
static int constructor(lua_State *L)
{
    const struct place place = { "constructor", 1 };
    if (!lua_isfunction(L, 1))
        misuse_type(L, &place, "function", 1);
    lua_settop(L, 1);
    lua_pushcclosure(L, new_client, 1);
    return 1;
}

int luaopen_mediastop_core(lua_State *L)
{
    compat_check_version(L);
    client_open(L);
    lua_newtable(L);
    lua_pushliteral(L, MEDIASTOP_VERSION);
    lua_setfield(L, -2, "_VERSION");
    json_open(L);
    lua_setfield(L, -2, "null");
    lua_pushcfunction(L, constructor);
    lua_setfield(L, -2, "constructor");
    lua_pushnil(L);
    lua_pushcclosure(L, new_client, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "new");
    /* The module's own functions are those of a client without options. */
    lua_call(L, 0, 1);
    lua_insert(L, -2);
    add_providers(L);
    return 1;
}
