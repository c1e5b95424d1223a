/* measure.h: clocks, medians and rows of figures.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it first.
 */
#ifndef MEASURE_H
#define MEASURE_H

#define _GNU_SOURCE
#include "coworker.h"
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __EMSCRIPTEN__
#    include <emscripten.h>
#endif

enum { MILLION = 1000 * 1000, REPETITIONS = 7 };

static double now_ns(void) { return (double)cw__now_ns(); }

/* Processor time of all threads. */
static double cpu_ns(void)
{
#ifdef __EMSCRIPTEN__
    return 1e3 * emscripten_run_script_int(
                     "process.cpuUsage().user + process.cpuUsage().system");
#else
    return 1e9 * (double)clock() / CLOCKS_PER_SEC;
#endif
}

static const char *wanted = "";

static bool is_wanted(const char *name) { return strstr(name, wanted) != NULL; }

static void row(const char *name, const char *unit, double value)
{
    printf("{\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.4g}\n", name,
           unit, value);
    fflush(stdout);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *samples, int count)
{
    qsort(samples, (size_t)count, sizeof *samples, ascending);
    return samples[count / 2];
}

/* Repeats a row's coroutine and prints the median of what it returns. */
#define REPEAT(label, unit, scale, times, context, NAME, ...)                  \
    if (is_wanted(label)) {                                                    \
        for (self->i = 0; self->i < (times); self->i++) {                      \
            self->job = cw_async(context, NAME, __VA_ARGS__);                  \
            CW_AWAIT(self, NAME, self->job, &self->samples[self->i]);          \
            cw_job_release(self->job);                                         \
        }                                                                      \
        row(label, unit, median(self->samples, times) * (scale));              \
    }

#endif /* MEASURE_H */
