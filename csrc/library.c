/*
 * library.c - starts libcurl, once in the process.
 *
 * That takes OpenSSL milliseconds. A fork waits for its end: the child would find the lock held for ever, and OpenSSL half
 * started.
 */
#define _POSIX_C_SOURCE 200809L
#include "library.h"

#include <curl/curl.h>
#include <pthread.h>

#include "memory.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
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
