/* coroutine.c: running bodies, suspending and waking them.
 *
 * SPDX-License-Identifier: MIT
 *
 * A body is run by one worker at a time. Its `park` word decides who may run
 * it next:
 *
 *   0        awake: queued, running, or about to suspend
 *   PARKED   suspended; whoever clears this bit has to dispatch the job
 *   RESUME   what it waits for has happened
 *   KICK     its scope was cancelled (or something looked like it)
 *
 * To suspend, a body sets the word to 0, registers with what it waits for, and
 * returns to its worker, which then tries 0 -> PARKED. A resume or kick that
 * comes before that step makes it fail, and the body goes on at once: nothing
 * is dispatched before the suspending function has returned. A kick may be
 * spurious; then the worker parks the body again.
 *
 * Cancelling sets the job's CANCELLING bit and then kicks (job.c); a body sets
 * its word to 0 and then looks at CANCELLING. Both pairs are sequentially
 * consistent, so at least one of them sees the other.
 */
#include "coroutine.h"

#include "alloc.h"
#include "base.h"
#include "context.h"
#include "error.h"
#include "frame.h"
#include "host.h"
#include "suspend.h"

#include <string.h>

/* ---- waking */

bool cw__task_resume(cw_job *job)
{
    uint8_t park = cw_load_relaxed(&job->park);
    uint8_t next;
    do {
        next = (park | CW__RESUME) & (uint8_t)~CW__PARKED;
        /* release: what happened before is seen by the body when it goes on;
         * acquire: its frame, if we are to dispatch it */
    } while (!cw_cas_weak_acq_rel(&job->park, &park, next));
    return (park & CW__PARKED) != 0;
}

bool cw__task_kick(cw_job *job)
{
    uint8_t park = cw_load_relaxed(&job->park);
    uint8_t next;
    do {
        next = (park | CW__KICK) & (uint8_t)~CW__PARKED;
        /* seq_cst: comes after the CANCELLING bit, see above */
    } while (!cw_cas_weak_seq_cst(&job->park, &park, next));
    return (park & CW__PARKED) != 0;
}

static void note_task(cw__woken *woken, cw_job *task)
{
    if (!cw__task_resume(task)) return;
    task->next = NULL;
    *woken->tasks_end = task;
    woken->tasks_end = &task->next;
}

static void note_op(cw__woken *woken, cw__op *op, enum cw__fired how)
{
    uint32_t fresh = 0;
    /* acq_rel: the first of several registrations to fire wins */
    if (!cw_cas_acq_rel(&op->fired, &fresh, (uint32_t)how)) return;
    op->next = NULL;
    *woken->ops_end = op;
    woken->ops_end = &op->next;
}

void cw__waiter_fire(cw__waiter *waiter, cw__woken *woken)
{
    switch ((enum cw__waiter_kind)waiter->kind) {
    case CW__WAITER_TASK:
        note_task(woken, cw_container_of(waiter, cw_job, waiter));
        return;
    case CW__WAITER_GROUP: {
        cw__group *group = waiter->owner.pointer;
        cw_job *task = group->task; /* read before the count: then it may go */
        bool failed = waiter->target.job->error != NULL;
        size_t none = 0;
        /* acq_rel: pairs with first_failed(); only the first one counts */
        if (failed)
            (void)cw_cas_acq_rel(&group->first, &none,
                                 (size_t)(waiter - group->waiters) + 1);
        bool last = cw_sub_acq_rel(&group->open, 1) == 1;
        if (failed || last) note_task(woken, task);
        return;
    }
    case CW__WAITER_OP:
        note_op(woken, waiter->owner.pointer,
                waiter->early ? CW__FIRED_EARLY : CW__FIRED);
        return;
    case CW__WAITER_LIMIT: /* the clock takes these itself */
    case CW__WAITER_NONE:
        break;
    }
    cw__panic("a waiter of a kind that does not fire", __FILE__, __LINE__);
}

/* ---- calling */

int cw__call(cw_frame *frame, const cw_coroutine *type, int scoped,
             const void *arg)
{
    cw_job *job = frame->job;
    cw_frame *callee = NULL;
    frame->callee = NULL;
    if (scoped) {
        cw_job *scope = cw__job_new(job->context, type, CW__JOB_SCOPE, 1, 0);
        if (scope) {
            callee = scope->top;
            callee->job = job; /* see cw__job_task() */
            cw__job_attach_own(job->scope, scope);
            scope->scope = job->scope; /* the one around it */
            job->scope = scope;
        }
    } else {
        callee = cw__alloc(type->frame_size);
        if (callee) {
            cw__frame_init(callee, type);
            callee->job = job;
        }
    }
    if (!callee) {
        cw__set_error(frame, cw_error_new(CW_ENOMEM, NULL, NULL));
        return CW__DONE;
    }
    callee->caller = frame;
    memcpy((char *)callee + type->arg_offset, arg, type->arg_size);
    frame->callee = callee;
    job->top = callee;
    return CW__PENDING;
}

