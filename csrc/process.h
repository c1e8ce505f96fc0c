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
    PROCESS_TOO_LONG,               /* it printed more than 64 KiB */
    PROCESS_STOPPED                 /* the caller wanted it to stop */
};

/* Asked after each signal, and a few times a second, whether the program is to stop. */
typedef bool process_stop(void *context);

/* Runs a program, found on the PATH, without a shell, with nothing to read, and adds what it prints to `output`. What it
 * says on its standard error is lost. After `seconds`, or if it is to stop, it and its children are killed. */
enum process_result process_run(char *const argv[], double seconds, struct text *output, process_stop *must_stop,
                                void *context);

#endif
