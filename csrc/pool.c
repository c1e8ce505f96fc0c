/*
 * pool.c - the multi handle: sockets, timers, connection reuse, fork.
 */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "clock.h"
#include "library.h"
#include "memory.h"
#include "sigpipe.h"
#include "sockets.h"
#include "spare.h"

#define EVENTS_AT_ONCE 64

struct pool {
    struct transfer_settings settings;
    struct text agent;              /* the header line */
    CURLM *multi;
    struct sockets *sockets;
    double due;                     /* when libcurl wants to be called without an event; 0: at once; negative: never */
    struct queue active;            /* transfers under way */
    struct queue told;              /* of which libcurl has told how they ended, and which are still on the multi handle */
    struct queue finished;          /* not yet given out */
    struct spare spare;
    struct poller_event events[EVENTS_AT_ONCE];     /* what the wait has seen */
    int event_count;                /* -1: a signal ended it */
    bool sigpipe_may_come;
    bool doomed;                    /* the multi handle is not to be used any more */
    bool has_new;                   /* a transfer was added that has no connection yet */
    bool owes_events;               /* what was due took the whole slice, so that the events come first */
};

static struct transfer *transfer_of(CURL *easy)
{
    char *private = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    return (struct transfer *)(void *)private;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
    struct pool *pool = data;
    (void)socket_data;
    sockets_want(pool->sockets, fd,
                 what == CURL_POLL_IN      ? SOCKETS_IN
                 : what == CURL_POLL_OUT   ? SOCKETS_OUT
                 : what == CURL_POLL_INOUT ? SOCKETS_IN | SOCKETS_OUT
                                           : 0,
                 transfer_of(easy));
    return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *data)
{
    struct pool *pool = data;
    (void)multi;
    pool->due = milliseconds > 0 ? clock_now() + (double)milliseconds / 1000 : (double)milliseconds;
    return 0;
}

static bool set_agent(struct pool *pool)
{
    const char *prefix = pool->settings.user_agent;
    bool set = text_add_string(&pool->agent, "User-Agent: ") &&
               (!prefix || (text_add_string(&pool->agent, prefix) && text_add_string(&pool->agent, " "))) &&
               text_add_string(&pool->agent, "mediastop/" MEDIASTOP_VERSION);
    pool->settings.user_agent = pool->agent.data;
    return set;
}

static bool set_up_multi(struct pool *pool)
{
    long connections = pool->settings.max_connections;
    pool->multi = curl_multi_init();
    if (!pool->multi)
        return false;
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    curl_multi_setopt(pool->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
#if LIBCURL_VERSION_NUM >= 0x081400
    curl_multi_setopt(pool->multi, CURLMOPT_QUICK_EXIT, 1L);    /* as CURLOPT_QUICK_EXIT, for what is left at the end */
#endif
    /* libcurl's own bound follows the transfers under way, so that it would close connections as a batch ends. */
    curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, connections * PROVIDER_COUNT);
    return true;
}

struct pool *pool_new(const struct transfer_settings *settings)
{
    struct pool *pool = library_start() ? calloc(1, sizeof *pool) : NULL;
    if (!pool)
        return NULL;
    pool->settings = *settings;
    pool->settings.trust = trust_choose();
    pool->settings.keeps_bodies = transfer_keeps_bodies();
    pool->sigpipe_may_come = sigpipe_may_come();
    pool->due = -1;
    pool->sockets = sockets_new();
    if (!pool->sockets || !set_agent(pool) || !set_up_multi(pool)) {
        pool_free(pool);
        return NULL;
    }
    return pool;
}

static struct transfer *take_transfer(struct pool *pool, bool has_body)
{
    if (!pool->multi && !set_up_multi(pool))
        return NULL;
    if (pool->active.count == 0)
        spare_shrink(&pool->spare);     /* after a batch the next one follows as a rule, and this is none */
    struct transfer *transfer = spare_take(&pool->spare, has_body);
    return transfer ? transfer : transfer_new(&pool->settings, pool->sockets);
}

