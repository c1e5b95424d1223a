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
    cw_error *error;        /* the cause to cancel with */
    _Atomic uint32_t fired; /* 1: taken by the clock, 2: taken by the end */
};

/* Cancels `job` with `error` (the limit takes its own reference) when `ms`
 * milliseconds are over, unless it ends before. The timer lives in `keeper`,
 * whose workers have to be free to notice. CW_OK or CW_ENOMEM. */
int cw__limit_set(cw_context *keeper, cw_job *job, int64_t ms, cw_error *error);

/* The job has ended: takes the limit off. */
void cw__limit_clear(cw__limit *limit);

/* The clock took these off the heap: cancels their jobs. */
void cw__limits_expire(cw__limit *first);

#endif /* CW_LIMIT_H */
