/* Starts a program again and again and prints what each start took: wall time and processor time in
   nanoseconds, and the peak of its resident memory in KiB.

   A small static program does this, because what a child takes depends on who starts it: copying
   the address space of a large parent is part of the time, and a peak that the system reports with
   the exit status starts at the parent's. So the peak is read at the child's end, by tracing a start
   of its own. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void start(char **command, int traced) {
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    if (traced) ptrace(PTRACE_TRACEME, 0, 0, 0);
    execv(command[0], command);
    _exit(127);
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* The peak of a program's resident memory, read from the kernel when it is about to end. */
static long read_peak_kib(char **command) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) start(command, 1);
    long peak = -1;
    int status, first = 1;
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        int deliver = WSTOPSIG(status);
        if (first) {
            ptrace(PTRACE_SETOPTIONS, child, 0, (void *)PTRACE_O_TRACEEXIT);
            first = deliver = 0;
        } else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
            char path[64], line[256];
            snprintf(path, sizeof path, "/proc/%d/status", child);
            FILE *file = fopen(path, "r");
            while (file && fgets(line, sizeof line, file)) sscanf(line, "VmHWM: %ld kB", &peak);
            if (file) fclose(file);
            /* That counter lags behind by some pages for each processor; this one is exact. */
            long now_kib = -1;
            snprintf(path, sizeof path, "/proc/%d/smaps_rollup", child);
            file = fopen(path, "r");
            while (file && fgets(line, sizeof line, file)) sscanf(line, "Rss: %ld kB", &now_kib);
            if (file) fclose(file);
            if (now_kib > peak) peak = now_kib;
            deliver = 0;
        }
        ptrace(PTRACE_CONT, child, 0, (void *)(intptr_t)deliver);
    }
    return peak;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    for (int rounds = atoi(argv[1]); rounds > 0; rounds--) {
        struct rusage usage;
        int status;
        uint64_t begin = now();
        pid_t child = vfork();
        if (child < 0) fail("vfork");
        if (child == 0) start(argv + 2, 0);
        if (wait4(child, &status, 0, &usage) != child) fail("wait4");
        uint64_t wall = now() - begin;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "%s ended with status %d\n", argv[2], status);
            return 1;
        }
        uint64_t cpu = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
                       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
        printf("%llu %llu %ld\n", (unsigned long long)wall, (unsigned long long)cpu,
               read_peak_kib(argv + 2));
    }
    return 0;
}
