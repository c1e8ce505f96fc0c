/*
 * gate.c - when a job's next attempt may begin.
 */
#include "gate.h"

/* What libcurl puts on one HTTP/2 connection, unless the server allows less. */
#define STREAMS_PER_CONNECTION 100

bool gate_has_room(const struct gate *gate, int connections)
{
    /* Until the first answer tells, libcurl's own queue holds what is too much. */
    return gate->under_way < (gate->one_by_one ? connections : connections * STREAMS_PER_CONNECTION);
}

double gate_wait(const struct gate *gate, int connections, double deadline, double now)
{
    if (!gate_has_room(gate, connections))
        return -1;
    return gate->held_until > now && gate->held_until < deadline ? gate->held_until - now : 0;
}
