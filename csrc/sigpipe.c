/*
 * sigpipe.c - keeps SIGPIPE from the host where libcurl lets one come.
 *
 * libcurl before 7.87 lets OpenSSL write to the socket itself, which on a connection that was lost raises the signal. It
 * is told by CURLOPT_NOSIGNAL to leave signals alone, as handlers are the whole process's, so we see to it, for one
 * thread.
 */
#define _POSIX_C_SOURCE 200809L
#include "sigpipe.h"

#include <curl/curl.h>
#include <pthread.h>
#include <time.h>

#define WRITES_BY_ITSELF 0x075700   /* 7.87.0 */

bool sigpipe_may_come(void)
{
    return curl_version_info(CURLVERSION_NOW)->version_num < WRITES_BY_ITSELF;
}

static bool is_pending(void)
{
    sigset_t pending;
    sigemptyset(&pending);
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void sigpipe_hold(struct sigpipe *sigpipe, bool may_come)
{
    sigset_t only;
    sigpipe->held = may_come && !is_pending();
    if (!sigpipe->held)
        return;
    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    sigpipe->held = pthread_sigmask(SIG_BLOCK, &only, &sigpipe->before) == 0;
}

void sigpipe_release(const struct sigpipe *sigpipe)
{
    sigset_t only;
    if (!sigpipe->held)
        return;
    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    if (is_pending()) {
#ifdef __APPLE__
        int signal;
        sigwait(&only, &signal);
#else
        static const struct timespec at_once;       /* another thread may have taken it */
        sigtimedwait(&only, NULL, &at_once);
#endif
    }
    pthread_sigmask(SIG_SETMASK, &sigpipe->before, NULL);
}
