/*
 * fuzz.h - what the fuzzers share: reading their input, checks, one Lua state with the module in it.
 *
 * A fuzzer is a file in spec/fuzz. Its input is text as far as it can be, so that its corpus in corpus/ can be read and written by
 * hand: a byte for each small choice, then fields that end with a line end, then the rest.
 */
#ifndef MEDIASTOP_FUZZ_H
#define MEDIASTOP_FUZZ_H

#include <lauxlib.h>
#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

/* libFuzzer calls it with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                            \
    do {                                                                                                            \
        if (!(condition)) {                                                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                 \
            abort();                                                                                                \
        }                                                                                                           \
    } while (0)

struct input {
    const char *at;
    size_t left;
};

/* Taken from the front of what is left: a choice out of so many; the bytes up to a line end, which is dropped; what is left.
 * The two latter are copied, followed by a NUL, into memory of just that size, and are the caller's to free. */
unsigned input_choose(struct input *input, unsigned count);
struct text input_take_line(struct input *input);
struct text input_take_rest(struct input *input);

/* The state, in which `mediastop.core` can be required, and all of lua/. */
lua_State *fuzz_lua(void);

/* Pushes the function that the source returns, which is run once: its checks are to raise. */
void fuzz_push_function(const char *source);

/* Calls it with the arguments on the top. Aborts with what it raises. */
void fuzz_call(lua_State *L, int arguments);

/* Empties the stack, and collects the state's garbage now and then. */
void fuzz_tidy(lua_State *L);

/* Whether the Lua string at `index` is one line of printable text, however odd. */
bool fuzz_is_line(lua_State *L, int index);

/* Whether the table at `index` has such a field, and that holds this word; a NULL stands for nil. */
bool fuzz_field_is(lua_State *L, int index, const char *name, const char *word);

#endif
