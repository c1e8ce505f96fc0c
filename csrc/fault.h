/*
 * fault.h - what libcurl's codes mean. Sees curl.h in its .c only.
 */
#ifndef MEDIASTOP_FAULT_H
#define MEDIASTOP_FAULT_H

#include "mediastop.h"

/* KIND_NONE for success. */
enum kind fault_kind(int code);

/* What to say of it; `words`: what libcurl says, or "". */
const char *fault_words(int code, enum kind kind, const char *words);

#endif
