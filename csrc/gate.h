/*
 * gate.h - when a job's next attempt may begin: each provider has a gate of its own. Sees libc.
 */
#ifndef MEDIASTOP_GATE_H
#define MEDIASTOP_GATE_H

#include <stdbool.h>

#include "queue.h"

struct gate {
    struct queue ready;             /* jobs whose next attempt may begin once there is room */
    int under_way;                  /* attempts that have begun and not ended */
    bool one_by_one;                /* the provider answers one request a connection at a time (HTTP/1.1) */
    double held_until;              /* of clock_now; the provider asked for a pause */
};

/* Whether there is room for one more attempt over so many connections. */
bool gate_has_room(const struct gate *gate, int connections);

/* Seconds until one in the queue may begin, who would rather be refused than miss `deadline`; negative: not before
 * something else happens. The queue is not empty. */
double gate_wait(const struct gate *gate, int connections, double deadline, double now);

#endif
