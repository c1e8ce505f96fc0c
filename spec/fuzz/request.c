/*
 * request.c - fuzzes what is sent: operation, base URL, credential and id -> URL, header, body.
 *
 * Input: operation; then lines: base URL, both parts of the credential; then the id. libcurl's own reader of URLs says where
 * the request would go.
 */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "request.h"

static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
    char *value = NULL;
    return curl_url_get(url, part, &value, flags) == CURLUE_OK ? value : NULL;
}

static void check_same(CURLU *url, CURLU *base, CURLUPart part)
{
    char *a = url_part(url, part, 0), *b = url_part(base, part, 0);
    CHECK(a && b ? strcmp(a, b) == 0 : !a && !b);
    curl_free(a);
    curl_free(b);
}

static bool is_loopback_name(const char *host)
{
    return strcmp(host, "[::1]") == 0 || strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0;
}

/* The request goes where the base URL says, and the id is one segment of its path. */
static void check_url(const struct request *request, const struct operation *operation, const char *base_url,
                      const struct text *id)
{
    CURLU *url = curl_url(), *base = curl_url();
    CHECK(curl_url_set(base, CURLUPART_URL, base_url, CURLU_PATH_AS_IS) == CURLUE_OK);
    CHECK(curl_url_set(url, CURLUPART_URL, request->url.data, CURLU_PATH_AS_IS) == CURLUE_OK);
    check_same(url, base, CURLUPART_SCHEME);
    check_same(url, base, CURLUPART_HOST);
    check_same(url, base, CURLUPART_PORT);
    char *scheme = url_part(url, CURLUPART_SCHEME, 0), *host = url_part(url, CURLUPART_HOST, 0);
    char *path = url_part(url, CURLUPART_PATH, 0);
    CHECK(!url_part(url, CURLUPART_USER, 0) && !url_part(url, CURLUPART_QUERY, 0));
    CHECK(!url_part(url, CURLUPART_FRAGMENT, 0));
    CHECK(strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && is_loopback_name(host)));
    CHECK(request->loopback == is_loopback_name(host) || strncmp(host, "127.", 4) == 0);
    CHECK(request->cleartext == (strcmp(scheme, "http") == 0));
    if (!operation->body) {
        const char *place = strstr(operation->path, "{id}");
        size_t before = (size_t)(place - operation->path), after = strlen(place + 4), length = strlen(path);
        const char *segment = path + length - after;
        CHECK(strcmp(segment, place + 4) == 0);
        while (segment[-1] != '/')
            segment--;
        CHECK((size_t)(segment - path) >= before && memcmp(segment - before, operation->path, before) == 0);
        int decoded_length;
        char *decoded = curl_easy_unescape(NULL, segment, (int)(path + length - after - segment), &decoded_length);
        CHECK(decoded && (size_t)decoded_length == id->length && memcmp(decoded, id->data, id->length) == 0);
        curl_free(decoded);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(path);
    curl_url_cleanup(url);
    curl_url_cleanup(base);
}

/* cjson reads the body as just that id. */
static void check_body(const struct request *request, const struct operation *operation, const struct text *id)
{
    CHECK(request->has_body == (operation->body != NULL) && (request->body.length > 0) == request->has_body);
    if (!request->has_body)
        return;
    lua_State *L = fuzz_lua();
    CHECK(luaL_loadstring(L, "local t = require('cjson').decode((...)) return t.task_id, next(t, next(t))") == 0);
    lua_pushlstring(L, request->body.data, request->body.length);
    CHECK(lua_pcall(L, 1, 2, 0) == 0);
    size_t length;
    const char *read = lua_tolstring(L, -2, &length);
    CHECK(read && length == id->length && memcmp(read, id->data, length) == 0 && lua_isnil(L, -1));
    fuzz_tidy(L);
}

static void check_authorization(struct request *request, const struct provider *provider,
                                const struct credential *credential)
{
    CHECK(request_authorize(request, provider->auth, credential));
    const struct text *line = &request->authorization;
    CHECK(strlen(line->data) == line->length && strncmp(line->data, "Authorization: ", 15) == 0);
    CHECK(!text_has_control(line->data, line->length));
    struct text echo = { NULL, 0, 0, false };
    CHECK(text_add_string(&echo, "so "));
    CHECK(text_add(&echo, line->data, line->length, BODY_MAX_BYTES));
    request_mask(request, &echo);
    /* The asterisks may be part of one themselves. */
    for (int i = 0; i < 3; i++)
        CHECK(request->secrets[i].length < 8 || strchr(request->secrets[i].data, '*') ||
              !strstr(echo.data, request->secrets[i].data));
    CHECK(request->secrets[0].length < 8 || request_echoed(request, line->data));
    text_free(&echo);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { (const char *)data, size };
    const struct operation *operation = &operations[input_choose(&input, OPERATION_COUNT)];
    struct text base_url = input_take_line(&input), parts[2] = { input_take_line(&input), input_take_line(&input) };
    struct text id = input_take_rest(&input);
    bool good_url = !address_problem(base_url.data, base_url.length);
    bool good_id = !request_id_problem(operation, id.data, id.length);
    struct request request;
    memset(&request, 0, sizeof request);
    if (good_url) {
        CHECK(address_is_same(base_url.data, base_url.data));
        CHECK(!strpbrk(base_url.data, "@?#\\") && strlen(base_url.data) == base_url.length);
    }
    if (good_url && good_id) {
        CHECK(request_address(&request, operation, base_url.data, id.data, id.length));
        check_url(&request, operation, base_url.data, &id);
        check_body(&request, operation, &id);
    }
    struct credential credential = { { parts[0].data, NULL }, { parts[0].length, 0 } };
    if (operation->provider->fields[1]) {
        credential.part[1] = parts[1].data;
        credential.length[1] = parts[1].length;
    }
    int part = -1;
    const char *problem = request_credential_problem(operation->provider, &credential, &part);
    CHECK(!problem || part == 0 || part == 1);
    if (!problem)
        check_authorization(&request, operation->provider, &credential);
    request_free(&request);
    request_free(&request);
    text_free(&base_url);
    text_free(&parts[0]);
    text_free(&parts[1]);
    text_free(&id);
    return 0;
}
