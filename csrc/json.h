/*
 * json.h - our own instance of cjson.safe, whose settings no host can change. Sees lua.h.
 */
#ifndef MEDIASTOP_JSON_H
#define MEDIASTOP_JSON_H

#include "compat.h"
#include "text.h"

/* Makes the instance and pushes JSON's null. Raises if lua-cjson cannot be loaded. */
void json_open(lua_State *L);

/* decode(string) -> the value, or nothing if it is no JSON. Raises if memory is short. */
int json_decode_string(lua_State *L);

/* Decodes the text and pushes its table, or nil; true if it is an object, as every provider's is. Whole numbers come out as
 * integers where Lua has them. Raises if memory is short. */
bool json_push_object(lua_State *L, const struct text *text);

/* Pushes the field of the table at `index` that a path of keys joined by dots leads to; nil where there is none, and
 * for null. */
void json_push_field(lua_State *L, int index, const char *path);

#endif