struct transfer *pool_start(struct pool *pool, const struct request *request, struct reply *reply,
                            const struct transfer_limits *limits, void *owner)
{
    struct transfer *transfer = take_transfer(pool, request->has_body);
    if (!transfer)
        return NULL;
    transfer->owner = owner;
    if (!transfer_begin(transfer, &pool->settings, request, reply, limits) ||
        curl_multi_add_handle(pool->multi, transfer->easy) != CURLM_OK) {
        spare_give_back(&pool->spare, transfer);
        return NULL;
    }
    queue_add(&pool->active, &transfer->link, transfer);
    pool->has_new = true;
    return transfer;
}

size_t pool_count(const struct pool *pool)
{
    return pool->active.count;
}

/* Takes the transfer off the multi handle. */
static void detach(struct pool *pool, struct transfer *transfer)
{
    struct sigpipe sigpipe;
    sigpipe_hold(&sigpipe, pool->sigpipe_may_come);
    curl_multi_remove_handle(pool->multi, transfer->easy);
    sigpipe_release(&sigpipe);
    sockets_release(pool->sockets, transfer);
    queue_leave(&transfer->link);
}

void pool_cancel(struct pool *pool, struct transfer *transfer)
{
    if (transfer->link.queue != &pool->finished) {
        transfer_look(transfer);
        detach(pool, transfer);
    } else {
        queue_leave(&transfer->link);       /* detached already */
    }
    spare_give_back(&pool->spare, transfer);
}

/* Ends the connection on which the transfer has waited in vain, if it is dead. */
static void end_silent(struct pool *pool, struct transfer *transfer)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD)
        fd = transfer->fd;          /* libcurl does not say while others are on the connection */
    sockets_end_silent(pool->sockets, fd, transfer->sent_at);
}

/* The exchange is over, as its code says. */
static void finish(struct pool *pool, struct transfer *transfer)
{
    transfer_finish(transfer);
    if (transfer->reply->fault == KIND_TIMEOUT && transfer->reply->sent > 0)
        end_silent(pool, transfer);
    detach(pool, transfer);
}

void pool_time_out(struct pool *pool, struct transfer *transfer)
{
    if (transfer->link.queue != &pool->told)
        transfer->code = CURLE_OPERATION_TIMEDOUT;
    finish(pool, transfer);
    spare_give_back(&pool->spare, transfer);
}

/* Lets libcurl act. "You are doomed" is all that its manual says of a multi handle that has found no memory; with 7.88 it may
 * forget what a transfer waits for, and divide by zero the next time. */
static void act(struct pool *pool, curl_socket_t fd, int what)
{
    int running;
    struct sigpipe sigpipe;
    sigpipe_hold(&sigpipe, pool->sigpipe_may_come);
    pool->doomed = pool->doomed || curl_multi_socket_action(pool->multi, fd, what, &running) != CURLM_OK;
    sigpipe_release(&sigpipe);
}

/* Says good-bye to the servers. */
static void clean_up_multi(struct pool *pool)
{
    struct sigpipe sigpipe;
    sigpipe_hold(&sigpipe, pool->sigpipe_may_come);
    curl_multi_cleanup(pool->multi);
    sigpipe_release(&sigpipe);
}

/* With another multi handle, and none of the transfers. */
static void start_over(struct pool *pool)
{
    struct transfer *transfer;
    while ((transfer = queue_first(&pool->active)) != NULL) {
        transfer->code = CURLE_OUT_OF_MEMORY;
        finish(pool, transfer);
        queue_add(&pool->finished, &transfer->link, transfer);
    }
    clean_up_multi(pool);
    pool->doomed = false;
    pool->due = -1;
    set_up_multi(pool);             /* else the next transfer tries again */
}

/* Collects until the slice is over. For each handle that is removed libcurl (7.88) goes through all that it has still to tell. */
static void collect_finished(struct pool *pool, double slice_end)
{
    int left;
    CURLMsg *message;
    struct transfer *transfer;
    while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        transfer = transfer_of(message->easy_handle);
        transfer->code = (int)message->data.result;     /* the message is gone once the handle is removed */
        queue_leave(&transfer->link);
        queue_add(&pool->told, &transfer->link, transfer);
    }
    while ((transfer = queue_first(&pool->told)) != NULL) {
        finish(pool, transfer);
        queue_add(&pool->finished, &transfer->link, transfer);
        if (pool->told.count > 0 && clock_now() >= slice_end)
            return;
    }
    if (pool->doomed)
        start_over(pool);
    memory_forget_shortage();
}

