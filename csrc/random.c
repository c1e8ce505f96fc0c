/*
 * random.c - random numbers that no two processes share: SplitMix64 from a seed of the system's.
 */
#define _POSIX_C_SOURCE 200809L
#include "random.h"

#include <fcntl.h>
#include <unistd.h>

#include "clock.h"

uint64_t random_seed(void)
{
    uint64_t seed = 0;
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, &seed, sizeof seed) : 0;
    if (fd >= 0)
        close(fd);
    /* Without that device, at least the time and the process differ. */
    return got == (ssize_t)sizeof seed ? seed : (uint64_t)(clock_now() * 1e9) ^ (uint64_t)getpid() << 32;
}

double random_next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    mixed ^= mixed >> 31;
    return (double)(mixed >> 11) / 9007199254740992.0;
}
