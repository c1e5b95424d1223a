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
#include "host.h"
#include "text.h"

#include <string.h>

/* Several registrations of one body: for whichever job ends first badly, or
 * for all of them. */
struct group {
    cw_job *task;
    size_t count;
    _Atomic size_t open;  /* jobs that have not ended */
    _Atomic size_t first; /* the first that ended badly, counted from 1 */
    cw__waiter waiters[];
};

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
        struct group *group = waiter->owner.pointer;
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

/* ---- suspending */

/* Before a body registers with anything. True: it must not suspend, its scope
 * is cancelled. */
static bool begin_wait(cw_job *job, enum cw__wait_mode mode)
{
    job->wait_mode = (uint8_t)mode;
    job->waiter.kind = CW__WAITER_TASK;
    /* seq_cst, and before the look at CANCELLING: see the top. A word that is 0
     * already may stay: a canceller that comes later kicks, and that is seen
     * when the body commits itself to be parked. */
    if (cw_load_relaxed(&job->park) != 0) cw_store_seq_cst(&job->park, 0);
    return mode == CW__WAIT_PROMPT && cw__job_cancelling(job->scope);
}

static int wait_for_job(cw_job *job, cw_job *target, enum cw__wait_mode mode)
{
    if (begin_wait(job, mode)) return CW__DONE;
    job->waiter.early = 0;
    if (cw__job_wait(target, &job->waiter) == CW__DONE) return CW__DONE;
    job->armed = CW__ARMED_JOB;
    return CW__PENDING;
}

/* Takes back the registrations that have not fired. */
static void end_wait(cw_job *job)
{
    enum cw__armed armed = job->armed;
    if (armed == CW__UNARMED) return;
    job->armed = CW__UNARMED;
    if (armed == CW__ARMED_GROUP) {
        struct group *group = job->waiter.owner.pointer;
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
        cw__timer_remove(&job->context->timers, &job->waiter);
    }
}

static bool raised(const cw_frame *frame)
{
    return frame->error && !frame->caught;
}

static void set_error(cw_frame *frame, cw_error *error)
{
    cw_error_release(frame->error);
    frame->error = error;
    frame->caught = 0;
}

/* After a wait, or instead of one: true if the body has to raise. */
static bool raise_if_cancelled(cw_frame *frame)
{
    cw_job *job = frame->job;
    end_wait(job);
    if (raised(frame)) return true;
    if (!cw__job_cancelling(job->scope)) return false;
    set_error(frame, cw__job_cancellation(job->scope));
    return true;
}

static int resumed(cw_frame *frame)
{
    cw_job *job = frame->job;
    end_wait(job);
    if (job->wait_mode == CW__WAIT_VALUE) {
        job->wait_mode = CW__WAIT_PROMPT;
        return raised(frame);
    }
    return raise_if_cancelled(frame);
}

int cw__ensure_active(cw_frame *frame) { return raise_if_cancelled(frame); }

int cw__delay(cw_frame *frame, int64_t ms)
{
    cw_job *job = frame->job;
    if (ms <= 0) {
        job->wait_mode = CW__WAIT_VALUE;
        return CW__DONE;
    }
    if (begin_wait(job, CW__WAIT_PROMPT)) return CW__DONE;
    int64_t now = cw__now_ns();
    bool forever = ms > (CW__NEVER - now) / 1000000;
    int64_t deadline = forever ? CW__NEVER : now + ms * 1000000;
    cw_context *context = job->context;
    job->waiter.early = 0;
    job->armed = CW__ARMED_TIMER;
    int added = cw__timer_add(&context->timers, &job->waiter, deadline);
    if (added < 0) {
        job->armed = CW__UNARMED;
        set_error(frame, cw_error_new(added, NULL, NULL));
        return CW__DONE;
    }
    cw__context_timer_added(cw__self, context, added == 1);
    /* seq_cst: a close that did not see the timer is seen here */
    if (cw_unlikely(cw_load_seq_cst(&context->closed))) cw__cancel_closed(job);
    return CW__PENDING;
}

