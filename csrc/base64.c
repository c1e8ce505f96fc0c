/*
 * base64.c - RFC 4648.
 */
#include "base64.h"

#include <string.h>

#include "mediastop.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_add(struct text *text, const struct text *from)
{
    for (size_t i = 0; i < from->length; i += 3) {
        size_t left = from->length - i;
        unsigned long group = (unsigned long)(unsigned char)from->data[i] << 16;
        group |= left > 1 ? (unsigned long)(unsigned char)from->data[i + 1] << 8 : 0;
        group |= left > 2 ? (unsigned long)(unsigned char)from->data[i + 2] : 0;
        char out[4] = { digits[group >> 18 & 63], digits[group >> 12 & 63], left > 1 ? digits[group >> 6 & 63] : '=',
                        left > 2 ? digits[group & 63] : '=' };
        if (!text_add(text, out, 4, BODY_MAX_BYTES))
            return false;
    }
    return true;
}

static int value_of(char digit)
{
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) : digit == '-' ? 62 : digit == '_' ? 63 : -1;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

long base64_decode(const char *from, size_t length, unsigned char *bytes, size_t room)
{
    size_t count = 0;
    unsigned long group = 0;
    while (length > 0 && is_space(from[length - 1]))
        length--;
    while (length > 0 && is_space(*from)) {
        from++;
        length--;
    }
    if (length > 0 && length % 4 == 0) {
        length -= from[length - 1] == '=';
        length -= length % 4 == 3 && from[length - 1] == '=';
    }
    if (length % 4 == 1)
        return -1;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(from[i]);
        if (value < 0)
            return -1;
        group = group << 6 | (unsigned long)value;
        if (i % 4 == 0)
            continue;
        if (count == room)
            return -1;
        bytes[count++] = (unsigned char)(group >> (6 - 2 * (i % 4)));
    }
    return (long)count;
}
