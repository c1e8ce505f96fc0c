/*
 * library.c - starts libcurl, once in the process.
 *
 * That takes OpenSSL milliseconds. A fork waits for its end: the child would find the lock held for ever, and OpenSSL half
 * started. But not for ever: OpenSSL has handlers of its own for forks, and an older C library than glibc 2.36 lets nobody add
 * any while it calls ours.
 */
#define _POSIX_C_SOURCE 200809L
#include "library.h"

#include <curl/curl.h>
#include <pthread.h>

#include "clock.h"
#include "memory.h"

#define FORK_WAITS_SECONDS 0.5
#define LOOK_SECONDS 0.001

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread bool held;          /* by the thread that forks */

static void before_fork(void)
{
    double until = clock_now() + FORK_WAITS_SECONDS;
    while (!(held = pthread_mutex_trylock(&lock) == 0) && clock_now() < until)
        clock_sleep(LOOK_SECONDS);
}

static void after_fork(void)
{
    if (held)
        pthread_mutex_unlock(&lock);
    held = false;
}

bool library_start(void)
{
    static bool held_at_forks, ready;
    pthread_mutex_lock(&lock);
    held_at_forks = held_at_forks || pthread_atfork(before_fork, after_fork, after_fork) == 0;
    /* Where the host has started libcurl before us, it goes on with the host's allocator. */
    ready = ready || (held_at_forks &&
                      curl_global_init_mem(CURL_GLOBAL_DEFAULT, memory_malloc, memory_free, memory_realloc, memory_strdup,
                                           memory_calloc) == CURLE_OK);
    bool started = ready;
    pthread_mutex_unlock(&lock);
    return started;
}
