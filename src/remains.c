/* remains.c: what is left in a closed context whose threads are all gone.
 *
 * SPDX-License-Identifier: MIT
 *
 * What was queued on a lost worker stays queued for the others. When there are
 * no others, and never will be, somebody has to tell those who wait for it.
 */
#include "remains.h"

#include "error.h"
#include "in_place.h"
#include "kill_gate.h"
#include "lost.h"
#include "party.h"
#include "scope.h"
#include "suspend.h"
#include "view.h"
#include "withdraw.h"

static cw_job *take_from_worker(cw__worker *worker)
{
    cw_job *job = cw__worker_take_handed(worker);
    if (!job) job = cw__line_take(&worker->pinned);
    if (!job) (void)cw__ring_take(&worker->ring, 1, &job);
    return job;
}

static cw_job *take_any(cw_context *context)
{
    cw_job *job = NULL;
    (void)cw__context_take(context, &job, 1);
    if (!job) job = cw__aside_take(&context->aside, CW__HIGH);
    if (!job) job = cw__aside_take(&context->aside, CW__LOW);
    for (uint32_t i = 0; !job && i < context->count; i++)
        job = take_from_worker(&context->workers[i]);
    return job;
}

bool cw__end_wait_of(cw_job *job)
{
    cw_frame *frame = job->top;
    if (!cw__scope_forget(job)) return false;
    int which;
    switch (job->armed) {
    case CW__ARMED_SEND:
        (void)cw__sent(frame);
        break;
    case CW__ARMED_RECEIVE:
        (void)cw__received(frame);
        break;
    case CW__ARMED_CLOSE:
        (void)cw__awaited_close(frame);
        break;
    case CW__ARMED_ENTER:
        (void)cw__entered(frame);
        break;
    case CW__ARMED_SELECT: {
        cw__select *select = job->waiter.owner.pointer;
        (void)cw__select_end(frame, select->clauses, &which);
        break;
    }
    case CW__ARMED_CALL: /* unless it has a value for the body */
        if (!cw__job_cancelling(job->scope)) return false;
        (void)cw__suspended(frame, NULL);
        break;
    case CW__ARMED_MOVE:
        return false;
    default:
        cw__end_wait(job);
    }
    return true;
}

/* Ends a cancelled job; if its body has begun, as lost with that worker, or if
 * there is none, with the one that ran it last. */
static void end(cw__worker *self, cw_job *job, const cw__worker *worker,
                const cw__loss *loss)
{
    if (job->last == 0 || job->flags & CW__JOB_FOREIGN) {
        cw__job_finish(self, job, cw__job_cancellation(job));
        return;
    }
    if (job->flags & CW__JOB_LEAF) { /* our own code, and soon over */
        cw__in_place_step(self, job);
        return;
    }
    if (!cw__end_wait_of(job)) return; /* never to be freed */
    const cw_context *home = job->context->home;
    uint32_t last = cw__job_last_worker(job);
    if (!worker) worker = &home->workers[last < home->count ? last : 0];
    job->armed = CW__UNARMED;
    cw_error *error = cw__loss_error(worker->name, job, loss);
    cw__end_step(self, NULL, job, error);
    cw_error_release(error);
}

uint32_t cw__context_end_remains(cw_context *context)
{
    CW__RUNTIME;
    static const cw__loss loss = {"was killed, the last one of its context,",
                                  NULL};
    uint32_t ended = 0;
    cw__context_hold(context);
    for (cw_job *job; (job = take_any(context)) != NULL; ended++) {
        cw_context *place = job->context;
        cw__context_hold(place);
        if (cw__job_take(cw__self, job)) {
            cw__cancel_closed(job);
            end(cw__self, job, NULL, &loss);
        }
        cw__view_place_back(cw__self, place);
        cw__context_drop(place);
    }
    cw__context_drop(context);
    return ended;
}

static void end_pinned(cw__worker *worker, cw_job *job)
{
    static const cw__loss loss = {"was lost, and got no other thread,", NULL};
    if (!cw__job_take(cw__self, job)) return;
    if (!cw__job_cancelling(job)) {
        cw_error *error = cw__loss_of_scope(worker, &loss);
        cw_cancel(job, error);
        cw_error_release(error);
    }
    end(cw__self, job, worker, &loss);
}

void cw__worker_end_pinned(cw__worker *worker)
{
    CW__RUNTIME;
    cw__context_hold(worker->context);
    cw_context *context = worker->context;
    uintptr_t chain = cw__inbox_take(&worker->inbox);
    while (chain) {
        cw_job *job = (cw_job *)(chain & ~(uintptr_t)CW__INBOX_MARK);
        chain = cw__inbox_next(chain);
        end_pinned(worker, job);
    }
    cw__context_drop(context);
}

void cw__worker_nobody(cw__worker *worker)
{
    cw_job *job;
    /* seq_cst: comes before the look at the inbox. Who pushes later sees it. */
    cw_store_seq_cst(&worker->deaf, 1);
    while ((job = cw__line_take(&worker->pinned)) != NULL)
        end_pinned(worker, job);
    cw__worker_end_pinned(worker);
}
