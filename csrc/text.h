/*
 * text.h - growable bytes with a hard cap; wiped when freed. Sees libc.
 */
#ifndef MEDIASTOP_TEXT_H
#define MEDIASTOP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data;                     /* NULL while empty, else followed by a NUL */
    size_t length;
    size_t capacity;
    bool no_memory;                 /* an addition failed for want of memory */
};

/* Adds bytes; false, with the text as it was, if memory is short or it would grow over `limit` bytes. */
bool text_add(struct text *text, const char *bytes, size_t length, size_t limit);

/* The same for a C string, without a limit. */
bool text_add_string(struct text *text, const char *string);

/* Adds bytes from outside as one printable line of at most `limit` bytes: control bytes become spaces, and what
 * does not fit is cut between UTF-8 characters and marked with "...". */
bool text_add_line(struct text *text, const char *bytes, size_t length, size_t limit);

/* How many of the bytes fit into `limit` without cutting a UTF-8 character. */
size_t text_cut(const char *bytes, size_t length, size_t limit);

/* Replaces every occurrence of `needle` by "***", in place, also where some of its bytes or UTF-8 characters are escaped as in a
 * JSON string; returns how many. `needle` has 3 bytes or more. */
size_t text_mask(struct text *text, const char *needle, size_t length);

/* The same for its first bytes where the text ends within it. */
void text_mask_cut(struct text *text, const char *needle, size_t length);

/* Wipes the bytes and keeps the storage, if it is not large. */
void text_clear(struct text *text);

/* Wipes and frees. Safe to call twice. */
void text_free(struct text *text);

/* Overwrites memory in a way that the compiler may not leave out. */
void wipe(void *memory, size_t length);

/* Whether ASCII letters of both are the same but for their case. */
bool text_same_nocase(const char *a, const char *b, size_t length);

/* Whether `bytes` contain one of the '|'-separated words, whatever the case of their ASCII letters. */
bool text_has_word(const char *bytes, size_t length, const char *words);

/* Whether the bytes are one of the '|'-separated words, whatever the case of their ASCII letters. */
bool text_is_one_of(const char *bytes, size_t length, const char *words);

/* Whether the bytes are well-formed UTF-8. */
bool text_is_utf8(const char *bytes, size_t length);

/* Whether a control byte (below 0x20, or DEL) is among the bytes. */
bool text_has_control(const char *bytes, size_t length);

#endif
