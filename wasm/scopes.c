/* scopes.c: scopes inside of a body in JavaScript.
 *
 * SPDX-License-Identifier: MIT
 *
 * Such a scope is a job below the one that it was opened in, whose body
 * JavaScript runs in place. The core cannot suspend that body, so the job is
 * the host's to finish; its failure is its caller's, who reads it from there.
 */
#include "bridge.h"

#include "context.h"
#include "elements.h"
#include "error.h"
#include "launch.h"
#include "limit.h"
#include "roster.h"

/* Their frame: bodies in JavaScript end with their realm. */
typedef struct scope_frame {
    cw_frame frame; /* first */
    cwb_open open;
} scope_frame;

static cwb_open *open_of(cw_job *scope)
{
    return &((scope_frame *)(void *)cw__job_frame(scope))->open;
}

static const cw_coroutine types[] = {
    [CWB_SCOPE] = {.name = "coroutineScope", .frame_size = sizeof(scope_frame)},
    [CWB_SCOPE_SUPERVISOR] = {.name = "supervisorScope",
                              .frame_size = sizeof(scope_frame)},
    [CWB_SCOPE_NON_CANCELLABLE] = {.name = "nonCancellable",
                                   .frame_size = sizeof(scope_frame)},
    [CWB_SCOPE_LIMITED] = {.name = "withTimeout",
                           .frame_size = sizeof(scope_frame)},
    [CWB_SCOPE_CHANGED] = {.name = "withContext",
                           .frame_size = sizeof(scope_frame)},
};

static bool set_limit(cw_job *scope, double ms)
{
    cw__extra *extra = cw__job_extra(scope);
    if (!extra) return false;
    extra->timeout = cw_error_new(CW_ETIMEDOUT, NULL, NULL);
    cw_context *keeper = cw__timekeeper(scope->context);
    int added =
        keeper ? cw__limit_set(keeper, scope, cwb_whole_ms(ms), extra->timeout)
               : cw_last_error();
    if (added < 0) return false;
    cw__context_timer_added(cw__self, keeper, added == 1);
    return true;
}

/* Why no block of withContext() may begin below a job (or NULL: none), which is
 * cancelled or has ended: owned, NULL if one may. */
cw_error *cwb_scope_refusal(cw_job *above)
{
    if (!above || !(cw_is_cancelled(above) || cw_is_completed(above)))
        return NULL;
    return cw__job_cancellation(above);
}

/* Opens a scope in `parent`; `ms` is for CWB_SCOPE_LIMITED, `given` (borrowed,
 * or NULL) for CWB_SCOPE_CHANGED. Returns a handle, to be dropped after the
 * scope's end, or NULL without memory. */
cw_job *cwb_scope_open(cw_job *parent, uint32_t kind, double ms,
                       const cw_elements *given)
{
    unsigned flags = CW__JOB_INSIDE | CW__JOB_LONELY | CW__JOB_FOREIGN;
    if (kind == CWB_SCOPE_SUPERVISOR) flags |= CW__JOB_SUPERVISOR;
    cw_job *above = given && given->has_job ? given->job : parent;
    if (kind == CWB_SCOPE_NON_CANCELLABLE)
        above = NULL;
    else if (above != parent)
        flags |= cw__roster_flag(parent->context, NULL, false);
    cw_job *job = cw__job_new(parent->context, &types[kind], flags, 1, 0);
    if (!job) return NULL;
    if (!cw__job_set_elements(job, parent, given, above == parent) ||
        (kind == CWB_SCOPE_LIMITED && !set_limit(job, ms))) {
        cw__job_discard(job);
        return NULL;
    }
    job->last = 1; /* it has begun */
    if (above) cw__job_attach(above, job);
    if (flags & CW__JOB_TOP) cw__roster_enter(job);
    cwb_open_add(open_of(job), job);
    return job;
}

/* True if it was the scope's own time limit that ended it. */
uint32_t cwb_scope_ran_out(const cw_job *scope)
{
    const cw__extra *extra = cw__job_has_extra(scope);
    cw_error *error = cw_job_error(scope);
    return extra && extra->timeout && error && cw__error_is_cancel(error) &&
           cw_error_cause(error) == extra->timeout;
}

/* The body is over; `code` as for cwb_complete(), and CWB_AT_ONCE. Returns enum
 * cwb_scope_state; one that is open is waited for with cwb_await(). */
uint32_t cwb_scope_end(cw_job *scope, uint32_t code)
{
    cw_error *error = cwb_take_error(scope, code);
    bool keeps = code & CWB_AT_ONCE && !error;
    cwb_open_remove(open_of(scope));
    cw__job_finish(cw__self, scope, error);
    cw__worker_flush(cw__self);
    if (!cw_is_completed(scope)) return CWB_SCOPE_OPEN;
    return keeps && cwb_scope_ran_out(scope) ? CWB_SCOPE_IN_TIME
                                             : CWB_SCOPE_OVER;
}

/* The error of a scope that is over: borrowed, NULL if there is none. */
cw_error *cwb_scope_error(cw_job *scope) { return cw_job_error(scope); }

static const cw_coroutine deferred = {.name = "deferred",
                                      .frame_size = sizeof(cw_frame)};

/* A bare job that answers for what fails below it, below `parent` (or NULL): a
 * handle. Its value stays in JavaScript. */
cw_job *cwb_deferred_new(cw_job *parent)
{
    return cw__deferred_new(&deferred, parent);
}
