/*
 * memory.c - an allocator for libcurl that wipes what it frees: the requests that it builds hold the credential.
 */
#define _GNU_SOURCE
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#if defined(__APPLE__)
#include <malloc/malloc.h>
#define SIZE_OF(memory) malloc_size(memory)
#elif defined(__FreeBSD__)
#include <malloc_np.h>
#define SIZE_OF(memory) malloc_usable_size(memory)
#elif defined(__linux__)
#include <malloc.h>
#define SIZE_OF(memory) malloc_usable_size(memory)
#else
#define SIZE_OF(memory) ((size_t)0)         /* not known here, and so not wiped */
#endif

/* Of each thread its own. */
static __thread bool ran_short;

bool memory_ran_short(void)
{
    return ran_short;
}

void memory_forget_shortage(void)
{
    ran_short = false;
}

static void *note(void *memory)
{
    if (!memory)
        ran_short = true;
    return memory;
}

void *memory_malloc(size_t size)
{
    return note(malloc(size));
}

void *memory_calloc(size_t count, size_t size)
{
    return note(calloc(count, size));
}

void memory_free(void *memory)
{
    if (!memory)
        return;                     /* as it is for most of what libcurl frees */
    wipe(memory, SIZE_OF(memory));
    free(memory);
}

/* A block that grows is moved by hand, since realloc leaves the old bytes behind. */
void *memory_realloc(void *memory, size_t size)
{
    size_t old = memory ? SIZE_OF(memory) : 0;
    if (memory && size < old)
        wipe((char *)memory + size, old - size);
    if (!memory || old == 0 || size <= old)
        return note(realloc(memory, size));
    void *moved = note(malloc(size));
    if (!moved)
        return NULL;
    memcpy(moved, memory, old);
    memory_free(memory);
    return moved;
}

char *memory_strdup(const char *string)
{
    return note(strdup(string));
}
