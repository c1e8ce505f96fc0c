/*
 * pool.c - the multi handle: sockets, timers, connection reuse, fork.
 */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "poller.h"

#define EVENTS_AT_ONCE 64
#define SPARE_TRANSFERS 16

struct pool {
    struct transfer_settings settings;
    pid_t pid;
    CURLM *multi;
    struct poller *poller;
    double due;                     /* when libcurl wants to be called without an event; negative: never */
    struct transfer *active;        /* doubly linked */
    struct transfer *spare;         /* idle, with their options set; singly linked by next */
    struct transfer *first, *last;  /* finished, not yet given out; singly linked by next */
    int spares;
};

static bool curl_ready;             /* written once, under the guard below */

static void start_curl(void)
{
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static bool ensure_curl(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_once(&once, start_curl) == 0 && curl_ready;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *watched)
{
    struct pool *pool = data;
    int events = what == CURL_POLL_IN      ? POLLER_IN
                 : what == CURL_POLL_OUT   ? POLLER_OUT
                 : what == CURL_POLL_INOUT ? POLLER_IN | POLLER_OUT
                                           : 0;
    (void)easy;
    poller_watch(pool->poller, fd, events, watched != NULL);
    if (what != CURL_POLL_REMOVE && !watched)
        curl_multi_assign(pool->multi, fd, pool);
    return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *data)
{
    struct pool *pool = data;
    (void)multi;
    pool->due = milliseconds < 0 ? -1 : clock_now() + (double)milliseconds / 1000;
    return 0;
}

static bool set_up(struct pool *pool)
{
    long connections = pool->settings.max_connections;
    pool->poller = poller_new();
    pool->multi = pool->poller ? curl_multi_init() : NULL;
    if (!pool->multi)
        return false;
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
    /* libcurl's own bound follows the transfers under way, so that it would close connections as a batch ends. */
    curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, connections * PROVIDER_COUNT);
    return true;
}

struct pool *pool_new(const struct transfer_settings *settings)
{
    struct pool *pool = ensure_curl() ? calloc(1, sizeof *pool) : NULL;
    if (!pool)
        return NULL;
    pool->settings = *settings;
    pool->pid = getpid();
    pool->due = -1;
    if (!set_up(pool)) {
        pool_free(pool);
        return NULL;
    }
    return pool;
}

bool pool_is_ours(const struct pool *pool)
{
    return pool->pid == getpid();
}

static struct transfer *take_transfer(struct pool *pool)
{
    struct transfer *transfer = pool->spare;
    if (!transfer)
        return transfer_new(&pool->settings);
    pool->spare = transfer->next;
    pool->spares--;
    return transfer;
}

static void give_back(struct pool *pool, struct transfer *transfer)
{
    transfer_end(transfer);
    if (pool->spares >= SPARE_TRANSFERS) {
        transfer_free(transfer);
        return;
    }
    transfer->next = pool->spare;
    pool->spare = transfer;
    pool->spares++;
}

static void link_active(struct pool *pool, struct transfer *transfer)
{
    transfer->previous = NULL;
    transfer->next = pool->active;
    if (pool->active)
        pool->active->previous = transfer;
    pool->active = transfer;
}

static void unlink_active(struct pool *pool, struct transfer *transfer)
{
    if (transfer->previous)
        transfer->previous->next = transfer->next;
    else
        pool->active = transfer->next;
    if (transfer->next)
        transfer->next->previous = transfer->previous;
    transfer->next = transfer->previous = NULL;
}

struct transfer *pool_start(struct pool *pool, const struct request *request, struct reply *reply,
                            const struct transfer_limits *limits, void *owner)
{
    struct transfer *transfer = take_transfer(pool);
    if (!transfer)
        return NULL;
    transfer->owner = owner;
    if (!transfer_begin(transfer, &pool->settings, request, reply, limits) ||
        curl_multi_add_handle(pool->multi, transfer->easy) != CURLM_OK) {
        give_back(pool, transfer);
        return NULL;
    }
    link_active(pool, transfer);
    return transfer;
}

/* Takes the transfer off the multi handle, and off the list that it is in. */
static void detach(struct pool *pool, struct transfer *transfer)
{
    curl_multi_remove_handle(pool->multi, transfer->easy);
    unlink_active(pool, transfer);
}

static bool unlink_finished(struct pool *pool, struct transfer *transfer)
{
    struct transfer *before = NULL, *at = pool->first;
    while (at && at != transfer) {
        before = at;
        at = at->next;
    }
    if (!at)
        return false;
    if (before)
        before->next = at->next;
    else
        pool->first = at->next;
    if (pool->last == at)
        pool->last = before;
    return true;
}

void pool_cancel(struct pool *pool, struct transfer *transfer)
{
    if (!unlink_finished(pool, transfer))
        detach(pool, transfer);
    give_back(pool, transfer);
}

static void collect_finished(struct pool *pool)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        int code = (int)message->data.result;       /* the message is gone once the handle is removed */
        char *private = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        struct transfer *transfer = (struct transfer *)(void *)private;
        transfer_finish(transfer, code);
        detach(pool, transfer);
        if (pool->last)
            pool->last->next = transfer;
        else
            pool->first = transfer;
        pool->last = transfer;
    }
}

enum pool_run pool_run(struct pool *pool, double seconds)
{
    struct poller_event events[EVENTS_AT_ONCE];
    int running;
    if (pool->due >= 0) {
        double until = pool->due - clock_now();
        seconds = until < seconds ? until : seconds;
    }
    int count = poller_wait(pool->poller, clock_milliseconds(seconds), events, EVENTS_AT_ONCE);
    for (int i = 0; i < count; i++) {
        int what = (events[i].what & POLLER_IN ? CURL_CSELECT_IN : 0) |
                   (events[i].what & POLLER_OUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].what & POLLER_ERROR ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(pool->multi, events[i].fd, what, &running);
    }
    if (pool->due >= 0 && pool->due <= clock_now()) {
        pool->due = -1;
        curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect_finished(pool);
    return count < 0 ? POOL_INTERRUPTED : POOL_OK;
}

void *pool_finished(struct pool *pool)
{
    struct transfer *transfer = pool->first;
    if (!transfer)
        return NULL;
    pool->first = transfer->next;
    if (!pool->first)
        pool->last = NULL;
    void *owner = transfer->owner;
    give_back(pool, transfer);
    return owner;
}

static void free_list(struct transfer *transfer)
{
    while (transfer) {
        struct transfer *next = transfer->next;
        transfer_free(transfer);
        transfer = next;
    }
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    while (pool->active)
        pool_cancel(pool, pool->active);
    free_list(pool->first);
    free_list(pool->spare);
    curl_multi_cleanup(pool->multi);
    poller_free(pool->poller);
    free(pool);
}

void pool_abandon(struct pool *pool)
{
    /* Freeing the handles would say good-bye to the servers on connections that are still the parent's. Only the
     * descriptor that is ours alone to lose is given back; the memory goes with the process. */
    poller_free(pool->poller);
    pool->poller = NULL;
}
