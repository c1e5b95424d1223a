/* coroutine.c: running bodies, suspending and waking them.
 *
 * SPDX-License-Identifier: MIT
 *
 * A body is run by one worker at a time. Its `park` word decides who may run
 * it next:
 *
 *   0        awake: queued, running, or about to suspend
 *   PARKED   suspended; whoever clears this bit has to dispatch the job, or to
 *            set it again
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

#include "base.h"
#include "booking.h"
#include "context.h"
#include "handler.h"
#include "kill_gate.h"
#include "party.h"
#include "scope.h"
#include "sleep.h"
#include "suspend.h"
#include "watch.h"

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

bool cw__task_borrow(cw_job *job)
{
    uint8_t parked = CW__PARKED;
    /* acq_rel: the frame, as it was when the body was parked; who wakes it now
     * finds it awake */
    return cw_cas_acq_rel(&job->park, &parked, 0);
}

void cw__task_give_back(cw_job *job)
{
    uint8_t park = 0;
    /* acq_rel: as in commit_park() */
    if (cw_cas_acq_rel(&job->park, &park, CW__PARKED)) return;
    job->next = NULL;
    cw__dispatch_resumed(cw__self, job);
}

void cw__note_task(cw__woken *woken, cw_job *task)
{
    if (!cw__task_resume(task)) return;
    task->next = NULL;
    *woken->tasks_end = task;
    woken->tasks_end = &task->next;
}

void cw__waiter_fire(cw__waiter *waiter, cw__woken *woken)
{
    switch ((enum cw__waiter_kind)waiter->kind) {
    case CW__WAITER_TASK:
        cw__note_task(woken, cw_container_of(waiter, cw_job, waiter));
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
        if (failed || last) cw__note_task(woken, task);
        return;
    }
    case CW__WAITER_HANDLER:
        cw__handler_note(woken, waiter->owner.pointer);
        return;
    case CW__WAITER_CLAUSE: /* of a select, on a job's end or a timer */
        if (cw__party_claim(waiter)) cw__party_wake(waiter, CW__HANDED, woken);
        return;
    case CW__WAITER_PRODUCER:
        waiter->next = woken->producers;
        woken->producers = waiter;
        return;
    case CW__WAITER_PARTY: /* waits for no job and no timer */
    case CW__WAITER_LIMIT: /* the clock takes these itself */
    case CW__WAITER_NONE:
        break;
    }
    cw__panic("a waiter of a kind that does not fire", __FILE__, __LINE__);
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

/* The body goes on in its context, which is not this worker's. */
static bool move(cw__worker *self, cw_job *job)
{
    job->armed = CW__ARMED_MOVE;
    cw__cancel_if_closed(job);
    if (cw__is_watched(job)) cw__watching->pauses(job);
    cw__dispatch(self, job, CW__SPAWNED);
    return true;
}

/* The innermost frame is done: goes back to its caller. False: the job is
 * over, or it waits for its scope's children. */
static bool leave_frame(cw__worker *self, cw_job *job)
{
    cw_frame *frame = job->top;
    if (!frame->caller) {
        cw_error *error = frame->error;
        frame->error = NULL;
        self->current = self->beneath; /* handlers are not this body's */
        cw__job_finish(self, job, error);
        return false;
    }
    job->top = frame->caller;
    cw_job *scope = cw__scope_of(job, frame);
    if (!scope) return true;
    cw_error *error = frame->error;
    frame->error = NULL;
    bool moved = cw__scope_leave(self, job, error);
    if (cw__wait_for_job(job, scope, CW__WAIT_SHIELD) == CW__DONE)
        return !(moved && move(self, job));
    if (cw__is_watched(job)) cw__watching->pauses(job);
    return !commit_park(job);
}

/* The body yields: it goes behind what is ready. */
static void let_others_go(cw__worker *self, cw_job *job)
{
    cw_context *context = self->context;
    bool own = job->context == context && !(job->flags & CW__JOB_PINNED);
    /* A single worker keeps strict order: what is due goes first. */
    if (job->context == context && context->count == 1 &&
        cw_unlikely(cw__timers_any(&context->timers)))
        cw__worker_fire_timers(self);
    if (cw_likely(own && !context->route))
        cw__push(self, job); /* as that would */
    else
        cw__dispatch(self, job, CW__YIELDED);
}

/* Apart, with what has to last: so the others need no place to keep it. */
__attribute__((noinline, cold)) static cw_step end_guarded(cw__worker *self,
                                                           cw_step step)
{
    cw__gate_close_guarded(self);
    return step;
}

/* One step of the body. With the gate open nothing here is the worker's: what
 * is needed is looked up before. */
static inline cw_step step_of(cw__worker *self, cw_frame *frame)
{
    cw_step (*body)(cw_frame *) = frame->type->step;
    cw__user_begin(self);
    cw_step step = body(frame);
    return cw_likely(cw__user_ends(self)) ? step : end_guarded(self, step);
}

/* The same for a job with which there is more to it. */
__attribute__((noinline, cold)) static cw_step watched_step(cw__worker *self,
                                                            cw_job *job)
{
    if (cw__is_watched(job)) cw__watching->runs(self, job);
    bool before = cw__guard_begin(self, job);
    cw_step step = step_of(self, job->top);
    cw__guard_end(self, before);
    return step;
}

void cw__task_run(cw__worker *self, cw_job *job)
{
    bool fresh = job->last == 0;
    job->last = fresh ? self->mark : self->mark | CW__LEFT;
    if (fresh) {
        if (cw_unlikely(job->flags & CW__JOB_BOOKED)) cw__job_begins(job);
        if (cw_unlikely(cw__job_cancelling(job)) &&
            !(job->flags & CW__JOB_ATOMIC)) {
            self->current = self->beneath;
            cw__job_finish(self, job, cw__job_cancellation(job));
            return;
        }
    } else if (job->armed == CW__ARMED_MOVE) {
        job->armed = CW__UNARMED;
        if (cw__scope_refused(job) && !leave_frame(self, job)) return;
    } else if (park_again(job)) {
        return;
    }
    for (;;) {
        cw_step step;
        if (cw_unlikely(cw__is_special(self, job)))
            step = watched_step(self, job);
        else
            step = step_of(self, job->top);
        switch (step) {
        case CW_STEP_DONE:
            if (!leave_frame(self, job)) return;
            break;
        case CW_STEP_CALLED:
            break;
        case CW_STEP_MOVED:
            if (!cw__scope_move(self, job)) {
                if (!leave_frame(self, job)) return;
                break;
            }
            move(self, job);
            return;
        case CW_STEP_SUSPENDED:
            if (cw__is_watched(job)) cw__watching->pauses(job);
            if (commit_park(job)) return;
            break;
        case CW_STEP_YIELDED:
            cw__cancel_if_closed(job);
            if (cw__is_watched(job)) cw__watching->pauses(job);
            let_others_go(self, job);
            return;
        case CW_STEP_FOREIGN:
            return;
        }
    }
}
