/*
 * poller_epoll.c - waiting for many descriptors at once, by Linux's epoll.
 */
#include "poller.h"

#if POLLER_BY == POLLER_EPOLL

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 64

struct poller {
    int epoll;
};

struct poller *poller_new(void)
{
    struct poller *poller = malloc(sizeof *poller);
    if (!poller)
        return NULL;
    poller->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (poller->epoll < 0) {
        free(poller);
        return NULL;
    }
    return poller;
}

bool poller_watch(struct poller *poller, int fd, int what, bool watched)
{
    struct epoll_event event = { 0 };
    event.data.fd = fd;
    event.events = (what & POLLER_IN ? (uint32_t)(EPOLLIN | EPOLLRDHUP) : 0) |
                   (what & POLLER_OUT ? (uint32_t)EPOLLOUT : 0);
    int action = what == 0 ? EPOLL_CTL_DEL : watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    return epoll_ctl(poller->epoll, action, fd, &event) == 0;
}

int poller_wait(struct poller *poller, int milliseconds, struct poller_event *events, int most)
{
    struct epoll_event ready[BATCH];
    int count = epoll_wait(poller->epoll, ready, most < BATCH ? most : BATCH, milliseconds);
    if (count < 0)
        return errno == EINTR ? -1 : 0;
    for (int i = 0; i < count; i++) {
        uint32_t what = ready[i].events;
        events[i].fd = ready[i].data.fd;
        events[i].what = (what & EPOLLIN ? POLLER_IN : 0) | (what & EPOLLOUT ? POLLER_OUT : 0) |
                         (what & (EPOLLERR | EPOLLHUP) ? POLLER_ERROR : 0) |
                         (what & (EPOLLRDHUP | EPOLLERR | EPOLLHUP) ? POLLER_END : 0);
    }
    return count;
}

int poller_fd(const struct poller *poller)
{
    return poller->epoll;
}

void poller_free(struct poller *poller)
{
    if (poller) {
        close(poller->epoll);
        free(poller);
    }
}

void poller_abandon(struct poller *poller)
{
    free(poller);                   /* its number may be another's, and one epoll looks like the other */
}

#else
typedef int poller_epoll_is_not_used;
#endif
