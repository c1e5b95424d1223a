/* intake.c: what comes into a context from outside, and is counted.
 *
 * SPDX-License-Identifier: MIT
 *
 * Ending. Every job is counted in when it is launched and counted out when it
 * has ended: by its own workers in counters of their own, by others in one
 * shared pair. A closed context is over when the sums agree. The sum of those
 * counted out is taken first; since nobody is counted out before he was counted
 * in, equal sums mean that at the moment between the two nobody was inside.
 */
#include "context.h"

#include "closing.h"
#include "threads.h"
#include "watch.h"

/* ---- counting */

/* The same for a context without workers. Its jobs keep its memory, since no
 * thread does. */
static bool admit_routed(cw__worker *self, cw_context *context)
{
    cw__context_hold(context);
    if (context->home != context) return cw__context_admit(self, context->home);
    cw_add_relaxed(&context->outside_launched, 1);
    /* acquire: pairs with cw_context_close() */
    return !cw_load_acquire(&context->closed);
}

static void leave_routed(cw__worker *self, cw_context *context)
{
    if (context->home != context)
        cw__context_leave(self, context->home);
    else
        cw_add_relaxed(&context->outside_completed, 1);
    /* relaxed: one that is late has its deadlines run out */
    if (cw_unlikely(cw_load_relaxed(&context->closing) != NULL) &&
        cw__context_quiet(context))
        cw__closing_over(context);
    cw__context_drop(context);
}

bool cw__context_admit(cw__worker *self, cw_context *context)
{
    if (self && self->context == context) {
        /* Its own job that launches this one keeps the context from ending. */
        cw__count(&self->launched, 1);
        return cw_likely(!cw_load_acquire(&context->closed));
    }
    if (cw_unlikely(context->count == 0)) return admit_routed(self, context);
    /* seq_cst, then the look at `closed`: a worker that looks at the sums after
     * closing sees this one, or this one sees that it is closed. */
    cw_add_seq_cst(&context->outside_launched, 1);
    return cw_likely(!cw_load_seq_cst(&context->closed));
}

void cw__context_leave(cw__worker *self, cw_context *context)
{
    if (cw_likely(self && self->context == context)) {
        cw__count(&self->completed, 1);
        if (cw_unlikely(!self->running)) cw__worker_publish(self);
        return;
    }
    if (cw_unlikely(context->count == 0)) {
        leave_routed(self, context);
        return;
    }
    cw__context_hold(context); /* this may be the last one inside */
    cw_add_seq_cst(&context->outside_completed, 1);
    if (context->adopted || cw_load_seq_cst(&context->closed))
        cw__context_wake_all(context);
    cw__context_drop(context);
}

bool cw__context_quiet(cw_context *context)
{
    if (cw_likely(!cw_load_seq_cst(&context->closed))) return false;
    uint64_t out = cw_load_seq_cst(&context->outside_completed);
    for (uint32_t i = 0; i < context->count; i++)
        out += cw_load_acquire(&context->workers[i].left);
    uint64_t in = cw_load_seq_cst(&context->outside_launched);
    for (uint32_t i = 0; i < context->count; i++)
        in += cw_load_acquire(&context->workers[i].launched);
    return in == out;
}

/* ---- work from outside */

uint32_t cw__context_take(cw_context *context, cw_job **jobs, uint32_t max)
{
    uintptr_t chain = cw__inbox_take(&context->inject);
    if (chain) {
        cw_job *first = (cw_job *)chain, *last = first;
        uint32_t arrived = 1;
        for (; last->next; last = last->next)
            arrived++;
        cw__backlog_put_chain(&context->backlog, first, last, arrived);
    }
    /* A fair share, so that the others find some, too. */
    return cw__backlog_take(&context->backlog, context->count, jobs, max);
}

/* The body of the host's that waits by this job; the job itself, if nothing
 * above cancels that body's scope. */
static cw_job *waiting_body(cw_job *wait)
{
    cw_job *part = wait;
    while (part->flags & CW__JOB_INSIDE && part->parent)
        part = part->parent; /* is there as long as what it waits for */
    return part->flags & CW__JOB_INSIDE ? wait : part;
}

/* What of a body runs in its present context: the scope that moved it there, or
 * all of it. */
static cw_job *part_there(cw_job *job)
{
    if (cw_unlikely(job->flags & CW__JOB_LEAF)) return waiting_body(job);
    const cw_job *task = cw__job_task(job);
    cw_job *part = job->flags & CW__JOB_SCOPE ? job : job->scope;
    for (; part != task; part = part->scope) {
        const cw__extra *extra = cw__job_has_extra(part);
        /* One that is over is on its way back from there. */
        bool over = cw_load_acquire(&part->state) & CW__JOB_BODY_DONE;
        if (extra && extra->moved && !over) break;
    }
    return part;
}

void cw__cancel_refused(cw_job *job, cw_error *cause)
{
    /* acquire: pairs with cw__losses_fail() */
    if (!cause) cause = cw_load_acquire(&job->context->home->failure);
    cw_error *closed = cw_error_new(CW_ECLOSED, NULL, cause);
    cw_cancel(part_there(job), closed);
    cw_error_release(closed);
}

int cw__context_launch(cw__worker *self, cw_job *job, enum cw__hint hint)
{
    if (cw__is_watched(job)) cw__watching->launched(job);
    cw_context *context = job->context;
    if (cw_unlikely(!cw__context_admit(self, context))) {
        cw__cancel_closed(job);
        cw__job_finish(self, job, NULL);
        return CW_OK;
    }
    if (cw_unlikely(context->route && context->route->launch))
        return context->route->launch(context, self, job);
    cw__dispatch(self, job, hint);
    return CW_OK;
}
