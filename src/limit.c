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
    cw_job_release(limit->job);
    cw__free(limit, sizeof *limit);
}

cw__limit *cw__limit_new(cw_context *keeper, unsigned which, cw_error *error)
{
    cw__limit *limit = cw__alloc(sizeof *limit);
    if (!limit) return NULL;
    *limit = (cw__limit){
        .keeper = keeper, .which = which, .error = cw_error_retain(error)};
    atomic_init(&limit->refs, 1);
    limit->waiter.kind = CW__WAITER_LIMIT;
    limit->waiter.owner.pointer = limit;
    limit->waiter.armed = CW__ARMED_TIMER;
    return limit;
}

void cw__limit_free(cw__limit *limit)
{
    if (limit) drop(limit);
}

int cw__limit_arm(cw__limit *limit, cw_job *job, int64_t ms)
{
    cw__limit **place = &job->extra->limits[limit->which];
    cw_context *keeper = limit->keeper;
    limit->job = cw_job_retain(job);
    limit->at_ns = cw__context_deadline(keeper, ms);
    /* First the job, then the clock: a job that has ended takes no limit. */
    uint32_t state = cw__job_lock(job);
    bool ended = (state & CW__JOB_SEALED) != 0;
    if (!ended) *place = limit;
    cw__job_unlock(job, state);
    if (ended) {
        drop(limit);
        return CW_OK;
    }
    int added = cw__timer_add(&keeper->timers, &limit->waiter, limit->at_ns);
    if (added >= 0) return added;
    /* Unless the job has ended, which takes the limit off. */
    state = cw__job_lock(job);
    bool mine = *place == limit;
    if (mine) *place = NULL;
    cw__job_unlock(job, state);
    if (mine) drop(limit);
    return added;
}

int cw__limit_set(cw_context *keeper, cw_job *job, int64_t ms, cw_error *error)
{
    cw__limit *limit =
        cw__job_extra(job) ? cw__limit_new(keeper, CW__TIMEOUT, error) : NULL;
    return limit ? cw__limit_arm(limit, job, ms) : CW_ENOMEM;
}

static void clear(cw__limit *limit)
{
    cw__timer_remove(&limit->keeper->timers, &limit->waiter);
    drop(limit);
}

void cw__limits_clear(cw__limit *const *limits)
{
    for (unsigned which = 0; which < CW__LIMITS; which++)
        if (limits[which]) clear(limits[which]);
}

/* The first of a job's limits to run out is the one that counts. */
static bool comes_first(const cw__limit *limit)
{
    cw_job *job = limit->job;
    cw__limit **limits = job->extra->limits;
    uint32_t state = cw__job_lock(job);
    bool first = limits[limit->which] == limit;
    cw__limit *other = first ? limits[!limit->which] : NULL;
    if (other) limits[!limit->which] = NULL;
    cw__job_unlock(job, state);
    if (other) clear(other);
    return first;
}

void cw__limits_expire(cw__limit *first)
{
    while (first) {
        cw__limit *limit = first;
        first = limit->next;
        if (comes_first(limit)) cw_cancel(limit->job, limit->error);
        drop(limit);
    }
}
