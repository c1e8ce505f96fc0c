/*
 * poller.h - waiting for many descriptors at once: epoll on Linux, kqueue on the BSDs and macOS, poll(2) elsewhere. Sees
 * libc.
 */
#ifndef MEDIASTOP_POLLER_H
#define MEDIASTOP_POLLER_H

#include <stdbool.h>

#define POLLER_EPOLL 1
#define POLLER_KQUEUE 2
#define POLLER_POLL 3

#ifndef POLLER_BY                   /* a build may choose another, to try it */
#if defined(__linux__)
#define POLLER_BY POLLER_EPOLL
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || defined(__DragonFly__)
#define POLLER_BY POLLER_KQUEUE
#else
#define POLLER_BY POLLER_POLL
#endif
#endif

/* POLLER_END comes with POLLER_IN where the other side may have ended the connection, so that there may be no byte. */
enum { POLLER_IN = 1, POLLER_OUT = 2, POLLER_ERROR = 4, POLLER_END = 8 };

struct poller;

struct poller_event {
    int fd;
    int what;
};

/* NULL if memory or descriptors are short. */
struct poller *poller_new(void);

/* Watches `fd` for POLLER_IN and POLLER_OUT from now on; 0 stops watching. `watched`: it is watched already. False if
 * the system refuses. */
bool poller_watch(struct poller *poller, int fd, int what, bool watched);

/* Waits at most so long and fills in up to `most` events; returns how many, -1 if a signal came first. */
int poller_wait(struct poller *poller, int milliseconds, struct poller_event *events, int most);

/* A descriptor that is readable when poller_wait has events; -1 where the system has none. */
int poller_fd(const struct poller *poller);

void poller_free(struct poller *poller);

/* Frees it in the child of a fork, and leaves its descriptor alone. */
void poller_abandon(struct poller *poller);

#endif
