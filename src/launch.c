/* launch.c: starting jobs from C.
 *
 * SPDX-License-Identifier: MIT
 */
#include "launch.h"

#include "base.h"
#include "booking.h"
#include "check.h"
#include "context.h"
#include "copy.h"
#include "coroutine.h"
#include "elements.h"
#include "error.h"
#include "kill.h"
#include "kill_gate.h"
#include "roster.h"
#include "watch.h"

static cw_job *fail(int code)
{
    cw__set_last_error(code);
    return NULL;
}

static cw_job *calling_scope(const cw__worker *self)
{
    return self && self->current ? self->current->scope : NULL;
}

/* Where what is launched runs if nobody says: as its caller, else on Default.
 * NULL with cw_last_error(): that cannot be started. */
static cw_context *place_of_caller(const cw__worker *self)
{
    cw_context *context = self ? cw__worker_place(self) : NULL;
    return context ? context : cw_default_context();
}

static cw_job *make(cw_context *context, const cw_coroutine *type,
                    unsigned flags, uint32_t handles, const void *arg)
{
    cw_job *job = cw__job_new(context, type, flags, handles, 0);
    if (!job) return fail(CW_ENOMEM);
    cw__copy((char *)job->top + type->arg_offset, arg, type->arg_size);
    return job;
}

bool cw__job_set_elements(cw_job *job, const cw_job *scope,
                          const cw_elements *given, bool inherits)
{
    const cw_elements *base = cw__job_elements(scope);
    if (given && given->killable &&
        cw__job_make_killable(job, given->grace_ms) != CW_OK)
        return false;
    bool adds = given && (given->context || given->name || given->count ||
                          given->handler.call);
    if (inherits && !adds) return true;
    const cw_elements *set = cw__elements_of_job(base, adds ? given : NULL);
    cw__extra *extra = set ? cw__job_extra(job) : NULL;
    if (!extra) {
        cw_elements_release(set);
        return false;
    }
    extra->elements = set;
    extra->named = given && given->name;
    return true;
}

void cw__job_make_lazy(cw_job *job)
{
    /* relaxed: nobody else knows the job yet */
    uint32_t state = cw_load_relaxed(&job->state);
    cw_store_relaxed(&job->state, state | CW__JOB_NEW);
}

/* `launching`: the job, if whoever launches it gets a handle for it. */
static void run_in_place(cw__worker *self, cw_job *job, bool by_user,
                         cw_job *launching)
{
    if (!(job->flags & CW__JOB_INSIDE) &&
        cw_unlikely(!cw__context_admit(self, job->context)))
        cw__cancel_closed(job);
    cw__clock *clock = job->context->clock;
    if (cw_unlikely(clock) && clock->calls->run_inside(clock, job)) return;
    cw__interrupted before;
    bool killable = by_user && cw__runs_killable(self);
    cw__worker_interrupt(self, &before);
    before.killable = killable;
    before.launching = launching;
    self->current = job;
    self->beneath = before.current;
    self->in_place++;
    cw__task_run(self, job);
    cw__worker_go_back(self, &before);
}

void cw__job_run_in_place(cw__worker *self, cw_job *job)
{
    run_in_place(self, job, true, NULL);
}

enum { BY_USER = 1 << 16 }; /* one more of the flags of a start */

/* `by_user`: user code has asked for it, and not from within the runtime. */
static int begin(cw__worker *self, cw_job *job, cw_start how, bool by_user)
{
    switch (how) {
    case CW_START_LAZY:
        return CW_OK;
    case CW_START_UNDISPATCHED:
        run_in_place(self, job, by_user, job);
        return CW_OK;
    case CW_START_DEFAULT:
    case CW_START_ATOMIC:
        break;
    }
    return cw__context_launch(self, job, CW__SPAWNED);
}

/* Launches a job with whatever there is to book. */
static cw_job *launch(cw__worker *self, cw_context *context, cw_job *scope,
                      cw_job *parent, const cw_elements *given, cw_start how,
                      const cw_coroutine *type, unsigned flags, const void *arg)
{
    enum cw__entry entry;
    int when_full =
        flags & CW__START_WAIT ? CW_FULL_WAIT : cw__when_full(given);
    int status = cw__entrance_ask(context, scope, when_full, how, &entry);
    if (status != CW_OK) return fail(status);
    unsigned kind = flags & CW__START_ASYNC ? CW__JOB_ASYNC : 0;
    if (how == CW_START_ATOMIC || how == CW_START_UNDISPATCHED)
        kind |= CW__JOB_ATOMIC;
    unsigned top = cw__roster_flag(context, parent, parent == scope);
    cw_job *job = make(context, type, kind | top, 1, arg);
    status = job ? cw__job_book(job, given, entry, NULL) : CW_ENOMEM;
    if (status == CW_OK &&
        !cw__job_set_elements(job, scope, given, parent == scope))
        status = CW_ENOMEM;
    if (status != CW_OK) {
        if (entry == CW__HAS_PLACE) cw__entrance_give_back(context);
        if (job) cw__job_discard(job);
        return fail(status);
    }
    if (how == CW_START_LAZY) cw__job_make_lazy(job);
    cw_job_retain(job); /* in place it may end, and its handle is ours */
    if (parent && parent == scope)
        cw__job_attach_own(parent, job);
    else if (parent)
        cw__job_attach(parent, job);
    if (top) cw__roster_enter(job);
    if (cw__is_watched(job)) cw__watching->launched(job);
    if (job->flags & CW__JOB_BOOKED) cw__job_submitted(job);
    if (entry == CW__IN_LINE)
        cw__entrance_enter(job);
    else
        status = begin(self, job, how, (flags & BY_USER) != 0);
    cw__job_drop(job);
    if (status == CW_OK) return job;
    cw_job_release(job);
    return fail(status);
}

