/*
 * text.c - growable bytes with a hard cap; wiped when freed.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MAX_BYTES 4096         /* an answer has a few hundred */
#define LONGEST_ESCAPE 12           /* a pair of \uXXXX */
#define CUT_MIN_BYTES 4             /* less of a secret is no sign of one */

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

void wipe(void *memory, size_t length)
{
#if defined(__GNUC__)
    /* The compiler must believe that somebody reads the zeros. */
    if (length > 0)
        memset(memory, 0, length);
    __asm__ __volatile__("" : : "r"(memory) : "memory");
#else
    /* A call through a volatile pointer is one that the compiler cannot know to be useless. */
    static void *(*const volatile overwrite)(void *, int, size_t) = memset;
    if (length > 0)
        overwrite(memory, 0, length);
#endif
}

/* Not realloc: it would leave the old bytes behind in freed memory. */
static bool reserve(struct text *text, size_t need)
{
    if (need < text->capacity)
        return true;
    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity <= need)
        capacity *= 2;
    char *data = malloc(capacity);
    if (!data) {
        text->no_memory = true;
        return false;
    }
    if (text->data) {
        memcpy(data, text->data, text->length);
        wipe(text->data, text->length);
        free(text->data);
    }
    data[text->length] = '\0';
    text->data = data;
    text->capacity = capacity;
    return true;
}

bool text_add(struct text *text, const char *bytes, size_t length, size_t limit)
{
    if (length > limit || text->length > limit - length || !reserve(text, text->length + length))
        return false;
    if (length > 0)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
    return true;
}

bool text_add_string(struct text *text, const char *string)
{
    return text_add(text, string, strlen(string), (size_t)-1 / 4);
}

size_t text_cut(const char *bytes, size_t length, size_t limit)
{
    if (length <= limit)
        return length;
    size_t cut = limit;
    while (cut > 0 && limit - cut < 3 && ((unsigned char)bytes[cut] & 0xC0) == 0x80)
        cut--;
    return ((unsigned char)bytes[cut] & 0xC0) == 0x80 ? limit : cut;
}

bool text_add_line(struct text *text, const char *bytes, size_t length, size_t limit)
{
    size_t start = text->length, cut = text_cut(bytes, length, limit);
    if (!text_add(text, bytes, cut, (size_t)-1 / 4))
        return false;
    for (size_t i = start; i < text->length; i++) {
        if (text_has_control(text->data + i, 1))
            text->data[i] = ' ';
    }
    return cut == length || text_add_string(text, "...");
}

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit ? strchr(digits, lower(digit)) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* How many bytes at `from` stand for `byte`: itself, \/ and its like, \u002f and its like; 0 if none do. */
static size_t match_byte(const char *from, size_t left, char byte)
{
    if (left >= 1 && *from == byte && byte != '\\')
        return 1;
    if (left < 2 || *from != '\\')
        return left >= 1 && *from == byte ? 1 : 0;
    if (from[1] == byte && strchr("\"\\/", byte))
        return 2;
    if (left < 6 || from[1] != 'u' || from[2] != '0' || from[3] != '0')
        return *from == byte ? 1 : 0;
    int high = hex_value(from[4]), low = hex_value(from[5]);
    return high >= 0 && low >= 0 && high * 16 + low == (unsigned char)byte ? 6 : 0;
}

