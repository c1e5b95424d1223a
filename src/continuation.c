/* continuation.c: suspending until somebody calls back.
 *
 * SPDX-License-Identifier: MIT
 *
 * Whoever resumes and whoever cancels decide under the continuation's lock who
 * was first:
 *
 *      WAITING --resume--> RESUMED        the body takes what came
 *      WAITING --cancel--> CANCELLED      the handler is told; the body raises
 *      CANCELLED --resume--> IGNORED      came too late, which is no mistake
 *
 * The body takes the lock, too, before it goes on, so nobody who found it
 * waiting can wake it from a later wait. What the program hands in is called
 * without the lock.
 */
#include "alloc.h"
#include "check.h"
#include "context.h"
#include "coroutine.h"
#include "elements.h"
#include "frame.h"
#include "handler.h"
#include "kill_gate.h"
#include "lock.h"
#include "suspend.h"

#include <string.h>

enum state { WAITING, RESUMED, CANCELLED, IGNORED, OVER };

struct cw_continuation {
#ifdef CW_DEBUG
    uint32_t magic; /* see check.h */
#endif
    _Atomic uint32_t refs;
    cw__lock lock;
    enum state state; /* LOCKED, as all below */
    bool subscribed;
    cw_job *task, *scope; /* keeps references */
    cw_completion_fn *on_cancel;
    void *on_cancel_arg;
    cw__shared *on_cancel_shared; /* owned: the same, or NULL */
    cw_handler *watch;            /* on the scope being cancelled */
    cw_undelivered_fn *undelivered;
    void *undelivered_arg;
    cw_error *error; /* that it was resumed with; owned */
    size_t size;
    _Alignas(16) char value[];
};

cw_continuation *cw_continuation_retain(cw_continuation *continuation)
{
    CW__CHECK_HANDLE(CONTINUATION, continuation);
    cw_add_relaxed(&continuation->refs, 1); /* the caller holds a reference */
    return continuation;
}

void cw_continuation_release(cw_continuation *continuation)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(CONTINUATION, continuation);
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (!continuation || cw_sub_acq_rel(&continuation->refs, 1) != 1) return;
    cw_error_release(continuation->error);
    cw__shared_drop(continuation->on_cancel_shared);
    cw__job_drop(continuation->task);
    cw__job_drop(continuation->scope);
    cw__free(continuation, sizeof *continuation + continuation->size);
}

/* ---- the body's side */

int cw__suspend_with(cw_frame *frame, cw_begin_fn *begin, void *arg,
                     size_t size)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    cw_continuation *self = cw__alloc(sizeof *self + size);
    if (!self) {
        cw__set_error(frame, cw_error_new(CW_ENOMEM, NULL, NULL));
        return CW__DONE;
    }
    memset(self, 0, sizeof *self + size);
    CW__MARK(self, CONTINUATION);
    atomic_init(&self->refs, 2); /* the body's, and that of whom it calls */
    self->task = cw_job_retain(job);
    self->scope = cw_job_retain(job->scope);
    self->size = size;
    bool cancelled = cw__begin_wait(job, CW__WAIT_PROMPT);
    job->waiter.owner.pointer = self;
    job->armed = CW__ARMED_CALL;
    begin(self, arg);
    return cancelled ? CW__DONE : CW__PENDING;
}

static void tell(cw_completion_fn *call, void *arg, cw_job *scope)
{
    if (!call) return;
    cw_error *error = cw__job_cancellation(scope);
    call(arg, error);
    cw_error_release(error);
}

int cw__suspended(cw_frame *frame, void *out)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    if (job->armed != CW__ARMED_CALL) return cw__raise_if_cancelled(frame);
    job->armed = CW__UNARMED;
    cw_continuation *self = job->waiter.owner.pointer;
    bool cancelled = cw__job_cancelling(self->scope);

    cw__lock_acquire(&self->lock);
    enum state state = self->state;
    /* One that was cancelled may still be resumed, in vain. */
    if (state == WAITING) self->state = CANCELLED;
    if (state == RESUMED) self->state = OVER;
    cw_handler *watch = self->watch;
    self->watch = NULL;
    cw_completion_fn *on_cancel = self->on_cancel;
    self->on_cancel = NULL;
    cw__lock_release(&self->lock);
    if (watch && cw__handler_take_back(watch)) cw_continuation_release(self);

    if (state == RESUMED && self->error) {
        cw__set_error(frame, cw_error_retain(self->error));
    } else if (state == RESUMED && !cancelled) {
        memcpy(out, self->value, self->size);
    } else {
        /* Cancelled while it was queued counts as well. */
        tell(on_cancel, self->on_cancel_arg, self->scope);
        if (state == RESUMED && self->undelivered)
            self->undelivered(self->undelivered_arg, self->value);
        cw__set_error(frame, cw__job_cancellation(self->scope));
    }
    cw_continuation_release(self);
    return cw__raised(frame);
}

