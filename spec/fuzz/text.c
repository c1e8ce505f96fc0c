/*
 * text.c - fuzzes what is done with bytes: masking, cutting, lines, UTF-8, base64.
 *
 * Input: a choice; then a line, the needle; then bytes.
 */
#include "fuzz.h"

#include <string.h>

#include "base64.h"

static bool contains(const struct text *text, const struct text *needle)
{
    for (size_t i = 0; i + needle->length <= text->length; i++) {
        if (memcmp(text->data + i, needle->data, needle->length) == 0)
            return true;
    }
    return false;
}

/* Behind a mask nothing of what it hid is left, and what hid nothing changed nothing. */
static void check_mask(const struct text *bytes, const struct text *needle)
{
    struct text text = { NULL, 0, 0, false };
    CHECK(text_add(&text, bytes->data, bytes->length, bytes->length));
    size_t found = text_mask(&text, needle->data, needle->length);
    CHECK(text.length <= bytes->length && text.data[text.length] == '\0');
    if (found == 0)
        CHECK(text.length == bytes->length && memcmp(text.data, bytes->data, text.length) == 0);
    /* The asterisks may be part of it themselves. */
    if (needle->length >= 3 && !strchr(needle->data, '*'))
        CHECK(!contains(&text, needle));
    size_t length = text.length;
    text_mask_cut(&text, needle->data, needle->length);
    CHECK(text.length <= length);
    for (size_t part = 4; part < needle->length && part <= text.length; part++)
        CHECK(strchr(needle->data, '*') || memcmp(text.data + text.length - part, needle->data, part) != 0);
    text_free(&text);
}

static void check_line(const struct text *bytes, size_t limit)
{
    struct text text = { NULL, 0, 0, false };
    size_t cut = text_cut(bytes->data, bytes->length, limit);
    CHECK(cut <= bytes->length && cut <= limit && (bytes->length <= limit ? cut == bytes->length : cut + 4 > limit));
    if (text_is_utf8(bytes->data, bytes->length))
        CHECK(text_is_utf8(bytes->data, cut));
    CHECK(text_add_line(&text, bytes->data, bytes->length, limit));
    CHECK(text.length <= limit + 3 && !text_has_control(text.data, text.length));
    text_free(&text);
}

static void check_base64(const struct text *bytes)
{
    struct text encoded = { NULL, 0, 0, false };
    unsigned char *decoded = malloc(bytes->length + 1);
    CHECK(decoded && base64_add(&encoded, bytes));
    CHECK(encoded.length == (bytes->length + 2) / 3 * 4);
    CHECK(base64_decode(encoded.data ? encoded.data : "", encoded.length, decoded, bytes->length) == (long)bytes->length);
    CHECK(bytes->length == 0 || memcmp(decoded, bytes->data, bytes->length) == 0);
    CHECK(bytes->length == 0 || base64_decode(encoded.data, encoded.length, decoded, bytes->length - 1) == -1);
    /* And as what it is: too short by a byte it must not be written behind. */
    long count = base64_decode(bytes->data, bytes->length, decoded, bytes->length);
    CHECK(count >= -1 && count <= (long)bytes->length);
    free(decoded);
    text_free(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { (const char *)data, size };
    size_t limit = input_choose(&input, 256);
    struct text needle = input_take_line(&input), bytes = input_take_rest(&input);
    check_mask(&bytes, &needle);
    check_line(&bytes, limit);
    check_base64(&bytes);
    CHECK(!text_is_one_of(bytes.data, bytes.length, needle.data) || bytes.length == 0 ||
          text_has_word(bytes.data, bytes.length, needle.data));
    text_free(&needle);
    text_free(&bytes);
    return 0;
}
