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
    cw_job *job;       /* to cancel; keeps a reference */
    cw_context *keeper;
    cw__limit *next;
    cw_error *error;       /* the cause to cancel with */
    _Atomic uint32_t refs; /* the job's, until its end, and the clock's */
};

/* Cancels `job` with `error` (the limit takes its own reference) when `ms`
 * milliseconds are over, unless it ends before. The timer lives in `keeper`,
 * whose workers have to be free to notice. Before the job is launched: it must
 * not end meanwhile. Returns what cw__timer_add() does; an error: there is no
 * limit. */
int cw__limit_set(cw_context *keeper, cw_job *job, int64_t ms, cw_error *error);

/* The job has ended: takes the limit off. */
void cw__limit_clear(cw__limit *limit);

/* The clock takes it off the heap, under the heap's lock. */
static inline void cw__limit_take(cw__limit *limit)
{
    cw_add_relaxed(&limit->refs, 1); /* the job's end needs the lock, too */
}

/* The clock took these off the heap: cancels their jobs. */
void cw__limits_expire(cw__limit *first);

#endif /* CW_LIMIT_H */
