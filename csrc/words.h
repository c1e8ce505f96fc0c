/*
 * words.h - text from outside as a line that can be printed. Sees lua.h.
 */
#ifndef MEDIASTOP_WORDS_H
#define MEDIASTOP_WORDS_H

#include "compat.h"

/* Turns the string on the top into one printable line of at most `limit` bytes and a mark where it was cut: control
 * characters and separators of lines become spaces. */
void words_make_line(lua_State *L, size_t limit);

#endif
