/*
 * reply.c - what came back of one HTTP exchange.
 */
#include "reply.h"

#include <string.h>

static void clear_headers(struct reply *reply)
{
    reply->headers_whole = false;
    text_clear(&reply->values);
    memset(reply->value, 0, sizeof reply->value);
}

void reply_clear(struct reply *reply)
{
    reply->fault = KIND_NONE;
    reply->status = 0;
    reply->sent = 0;
    reply->answered = false;
    reply->multiplexed = false;
    reply->no_memory = false;
    reply->header_bytes = 0;
    text_clear(&reply->body);
    text_clear(&reply->problem);
    clear_headers(reply);
}

const char *reply_header(const struct reply *reply, enum header header)
{
    return reply->value[header] > 0 ? reply->values.data + reply->value[header] : "";
}

void reply_drop_header(struct reply *reply, enum header header)
{
    reply->value[header] = 0;
}

static bool keep(struct reply *reply, enum header header, const char *from, size_t length)
{
    while (length > 0 && (*from == ' ' || *from == '\t')) {
        from++;
        length--;
    }
    while (length > 0 && strchr(" \t\r\n", from[length - 1]))
        length--;
    reply_drop_header(reply, header);
    if (length == 0 || length >= HEADER_VALUE_BYTES || text_has_control(from, length))
        return true;
    unsigned start = (unsigned)reply->values.length + 1;
    if (!text_add(&reply->values, "", 1, HEADERS_MAX_BYTES) || !text_add(&reply->values, from, length, HEADERS_MAX_BYTES)) {
        reply->no_memory = true;
        return false;
    }
    reply->value[header] = start;
    return true;
}

/* Whether the status line is of a version that there is, which an old libcurl does not ask. */
static bool is_known(const char *line, size_t length)
{
    return length > 9 && ((line[5] == '1' && line[6] == '.') || ((line[5] == '2' || line[5] == '3') && line[6] == ' '));
}

bool reply_add_header(struct reply *reply, const char *line, size_t length)
{
    static const char *const names[HEADER_COUNT] = {
        [HEADER_REQUEST_ID] = "x-request-id:",
        [HEADER_CF_RAY] = "cf-ray:",
        [HEADER_RETRY_AFTER] = "retry-after:",
        [HEADER_RATELIMIT_POLICY] = "ratelimit-policy:",
        [HEADER_RATELIMIT_RESET] = "ratelimit-reset:",
    };
    reply->answered = true;
    reply->header_bytes += length;
    if (reply->header_bytes > HEADERS_MAX_BYTES)
        return false;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        if (!is_known(line, length))
            return false;
        clear_headers(reply);       /* an interim answer came before this one */
    } else if (length > 0 && length <= 2 && line[length - 1] == '\n' && (length == 1 || line[0] == '\r')) {
        reply->headers_whole = true;
    }
    /* Most lines are none of these, which their first letter says. */
    char initial = length > 0 ? (char)(line[0] | 0x20) : '\0';
    for (int i = 0; i < HEADER_COUNT; i++) {
        if (names[i][0] != initial)
            continue;
        size_t name = strlen(names[i]);
        if (length > name && text_same_nocase(line, names[i], name))
            return keep(reply, (enum header)i, line + name, length - name);
    }
    return true;
}

void reply_free(struct reply *reply)
{
    text_free(&reply->body);
    text_free(&reply->problem);
    clear_headers(reply);
    text_free(&reply->values);
}
