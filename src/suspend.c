/* suspend.c: what a body can wait for: time and the ends of jobs.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each kind of wait comes in two parts: one that registers the body, and says
 * CW__PENDING if it has to be suspended, and one for when it goes on. See
 * coroutine.c for what is between them.
 */
#include "suspend.h"

#include "alloc.h"
#include "check.h"
#include "context.h"
#include "coroutine.h"
#include "frame.h"
#include "kill_gate.h"

bool cw__begin_wait(cw_job *job, enum cw__wait_mode mode)
{
    job->wait_mode = (uint8_t)mode;
    job->waiter.kind = CW__WAITER_TASK;
    /* seq_cst, and before the look at CANCELLING: see coroutine.c. A word that
     * is 0 already may stay: a canceller that comes later kicks, and that is
     * seen when the body commits itself to be parked. */
    if (cw_load_relaxed(&job->park) != 0) cw_store_seq_cst(&job->park, 0);
    return mode == CW__WAIT_PROMPT && cw__job_cancelling(job->scope);
}

int cw__wait_for_job(cw_job *job, cw_job *target, enum cw__wait_mode mode)
{
    if (cw__begin_wait(job, mode)) return CW__DONE;
    job->waiter.early = 0;
    if (cw__job_wait(target, &job->waiter) == CW__DONE) return CW__DONE;
    job->armed = CW__ARMED_JOB;
    return CW__PENDING;
}

/* Of a body that is armed. */
static void disarm(cw_job *job)
{
    enum cw__armed armed = job->armed;
    job->armed = CW__UNARMED;
    if (armed == CW__ARMED_GROUP) {
        cw__group *group = job->waiter.owner.pointer;
        for (size_t i = 0; i < group->count; i++)
            if (group->waiters[i].armed) cw__job_unwait(&group->waiters[i]);
        cw__free(group,
                 sizeof *group + group->count * sizeof group->waiters[0]);
        return;
    }
    /* acquire: pairs with cw__task_resume; a waiter that fired is off its list
     * and its target may be gone */
    if (cw_load_acquire(&job->park) & CW__RESUME) return;
    if (armed == CW__ARMED_JOB) {
        cw__job_unwait(&job->waiter);
    } else {
        cw__timer_remove(&cw__timekeeper(job->context)->timers, &job->waiter);
    }
}

void cw__end_wait(cw_job *job)
{
    if (job->armed != CW__UNARMED) disarm(job);
}

bool cw__raise_if_cancelled(cw_frame *frame)
{
    cw_job *job = frame->job;
    cw__end_wait(job);
    if (cw__raised(frame)) return true;
    if (!cw__job_cancelling(job->scope)) return false;
    cw__set_error(frame, cw__job_cancellation(job->scope));
    return true;
}

int cw__resumed(cw_frame *frame)
{
    cw_job *job = frame->job;
    cw__end_wait(job);
    if (job->wait_mode == CW__WAIT_VALUE) {
        job->wait_mode = CW__WAIT_PROMPT;
        return cw__raised(frame);
    }
    return cw__raise_if_cancelled(frame);
}

/* Apart, for those who have only to look. */
__attribute__((noinline)) static int raise_here(cw_frame *frame)
{
    CW__RUNTIME;
    return cw__raise_if_cancelled(frame);
}

int cw__ensure_active(cw_frame *frame)
{
    const cw_job *job = frame->job;
    if (cw_likely(cw__may_look() && job->armed == CW__UNARMED &&
                  !cw__raised(frame) && !cw__job_cancelling(job->scope)))
        return 0;
    return raise_here(frame);
}

int cw__delay(cw_frame *frame, int64_t ms)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    if (ms <= 0) {
        job->wait_mode = CW__WAIT_VALUE;
        return CW__DONE;
    }
    if (cw__begin_wait(job, CW__WAIT_PROMPT)) return CW__DONE;
    cw_context *keeper = cw__timekeeper(job->context);
    job->waiter.early = 0;
    job->armed = CW__ARMED_TIMER;
    int added = keeper ? cw__timer_add(&keeper->timers, &job->waiter,
                                       cw__context_deadline(keeper, ms))
                       : cw_last_error();
    if (added < 0) {
        job->armed = CW__UNARMED;
        cw__set_error(frame, cw_error_new(added, NULL, NULL));
        return CW__DONE;
    }
    cw__context_timer_added(cw__self, keeper, added == 1);
    /* seq_cst: a close that did not see the timer is seen here */
    if (cw_unlikely(cw_load_seq_cst(&job->context->home->closed)))
        cw__cancel_closed(job);
    return CW__PENDING;
}

int cw__delayed(cw_frame *frame)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    bool waited = job->armed == CW__ARMED_TIMER;
    cw__end_wait(job);
    /* Whom a close finds about to suspend, it has nothing to dispatch of: the
     * body goes on by itself. */
    if (waited && cw_unlikely(job->waiter.early)) cw__cancel_closed(job);
    return cw__resumed(frame);
}

int cw__join(cw_frame *frame, cw_job *target)
{
    CW__RUNTIME;
    CW__CHECK_AS(JOB, target, "CW_JOIN", "job");
    return cw__wait_for_job(frame->job, target, CW__WAIT_PROMPT);
}

int cw__joined(cw_frame *frame)
{
    CW__RUNTIME;
    return cw__raise_if_cancelled(frame);
}

int cw__cancel_and_join(cw_frame *frame, cw_job *target)
{
    CW__RUNTIME;
    CW__CHECK_AS(JOB, target, "CW_CANCEL_AND_JOIN", "job");
    cw_cancel(target, NULL);
    return cw__join(frame, target);
}

/* Called once more after each wait: then it goes on with the next job. */
int cw__join_all(cw_frame *frame, cw_job *const *jobs, size_t count)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    if (!job->armed) {
        job->waiter.owner.index = 0;
        for (size_t i = 0; i < count; i++)
            CW__CHECK_AS(JOB, jobs[i], "CW_JOIN_ALL", "jobs[]");
    }
    cw__end_wait(job);
    for (;;) {
        size_t i = job->waiter.owner.index;
        if (i == count || cw__job_cancelling(job->scope)) return CW__DONE;
        job->waiter.owner.index = i + 1;
        if (cw__wait_for_job(job, jobs[i], CW__WAIT_PROMPT) == CW__PENDING)
            return CW__PENDING;
    }
}
