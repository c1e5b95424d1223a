/* clock.h: what a context asks whoever stands in for the platform's clock.
 *
 * SPDX-License-Identifier: MIT
 *
 * A context with a clock of its own has one worker and no thread: what becomes
 * ready in it is an event of the clock's owner, who gets it by the context's
 * route, decides when to run it, and which time it is then. The core knows only
 * these calls, so a program that makes no such context links nothing of
 * virtual.c.
 */
#ifndef CW_CLOCK_H
#define CW_CLOCK_H

#include "atomic.h"
#include "job.h"

struct cw__worker;
typedef struct cw__clock cw__clock;

struct cw__clock_calls {
    /* Runs a job up to where it first waits, inside of what the thread does.
     * False if this thread does not run the clock's jobs. */
    bool (*run_inside)(cw__clock *clock, cw_job *job);
    /* A job is about to be launched on `*context`, which may be changed to
     * another one of the clock's. Returns an error code if it must not be; else
     * CW_OK, and in `*parent` (NULL before) whose child it becomes if that is
     * not the job that launches it. */
    int (*launch)(cw__clock *clock, struct cw__worker *self,
                  cw_context **context, cw_job **parent);
    /* A job has failed and nobody takes it. False: the clock neither. */
    bool (*unhandled)(cw__clock *clock, cw_error *error);
    /* Something has changed that its owner may be waiting for. */
    void (*wake)(cw__clock *clock);
    /* One context less. */
    void (*drop)(cw__clock *clock);
};

struct cw__clock {
    const struct cw__clock_calls *calls;
    _Atomic int64_t now_ns; /* written by the thread that drives it */
    uint32_t order;         /* registrations of all its contexts' timers */
};

#define CW__NS_PER_MS 1000000
/* The last moment that such a clock can come to, a whole millisecond. */
#define CW__LAST_MOMENT (INT64_MAX / CW__NS_PER_MS * CW__NS_PER_MS)

#endif /* CW_CLOCK_H */
