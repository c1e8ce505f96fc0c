/*
 * ticket.h - delayed jobs that any process of a host may call off: a file stands for each, and whoever removes the file
 * decides, the owner who then carries the job out, or another who calls it off. Sees libc.
 */
#ifndef MEDIASTOP_TICKET_H
#define MEDIASTOP_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TICKET_KEY_BYTES 100        /* longest key */

struct ticket {
    char path[384];                 /* empty: none */
    pid_t pid;                      /* of the process whose it is */
    ino_t home;                     /* of the folder with all of them */
};

/* Makes a ticket of this process for a key. Processes of a pid namespace with the same parent and user have their keys in
 * common. False, with errno set, if it cannot. */
bool ticket_issue(struct ticket *ticket, const char *key, size_t length);

/* Removes the ticket, if that is possible: true if it was still there, or went with the folder of all, which is no call off.
 * In the child of a fork it does nothing. */
bool ticket_take(struct ticket *ticket);

/* Removes the tickets of the key: how many there were of processes that live. */
int ticket_call_off(const char *key, size_t length);

/* Removes what processes of this pid namespace that no longer live have left. */
void ticket_sweep(void);

#endif
