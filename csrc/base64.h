/*
 * base64.h - RFC 4648. Sees libc.
 */
#ifndef MEDIASTOP_BASE64_H
#define MEDIASTOP_BASE64_H

#include "text.h"

/* Adds the bytes as base64. False if memory is short. */
bool base64_add(struct text *text, const struct text *from);

/* Decodes into `bytes`, which has room for so many: how many there are; -1 if it is no base64 or does not fit. Both
 * alphabets are taken, with padding or without it, and white space around it all. */
long base64_decode(const char *from, size_t length, unsigned char *bytes, size_t room);

#endif
