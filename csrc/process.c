/*
 * process.c - a program that prints a secret.
 */
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "descriptor.h"

#define OUTPUT_MAX_BYTES 65536
#define REAP_PAUSE_SECONDS 0.005
#define ASK_SECONDS 0.25
#define END_SECONDS 0.5

extern char **environ;

/* In a process group of its own, so that its children can be ended with it; with no signal blocked or ignored that we
 * may have. Returns errno. */
static int spawn(pid_t *pid, char *const argv[], int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        posix_spawnattr_setflags(&attributes,
                                 POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        if (error == 0)
            error = posix_spawn_file_actions_adddup2(&actions, output, 1);
        if (error == 0)
            error = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        if (error == 0)
            error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* What ends the wait for a program. */
struct patience {
    double until;                   /* of clock_now */
    process_stop *must_stop;
    void *context;
};

/* PROCESS_DONE if the wait may go on. */
static enum process_result ask(const struct patience *patience)
{
    if (patience->must_stop(patience->context))
        return PROCESS_STOPPED;
    return clock_now() < patience->until ? PROCESS_DONE : PROCESS_TOO_SLOW;
}

static enum process_result read_output(int fd, const struct patience *patience, struct text *output)
{
    char buffer[1024];
    ssize_t got = -1;
    enum process_result result = PROCESS_DONE;
    while (got != 0 && (result = ask(patience)) == PROCESS_DONE) {
        struct pollfd ready = { fd, POLLIN, 0 };
        double left = patience->until - clock_now();
        if (poll(&ready, 1, clock_milliseconds(left < ASK_SECONDS ? left : ASK_SECONDS)) <= 0)
            continue;
        got = read(fd, buffer, sizeof buffer);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            got = 0;
        if (got > 0 && !text_add(output, buffer, (size_t)got, OUTPUT_MAX_BYTES)) {
            result = PROCESS_TOO_LONG;
            break;
        }
    }
    wipe(buffer, sizeof buffer);
    return result;
}

/* Ends it and its children. Returns until when its end is waited for: one of another user's, sudo say, we may not end. */
static double end(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);             /* it may have left its group */
    return clock_now() + END_SECONDS;
}

/* Waits for its end. A host that reaps all children itself, as nginx does, takes the status from us: then what it printed
 * has to speak for it. */
static enum process_result reap(pid_t pid, const struct patience *patience, enum process_result result)
{
    int status = 0;
    pid_t reaped;
    double until = result == PROCESS_DONE ? 0 : end(pid);
    while ((reaped = waitpid(pid, &status, WNOHANG)) != pid) {
        if (reaped < 0 && errno != EINTR)
            return result;
        if (result != PROCESS_DONE && clock_now() >= until)
            return result;
        if (result == PROCESS_DONE && (result = ask(patience)) != PROCESS_DONE)
            until = end(pid);
        clock_sleep(REAP_PAUSE_SECONDS);
    }
    if (result == PROCESS_DONE && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return PROCESS_FAILED;
    return result;
}

enum process_result process_run(char *const argv[], double seconds, struct text *output, process_stop *must_stop,
                                void *context)
{
    struct patience patience = { clock_now() + seconds, must_stop, context };
    int ends[2];
    pid_t pid;
    if (!descriptor_pipe(ends))
        return PROCESS_NOT_STARTED;
    int error = spawn(&pid, argv, ends[1]);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        errno = error;
        return PROCESS_NOT_STARTED;
    }
    enum process_result result = read_output(ends[0], &patience, output);
    close(ends[0]);
    return reap(pid, &patience, result);
}
