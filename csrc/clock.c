/*
 * clock.c - the time that passes, whatever happens to the date.
 */
#define _POSIX_C_SOURCE 200809L
#include "clock.h"

#include <poll.h>
#include <time.h>

#define DAY 86400.0

double clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int clock_milliseconds(double seconds)
{
    if (!(seconds > 0))
        return 0;
    if (seconds > DAY)
        seconds = DAY;
    int whole = (int)(seconds * 1000);
    return whole < seconds * 1000 ? whole + 1 : whole;
}

bool clock_sleep(double seconds)
{
    return poll(NULL, 0, clock_milliseconds(seconds)) == 0;
}
