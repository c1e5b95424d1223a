/* scope.c: calling other coroutines, plainly and in scopes.
 *
 * SPDX-License-Identifier: MIT
 *
 * A scope is a job whose body runs in another one, its task: `task->scope` is
 * the innermost scope, each scope's own `scope` the one around it, and the
 * outermost is the task itself. What a body launches is a child of its
 * innermost scope.
 */
#include "scope.h"

#include "alloc.h"
#include "check.h"
#include "context.h"
#include "copy.h"
#include "elements.h"
#include "error.h"
#include "frame.h"
#include "kill_gate.h"
#include "limit.h"
#include "roster.h"
#include "suspend.h"
#include "watch.h"

/* As the macros number them. */
enum { PLAIN, SCOPE, SUPERVISOR, NON_CANCELLABLE };

static int no_memory(cw_frame *frame)
{
    cw__set_error(frame, cw_error_new(CW_ENOMEM, NULL, NULL));
    return CW__DONE;
}

static int push_frame(cw_frame *frame, cw_frame *callee, const void *arg)
{
    cw_job *job = frame->job;
    const cw_coroutine *type = callee->type;
    callee->caller = frame;
    cw__copy((char *)callee + type->arg_offset, arg, type->arg_size);
    frame->callee = callee;
    job->top = callee;
    return CW__PENDING;
}

/* Makes a scope below `parent` (NULL: none) the body's innermost one. */
static int enter(cw_frame *frame, cw_job *scope, cw_job *parent,
                 const void *arg)
{
    cw_job *job = frame->job;
    int pending = push_frame(frame, scope->top, arg);
    if (parent == job->scope)
        cw__job_attach_own(parent, scope);
    else if (parent)
        cw__job_attach(parent, scope);
    if (cw__is_watched(scope)) cw__watching->launched(scope);
    scope->scope = job->scope; /* the one around it */
    job->scope = scope;
    return pending;
}

/* With all that who cancels it looks at: a time limit may do so before it is
 * entered. */
static cw_job *scope_new(const cw_frame *frame, const cw_coroutine *type,
                         unsigned flags)
{
    cw_job *job = frame->job;
    flags |= CW__JOB_SCOPE | (job->flags & CW__JOB_KILLABLE);
    cw_job *scope = cw__job_new(job->context, type, flags, 1, 0);
    if (scope) scope->top->job = job; /* see cw__job_task() */
    return scope;
}

/* Gives up a scope that nobody has entered. */
static int forget(cw_frame *frame, cw_job *scope)
{
    cw__job_discard(scope);
    return no_memory(frame);
}

/* Lets a scope go on with elements (taken over) of its own. */
static bool set_elements(cw_job *scope, const cw_elements *elements)
{
    cw__extra *extra = elements ? cw__job_extra(scope) : NULL;
    if (extra)
        extra->elements = elements;
    else
        cw_elements_release(elements);
    return extra != NULL;
}

int cw__call(cw_frame *frame, const cw_coroutine *type, int kind,
             const void *arg)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    frame->callee = NULL;
    if (kind == PLAIN) {
        cw_frame *callee = cw__alloc(type->frame_size);
        if (!callee) return no_memory(frame);
        cw__frame_init(callee, type);
        callee->job = job;
        return push_frame(frame, callee, arg);
    }
    cw_job *scope =
        scope_new(frame, type, kind == SUPERVISOR ? CW__JOB_SUPERVISOR : 0);
    if (!scope) return no_memory(frame);
    if (kind != NON_CANCELLABLE) return enter(frame, scope, job->scope, arg);
    /* What is above cannot be found from here any more. */
    const cw_elements *above = cw__job_elements(job->scope);
    if (!set_elements(scope, cw_elements_plus(above, NULL)))
        return forget(frame, scope);
    scope->extra->shielded = true;
    return enter(frame, scope, NULL, arg);
}

/* ---- with a time limit */

/* The cancellation that a time limit stands behind. */
static cw_error *timed_out(void)
{
    cw_error *limit = cw_error_new(CW_ETIMEDOUT, NULL, NULL);
    cw_error *error = cw__error_cancelled(limit);
    cw_error_release(limit);
    return error;
}

int cw__call_limited(cw_frame *frame, const cw_coroutine *type, int64_t ms,
                     const void *arg)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    frame->callee = NULL;
    if (ms <= 0) {
        cw__set_error(frame, timed_out());
        return CW__DONE;
    }
    cw_job *scope = scope_new(frame, type, 0);
    cw__extra *extra = scope ? cw__job_extra(scope) : NULL;
    if (!extra) return scope ? forget(frame, scope) : no_memory(frame);
    cw_context *keeper = cw__timekeeper(job->context);
    if (!keeper) {
        int status = cw_last_error();
        (void)forget(frame, scope);
        cw__set_error(frame, cw_error_new(status, NULL, NULL));
        return CW__DONE;
    }
    extra->timeout = cw_error_new(CW_ETIMEDOUT, NULL, NULL);
    int added = cw__limit_set(keeper, scope, ms, extra->timeout);
    if (added < 0) return forget(frame, scope);
    int pending = enter(frame, scope, job->scope, arg);
    extra->left = job->last & CW__LEFT;
    job->last &= CW__LAST;
    cw__context_timer_added(cw__self, keeper, added == 1);
    return pending;
}

/* It was the scope's own time limit that ended it, and nobody else's. */
static bool ran_out(const cw_job *scope, const cw_error *error)
{
    const cw__extra *extra = cw__job_has_extra(scope);
    return extra && extra->timeout && cw__error_is_cancel(error) &&
           cw_error_cause(error) == extra->timeout;
}

/* ---- with other elements */

