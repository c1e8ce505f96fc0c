/*
 * origin.c - which process made a thing.
 *
 * The question is asked several times a call, and getpid is a system call each time. Linux empties a page in the child of
 * a fork if it is asked to (4.14 and later), so that a look at memory is enough.
 */
#define _GNU_SOURCE
#include "origin.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

void origin_set(struct origin *origin)
{
    origin->pid = getpid();
    origin->mark = NULL;
#ifdef MADV_WIPEONFORK
    size_t length = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    if (madvise(page, length, MADV_WIPEONFORK) != 0) {
        munmap(page, length);
        return;
    }
    origin->mark = page;
    *origin->mark = 1;
#endif
}

bool origin_is_here(const struct origin *origin)
{
    return origin->mark ? *origin->mark != 0 : origin->pid == getpid();
}

void origin_free(struct origin *origin)
{
    if (origin->mark)
        munmap((void *)origin->mark, (size_t)sysconf(_SC_PAGESIZE));
    origin->mark = NULL;
}
