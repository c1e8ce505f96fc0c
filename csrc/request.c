/*
 * request.c - operation + id + credential -> method, URL, headers, body.
 */
#include "request.h"

#include <string.h>

#include "address.h"
#include "base64.h"

/* Shorter secrets are words like any other: hiding them would garble answers and protect nothing. */
#define SECRET_MIN_BYTES 4
#define USERNAME_MIN_BYTES 8
#define CREDENTIAL_MAX_BYTES 8192

const char *request_id_problem(const struct operation *operation, const char *id, size_t length)
{
    if (length == 0)
        return "the id is empty";
    if (length > ID_MAX_BYTES)
        return "the id is longer than 255 bytes";
    if (text_has_control(id, length))
        return "the id holds a control byte";
    if (strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
        return "the id is a dot segment of a path";
    if (operation->body && !text_is_utf8(id, length))
        return "the id is not UTF-8, which JSON needs";
    return NULL;
}

static const char *part_problem(enum auth auth, int part, const char *bytes, size_t length)
{
    if (!bytes || length == 0)
        return "is missing";
    if (length > CREDENTIAL_MAX_BYTES)
        return "is longer than 8192 bytes";
    if (text_has_control(bytes, length))
        return "holds a control byte (a line end at its end, perhaps)";
    if (auth == AUTH_BASIC)
        return part == 0 && memchr(bytes, ':', length) ? "holds a colon, which ends it on the wire" : NULL;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)bytes[i] >= 0x80)
            return "holds a byte that cannot stand in a header";
    }
    if (bytes[0] == ' ' || bytes[length - 1] == ' ')
        return "begins or ends with a space";
    if (length >= 7 && text_same_nocase(bytes, "bearer ", 7))
        return "begins with \"Bearer \": give it without that word";
    return NULL;
}

const char *request_credential_problem(const struct provider *provider, const struct credential *credential, int *part)
{
    for (*part = 0; *part < 2 && provider->fields[*part]; (*part)++) {
        const char *problem = part_problem(provider->auth, *part, credential->part[*part], credential->length[*part]);
        if (problem)
            return problem;
    }
    return NULL;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

/* RFC 3986: everything but the unreserved characters is escaped, so that the id stays one segment. */
static bool add_segment(struct text *text, const char *id, size_t length)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < length; i++) {
        size_t plain = 0;
        while (i + plain < length && is_unreserved(id[i + plain]))
            plain++;
        if (!text_add(text, id + i, plain, BODY_MAX_BYTES))
            return false;
        i += plain;
        if (i == length)
            break;
        unsigned char byte = (unsigned char)id[i];
        char escaped[3] = { '%', hex[byte >> 4], hex[byte & 15] };
        if (!text_add(text, escaped, 3, BODY_MAX_BYTES))
            return false;
    }
    return true;
}

/* The inside of a JSON string; control bytes are not among those of an id. */
static bool add_json(struct text *text, const char *id, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        size_t plain = strcspn(id + i, "\"\\");
        if (!text_add(text, id + i, plain, BODY_MAX_BYTES))
            return false;
        i += plain;
        if (i == length)
            break;
        char escaped[2] = { '\\', id[i] };
        if (!text_add(text, escaped, 2, BODY_MAX_BYTES))
            return false;
    }
    return true;
}

static bool add_template(struct text *text, const char *template, const char *id, size_t length,
                         bool (*add_id)(struct text *, const char *, size_t))
{
    const char *place = strstr(template, "{id}");
    if (!place)
        return text_add_string(text, template);
    return text_add(text, template, (size_t)(place - template), BODY_MAX_BYTES) && add_id(text, id, length) &&
           text_add_string(text, place + 4);
}

static bool add_url(struct text *url, const struct operation *operation, const char *base_url, const char *id,
                    size_t length)
{
    size_t base = strlen(base_url);
    while (base > 0 && base_url[base - 1] == '/')
        base--;
    return text_add(url, base_url, base, BODY_MAX_BYTES) && add_template(url, operation->path, id, length, add_segment);
}