int cw__call_with(cw_frame *frame, const cw_coroutine *type,
                  const cw_elements *given, const void *arg)
{
    CW__RUNTIME;
    if (given) CW__CHECK_AS(ELEMENTS, given, "CW_WITH_ELEMENTS", "elements");
    cw_job *job = frame->job;
    frame->callee = NULL;
    cw_job *parent = given && given->has_job ? given->job : job->scope;
    if (parent && cw__job_cancelling(parent)) {
        cw__set_error(frame, cw__job_cancellation(parent));
        return CW__DONE;
    }
    cw_context *context = cw_elements_context(given);
    bool moves = context && context != job->context;
    unsigned top = 0;
    if (moves || parent != job->scope)
        top = cw__roster_flag(moves ? context : job->context, NULL, false);
    cw_job *scope = scope_new(frame, type, top);
    if (!scope) return no_memory(frame);
    if (!set_elements(scope,
                      cw__elements_of_job(cw__job_elements(job->scope), given)))
        return forget(frame, scope);
    if (moves) {
        scope->context = context;
        scope->extra->moved = true;
        scope->extra->back = job->context;
    }
    if (top) cw__roster_enter(scope);
    return enter(frame, scope, parent, arg);
}

cw_step cw__called(const cw_frame *frame)
{
    CW__RUNTIME;
    cw_job *scope = cw__scope_of(frame->job, frame->job->top);
    return scope->extra->moved ? CW_STEP_MOVED : CW_STEP_CALLED;
}

/* The body of a scope is over before it has begun. */
static void skip_body(cw_job *job, cw_job *scope)
{
    cw__set_error(job->top, cw__job_cancellation(scope));
}

bool cw__scope_move(cw__worker *self, cw_job *job)
{
    cw_job *scope = job->scope;
    if (cw__context_admit(self, scope->context)) {
        job->context = scope->context;
        if (cw__is_watched(job)) cw__watching->moved(job);
        return true;
    }
    cw__cancel_closed(scope);
    scope->extra->moved = false;
    cw__context_leave(self, scope->context);
    skip_body(job, scope);
    return false;
}

bool cw__scope_refused(cw_job *job)
{
    cw_job *scope = cw__scope_of(job, job->top);
    if (!scope || job->top->at != 0 || !cw__job_cancelling(scope)) return false;
    skip_body(job, scope);
    return true;
}

/* ---- coming back */

bool cw__scope_leave(cw__worker *self, cw_job *job, cw_error *error)
{
    cw_job *scope = job->scope;
    cw__extra *extra = cw__job_has_extra(scope);
    bool moved = extra && extra->moved;
    if (extra) extra->failed = error != NULL;
    if (moved) {
        cw_context *there = job->context;
        job->context = extra->back;
        if (cw__is_watched(job)) cw__watching->moved(job);
        cw__context_leave(self, there);
    }
    cw__job_finish(self, scope, error);
    return moved;
}

/* Takes a scope's outcome; `in_time`, unless NULL, takes its own time limit. */
static int leave_scope(cw_frame *frame, cw_job *scope, void *out, bool *in_time)
{
    cw_job *job = frame->job;
    const cw_coroutine *type = cw__job_type(scope);
    cw_error *error = scope->error; /* fixed: the scope is final */
    const cw__extra *extra = cw__job_has_extra(scope);
    bool own_limit = error && ran_out(scope, error);
    if (own_limit && !extra->failed && !(job->last & CW__LEFT)) {
        error = NULL; /* it never waited, nor for its children */
        own_limit = false;
    }
    if (extra) job->last |= extra->left;
    if (!error)
        cw__copy(out, (char *)cw__job_frame(scope) + type->result_offset,
                 type->result_size);
    if (in_time) *in_time = !own_limit;
    if (in_time && own_limit) error = NULL;
    if (error) cw__set_error(frame, cw_error_retain(error));
    /* Cancelled after the scope's end: it has waited, so it raises. */
    bool raises = !(extra && extra->shielded && !extra->moved);
    job->scope = scope->scope;
    job->wait_mode = CW__WAIT_PROMPT;
    cw__job_drop(scope);
    if (error) return 1;
    return raises ? cw__raise_if_cancelled(frame) : 0;
}

bool cw__scope_forget(cw_job *job)
{
    cw_frame *frame = job->top, *callee = frame->callee;
    cw_job *scope = callee ? cw__scope_of(job, callee) : NULL;
    if (!scope) return !callee;
    if (!cw_is_completed(scope)) return false;
    frame->callee = NULL;
    cw__end_wait(job);
    job->scope = scope->scope;
    cw__job_drop(scope);
    return true;
}

static int returned(cw_frame *frame, void *out, bool *in_time)
{
    cw_job *job = frame->job;
    cw_frame *callee = frame->callee;
    if (!callee) return cw__raised(frame);
    frame->callee = NULL;
    cw__end_wait(job);
    cw_job *scope = cw__scope_of(job, callee);
    if (scope) return leave_scope(frame, scope, out, in_time);
    const cw_coroutine *type = callee->type;
    cw_error *error = callee->error;
    if (error)
        cw__set_error(frame, error);
    else
        cw__copy(out, (char *)callee + type->result_offset, type->result_size);
    cw__free(callee, type->frame_size);
    return error != NULL;
}

int cw__returned(cw_frame *frame, void *out)
{
    CW__RUNTIME;
    return returned(frame, out, NULL);
}

int cw__returned_in_time(cw_frame *frame, void *out, bool *in_time)
{
    CW__RUNTIME;
    *in_time = true;
    if (frame->callee) return returned(frame, out, in_time);
    /* Not even called: without memory, or without any time. */
    if (!cw__raised(frame)) return 0;
    if (!cw__error_is_timeout(frame->error)) return 1;
    cw__set_error(frame, NULL);
    *in_time = false;
    return 0;
}