/* The scope whose body `frame` is; NULL if it is a plain call's or a job's. */
static cw_job *scope_of(cw_job *job, const cw_frame *frame)
{
    return job->scope != job && frame == cw__job_frame(job->scope) ? job->scope
                                                                   : NULL;
}

int cw__returned(cw_frame *frame, void *out)
{
    cw_job *job = frame->job;
    cw_frame *callee = frame->callee;
    if (!callee) return cw__raised(frame);
    frame->callee = NULL;
    cw__end_wait(job);
    const cw_coroutine *type = callee->type;
    cw_job *scope = scope_of(job, callee);
    /* The scope is final, so its error is fixed. */
    cw_error *error = scope ? cw_error_retain(scope->error) : callee->error;
    if (error) {
        cw__set_error(frame, error);
    } else {
        memcpy(out, (char *)callee + type->result_offset, type->result_size);
    }
    if (scope) {
        job->scope = scope->scope;
        job->wait_mode = CW__WAIT_PROMPT;
        cw__job_drop(scope);
        /* Cancelled after the scope's end: it has waited, so it raises. */
        return error || cw__raise_if_cancelled(frame);
    }
    cw__free(callee, type->frame_size);
    return error != NULL;
}

/* ---- running */

/* Tries to leave the body suspended. False: it has to go on at once. */
static bool commit_park(cw_job *job)
{
    uint8_t park = 0;
    for (;;) {
        /* acq_rel: the frame is handed to whoever resumes it. After success the
         * job is no longer ours to touch. */
        if (cw_cas_acq_rel(&job->park, &park, CW__PARKED)) return true;
        if (park & CW__RESUME) return false;
        if (job->wait_mode == CW__WAIT_PROMPT && cw__job_cancelling(job->scope))
            return false;
        /* `park` is KICK: it was not for this suspension; try from there. */
    }
}

/* A body that waits was dispatched. True: by a kick that does not concern it,
 * and it is parked again. */
static bool park_again(cw_job *job)
{
    if (job->armed == CW__UNARMED) return false;
    if (cw_load_acquire(&job->park) & CW__RESUME) return false;
    if (job->wait_mode == CW__WAIT_PROMPT && cw__job_cancelling(job->scope))
        return false;
    return commit_park(job);
}

/* The innermost frame is done: goes back to its caller. False: the job is
 * over, or it waits for its scope's children. */
static bool leave_frame(cw__worker *self, cw_job *job)
{
    cw_frame *frame = job->top;
    if (!frame->caller) {
        cw_error *error = frame->error;
        frame->error = NULL;
        self->current = NULL; /* no code of the user's runs any more */
        cw__job_finish(self, job, error);
        return false;
    }
    job->top = frame->caller;
    cw_job *scope = scope_of(job, frame);
    if (!scope) return true;
    cw_error *error = frame->error;
    frame->error = NULL;
    cw__job_finish(self, scope, error);
    if (cw__wait_for_job(job, scope, CW__WAIT_SHIELD) == CW__DONE) return true;
    return !commit_park(job);
}

void cw__task_run(cw__worker *self, cw_job *job)
{
    bool fresh = job->last == 0;
    job->last = (uint8_t)(self->index % CW__LAST + 1);
    if (fresh) {
        if (cw_unlikely(cw__job_cancelling(job))) {
            cw__job_finish(self, job, cw__job_cancellation(job));
            return;
        }
    } else if (park_again(job)) {
        return;
    }
    for (;;) {
        switch (job->top->type->step(job->top)) {
        case CW_STEP_DONE:
            if (!leave_frame(self, job)) return;
            break;
        case CW_STEP_CALLED:
            break;
        case CW_STEP_SUSPENDED:
            if (commit_park(job)) return;
            break;
        case CW_STEP_YIELDED:
            /* acquire: pairs with cw_context_close() */
            if (cw_unlikely(cw_load_acquire(&job->context->closed)))
                cw__cancel_closed(job);
            cw__dispatch(self, job, CW__YIELDED);
            return;
        case CW_STEP_FOREIGN:
            return;
        }
    }
}