int cw__delayed(cw_frame *frame)
{
    cw_job *job = frame->job;
    bool waited = job->armed == CW__ARMED_TIMER;
    end_wait(job);
    /* Whom a close finds about to suspend, it has nothing to dispatch of: the
     * body goes on by itself. */
    if (waited && cw_unlikely(job->waiter.early)) cw__cancel_closed(job);
    return resumed(frame);
}

int cw__join(cw_frame *frame, cw_job *target)
{
    return wait_for_job(frame->job, target, CW__WAIT_PROMPT);
}

int cw__joined(cw_frame *frame) { return raise_if_cancelled(frame); }

int cw__cancel_and_join(cw_frame *frame, cw_job *target)
{
    cw_cancel(target, NULL);
    return cw__join(frame, target);
}

/* Called once more after each wait: then it goes on with the next job. */
int cw__join_all(cw_frame *frame, cw_job *const *jobs, size_t count)
{
    cw_job *job = frame->job;
    if (!job->armed) job->waiter.owner.index = 0;
    end_wait(job);
    for (;;) {
        size_t i = job->waiter.owner.index;
        if (i == count || cw__job_cancelling(job->scope)) return CW__DONE;
        job->waiter.owner.index = i + 1;
        if (wait_for_job(job, jobs[i], CW__WAIT_PROMPT) == CW__PENDING)
            return CW__PENDING;
    }
}

int cw__await(cw_frame *frame, cw_job *target)
{
    if (cw_is_completed(target)) {
        frame->job->wait_mode = CW__WAIT_VALUE;
        return CW__DONE;
    }
    return wait_for_job(frame->job, target, CW__WAIT_PROMPT);
}

/* Raises a failed job's own error, also if this job is cancelled, perhaps by
 * that very failure. */
static bool raise_failure_of(cw_frame *frame, const cw_job *target)
{
    cw_error *error = cw_job_error(target);
    if (!error) return false;
    set_error(frame, cw_error_retain(error));
    frame->job->wait_mode = CW__WAIT_PROMPT;
    return true;
}

/* A body that waits for a job and is about to raise cancellation raises the
 * job's failure instead if there is one. The job need not be over: it tells its
 * parent, which may be this body's, before its own end. */
static void prefer_failure_of(cw_frame *frame, cw_job *target)
{
    if (!cw__error_is_cancel(frame->error)) return;
    cw_error *error = NULL;
    uint32_t state = cw__job_lock(target);
    if (state & CW__JOB_CANCELLING && !cw__error_is_cancel(target->error))
        error = cw_error_retain(target->error);
    cw__job_unlock(target, state);
    if (error) set_error(frame, error);
}

int cw__result(const cw_job *job, const cw_coroutine *type, void *out)
{
    if (cw__job_type(job) != type) return CW_ETYPE;
    if (!cw_is_completed(job)) return CW_EBUSY;
    if (job->error) return cw_error_code(job->error);
    memcpy(out, (const char *)(job + 1) + type->result_offset,
           type->result_size);
    return CW_OK;
}

/* Copies one result or raises what went wrong. */
static bool take_result(cw_frame *frame, const cw_job *target,
                        const cw_coroutine *type, void *out)
{
    if (raise_failure_of(frame, target)) return true;
    int status = cw__result(target, type, out);
    if (status == CW_OK) return false;
    set_error(frame, cw_error_new(status, NULL, NULL));
    return true;
}

int cw__awaited(cw_frame *frame, cw_job *target, const cw_coroutine *type,
                void *out)
{
    end_wait(frame->job);
    if (raise_failure_of(frame, target)) return 1;
    if (resumed(frame)) {
        prefer_failure_of(frame, target);
        return 1;
    }
    return take_result(frame, target, type, out);
}

