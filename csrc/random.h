/*
 * random.h - random numbers that no two processes share. Sees libc.
 */
#ifndef MEDIASTOP_RANDOM_H
#define MEDIASTOP_RANDOM_H

#include <stdint.h>

/* A new state, from the system's source of randomness. To be called again after a fork. */
uint64_t random_seed(void);

/* A number from 0 to 1, 1 excluded; moves the state on. */
double random_next(uint64_t *state);

#endif
