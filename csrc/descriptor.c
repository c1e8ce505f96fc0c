/*
 * descriptor.c - pipes and sockets that no child process inherits.
 */
#define _GNU_SOURCE
#include "descriptor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0              /* macOS has SO_NOSIGPIPE; our threads hear of no signal, and nginx ignores this one */
#endif

bool descriptor_pipe(int ends[2])
{
#ifdef __linux__
    return pipe2(ends, O_CLOEXEC) == 0;     /* no other thread can fork in between */
#else
    if (pipe(ends) != 0)
        return false;
    descriptor_close_on_exec(ends[0]);
    descriptor_close_on_exec(ends[1]);
    return true;
#endif
}

bool descriptor_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

ino_t descriptor_inode(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

bool descriptor_is(int fd, ino_t inode)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_ino == inode;
}

void descriptor_close(int fd, ino_t inode)
{
    if (descriptor_is(fd, inode))
        close(fd);
}

void descriptor_ring(int fd)
{
    send(fd, "", 1, MSG_NOSIGNAL);
}

int descriptor_close_on_exec(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}
