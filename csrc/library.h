/*
 * library.h - libcurl as a whole. Sees libc.
 */
#ifndef MEDIASTOP_LIBRARY_H
#define MEDIASTOP_LIBRARY_H

#include <stdbool.h>

/* Starts libcurl, once in the process; again where memory was short. False if it is short. */
bool library_start(void);

#endif
