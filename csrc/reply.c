/*
 * reply.c - what came back of one HTTP exchange.
 */
#include "reply.h"

#include <string.h>

static void clear_headers(struct reply *reply)
{
    reply->headers_whole = false;
    reply->request_id[0] = '\0';
    reply->cf_ray[0] = '\0';
    reply->retry_after[0] = '\0';
    reply->ratelimit_policy[0] = '\0';
    reply->ratelimit_reset[0] = '\0';
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

static void keep(char *value, const char *from, size_t length)
{
    while (length > 0 && (*from == ' ' || *from == '\t')) {
        from++;
        length--;
    }
    while (length > 0 && strchr(" \t\r\n", from[length - 1]))
        length--;
    if (length >= HEADER_VALUE_BYTES || text_has_control(from, length))
        length = 0;
    memcpy(value, from, length);
    value[length] = '\0';
}

/* Whether the status line is of a version that there is, which an old libcurl does not ask. */
static bool is_known(const char *line, size_t length)
{
    return length > 9 && ((line[5] == '1' && line[6] == '.') || ((line[5] == '2' || line[5] == '3') && line[6] == ' '));
}

bool reply_add_header(struct reply *reply, const char *line, size_t length)
{
    const struct {
        const char *name;
        char *value;
    } kept[] = {
        { "x-request-id:", reply->request_id },
        { "cf-ray:", reply->cf_ray },
        { "retry-after:", reply->retry_after },
        { "ratelimit-policy:", reply->ratelimit_policy },
        { "ratelimit-reset:", reply->ratelimit_reset },
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
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (kept[i].name[0] != initial)
            continue;
        size_t name = strlen(kept[i].name);
        if (length > name && text_same_nocase(line, kept[i].name, name))
            keep(kept[i].value, line + name, length - name);
    }
    return true;
}

void reply_free(struct reply *reply)
{
    text_free(&reply->body);
    text_free(&reply->problem);
    clear_headers(reply);
}