int cw__await_all(cw_frame *frame, cw_job *const *jobs, size_t count)
{
    cw_job *job = frame->job;
    if (count == 0) {
        job->wait_mode = CW__WAIT_VALUE;
        return CW__DONE;
    }
    if (begin_wait(job, CW__WAIT_PROMPT)) return CW__DONE;
    struct group *group;
    size_t bytes = sizeof *group + count * sizeof group->waiters[0];
    group = cw__alloc(bytes);
    if (!group) {
        set_error(frame, cw_error_new(CW_ENOMEM, NULL, NULL));
        return CW__DONE;
    }
    memset(group, 0, bytes);
    group->task = job;
    group->count = count;
    atomic_init(&group->open, count + 1); /* one for this loop */
    job->waiter.owner.pointer = group;
    job->armed = CW__ARMED_GROUP;
    bool failed = false;
    for (size_t i = 0; i < count && !failed; i++) {
        cw__waiter *waiter = &group->waiters[i];
        waiter->kind = CW__WAITER_GROUP;
        waiter->owner.pointer = group;
        if (cw__job_wait(jobs[i], waiter) == CW__PENDING) {
            waiter->armed = CW__ARMED_JOB;
        } else {
            size_t none = 0;
            failed = cw_job_error(jobs[i]) != NULL;
            /* One that was registered before may be faster. */
            if (failed) (void)cw_cas_acq_rel(&group->first, &none, i + 1);
            cw_sub_acq_rel(&group->open, 1);
        }
    }
    /* acq_rel: pairs with the waiters' own counting down */
    if (failed || cw_sub_acq_rel(&group->open, 1) == 1) {
        job->wait_mode = CW__WAIT_VALUE;
        return CW__DONE;
    }
    return CW__PENDING;
}

/* Which of a group's jobs ended badly first, counted from 1; 0: none. */
static size_t first_failed(const cw_job *job)
{
    if (job->armed != CW__ARMED_GROUP) return 0;
    const struct group *group = job->waiter.owner.pointer;
    return cw_load_acquire(&group->first); /* pairs with the waiters' change */
}