static void run_due(struct pool *pool, double slice_end, double *now)
{
    if (pool->due < 0 || pool->due > *now)
        return;
    pool->due = -1;
    act(pool, CURL_SOCKET_TIMEOUT, 0);
    collect_finished(pool, slice_end);
    *now = clock_now();
}

double pool_prepare(struct pool *pool, double seconds, double slice_end, double *now)
{
    if (pool->has_new)
        sockets_check_idle(pool->sockets);
    pool->has_new = false;
    if (!pool->owes_events) {
        run_due(pool, slice_end, now);
        pool->owes_events = *now >= slice_end;
        if (pool->owes_events)
            return -1;
    }
    if (seconds < 0)
        return -1;
    pool->owes_events = false;
    sockets_expect(pool->sockets);
    if (pool->finished.count > 0 || pool->told.count > 0)
        return 0;
    return pool->due >= 0 && pool->due - *now < seconds ? pool->due - *now : seconds;
}

void pool_wait(struct pool *pool, double seconds)
{
    pool->event_count = sockets_wait(pool->sockets, clock_milliseconds(seconds), pool->events, EVENTS_AT_ONCE);
}

enum pool_run pool_finish(struct pool *pool, double slice_end, double *now)
{
    *now = clock_now();
    int count = sockets_sort_out(pool->sockets, pool->events, pool->event_count, *now);
    for (int i = 0; i < count; i++) {
        int what = (pool->events[i].what & POLLER_IN ? CURL_CSELECT_IN : 0) |
                   (pool->events[i].what & POLLER_OUT ? CURL_CSELECT_OUT : 0) |
                   (pool->events[i].what & POLLER_ERROR ? CURL_CSELECT_ERR : 0);
        act(pool, pool->events[i].fd, what);
        if (i + 1 < count && clock_now() >= slice_end)
            break;
    }
    collect_finished(pool, slice_end);
    if (count > 0)
        *now = clock_now();
    if (*now < slice_end)
        run_due(pool, slice_end, now);
    return pool->event_count < 0 ? POOL_INTERRUPTED : POOL_OK;
}

enum pool_run pool_run(struct pool *pool, double seconds, double slice_end, double *now)
{
    seconds = pool_prepare(pool, seconds, slice_end, now);
    if (seconds < 0)
        return POOL_OK;
    pool->event_count = 0;
    /* Of a lone exchange that has ended already, nothing more is to come. */
    if (pool->finished.count == 0 || pool->active.count > 0)
        pool_wait(pool, seconds);
    return pool_finish(pool, slice_end + seconds, now);     /* waiting is no work */
}

bool pool_watch(struct pool *pool, int fd)
{
    return sockets_set_wake(pool->sockets, fd);
}

void pool_tend(struct pool *pool)
{
    sockets_expect(pool->sockets);
    sockets_check_idle(pool->sockets);
}

double pool_due(const struct pool *pool)
{
    return pool->told.count > 0 ? 0 : pool->due;
}

int pool_fd(const struct pool *pool)
{
    return sockets_fd(pool->sockets);
}

void *pool_finished(struct pool *pool)
{
    struct transfer *transfer = queue_first(&pool->finished);
    if (!transfer)
        return NULL;
    void *owner = transfer->owner;
    queue_leave(&transfer->link);
    spare_give_back(&pool->spare, transfer);
    return owner;
}

void pool_free(struct pool *pool)
{
    struct transfer *transfer;
    if (!pool)
        return;
    while ((transfer = queue_first(&pool->active)) != NULL || (transfer = queue_first(&pool->told)) != NULL ||
           (transfer = queue_first(&pool->finished)) != NULL)
        pool_cancel(pool, transfer);
    spare_free(&pool->spare);
    clean_up_multi(pool);
    sockets_free(pool->sockets);
    text_free(&pool->agent);
    free(pool);
}

void pool_abandon(struct pool *pool)
{
    /* Freeing the handles would say good-bye to the servers on connections that are still the parent's: their memory goes
     * with the process. */
    sockets_abandon(pool->sockets);
    pool->sockets = NULL;
}
