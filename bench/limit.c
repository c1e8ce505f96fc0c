/*
 * limit.c - what libcurl itself costs: the four requests, nothing made of the answers but their status. With READS_JSON what
 * libcurl and lua-cjson cost, without which no Lua program has an answer: they become Lua's tables, and no more.
 *   limit MODE ORIGIN CA WARM COUNT [IN_FLIGHT [CONNECTIONS]]
 * MODE: `one` (one after another, on one easy handle) or `many` (IN_FLIGHT at once, a multi handle on epoll, at most
 * CONNECTIONS connections). CA: a PEM file of trusted roots; `-` for libcurl's default; `folder` for the system's hashed
 * directory alone. WARM requests come before the COUNT.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#ifdef READS_JSON
#include <lauxlib.h>
#include <lualib.h>
#endif
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX 4096

static const struct operation {
    const char *method, *path, *authorization, *body;
} operations[] = {
    { "POST", "/serve/api/v2/stream/stop", "Authorization: sk-mavi-bench-0123456789abcdef",
      "{\"task_id\": \"550e8400-e29b-41d4-a716-446655440000\"}" },
    { "DELETE", "/serve/api/v2/screenplay/tasks/ros-sd-20260313-a3f8c2b1",
      "Authorization: sk-mavi-bench-0123456789abcdef", NULL },
    { "POST", "/v1/sessions/65ea1530bb50af72b6e3dc1e/stop", "Authorization: Bearer emogg-bench-0123456789abcdef", "" },
    { "PUT", "/v1/live/streams/91a264dcc447b63da6fb79ef925cd76d/finish",
      "Authorization: Basic ZmFzdHBpeC1iZW5jaDpmYXN0cGl4LWJlbmNoLTAxMjM0NTY3ODlhYmNkZWY=", "" },
};

struct transfer {
    CURL *easy;
    size_t length;
    char answer[ANSWER_MAX];
};

static struct {
    const char *origin, *ca;
    struct curl_slist *headers[4];
    long started, ended, wanted;
    CURLM *multi;
    int epoll;
    double due;
} run;

static void fail(const char *words)
{
    fprintf(stderr, "limit: %s\n", words);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct transfer *transfer = data;
    if (transfer->length + size * count > ANSWER_MAX)
        return 0;
    memcpy(transfer->answer + transfer->length, bytes, size * count);
    transfer->length += size * count;
    return size * count;
}

static struct transfer *new_transfer(void)
{
    struct transfer *transfer = malloc(sizeof *transfer);
    CURL *easy = curl_easy_init();
    if (!transfer || !easy)
        fail("not enough memory");
    transfer->easy = easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, strncmp(run.origin, "https:", 6) == 0 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    if (strcmp(run.ca, "folder") == 0) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    } else if (strcmp(run.ca, "-") != 0) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, run.ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    return transfer;
}

static void prepare(struct transfer *transfer, long number)
{
    const struct operation *operation = &operations[number % 4];
    char url[512];
    snprintf(url, sizeof url, "%s%s", run.origin, operation->path);
    transfer->length = 0;
    curl_easy_setopt(transfer->easy, CURLOPT_URL, url);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, run.headers[number % 4]);
    if (operation->body) {
        curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(operation->body));
        curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, operation->body);
    } else {
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, operation->method);
}

#ifdef READS_JSON
static lua_State *lua;              /* with cjson.decode on its stack */

static void open_lua(void)
{
    lua = luaL_newstate();
    if (!lua)
        fail("not enough memory");
    luaL_openlibs(lua);
    if (luaL_dostring(lua, "return require('cjson').decode") != 0)
        fail(lua_tostring(lua, -1));
}

static void read_answer(const struct transfer *transfer)
{
    lua_pushvalue(lua, 1);
    lua_pushlstring(lua, transfer->answer, transfer->length);
    if (lua_pcall(lua, 1, 1, 0) != 0 || !lua_istable(lua, -1))
        fail("an answer is no JSON");
    lua_pop(lua, 1);
}
#else
static void open_lua(void)
{
}

