/* cut_off.c: the end of jobs of a context that is lost.
 *
 * SPDX-License-Identifier: MIT
 *
 * A thread may have died between any two steps of a job's end: it is sealed, so
 * nobody else ends it, but those above still have it on their list. Here each
 * of the steps is taken that has not been.
 */
#include "cut_off.h"

#include "clock.h"
#include "context.h"
#include "coroutine.h"
#include "error.h"
#include "lock.h"
#include "tree.h"

/* Locks are held for a few instructions; by a thread that was preempted then,
 * for some time slices of others. */
static const int64_t at_most_ns = 100 * 1000 * 1000;

/* False: its holder is dead. */
static bool is_free(cw_job *job)
{
    int64_t until = cw__now_ns() + at_most_ns;
    /* relaxed: only a hint, who locks it looks again */
    for (unsigned spins = 0; cw_load_relaxed(&job->state) & CW__JOB_LOCKED;) {
        if (cw__now_ns() > until) return false;
        cw__spin(&spins);
    }
    return true;
}

/* It is not freed any more: a thread may touch it. */
static void leak(cw_job *job)
{
    cw_job_retain(job);
    size_t bytes = sizeof *job;
    if (!(job->flags & CW__JOB_FRAMELESS))
        bytes += cw__job_type(job)->frame_size;
    if (job->context) /* relaxed: a count */
        cw_add_relaxed(&job->context->home->leaked, bytes);
}

static void end(cw__worker *self, cw_job *job, cw_error *error)
{
    uint32_t state = cw__job_lock(job);
    if (!(state & CW__JOB_FINAL)) {
        leak(job);
        if (!job->error) job->error = cw_error_retain(error);
        state |= CW__JOB_CANCELLING | CW__JOB_BODY_DONE | CW__JOB_SEALED |
                 CW__JOB_FINAL;
    }
    cw__job_unlock_cancelling(job, state);
    if (state & CW__JOB_WAITERS) cw__fire_waiters(self, job);
}

void cw__job_cut_off(cw__worker *self, cw_job *job, cw_error *error)
{
    if (!is_free(job)) {
        leak(job);
        return;
    }
    end(self, job, error);
    cw_job *parent = job->parent;
    if (!parent || !is_free(parent)) return;
    if (!cw__error_is_cancel(job->error))
        cw__tell_failure(self, cw__told_of_failure(job), job->error);
    cw__job_leave(self, parent, job);
}
