/*
 * header.c - fuzzes the lines of an answer's headers, and how long they ask to wait.
 *
 * Input: the lines, as libcurl gives them one by one.
 */
#include "fuzz.h"

#include <string.h>

#include "retry.h"

#define NOW ((time_t)1764547200)        /* 2025-12-01 */

static void check_value(const char *value)
{
    size_t length = strlen(value);
    CHECK(length < HEADER_VALUE_BYTES);
    CHECK(!text_has_control(value, length));
    CHECK(length == 0 || (value[0] != ' ' && value[length - 1] != ' '));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reply reply;
    memset(&reply, 0, sizeof reply);
    for (size_t i = 0; i < size;) {
        const uint8_t *end = memchr(data + i, '\n', size - i);
        size_t length = end ? (size_t)(end - data) - i + 1 : size - i;
        /* A copy of that very size, so that a look behind the end is noticed. */
        char *line = malloc(length);
        CHECK(line);
        memcpy(line, data + i, length);
        bool taken = reply_add_header(&reply, line, length);
        CHECK(!taken || reply.header_bytes <= HEADERS_MAX_BYTES);
        /* What is refused else is a status line of a version that there is not. */
        CHECK(taken || reply.header_bytes > HEADERS_MAX_BYTES || (length >= 5 && memcmp(line, "HTTP/", 5) == 0));
        free(line);
        if (!taken)
            break;
        i += length;
    }
    for (int i = 0; i < HEADER_COUNT; i++)
        check_value(reply_header(&reply, (enum header)i));
    for (enum kind kind = KIND_RATE_LIMITED; kind <= KIND_SERVER; kind++) {
        double seconds = retry_after(&reply, kind, NOW);
        CHECK(seconds - seconds == 0 && seconds >= -1);
        CHECK(kind == KIND_RATE_LIMITED || seconds < 0 || reply_header(&reply, HEADER_RETRY_AFTER)[0]);
        struct retry retry = { kind, 1, 3, seconds, 30, 0.5 };
        double wait = retry_wait(&retry), read_wait = retry_read_wait(2, seconds, 30);
        CHECK(wait == RETRY_STOP || (wait >= 0 && wait < 30));
        CHECK(wait == RETRY_STOP || seconds < 0 || wait == seconds);
        CHECK(read_wait == RETRY_STOP || (read_wait > 0 && read_wait < 30));
    }
    reply_free(&reply);
    return 0;
}