/* The number of \uXXXX at `from`, or -1. */
static long code_unit(const char *from, size_t left)
{
    long unit = 0;
    if (left < 6 || from[0] != '\\' || from[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_value(from[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* How many bytes at `from` stand, as \uXXXX or a pair of them, for the character beyond ASCII at `needle`, which is so many
 * `bytes` of UTF-8; 0 if none do. */
static size_t match_character(const char *from, size_t left, const char *needle, size_t length, size_t *bytes)
{
    char utf8[4];
    size_t taken = 6;
    long code = code_unit(from, left);
    if (code < 0x80)
        return 0;
    if (code >= 0xD800 && code < 0xDC00) {
        long low = code_unit(from + 6, left - 6);
        if (low < 0xDC00 || low > 0xDFFF)
            return 0;
        code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00);
        taken = 12;
    }
    *bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = *bytes; i > 1; i--, code >>= 6)
        utf8[i - 1] = (char)(0x80 | (code & 0x3F));
    utf8[0] = (char)((*bytes == 2 ? 0xC0 : *bytes == 3 ? 0xE0 : 0xF0) | code);
    return *bytes <= length && memcmp(needle, utf8, *bytes) == 0 ? taken : 0;
}

/* How many bytes from `from` on stand for the needle, or for its first bytes, `*part` in number. */
static size_t match(const char *from, const char *end, const char *needle, size_t length, size_t *part)
{
    const char *at = from;
    for (size_t bytes = *part = 0; *part < length; *part += bytes) {
        size_t left = (size_t)(end - at);
        size_t taken = match_character(at, left, needle + *part, length - *part, &bytes);
        if (taken == 0) {
            bytes = 1;
            taken = match_byte(at, left, needle[*part]);
        }
        if (taken == 0)
            break;
        at += taken;
    }
    return (size_t)(at - from);
}

static size_t match_whole(const char *from, const char *end, const char *needle, size_t length)
{
    size_t part, taken = match(from, end, needle, length, &part);
    return part == length ? taken : 0;
}

/* The first place from which the needle matches, in `matched` so many bytes; NULL for none. */
static char *find(char *from, const char *end, const char *needle, size_t length, bool escapes, size_t *matched)
{
    for (; (size_t)(end - from) >= length; from++) {
        if (!escapes) {
            from = memchr(from, needle[0], (size_t)(end - from) - length + 1);
            if (!from)
                return NULL;
        }
        /* As it is comes first: two backslashes of the needle would else be taken for an escaped one. */
        *matched = memcmp(from, needle, length) == 0 ? length : escapes ? match_whole(from, end, needle, length) : 0;
        if (*matched > 0)
            return from;
    }
    return NULL;
}

size_t text_mask(struct text *text, const char *needle, size_t length)
{
    size_t found = 0, matched;
    if (length < 3 || text->length < length)
        return 0;
    bool escapes = memchr(text->data, '\\', text->length) != NULL;
    char *end = text->data + text->length, *from = text->data, *to = text->data;
    for (char *hit; (hit = find(from, end, needle, length, escapes, &matched)) != NULL; from = hit + matched) {
        memmove(to, from, (size_t)(hit - from));
        to += hit - from;
        memcpy(to, "***", 3);       /* no string: NOLINT(bugprone-not-null-terminated-result) */
        to += 3;
        found++;
    }
    if (found > 0) {
        memmove(to, from, (size_t)(end - from));
        to += end - from;
        wipe(to, (size_t)(end - to));
        text->length = (size_t)(to - text->data);
    }
    return found;
}

/* Whether all that is left from `from` on stands for the needle's first bytes; an escape may be cut itself. */
static bool match_cut(const char *from, const char *end, const char *needle, size_t length)
{
    size_t left = (size_t)(end - from), part;
    if (left < CUT_MIN_BYTES)
        return false;
    if (left < length && memcmp(from, needle, left) == 0)
        return true;
    const char *rest = from + match(from, end, needle, length, &part);
    return part >= CUT_MIN_BYTES && (rest == end || (*rest == '\\' && end - rest < LONGEST_ESCAPE));
}

void text_mask_cut(struct text *text, const char *needle, size_t length)
{
    char *end = text->data + text->length;
    if (text->length == 0 || (strchr("}]> \r\n", end[-1]) && !memchr(needle, end[-1], length)))
        return;                     /* as most texts end, and neither the needle nor an escape does */
    size_t most = length * LONGEST_ESCAPE;
    char *from = text->length > most ? end - most : text->data;
    while (from < end && !match_cut(from, end, needle, length))
        from++;
    if (from == end)
        return;
    memcpy(from, "***", 3);         /* no string: NOLINT(bugprone-not-null-terminated-result) */
    wipe(from + 3, (size_t)(end - from) - 3);
    text->length = (size_t)(from + 3 - text->data);
}

void text_clear(struct text *text)
{
    if (text->data)
        wipe(text->data, text->length);
    text->length = 0;
    text->no_memory = false;
    if (text->capacity > KEPT_MAX_BYTES) {
        free(text->data);
        text->data = NULL;
        text->capacity = 0;
    }
}

void text_free(struct text *text)
{
    text_clear(text);
    free(text->data);
    text->data = NULL;
    text->capacity = 0;
}

bool text_same_nocase(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

bool text_has_word(const char *bytes, size_t length, const char *words)
{
    while (*words) {
        size_t word = strcspn(words, "|");
        for (size_t i = 0; i + word <= length; i++) {
            if (text_same_nocase(bytes + i, words, word))
                return true;
        }
        words += word;
        words += *words == '|';
    }
    return false;
}

bool text_is_one_of(const char *bytes, size_t length, const char *words)
{
    while (*words) {
        size_t word = strcspn(words, "|");
        if (word == length && text_same_nocase(bytes, words, word))
            return true;
        words += word;
        words += *words == '|';
    }
    return false;
}

bool text_is_utf8(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + length;
    while (at < end) {
        size_t more;
        unsigned char low = 0x80, high = 0xBF;      /* bounds of the second byte */
        if (*at < 0x80) {
            at++;
            continue;
        }
        if (*at >= 0xC2 && *at <= 0xDF) {
            more = 1;
        } else if (*at >= 0xE0 && *at <= 0xEF) {
            more = 2;
            low = *at == 0xE0 ? 0xA0 : low;
            high = *at == 0xED ? 0x9F : high;
        } else if (*at >= 0xF0 && *at <= 0xF4) {
            more = 3;
            low = *at == 0xF0 ? 0x90 : low;
            high = *at == 0xF4 ? 0x8F : high;
        } else {
            return false;
        }
        if ((size_t)(end - at) <= more || at[1] < low || at[1] > high)
            return false;
        for (size_t i = 2; i <= more; i++) {
            if ((at[i] & 0xC0) != 0x80)
                return false;
        }
        at += more + 1;
    }
    return true;
}

bool text_has_control(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte < 0x20 || byte == 0x7F)
            return true;
    }
    return false;
}
