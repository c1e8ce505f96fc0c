/*
 * sockets.h - the descriptors that libcurl uses: which are waited for, and what happens on those that are idle. Sees libc.
 */
#ifndef MEDIASTOP_SOCKETS_H
#define MEDIASTOP_SOCKETS_H

#include "poller.h"
#include "transfer.h"

struct sockets;

/* What libcurl wants with a descriptor. */
enum { SOCKETS_IN = POLLER_IN, SOCKETS_OUT = POLLER_OUT };

/* NULL if memory or descriptors are short. */
struct sockets *sockets_new(void);

/* A connection of libcurl's begins; the descriptor, or -1. */
int sockets_open(struct sockets *sockets, int family, int type, int protocol);

/* It ends. */
void sockets_close(struct sockets *sockets, int fd);

/* Libcurl waits on the descriptor for this transfer, or, where `what` is 0, no longer. */
void sockets_want(struct sockets *sockets, int fd, int what, struct transfer *transfer);

/* The transfer is over; its connection may be kept for the next. */
void sockets_release(struct sockets *sockets, struct transfer *transfer);

/* Ends the kept connections on which something came while nobody asked: an end, or bytes that the next request would
 * take for its answer. */
void sockets_check_idle(struct sockets *sockets);

/* Ends the connection on which a transfer waited in vain since `sent_at`, of clock_now, if nothing at all has come on it for the
 * second half of that time: over HTTP/2 libcurl would keep it, and the next requests would wait in vain, too. */
void sockets_end_silent(struct sockets *sockets, int fd, double sent_at);

/* Only events that come from now on are of use to sockets_sort_out. Not while sockets_wait waits: what it waits with may be
 * another afterwards. */
void sockets_expect(struct sockets *sockets);

/* As poller_wait. While it waits, the other functions may be called by another thread. */
int sockets_wait(struct sockets *sockets, int milliseconds, struct poller_event *events, int most);

/* Sees to what happened on idle connections, and notes which transfers get an answer. Returns how many events are left. */
int sockets_sort_out(struct sockets *sockets, struct poller_event *events, int count, double now);

/* A byte on this socket only ends the wait, in place of the one before; -1: none. False if the system refuses. */
bool sockets_set_wake(struct sockets *sockets, int fd);

/* As poller_fd; always the same, or -1 as well if memory or descriptors are short. */
int sockets_fd(struct sockets *sockets);

/* Frees it in the child of a fork: closes the child's copies of the connections, of which the servers learn nothing. */
void sockets_abandon(struct sockets *sockets);

void sockets_free(struct sockets *sockets);

#endif
