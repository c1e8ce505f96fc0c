/*
 * timers.h - a heap of moments: which comes first? Sees libc.
 */
#ifndef MEDIASTOP_TIMERS_H
#define MEDIASTOP_TIMERS_H

#include <stdbool.h>
#include <stddef.h>

/* Part of whatever waits; zeroed before its first use. */
struct timer {
    double due;
    size_t place;                   /* 1 or more while it is in the heap */
    void *owner;
};

struct timers {
    struct timer **heap;            /* from 1 on */
    size_t count, capacity;
};

/* Makes room for so many timers, after which adding cannot fail. False if memory is short. */
bool timers_reserve(struct timers *timers, size_t count);

void timers_add(struct timers *timers, struct timer *timer);

/* Takes the timer out. Does nothing if it is not in. */
void timers_remove(struct timers *timers, struct timer *timer);

/* The timer that is due first, or NULL. */
struct timer *timers_first(const struct timers *timers);

void timers_free(struct timers *timers);

#endif
