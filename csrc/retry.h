/*
 * retry.h - attempt, verdict, Retry-After, clock -> wait this long, or stop. Sees libc.
 */
#ifndef MEDIASTOP_RETRY_H
#define MEDIASTOP_RETRY_H

#include <time.h>

#include "reply.h"

#define RETRY_STOP (-1.0)

struct retry {
    enum kind kind;                 /* how the attempt failed */
    int attempts_made;              /* 1 or more */
    int attempts_most;
    double retry_after;             /* seconds that the provider asked to wait; negative: it did not */
    double left;                    /* seconds until the call's deadline */
    double random;                  /* from 0 to 1, fresh for each decision */
};

/* Seconds to wait before the next attempt, or RETRY_STOP. Full-jitter exponential back-off from 0.2 s, doubling, capped
 * at 5 s, unless the provider said how long; RETRY_STOP also where the wait does not fit into what is left. */
double retry_wait(const struct retry *retry);

/* Seconds to wait before the job's state is read, once it has been read so many times; RETRY_STOP if there is no time left
 * for it. Doubling from 0.2 s, capped at 5 s, and at half of what is left: what comes late is still seen. As long as the
 * provider asked at least. */
double retry_read_wait(int reads_made, double retry_after, double left);

/* Seconds that the answer asks to wait, counted from `now` (the date); negative if it does not ask. Retry-After is
 * seconds or an HTTP-date (RFC 9110, 10.2.3); a rate limit without it is read from emogg's RateLimit headers, whose
 * policy "capacity;w=window" tells how long one request takes to be allowed again. */
double retry_after(const struct reply *reply, enum kind kind, time_t now);

#endif
