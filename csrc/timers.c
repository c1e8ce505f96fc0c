/*
 * timers.c - a heap of moments.
 */
#include "timers.h"

#include <stdlib.h>

bool timers_reserve(struct timers *timers, size_t count)
{
    if (count < timers->capacity)
        return true;
    size_t capacity = timers->capacity ? 2 * timers->capacity : 16;
    while (capacity <= count)
        capacity *= 2;
    struct timer **heap = realloc(timers->heap, capacity * sizeof(struct timer *));
    if (!heap)
        return false;
    timers->heap = heap;
    timers->capacity = capacity;
    return true;
}

static void put(struct timers *timers, size_t place, struct timer *timer)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void rise(struct timers *timers, size_t place, struct timer *timer)
{
    while (place > 1 && timers->heap[place / 2]->due > timer->due) {
        put(timers, place, timers->heap[place / 2]);
        place /= 2;
    }
    put(timers, place, timer);
}

static void sink(struct timers *timers, size_t place, struct timer *timer)
{
    for (size_t child = 2 * place; child <= timers->count; child = 2 * place) {
        if (child < timers->count && timers->heap[child + 1]->due < timers->heap[child]->due)
            child++;
        if (timers->heap[child]->due >= timer->due)
            break;
        put(timers, place, timers->heap[child]);
        place = child;
    }
    put(timers, place, timer);
}

void timers_add(struct timers *timers, struct timer *timer)
{
    rise(timers, ++timers->count, timer);
}

void timers_remove(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    if (place == 0)
        return;
    struct timer *last = timers->heap[timers->count--];
    timer->place = 0;
    if (last != timer) {
        sink(timers, place, last);
        rise(timers, last->place, last);
    }
}

struct timer *timers_first(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[1] : NULL;
}

void timers_free(struct timers *timers)
{
    free(timers->heap);
    timers->heap = NULL;
    timers->count = timers->capacity = 0;
}
