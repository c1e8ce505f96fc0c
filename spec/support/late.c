/*
 * late.c - for the specs, to be loaded ahead of libc: whoever sends to the network comes back from that 50 ms later.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>
#include <time.h>

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    ssize_t (*real)(int, const void *, size_t, int);
    *(void **)&real = dlsym(RTLD_NEXT, "send");
    ssize_t sent = real(fd, bytes, size, flags);
    nanosleep(&(struct timespec){ 0, 50 * 1000 * 1000 }, NULL);
    return sent;
}
