/*
 * memory.h - an allocator for libcurl that wipes what it frees. Sees libc.
 */
#ifndef MEDIASTOP_MEMORY_H
#define MEDIASTOP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* As their namesakes in libc. What they return may also go to libc's own free, as careless programs that share libcurl
 * with us do. */
void *memory_malloc(size_t size);
void *memory_calloc(size_t count, size_t size);
void *memory_realloc(void *memory, size_t size);
char *memory_strdup(const char *string);
void memory_free(void *memory);

/* Whether one of them found no memory for this thread, since that was last forgotten. Never, where libcurl has another
 * allocator. */
bool memory_ran_short(void);
void memory_forget_shortage(void);

#endif
