/*
 * flight_due.c - when the jobs of a client are next to be moved on.
 */
#include "flight.h"

#include "clock.h"
#include "roster.h"

double flight_due(lua_State *L, int client_index)
{
    struct client *client = lua_touserdata(L, client_index);
    double now = clock_now(), next = -1;
    roster_check_fork(client);
    if (client->jobs.count == 0)
        return -1;
    if (client->answered.count > 0)
        return 0;
    for (size_t i = 0; i < PROVIDER_COUNT; i++) {
        double wait = -1;
        roster_next(client, &client->gates[i], now, &wait);
        next = wait >= 0 && (next < 0 || wait < next) ? wait : next;
    }
    double due[2] = { client->network ? network_due(client->network) : -1, -1 };
    if (timers_first(&client->timers))
        due[1] = timers_first(&client->timers)->due;
    for (int i = 0; i < 2; i++) {
        double wait = due[i] > now ? due[i] - now : 0;
        next = due[i] >= 0 && (next < 0 || wait < next) ? wait : next;
    }
    return next;
}
