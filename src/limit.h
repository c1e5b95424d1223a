/* limit.h: time limits that cancel a job.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_LIMIT_H
#define CW_LIMIT_H

#include "job.h"
#include "timer.h"

struct cw__limit {
    cw__waiter waiter; /* in the timers of `keeper` */
    cw_job *job;       /* to cancel; keeps a reference once it is set */
    cw_context *keeper;
    cw__limit *next;
    cw_error *error;       /* the cause to cancel with */
    int64_t at_ns;         /* when, on the keeper's clock, once it is set */
    unsigned which;        /* CW__TIMEOUT or CW__DEADLINE */
    _Atomic uint32_t refs; /* the job's, until its end, and the clock's */
};

/* Makes a limit that cancels a job with `error` (the limit takes its own
 * reference). The timer will live in `keeper`, whose workers have to be free to
 * notice. NULL without memory. */
cw__limit *cw__limit_new(cw_context *keeper, unsigned which, cw_error *error);
/* Gives up one that was not set. NULL is allowed. */
void cw__limit_free(cw__limit *limit);

/* Takes it over, so that `job`, which has an `extra`, is cancelled when `ms`
 * milliseconds are over, unless it ends before. Before the job is launched, or
 * by who runs it. Returns what cw__timer_add() does; an error: there is no
 * limit. */
int cw__limit_arm(cw__limit *limit, cw_job *job, int64_t ms);
/* Both for a CW__TIMEOUT, with an `extra` if need be. */
int cw__limit_set(cw_context *keeper, cw_job *job, int64_t ms, cw_error *error);

/* The job has ended: takes the limits off that are not NULL. */
void cw__limits_clear(cw__limit *const *limits);

/* The clock takes it off the heap, under the heap's lock. */
static inline void cw__limit_take(cw__limit *limit)
{
    cw_add_relaxed(&limit->refs, 1); /* the job's end needs the lock, too */
}

/* The clock took these off the heap: cancels their jobs. */
void cw__limits_expire(cw__limit *first);

#endif /* CW_LIMIT_H */
