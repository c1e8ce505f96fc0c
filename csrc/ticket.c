/*
 * ticket.c - delayed jobs that any process of a host may call off.
 *
 * A folder that is ours alone, in memory where the system has such a place, holds a folder a key, "SPACE-PARENT-KEY", and
 * that a file a job, "PID-NUMBER". Containers may share the place, though not the numbers of processes: SPACE is that of
 * Linux's pid namespace, and what is of another one is left alone.
 */
#define _GNU_SOURCE
#include "ticket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 384
#define SPACE_BYTES 32
#define ATTEMPTS 8

/* Whether what snprintf was to write, and says that it has so many bytes, had room. */
static bool fits(int length, size_t size)
{
    errno = ENAMETOOLONG;
    return length >= 0 && (size_t)length < size;
}

/* Where the folder may be: the first that has room. */
static const char *const places[] = { "/dev/shm", "/tmp", "/var/tmp" };
#define PLACES (sizeof places / sizeof *places)

/* The folder in a place, which nobody else may enter. */
static bool find_home(char *path, size_t size, size_t place, bool make)
{
    struct stat status;
    if (!fits(snprintf(path, size, "%s/mediastop-%lu", places[place], (unsigned long)geteuid()), size))
        return false;
    if ((make && mkdir(path, S_IRWXU) != 0 && errno != EEXIST) || lstat(path, &status) != 0)
        return false;
    errno = EACCES;
    return S_ISDIR(status.st_mode) && status.st_uid == geteuid() && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* How the names of our space's folders begin: "SPACE-"; 0 where there are none. */
static void find_space(char *start, size_t size)
{
    char target[64];        /* "pid:[4026531836]" */
    ssize_t length = readlink("/proc/self/ns/pid", target, sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    const char *number = strchr(target, '[');
    (void)snprintf(start, size, "%lu-", number ? strtoul(number + 1, NULL, 10) : 0);
}

/* The folder of a key. */
static bool find_folder(char *path, size_t size, size_t place, bool make, const char *key, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    char home[64], space[SPACE_BYTES], name[2 * TICKET_KEY_BYTES + 1];
    if (length > TICKET_KEY_BYTES) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (!find_home(home, sizeof home, place, make))
        return false;
    for (size_t i = 0; i < length; i++) {
        name[2 * i] = hex[(unsigned char)key[i] >> 4];
        name[2 * i + 1] = hex[(unsigned char)key[i] & 15];
    }
    name[2 * length] = '\0';
    find_space(space, sizeof space);
    return fits(snprintf(path, size, "%s/%s%ld-%s", home, space, (long)getppid(), name), size);
}

/* That of no other ticket of this process, whichever Lua state has it. */
static unsigned long next_number(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static unsigned long last;
    pthread_mutex_lock(&lock);
    unsigned long number = ++last;
    pthread_mutex_unlock(&lock);
    return number;
}

/* Cuts a path short by its last name. */
static char *parent(char *path)
{
    *strrchr(path, '/') = '\0';
    return path;
}

/* The number of the folder that has this folder of a key; 0: it is gone. Cuts the path short. */
static ino_t home_of(char *folder)
{
    struct stat status;
    return lstat(parent(folder), &status) == 0 ? status.st_ino : 0;
}

static bool issue_in(struct ticket *ticket, size_t place, const char *key, size_t length)
{
    char folder[PATH_BYTES - 64];
    if (!find_folder(folder, sizeof folder, place, true, key, length))
        return false;
    /* Another process may remove the folder, as it is empty, before the file is made. */
    for (int i = 0; i < ATTEMPTS; i++) {
        if (mkdir(folder, S_IRWXU) != 0 && errno != EEXIST)
            return false;
        if (!fits(snprintf(ticket->path, sizeof ticket->path, "%s/%ld-%lu", folder, (long)getpid(), next_number()),
                  sizeof ticket->path)) {
            ticket->path[0] = '\0';
            return false;
        }
        int fd = open(ticket->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
        if (fd >= 0) {
            close(fd);
            ticket->home = home_of(folder);
            return true;
        }
        ticket->path[0] = '\0';
        if (errno != ENOENT && errno != EEXIST)     /* one that is left of a process with the same number */
            return false;
    }
    return false;
}

bool ticket_issue(struct ticket *ticket, const char *key, size_t length)
{
    ticket->path[0] = '\0';
    ticket->pid = getpid();
    for (size_t place = 0; place < PLACES; place++) {
        if (issue_in(ticket, place, key, length))
            return true;
    }
    return false;
}

bool ticket_take(struct ticket *ticket)
{
    if (ticket->path[0] == '\0' || ticket->pid != getpid())
        return false;
    /* Whoever calls it off removes the ticket, and no more. It may be that files cannot be removed. */
    bool taken = unlink(ticket->path) == 0 || errno != ENOENT;
    rmdir(parent(ticket->path));
    taken = home_of(ticket->path) != ticket->home || taken;
    ticket->path[0] = '\0';
    return taken;
}

static bool lives(const char *name)
{
    long pid = strtol(name, NULL, 10);
    return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

/* Removes a folder's tickets, or only those of the dead: how many there were of the living. */
static int clear(int home, const char *folder, bool only_dead)
{
    int fd = openat(home, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), count = 0;
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        bool living = lives(entry->d_name);
        if (entry->d_name[0] == '.' || (living && only_dead))
            continue;
        count += unlinkat(fd, entry->d_name, 0) == 0 && living;
    }
    closedir(list);
    unlinkat(home, folder, AT_REMOVEDIR);
    return count;
}

int ticket_call_off(const char *key, size_t length)
{
    char folder[PATH_BYTES];
    int count = 0;
    for (size_t place = 0; place < PLACES; place++) {
        if (find_folder(folder, sizeof folder, place, false, key, length))
            count += clear(AT_FDCWD, folder, false);
    }
    return count;
}

static void sweep(size_t place)
{
    char home[64], space[SPACE_BYTES];
    DIR *list = find_home(home, sizeof home, place, false) ? opendir(home) : NULL;
    if (!list)
        return;
    find_space(space, sizeof space);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        if (strncmp(entry->d_name, space, strlen(space)) == 0)
            clear(dirfd(list), entry->d_name, true);
    }
    closedir(list);
}

void ticket_sweep(void)
{
    for (size_t place = 0; place < PLACES; place++)
        sweep(place);
}
