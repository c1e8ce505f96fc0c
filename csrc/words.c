/*
 * words.c - text from outside as a line that can be printed.
 */
#include "words.h"

#include "text.h"

/* The length of the UTF-8 form of a control character (C1) or a separator of lines (U+2028, U+2029) here; 0 for none. */
static size_t separator_length(const unsigned char *at, size_t left)
{
    if (left >= 2 && at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F)
        return 2;
    if (left >= 3 && at[0] == 0xE2 && at[1] == 0x80 && (at[2] == 0xA8 || at[2] == 0xA9))
        return 3;
    return 0;
}

void words_make_line(lua_State *L, size_t limit)
{
    luaL_Buffer buffer;
    size_t length;
    const char *words = lua_tolstring(L, -1, &length);
    size_t cut = text_cut(words, length, limit);
    luaL_buffinit(L, &buffer);
    for (size_t i = 0; i < cut; i++) {
        size_t separator = separator_length((const unsigned char *)words + i, cut - i);
        luaL_addchar(&buffer, separator > 0 || text_has_control(words + i, 1) ? ' ' : words[i]);
        i += separator > 0 ? separator - 1 : 0;
    }
    if (cut < length)
        luaL_addstring(&buffer, "...");
    luaL_pushresult(&buffer);
    lua_remove(L, -2);
}
