/*
 * envelope.h - what the JSON of an answer says, whichever provider's form it has. Sees lua.h.
 */
#ifndef MEDIASTOP_ENVELOPE_H
#define MEDIASTOP_ENVELOPE_H

#include "compat.h"

#define ENVELOPE_EXACT_BELOW 9007199254740992.0     /* 2^53: whole numbers that a double holds */

/* `body` is the index of the JSON: a table, or nil, which says nothing. */

/* Whether it says in any of the providers' ways that the call failed, or in so many words that it succeeded. */
bool envelope_says_failure(lua_State *L, int body);
bool envelope_says_success(lua_State *L, int body);

/* The code as a number; negative if there is none, or it is no number. */
double envelope_code(lua_State *L, int body);

/* Turns the value on the top into text: a number as it was sent, as far as a double holds it; a string as one short line;
 * anything else into nil. */
void envelope_make_text(lua_State *L);

/* Each pushes one value, nil where there is none: the code as text; the words as one line; the list of fields at
 * fault. */
void envelope_push_code(lua_State *L, int body);
void envelope_push_detail(lua_State *L, int body);
void envelope_push_fields(lua_State *L, int body);

#endif
