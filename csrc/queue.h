/*
 * queue.h - first come, first served; any of them may leave early. Sees nothing.
 */
#ifndef MEDIASTOP_QUEUE_H
#define MEDIASTOP_QUEUE_H

#include <stddef.h>

/* Part of whatever queues; zeroed before its first use. It is in one queue at a time. */
struct link {
    struct link *next, *previous;
    struct queue *queue;            /* NULL while it is in none */
    void *owner;
};

struct queue {
    struct link *first, *last;
    size_t count;
};

void queue_add(struct queue *queue, struct link *link, void *owner);

/* Takes the link out of its queue. Does nothing if it is in none. */
void queue_leave(struct link *link);

/* The owner of the first, or NULL. */
void *queue_first(const struct queue *queue);

#endif
