/* posix.c: the platform layer on Linux, over futexes (and pthread.c).
 *
 * SPDX-License-Identifier: MIT
 *
 * This is where the core runs under the sanitizers. */
#define _GNU_SOURCE
#include "../platform.h"

#include "../coworker.h"

#include <inttypes.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_SECOND = 1000000000 };

bool cw__thread_may_block(void) { return true; }

uint32_t cw__processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 1 ? (uint32_t)count : 1;
}

void cw__thread_pause(void) { sched_yield(); }

uintptr_t cw__thread_id(void) { return (uintptr_t)syscall(SYS_gettid); }

/* What the system knows of a thread: its state, and the processor time that it
 * has used, in nanoseconds. False: nothing. */
static bool look_at_thread(uintptr_t id, char *state, uint64_t *used_ns)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/self/task/%zu/stat", (size_t)id);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    const char *name_end = strrchr(text, ')'); /* it may contain anything */
    if (!name_end || name_end[1] != ' ') return false;
    *state = name_end[2];
    snprintf(path, sizeof path, "/proc/self/task/%zu/schedstat", (size_t)id);
    file = fopen(path, "r");
    if (!file) return false;
    bool read = fscanf(file, "%" SCNu64, used_ns) == 1;
    fclose(file);
    return read;
}

bool cw__thread_goes_on(uintptr_t id, uint64_t *progress)
{
    /* Many times more than what lies between two stores. */
    const uint64_t enough_ns = 100 * 1000;
    char state = 0;
    uint64_t used_ns = 0, before_ns = *progress;
    if (!look_at_thread(id, &state, &used_ns)) return false;
    if (before_ns == 0) {
        *progress = used_ns + 1;
        return false;
    }
    return state == 'S' || used_ns - (before_ns - 1) >= enough_ns;
}

void cw__futex_wait(_Atomic uint32_t *word, uint32_t expected,
                    int64_t timeout_ns)
{
    struct timespec timeout;
    if (timeout_ns >= 0) {
        timeout.tv_sec = (time_t)(timeout_ns / NS_PER_SECOND);
        timeout.tv_nsec = (long)(timeout_ns % NS_PER_SECOND);
    }
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected,
            timeout_ns >= 0 ? &timeout : NULL, NULL, 0);
}

void cw__futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

int64_t cw__now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

void *cw__system_alloc(size_t bytes) { return malloc(bytes); }

void cw__system_free(void *memory) { free(memory); }

void cw__log_line(const char *line) { fprintf(stderr, "%s\n", line); }