/* ---- the other side */

static int resume(cw_continuation *self, const void *value, cw_error *error,
                  cw_undelivered_fn *undelivered, void *arg)
{
    cw__woken woken;
    cw__woken_init(&woken);
    cw__lock_acquire(&self->lock);
    enum state state = self->state;
    if (state == WAITING) {
        self->state = RESUMED;
        self->error = error;
        if (value) memcpy(self->value, value, self->size);
        self->undelivered = undelivered;
        self->undelivered_arg = arg;
        cw__note_task(&woken, self->task);
    } else if (state == CANCELLED) {
        self->state = IGNORED;
    }
    cw__lock_release(&self->lock);
    if (state == WAITING) {
        cw__dispatch_woken(cw__self, &woken);
        return CW_OK;
    }
    if (state == CANCELLED && undelivered && value)
        undelivered(arg, (void *)value);
    cw_error_release(error);
    return state == CANCELLED ? CW_OK : CW_ESTATE;
}

int cw_resume(cw_continuation *continuation, const void *value)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CONTINUATION, continuation);
    return resume(continuation, value, NULL, NULL, NULL);
}

int cw_resume_with(cw_continuation *continuation, const void *value,
                   cw_undelivered_fn *undelivered, void *arg)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CONTINUATION, continuation);
    return resume(continuation, value, NULL, undelivered, arg);
}

int cw_resume_error(cw_continuation *continuation, cw_error *error)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CONTINUATION, continuation);
    if (!error) return CW_EINVAL;
    return resume(continuation, NULL, cw_error_retain(error), NULL, NULL);
}

bool cw_continuation_is_active(cw_continuation *self)
{
    CW__RUNTIME;
    CW__CHECK_AS(CONTINUATION, self, "cw_continuation_is_active",
                 "continuation");
    cw__lock_acquire(&self->lock);
    bool waiting = self->state == WAITING;
    cw__lock_release(&self->lock);
    return waiting && !cw__job_cancelling(self->scope);
}

/* The scope is cancelled; called by whoever cancels it. */
static void scope_cancelled(void *arg, cw_error *error)
{
    cw_continuation *self = arg;
    (void)error;
    cw__lock_acquire(&self->lock);
    bool first = self->state == WAITING;
    cw_completion_fn *on_cancel = first ? self->on_cancel : NULL;
    if (first) {
        self->state = CANCELLED;
        self->on_cancel = NULL;
    }
    cw__lock_release(&self->lock);
    tell(on_cancel, self->on_cancel_arg, self->scope);
    cw_continuation_release(self);
}

static int subscribe(cw_continuation *self, cw_completion_fn *call, void *arg,
                     cw__shared *shared)
{
    CW__CHECK_AS(CONTINUATION, self, "cw_on_cancel", "continuation");
    cw__lock_acquire(&self->lock);
    bool refused =
        self->subscribed || self->state == OVER || self->state == IGNORED;
    self->subscribed = true;
    bool late = self->state == CANCELLED;
    if (!refused && shared) self->on_cancel_shared = cw__shared_keep(shared);
    if (!refused && !late) {
        self->on_cancel = call;
        self->on_cancel_arg = arg;
    }
    cw__lock_release(&self->lock);
    if (refused) return CW_ESTATE;
    if (late) {
        tell(call, arg, self->scope);
        return CW_OK;
    }
    cw_continuation_retain(self); /* the watch's */
    cw_handler *watch =
        cw_on_completion(self->scope, CW_ON_CANCELLING, scope_cancelled, self);
    if (!watch) { /* then the body tells, when it goes on */
        cw_continuation_release(self);
        return CW_OK;
    }
    cw__lock_acquire(&self->lock);
    bool over = self->state == OVER || self->state == IGNORED ||
                (self->state == CANCELLED && !self->on_cancel);
    if (!over) self->watch = watch;
    cw__lock_release(&self->lock);
    if (over && cw__handler_take_back(watch)) cw_continuation_release(self);
    return CW_OK;
}

int cw_on_cancel(cw_continuation *self, cw_completion_fn *call, void *arg)
{
    CW__RUNTIME;
    return subscribe(self, call, arg, NULL);
}

int cw__on_cancel_shared(cw_continuation *self, cw_completion_fn *call,
                         cw__shared *arg)
{
    return subscribe(self, call, arg, arg);
}
