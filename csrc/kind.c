/*
 * kind.c - the table of error kinds.
 */
#include "mediastop.h"

const struct kind_row *kind_row(enum kind kind)
{
    static const struct kind_row rows[] = {
        { "", false, false, "" },
#define KIND_ROW(constant, word, retryable, retried, text) { word, retryable, retried, text },
        ERROR_KINDS(KIND_ROW)
#undef KIND_ROW
    };
    return &rows[kind];
}