static void read_answer(const struct transfer *transfer)
{
    (void)transfer;
}
#endif

static void check(struct transfer *transfer, CURLcode code)
{
    long status = 0;
    if (code != CURLE_OK)
        fail(curl_easy_strerror(code));
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 || transfer->length == 0)
        fail("an answer is no success");
    read_answer(transfer);
}

static void one_by_one(long count)
{
    static struct transfer *transfer;
    if (!transfer)
        transfer = new_transfer();
    for (long i = 0; i < count; i++) {
        prepare(transfer, i);
        check(transfer, curl_easy_perform(transfer->easy));
    }
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
    struct epoll_event event = { 0 };
    (void)easy;
    (void)data;
    event.data.fd = fd;
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(run.epoll, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }
    epoll_ctl(run.epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    curl_multi_assign(run.multi, fd, &run);
    return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *data)
{
    (void)multi;
    (void)data;
    run.due = milliseconds < 0 ? -1 : now() + (double)milliseconds / 1000;
    return 0;
}

static void collect(void)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(run.multi, &left)) != NULL) {
        struct transfer *transfer;
        CURL *easy = message->easy_handle;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
        check(transfer, message->data.result);
        curl_multi_remove_handle(run.multi, easy);
        run.ended++;
        if (run.started < run.wanted) {
            prepare(transfer, run.started++);
            curl_multi_add_handle(run.multi, easy);
        }
    }
}

static void many(struct transfer **transfers, long in_flight, long count)
{
    run.started = run.ended = 0;
    run.wanted = count;
    for (; run.started < in_flight && run.started < count; run.started++) {
        prepare(transfers[run.started], run.started);
        curl_multi_add_handle(run.multi, transfers[run.started]->easy);
    }
    while (run.ended < count) {
        struct epoll_event events[64];
        int running, wait = run.due < 0 ? 1000 : run.due > now() ? (int)((run.due - now()) * 1000) + 1 : 0;
        int ready = epoll_wait(run.epoll, events, 64, wait);
        for (int i = 0; i < ready; i++) {
            int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                       (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                       (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(run.multi, events[i].data.fd, what, &running);
        }
        if (run.due >= 0 && run.due <= now()) {
            run.due = -1;
            curl_multi_socket_action(run.multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        collect();
    }
}

int main(int argc, char **argv)
{
    if (argc < 6)
        fail("usage: limit one|many ORIGIN CA WARM COUNT [IN_FLIGHT [CONNECTIONS]]");
    run.origin = argv[2];
    run.ca = argv[3];
    long warm = atol(argv[4]), count = atol(argv[5]), in_flight = argc > 6 ? atol(argv[6]) : 1;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    open_lua();
    for (int i = 0; i < 4; i++) {
        run.headers[i] = curl_slist_append(NULL, operations[i].authorization);
        bool json = operations[i].body && operations[i].body[0];
        curl_slist_append(run.headers[i], json ? "Content-Type: application/json" : "Content-Type:");
    }
    if (strcmp(argv[1], "one") == 0) {
        one_by_one(warm);
        one_by_one(count);
        return 0;
    }
    run.multi = curl_multi_init();
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    run.due = -1;
    curl_multi_setopt(run.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(run.multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(run.multi, CURLMOPT_MAX_HOST_CONNECTIONS, argc > 7 ? atol(argv[7]) : in_flight);
    curl_multi_setopt(run.multi, CURLMOPT_MAXCONNECTS, argc > 7 ? atol(argv[7]) : in_flight);
    struct transfer **transfers = calloc((size_t)in_flight, sizeof *transfers);
    for (long i = 0; transfers && i < in_flight; i++)
        transfers[i] = new_transfer();
    many(transfers, in_flight, warm);
    many(transfers, in_flight, count);
    return 0;
}
