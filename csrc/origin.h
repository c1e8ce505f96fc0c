/*
 * origin.h - which process made a thing: after a fork the child must know that it is the parent's. Sees libc.
 */
#ifndef MEDIASTOP_ORIGIN_H
#define MEDIASTOP_ORIGIN_H

#include <stdbool.h>
#include <sys/types.h>

struct origin {
    pid_t pid;
    volatile unsigned char *mark;   /* a page that the kernel empties in the child; NULL where it cannot */
};

/* This process makes it. */
void origin_set(struct origin *origin);

/* Whether this process made it. */
bool origin_is_here(const struct origin *origin);

void origin_free(struct origin *origin);

#endif
