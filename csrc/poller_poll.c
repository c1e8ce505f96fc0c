/*
 * poller_poll.c - waiting for many descriptors at once, by poll(2), where there is nothing better.
 */
#include "poller.h"

#if POLLER_BY == POLLER_POLL

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

struct poller {
    struct pollfd *watched;
    int count, capacity;
    int next;                       /* where the next wait begins to report, so that none is always last */
};

struct poller *poller_new(void)
{
    return calloc(1, sizeof(struct poller));
}

static int place(const struct poller *poller, int fd)
{
    int at = 0;
    while (at < poller->count && poller->watched[at].fd != fd)
        at++;
    return at;
}

bool poller_watch(struct poller *poller, int fd, int what, bool watched)
{
    int at = place(poller, fd);
    (void)watched;
    if (what == 0) {
        if (at < poller->count)
            poller->watched[at] = poller->watched[--poller->count];
        return true;
    }
    if (at == poller->capacity) {
        int capacity = poller->capacity ? 2 * poller->capacity : 16;
        struct pollfd *more = realloc(poller->watched, (size_t)capacity * sizeof *more);
        if (!more)
            return false;
        poller->watched = more;
        poller->capacity = capacity;
    }
    if (at == poller->count)
        poller->count++;
    poller->watched[at].fd = fd;
    poller->watched[at].events = (short)((what & POLLER_IN ? POLLIN : 0) | (what & POLLER_OUT ? POLLOUT : 0));
    poller->watched[at].revents = 0;
    return true;
}

int poller_wait(struct poller *poller, int milliseconds, struct poller_event *events, int most)
{
    int ready = poll(poller->watched, (nfds_t)poller->count, milliseconds), found = 0;
    if (ready < 0)
        return errno == EINTR ? -1 : 0;
    for (int i = 0; i < poller->count && found < most && found < ready; i++) {
        const struct pollfd *at = &poller->watched[(poller->next + i) % poller->count];
        if (at->revents == 0)
            continue;
        events[found].fd = at->fd;
        events[found].what = (at->revents & POLLIN ? POLLER_IN | POLLER_END : 0) | (at->revents & POLLOUT ? POLLER_OUT : 0) |
                             (at->revents & (POLLERR | POLLHUP | POLLNVAL) ? POLLER_ERROR : 0);
        found++;
    }
    poller->next = poller->count ? (poller->next + 1) % poller->count : 0;
    return found;
}

int poller_fd(const struct poller *poller)
{
    (void)poller;
    return -1;
}

void poller_free(struct poller *poller)
{
    if (poller) {
        free(poller->watched);
        free(poller);
    }
}

void poller_abandon(struct poller *poller)
{
    poller_free(poller);
}

#else
typedef int poller_poll_is_not_used;
#endif
