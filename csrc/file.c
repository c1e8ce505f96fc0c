/*
 * file.c - small files that hold secrets.
 */
#define _POSIX_C_SOURCE 200809L
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES 65536
#define PASSWD_BYTES 4096

static enum file_result judge(int fd, bool private)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return FILE_UNREADABLE;
    if (!S_ISREG(status.st_mode))
        return FILE_NOT_REGULAR;
    if (status.st_size > FILE_MAX_BYTES)
        return FILE_TOO_LARGE;
    if (!private)
        return FILE_READ;
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return FILE_OF_ANOTHER;
    return status.st_mode & (S_IRWXG | S_IRWXO) ? FILE_OPEN_TO_OTHERS : FILE_READ;
}

static enum file_result read_all(int fd, struct text *content)
{
    char buffer[1024];
    ssize_t got;
    enum file_result result = FILE_READ;
    while (result == FILE_READ && (got = read(fd, buffer, sizeof buffer)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            result = FILE_UNREADABLE;
        else if (!text_add(content, buffer, (size_t)got, FILE_MAX_BYTES))
            result = FILE_TOO_LARGE;
    }
    wipe(buffer, sizeof buffer);
    return result;
}

enum file_result file_read(const char *path, bool private, struct text *content)
{
    /* A pipe must not make the open wait. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? FILE_MISSING : FILE_UNREADABLE;
    enum file_result result = judge(fd, private);
    if (result == FILE_READ)
        result = read_all(fd, content);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

bool file_add_home(struct text *path)
{
    const char *home = getenv("HOME");
    if (home && *home)
        return text_add_string(path, home);
    struct passwd entry, *found = NULL;
    char buffer[PASSWD_BYTES];
    if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) != 0 || !found || !*found->pw_dir)
        return false;
    return text_add_string(path, found->pw_dir);
}