int cw__awaited_all(cw_frame *frame, cw_job *const *jobs, size_t count,
                    const cw_coroutine *type, void *outs)
{
    size_t first = first_failed(frame->job);
    end_wait(frame->job);
    if ((first && raise_failure_of(frame, jobs[first - 1])) ||
        resumed(frame)) {
        /* It may have been cancelled by another one's failure. */
        for (size_t i = 0; i < count; i++)
            prefer_failure_of(frame, jobs[i]);
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        if (take_result(frame, jobs[i], type,
                        (char *)outs + i * type->result_size))
            return 1;
    return 0;
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
        set_error(frame, cw_error_new(CW_ENOMEM, NULL, NULL));
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
    if (!callee) return raised(frame);
    frame->callee = NULL;
    end_wait(job);
    const cw_coroutine *type = callee->type;
    cw_job *scope = scope_of(job, callee);
    /* The scope is final, so its error is fixed. */
    cw_error *error = scope ? cw_error_retain(scope->error) : callee->error;
    if (error) {
        set_error(frame, error);
    } else {
        memcpy(out, (char *)callee + type->result_offset, type->result_size);
    }
    if (scope) {
        job->scope = scope->scope;
        job->wait_mode = CW__WAIT_PROMPT;
        cw__job_drop(scope);
        /* Cancelled after the scope's end: it has waited, so it raises. */
        return error || raise_if_cancelled(frame);
    }
    cw__free(callee, type->frame_size);
    return error != NULL;
}

/* ---- the ends of a body */

/* `handlers` is a stack of the numbers of the open CW_TRYs. */
enum { HANDLER_BITS = 10, HANDLER_MASK = (1 << HANDLER_BITS) - 1 };
#define HANDLERS_MASK 0x3fffffffu /* room for three */

void cw__end_try(cw_frame *frame, unsigned id)
{
    uint32_t open = frame->handlers;
    while (open) {
        bool found = (open & HANDLER_MASK) == id;
        open >>= HANDLER_BITS;
        if (!found) continue;
        frame->handlers = open & HANDLERS_MASK;
        return;
    }
}

/* A body is written in a way that cannot work. */
static void panic_about(const cw_frame *frame, const char *what,
                        const char *unit, int number)
{
    char buffer[160];
    cw__text text = cw__text_begin(buffer, sizeof buffer);
    cw__text_add(&text, "coroutine '");
    cw__text_add(&text, frame->type->name);
    cw__text_add(&text, "' ");
    cw__text_add(&text, what);
    cw__panic(buffer, unit, number);
}

void cw__try(cw_frame *frame, unsigned id)
{
    /* The body may have jumped out of this one and of those in it. */
    cw__end_try(frame, id);
    uint32_t open = frame->handlers;
    if (open >> 2 * HANDLER_BITS) {
        panic_about(frame, "nests CW_TRY more than three deep", "number",
                    (int)id);
    }
    frame->handlers = (open << HANDLER_BITS | id) & HANDLERS_MASK;
}

/* Sends the body to where its raised error is dealt with. */
void cw__unwind(cw_frame *frame)
{
    if (frame->handlers) {
        uint32_t open = frame->handlers;
        frame->at = -(int)(open & HANDLER_MASK);
        open >>= HANDLER_BITS;
        frame->handlers = open & HANDLERS_MASK;
    } else {
        frame->at = frame->ending ? CW__AT_END : CW__AT_FINALLY;
    }
}

int cw__catch(cw_frame *frame)
{
    frame->caught = 1;
    return 1;
}

void cw__raise(cw_frame *frame, cw_error *error)
{
    set_error(frame, error ? error : cw_error_new(CW_EFAILED, NULL, NULL));
    cw__unwind(frame);
}

/* An error that was caught is over with. */
static void forget_caught(cw_frame *frame)
{
    if (!frame->caught) return;
    cw_error_release(frame->error);
    frame->error = NULL;
    frame->caught = 0;
}

void cw__return(cw_frame *frame)
{
    frame->handlers = 0;
    frame->at = frame->ending ? CW__AT_END : CW__AT_FINALLY;
}

void cw__finally(cw_frame *frame)
{
    frame->ending = 1;
    frame->handlers = 0;
    forget_caught(frame);
    /* Out of the way, so that the clean-up can wait, raise and catch. */
    frame->leaving = frame->error;
    frame->error = NULL;
}

int cw__lost(cw_frame *frame)
{
    if (frame->at != CW__AT_FINALLY) { /* else: a body without CW_FINALLY */
        panic_about(frame,
                    "suspended inside of a switch statement of its own, so it "
                    "cannot be resumed",
                    "line", frame->at);
    }
    frame->at = CW__AT_END;
    return 1;
}

cw_step cw__leave(cw_frame *frame)
{
    forget_caught(frame);
    if (frame->leaving) {
        cw_error *other = frame->error;
        /* Also here a failure counts for more than cancellation. */
        if (!other || (cw__error_is_cancel(other) &&
                       !cw__error_is_cancel(frame->leaving))) {
            frame->error = frame->leaving;
        } else {
            other = frame->leaving;
        }
        frame->leaving = NULL;
        cw_error_release(other);
    }
    return CW_STEP_DONE;
}

cw_step cw__function_done(cw_frame *frame, int status)
{
    cw_error *failure = cw__self->failure;
    cw__self->failure = NULL;
    if (status < 0) {
        if (failure && cw_error_code(failure) == status) {
            frame->error = failure;
            return CW_STEP_DONE;
        }
        frame->error = cw_error_new(status, NULL, NULL);
    }
    cw_error_release(failure);
    return CW_STEP_DONE;
}

int cw_fail(int code, const char *message)
{
    if (!cw__self) return code;
    cw_error_release(cw__self->failure);
    cw__self->failure = cw_error_new(code, message, NULL);
    return code;
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
    if (wait_for_job(job, scope, CW__WAIT_SHIELD) == CW__DONE) return true;
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
