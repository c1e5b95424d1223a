/* due.c: delays and time limits that are over.
 *
 * SPDX-License-Identifier: MIT
 *
 * Whichever worker of a context looks at the clock makes ready what is due.
 */
#include "context.h"
#include "limit.h"
#include "sleep.h"
#include "worker.h"

enum { TIMERS_PER_TURN = 64 };

/* A delay is over: the job goes on where it was before, if that worker has
 * nothing else to do; the worker that found out counts as such. */
static void resume_on_time(cw__worker *self, cw_job *job)
{
    cw_context *context = job->context;
    if (cw_unlikely(context != self->context)) { /* it has no clock */
        cw__context_hold(context);
        cw__dispatch(self, job, CW__SPAWNED);
        cw__context_drop(context);
        return;
    }
    if (cw_unlikely(job->flags & CW__JOB_PINNED)) {
        cw__dispatch(self, job, CW__RESUMED);
        return;
    }
    if (cw__hand_over(self, job)) return;
    if ((job->last & CW__LAST) == self->mark && self->context->count > 1 &&
        !cw_load_relaxed(&self->handed))
        /* seq_cst, as in give(): others hand over only to a free worker, but
         * one may be late with it */
        job = cw_swap_seq_cst(&self->handed, job);
    if (job) cw__dispatch(self, job, CW__SPAWNED);
}

void cw__worker_fire_timers(cw__worker *self)
{
    cw_context *context = self->context;
    if (!cw__timers_any(&context->timers)) return;
    int64_t now = cw__now_ns();
    for (;;) {
        cw__woken woken;
        cw__limit *limits;
        uint32_t fired = cw__timers_due(&context->timers, now, TIMERS_PER_TURN,
                                        &woken, &limits);
        if (!fired) return;
        cw__count(&self->timers_fired, fired);
        while (woken.tasks) {
            cw_job *job = woken.tasks;
            woken.tasks = job->next;
            cw__cancel_if_closed(job);
            resume_on_time(self, job);
        }
        cw__dispatch_woken(self, &woken);
        cw__limits_expire(limits);
        if (fired < TIMERS_PER_TURN) return;
    }
}
