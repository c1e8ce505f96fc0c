/*
 * libcurl.c - for the specs: which libcurl the module can make use of.
 */
#include <curl/curl.h>
#include <lua.h>

__attribute__((visibility("default"))) int luaopen_libcurl(lua_State *L);

/* A function: returns major and minor of the older of two versions, that of the headers and the one that runs. */
static int version(lua_State *L)
{
    unsigned running = curl_version_info(CURLVERSION_NOW)->version_num;
    unsigned number = running < LIBCURL_VERSION_NUM ? running : LIBCURL_VERSION_NUM;
    lua_pushnumber(L, number >> 16 & 0xff);
    lua_pushnumber(L, number >> 8 & 0xff);
    return 2;
}

int luaopen_libcurl(lua_State *L)
{
    lua_pushcfunction(L, version);
    return 1;
}
