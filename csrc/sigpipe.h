/*
 * sigpipe.h - keeps SIGPIPE from the host where libcurl lets one come. Sees libc.
 */
#ifndef MEDIASTOP_SIGPIPE_H
#define MEDIASTOP_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct sigpipe {
    bool held;                      /* blocked by us, and not pending before */
    sigset_t before;
};

/* Whether this libcurl may raise one. */
bool sigpipe_may_come(void);

/* From here on the calling thread has no SIGPIPE, if one may come; to be undone soon. */
void sigpipe_hold(struct sigpipe *sigpipe, bool may_come);

/* Drops what came meanwhile. */
void sigpipe_release(const struct sigpipe *sigpipe);

#endif
