/*
 * descriptor.h - pipes and sockets that no child process inherits. Sees libc.
 */
#ifndef MEDIASTOP_DESCRIPTOR_H
#define MEDIASTOP_DESCRIPTOR_H

#include <stdbool.h>
#include <sys/types.h>

/* A pipe: the end to read and the end to write. False, with errno set, if there is none to be had. */
bool descriptor_pipe(int ends[2]);

/* Makes reads, writes and the like on it return at once. */
bool descriptor_set_nonblocking(int fd);

/* Writes a byte to a socket, which only makes its other end readable; nothing where that is full, or gone. */
void descriptor_ring(int fd);

/* What tells a socket from all others, whichever descriptors they have; 0 for what is none. */
ino_t descriptor_inode(int fd);

/* Whether the descriptor is still that socket: whoever closes descriptors that are not his gives its number away. */
bool descriptor_is(int fd, ino_t inode);

/* Closes it if so. */
void descriptor_close(int fd, ino_t inode);

/* Keeps it from children, where the system could not do so as it was made. Returns it; -1 stays -1. */
int descriptor_close_on_exec(int fd);

#endif
