/*
 * queue.c - first come, first served.
 */
#include "queue.h"

void queue_add(struct queue *queue, struct link *link, void *owner)
{
    link->owner = owner;
    link->queue = queue;
    link->next = NULL;
    link->previous = queue->last;
    if (queue->last)
        queue->last->next = link;
    else
        queue->first = link;
    queue->last = link;
    queue->count++;
}

void queue_leave(struct link *link)
{
    struct queue *queue = link->queue;
    if (!queue)
        return;
    if (link->previous)
        link->previous->next = link->next;
    else
        queue->first = link->next;
    if (link->next)
        link->next->previous = link->previous;
    else
        queue->last = link->previous;
    link->next = link->previous = NULL;
    link->queue = NULL;
    queue->count--;
}

void *queue_first(const struct queue *queue)
{
    return queue->first ? queue->first->owner : NULL;
}
