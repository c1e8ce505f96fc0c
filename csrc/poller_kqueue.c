/*
 * poller_kqueue.c - waiting for many descriptors at once, by kqueue of the BSDs and macOS.
 */
#include "poller.h"

#if POLLER_BY == POLLER_KQUEUE

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#define BATCH 64

struct poller {
    int kqueue;
};

struct poller *poller_new(void)
{
    struct poller *poller = malloc(sizeof *poller);
    if (!poller)
        return NULL;
    poller->kqueue = kqueue();
    if (poller->kqueue < 0) {
        free(poller);
        return NULL;
    }
    fcntl(poller->kqueue, F_SETFD, FD_CLOEXEC);
    return poller;
}

static bool change(const struct poller *poller, int fd, int filter, int flags)
{
    struct kevent event;
    EV_SET(&event, (uintptr_t)fd, (short)filter, (unsigned short)flags, 0, 0, NULL);
    return kevent(poller->kqueue, &event, 1, NULL, 0, NULL) == 0;
}

bool poller_watch(struct poller *poller, int fd, int what, bool watched)
{
    (void)watched;
    if (what == 0) {
        bool in = change(poller, fd, EVFILT_READ, EV_DELETE), out = change(poller, fd, EVFILT_WRITE, EV_DELETE);
        return in && out;
    }
    return change(poller, fd, EVFILT_READ, EV_ADD | (what & POLLER_IN ? EV_ENABLE : EV_DISABLE)) &&
           change(poller, fd, EVFILT_WRITE, EV_ADD | (what & POLLER_OUT ? EV_ENABLE : EV_DISABLE));
}

int poller_wait(struct poller *poller, int milliseconds, struct poller_event *events, int most)
{
    struct kevent ready[BATCH];
    struct timespec timeout = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
    int count = kevent(poller->kqueue, NULL, 0, ready, most < BATCH ? most : BATCH, &timeout);
    if (count < 0)
        return errno == EINTR ? -1 : 0;
    for (int i = 0; i < count; i++) {
        events[i].fd = (int)ready[i].ident;
        events[i].what = (ready[i].filter == EVFILT_READ ? POLLER_IN : POLLER_OUT) |
                         (ready[i].flags & EV_ERROR ? POLLER_ERROR : 0) |
                         (ready[i].flags & (EV_ERROR | EV_EOF) ? POLLER_END : 0);
    }
    return count;
}

int poller_fd(const struct poller *poller)
{
    return poller->kqueue;
}

void poller_free(struct poller *poller)
{
    if (poller) {
        close(poller->kqueue);
        free(poller);
    }
}

void poller_abandon(struct poller *poller)
{
    free(poller);                   /* a kqueue is not inherited, and its number may be another's */
}

#else
typedef int poller_kqueue_is_not_used;
#endif