static cw_job *start(cw_context *context, const cw_coroutine *type,
                     unsigned flags, uint32_t handles, const void *arg)
{
    cw__worker *self = cw__self;
    if (!context) context = place_of_caller(self);
    if (cw_unlikely(!context)) return NULL;
    cw_job *parent = calling_scope(self), *foster = NULL;
    int status = cw__context_may_launch(self, &context, &foster);
    if (status != CW_OK) return fail(status);
    /* acquire: pairs with cw_context_limit_queue() */
    if (cw_unlikely(cw_load_acquire(&context->entrance))) {
        cw_job *booked = launch(self, context, parent, parent, NULL,
                                CW_START_DEFAULT, type, flags, arg);
        if (!handles) cw_job_release(booked);
        return booked;
    }
    unsigned kind = flags & CW__START_ASYNC ? CW__JOB_ASYNC : 0;
    unsigned top = 0;
    if (!parent || parent->context != context)
        top = cw__roster_flag(context, parent, true);
    cw_job *job = make(context, type, kind | top, handles, arg);
    if (!job) return NULL;
    if (cw_unlikely(foster))
        cw__job_attach(foster, job);
    else if (parent)
        cw__job_attach_own(parent, job);
    if (top) cw__roster_enter(job);
    status = cw__context_launch(self, job, CW__SPAWNED);
    if (cw_likely(status == CW_OK)) return job;
    if (handles) cw_job_release(job);
    return fail(status);
}

cw_job *cw__start(cw_context *context, const cw_coroutine *type, unsigned flags,
                  const void *arg)
{
    CW__RUNTIME;
    if (context) CW__CHECK_AS(CONTEXT, context, "cw_launch", "context");
    return start(context, type, flags, 1, arg);
}

cw_job *cw__start_on_main(const cw_coroutine *type, const void *arg)
{
    CW__RUNTIME;
    cw_context *context = cw_main_context();
    return context ? start(context, type, 0, 1, arg) : NULL;
}

int cw__spawn(cw_context *context, const cw_coroutine *type, const void *arg)
{
    CW__RUNTIME;
    if (context) CW__CHECK_AS(CONTEXT, context, "cw_spawn", "context");
    return start(context, type, 0, 0, arg) ? CW_OK : cw_last_error();
}

/* ---- with elements and ways to begin */

/* Where what is launched runs: as the elements say, or its caller. */
static cw_context *place(const cw__worker *self, const cw_job *scope,
                         const cw_elements *given)
{
    if (given && given->context) return given->context;
    if (scope) return self->current->context;
    return place_of_caller(self);
}

cw_job *cw__launch_with(const cw_elements *given, cw_start how,
                        const cw_coroutine *type, unsigned flags,
                        const void *arg)
{
    CW__RUNTIME;
    if (given) CW__CHECK_AS(ELEMENTS, given, "cw_launch_with", "elements");
    cw__worker *self = cw__self;
    if (how == CW_START_UNDISPATCHED && !self) return fail(CW_ENOTSUP);
    cw_job *scope = calling_scope(self);
    cw_job *parent = given && given->has_job ? given->job : scope;
    cw_context *context = place(self, scope, given);
    if (!context) return NULL;
    cw_job *foster = NULL;
    int status = cw__context_may_launch(self, &context, &foster);
    if (status != CW_OK) return fail(status);
    if (foster && parent == scope) parent = foster;
    if (cw__entered) flags |= BY_USER;
    return launch(self, context, scope, parent, given, how, type, flags, arg);
}

bool cw_job_start(cw_job *job)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(JOB, job);
    /* acquire: pairs with the start by another one */
    if (!(cw_load_acquire(&job->state) & CW__JOB_NEW)) return false;
    uint32_t state = cw__job_lock(job);
    bool first = (state & CW__JOB_NEW) != 0;
    bool lines_up = first && cw__job_lines_up(job);
    if (lines_up) { /* it is new until it is let in */
        first = !job->extra->booking.held;
        job->extra->booking.held = true;
    } else {
        state &= ~(uint32_t)CW__JOB_NEW;
    }
    /* It waits for this job, which one that is new still may not. */
    cw_job *parent = first ? cw_job_retain(job->parent) : NULL;
    cw__job_unlock(job, state);
    if (!first) return false;
    if (parent && cw_load_acquire(&parent->state) & CW__JOB_NEW)
        cw_job_start(parent);
    cw_job_release(parent);
    if (lines_up)
        cw__entrance_enter(job);
    else
        cw__context_launch(cw__self, job, CW__SPAWNED);
    return true;
}
