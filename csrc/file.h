/*
 * file.h - small files that hold secrets. Sees libc.
 */
#ifndef MEDIASTOP_FILE_H
#define MEDIASTOP_FILE_H

#include "text.h"

enum file_result {
    FILE_READ,
    FILE_MISSING,
    FILE_UNREADABLE,                /* errno says why */
    FILE_NOT_REGULAR,
    FILE_TOO_LARGE,
    FILE_OPEN_TO_OTHERS,            /* group or others have some permission */
    FILE_OF_ANOTHER                 /* the owner is neither we nor root */
};

/* Reads a regular file of at most 64 KiB. `private`: only if it is ours, or root's, and nobody else has any permission.
 * What is judged is what is read: the checks are made on the open file. */
enum file_result file_read(const char *path, bool private, struct text *content);

/* Adds the home directory: HOME, else what the user database says. False if there is none, or memory is short. */
bool file_add_home(struct text *path);

#endif
