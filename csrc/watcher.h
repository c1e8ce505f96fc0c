/*
 * watcher.h - a thread that waits for a host whose loop can wait for sockets only, as nginx's: when a pool has work it
 * writes a byte to a unix socket. Sees libc.
 */
#ifndef MEDIASTOP_WATCHER_H
#define MEDIASTOP_WATCHER_H

#include <stdbool.h>

struct watcher;

/* Listens on a unix socket in a private folder, and has no thread yet. NULL, with errno set, if it cannot. */
struct watcher *watcher_new(void);

/* Where the host is to connect to, once. */
const char *watcher_path(const struct watcher *watcher);

/* Takes the host's connection, removes socket and folder, starts the thread. False, with errno set, if it cannot. */
bool watcher_accept(struct watcher *watcher);

/* The host hears of the descriptor once, when it is readable. False if the system refuses. */
bool watcher_watch(struct watcher *watcher, int fd);

/* The host hears when this moment, of clock_now, has come; negative: it does not. Replaces the moment before. */
void watcher_set_due(struct watcher *watcher, double due);

/* The same, if it is sooner than the moment before. */
void watcher_hasten(struct watcher *watcher, double due);

/* Ends the thread and waits for its end; closes and frees all. */
void watcher_free(struct watcher *watcher);

#endif
