/*
 * measure.c - runs a command on one processor and prints what it took.
 *   measure PROCESSOR COMMAND ARGUMENT…
 * The last line printed: wall time and processor time (user and system; with the command's own children, all threads)
 * in microseconds, peak memory in KiB, exit status. A negative PROCESSOR: any.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double microseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int status, processor = argc > 2 ? atoi(argv[1]) : -1;
    if (argc < 3)
        return 2;
    double began = now();
    pid_t pid = fork();
    if (pid == 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        if (processor >= 0) {
            CPU_SET((size_t)processor, &set);
            sched_setaffinity(0, sizeof set, &set);
        }
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
        return 2;
    printf("\n%.0f %.0f %ld %d\n", now() - began, microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
           usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
