/* limit.c: time limits that cancel a job.
 *
 * SPDX-License-Identifier: MIT
 *
 * The clock and the job's end race for a limit. Both hold a reference: the job
 * from the start, the clock from when it takes the limit off the heap. The
 * job's end takes it off, too, so one of them finds it gone.
 */
#include "limit.h"

#include "alloc.h"
#include "context.h"

static void drop(cw__limit *limit)
{
    /* acq_rel: whoever frees it has seen the other's last use */
    if (cw_sub_acq_rel(&limit->refs, 1) != 1) return;
    cw_error_release(limit->error);
    cw__job_drop(limit->job);
    cw__free(limit, sizeof *limit);
}

int cw__limit_set(cw_context *keeper, cw_job *job, int64_t ms, cw_error *error)
{
    cw__extra *extra = cw__job_extra(job);
    cw__limit *limit = extra ? cw__alloc(sizeof *limit) : NULL;
    if (!limit) return CW_ENOMEM;
    *limit = (cw__limit){.job = cw_job_retain(job),
                         .keeper = keeper,
                         .error = cw_error_retain(error)};
    atomic_init(&limit->refs, 1);
    limit->waiter.kind = CW__WAITER_LIMIT;
    limit->waiter.owner.pointer = limit;
    limit->waiter.armed = CW__ARMED_TIMER;

    /* First the job, then the clock: a job that has ended takes no limit. */
    uint32_t state = cw__job_lock(job);
    bool ended = (state & CW__JOB_SEALED) != 0;
    if (!ended) extra->limit = limit;
    cw__job_unlock(job, state);
    if (ended) {
        drop(limit);
        return CW_OK;
    }
    int added = cw__timer_add(&keeper->timers, &limit->waiter,
                              cw__context_deadline(keeper, ms));
    if (added >= 0) return added;
    /* Unless the job has ended, which takes the limit off. */
    state = cw__job_lock(job);
    ended = (state & CW__JOB_SEALED) != 0;
    if (!ended) extra->limit = NULL;
    cw__job_unlock(job, state);
    if (!ended) drop(limit);
    return added;
}

void cw__limit_clear(cw__limit *limit)
{
    cw__timer_remove(&limit->keeper->timers, &limit->waiter);
    drop(limit);
}

void cw__limits_expire(cw__limit *first)
{
    while (first) {
        cw__limit *limit = first;
        first = limit->next;
        cw_cancel(limit->job, limit->error);
        drop(limit);
    }
}
