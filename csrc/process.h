/*
 * process.h - a program that prints a secret. Sees libc.
 */
#ifndef MEDIASTOP_PROCESS_H
#define MEDIASTOP_PROCESS_H

#include "text.h"

enum process_result {
    PROCESS_DONE,                   /* it ended with status 0 */
    PROCESS_NOT_STARTED,            /* errno says why */
    PROCESS_FAILED,                 /* it ended with another status, or by a signal */
    PROCESS_TOO_SLOW,
    PROCESS_TOO_LONG                /* it printed more than 64 KiB */
};

/* Runs a program, found on the PATH, without a shell, with nothing to read, and adds what it prints to `output`. What it
 * says on its standard error is lost. After `seconds` it and its children are killed. */
enum process_result process_run(char *const argv[], double seconds, struct text *output);

#endif
