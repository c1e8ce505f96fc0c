/*
 * retry_after.c - fuzzes the values of Retry-After, and compares what is made of a date with what the C library makes of it.
 *
 * Input: the value.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <string.h>

#include "retry.h"

/* The form that RFC 9110 prefers; negative if the C library does not take it whole, or the day is none of its month. */
static double read_by_libc(const char *value)
{
    struct tm tm;
    memset(&tm, 0, sizeof tm);
    const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    int day = tm.tm_mday;
    if (!end || *end)
        return -1;
    time_t seconds = timegm(&tm);
    return tm.tm_mday == day ? (double)seconds : -1;
}

/* Whether the value is as RFC 9110 writes it, letter by letter. */
static bool is_canonical(const char *value, double date)
{
    char text[64];
    time_t seconds = (time_t)date;
    struct tm tm;
    return gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0 &&
           strcmp(text, value) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[sizeof "Retry-After:" + HEADER_VALUE_BYTES] = "Retry-After:";
    struct reply reply;
    memset(&reply, 0, sizeof reply);
    if (size >= HEADER_VALUE_BYTES || memchr(data, '\0', size) || text_has_control((const char *)data, size))
        return -1;
    memcpy(line + strlen(line), data, size);
    CHECK(reply_add_header(&reply, line, strlen(line)));
    const char *value = reply_header(&reply, HEADER_RETRY_AFTER);
    double seconds = retry_after(&reply, KIND_SERVER, 0);       /* counted from 1970, so that a date is itself */
    CHECK(seconds - seconds == 0 && seconds >= -1);
    size_t digits = strspn(value, "0123456789");
    size = strlen(value);
    if (size > 0 && digits == size && size < 16)
        CHECK(seconds == strtod(value, NULL));
    double date = read_by_libc(value);
    if (date >= 0 && is_canonical(value, date))
        CHECK(seconds == date);
    /* However it is written, a date is a date: none is before 1970 or behind the year 9999. */
    if (digits < size)
        CHECK(seconds <= 253402300800.0);
    reply_free(&reply);
    return 0;
}