bool request_address(struct request *request, const struct operation *operation, const char *base_url, const char *id,
                     size_t length)
{
    request->method = operation->method;
    request->loopback = address_is_loopback(base_url);
    request->cleartext = !text_same_nocase(base_url, "https:", 6);
    request->has_body = operation->body != NULL;
    request->origin_length = address_origin_length(base_url);
    return add_url(&request->url, operation, base_url, id, length) &&
           (!operation->body || add_template(&request->body, operation->body, id, length, add_json));
}

bool request_address_read(struct request *request, const struct operation *read, const char *base_url, const char *id,
                          size_t length)
{
    return add_url(&request->read_url, read, base_url, id, length);
}

void request_turn_to_read(struct request *request, const struct operation *read)
{
    text_free(&request->url);
    request->url = request->read_url;
    memset(&request->read_url, 0, sizeof request->read_url);
    text_free(&request->body);
    request->method = read->method;
    request->has_body = read->body != NULL;
}

static bool add_basic(struct text *text, const struct credential *credential)
{
    struct text pair = { 0 };
    bool added = text_add(&pair, credential->part[0], credential->length[0], BODY_MAX_BYTES) &&
                 text_add_string(&pair, ":") &&
                 text_add(&pair, credential->part[1], credential->length[1], BODY_MAX_BYTES) && base64_add(text, &pair);
    text_free(&pair);
    return added;
}

bool request_authorize(struct request *request, enum auth auth, const struct credential *credential)
{
    static const char *const schemes[] = {
        [AUTH_KEY] = "Authorization: ",
        [AUTH_BEARER] = "Authorization: Bearer ",
        [AUTH_BASIC] = "Authorization: Basic ",
    };
    text_clear(&request->authorization);
    for (int i = 0; i < 3; i++)
        text_clear(&request->secrets[i]);
    for (int i = 0; i < 2 && credential->part[i]; i++) {
        if (!text_add(&request->secrets[i], credential->part[i], credential->length[i], BODY_MAX_BYTES))
            return false;
    }
    if (auth == AUTH_BASIC && !add_basic(&request->secrets[2], credential))
        return false;
    const struct text *value = &request->secrets[auth == AUTH_BASIC ? 2 : 0];
    return text_add_string(&request->authorization, schemes[auth]) &&
           text_add(&request->authorization, value->data, value->length, BODY_MAX_BYTES);
}

/* Whether this one is long enough to be looked for. */
static bool is_sought(const struct request *request, int i)
{
    bool is_username = i == 0 && request->secrets[1].length > 0;
    return request->secrets[i].length >= (is_username ? USERNAME_MIN_BYTES : SECRET_MIN_BYTES);
}

void request_mask(const struct request *request, struct text *text)
{
    for (int i = 2; i >= 0; i--) {
        const struct text *secret = &request->secrets[i];
        if (!is_sought(request, i))
            continue;
        text_mask(text, secret->data, secret->length);
        text_mask_cut(text, secret->data, secret->length);
    }
}

bool request_echoed(const struct request *request, const char *string)
{
    for (int i = 0; i < 3; i++) {
        if (is_sought(request, i) && strstr(string, request->secrets[i].data))
            return true;
    }
    return false;
}

void request_clear(struct request *request)
{
    text_clear(&request->url);
    text_clear(&request->body);
    text_clear(&request->read_url);
    text_clear(&request->authorization);
    for (int i = 0; i < 3; i++)
        text_clear(&request->secrets[i]);
}

void request_free(struct request *request)
{
    text_free(&request->url);
    text_free(&request->body);
    text_free(&request->read_url);
    text_free(&request->authorization);
    for (int i = 0; i < 3; i++)
        text_free(&request->secrets[i]);
}
