/*
 * private_lua.c - a host that keeps its Lua to itself, as OBS and VLC do.
 * Usage: private_lua LIBRARY SCRIPT: opens the library with RTLD_LOCAL and runs the script in a state of it.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MULTIPLE_RESULTS (-1)

/* ISO C has no conversion from an object's pointer to a function's. */
static void get(void *library, const char *name, const char *older_name, void *function, size_t size)
{
    void *symbol = dlsym(library, name);
    if (!symbol)
        symbol = dlsym(library, older_name);
    memcpy(function, &symbol, size);
}

#define GET(function, name, older_name) get(library, name, older_name, (void *)&(function), sizeof(function))

int main(int count, char **arguments)
{
    void *(*new_state)(void);
    void (*open_libraries)(void *L), (*close_state)(void *L);
    int (*load_file)(void *L, const char *path, const char *mode);
    int (*call)(void *L, int parameters, int results, int handler, ptrdiff_t context, void *continuation);
    const char *(*to_string)(void *L, int index, size_t *length);
    void *library = count == 3 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) {
        fprintf(stderr, "%s\n", count == 3 ? dlerror() : "usage: private_lua LIBRARY SCRIPT");
        return 2;
    }
    GET(new_state, "luaL_newstate", "luaL_newstate");
    GET(open_libraries, "luaL_openlibs", "luaL_openlibs");
    GET(close_state, "lua_close", "lua_close");
    GET(load_file, "luaL_loadfilex", "luaL_loadfile");
    GET(call, "lua_pcallk", "lua_pcall");
    GET(to_string, "lua_tolstring", "lua_tolstring");
    void *L = new_state();
    open_libraries(L);
    int failed = load_file(L, arguments[2], NULL) != 0 || call(L, 0, MULTIPLE_RESULTS, 0, 0, NULL) != 0;
    if (failed)
        fprintf(stderr, "%s\n", to_string(L, -1, NULL));
    close_state(L);
    return failed;
}
