/*
 * clock.h - the time that passes, whatever happens to the date. Sees libc.
 */
#ifndef MEDIASTOP_CLOCK_H
#define MEDIASTOP_CLOCK_H

#include <stdbool.h>

/* Seconds since some moment in the past. */
double clock_now(void);

/* A wait in seconds as whole milliseconds for the system, rounded up so that nobody wakes too early; negative
 * waits are 0, long ones at most a day. */
int clock_milliseconds(double seconds);

/* Waits so long; false if a signal came first. */
bool clock_sleep(double seconds);

#endif
