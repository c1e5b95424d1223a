/* posix.c: the platform layer on Linux, over futexes (and pthread.c).
 *
 * SPDX-License-Identifier: MIT
 *
 * This is where the core runs under the sanitizers. */
#define _GNU_SOURCE
#include "../platform.h"

#include "../coworker.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
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
