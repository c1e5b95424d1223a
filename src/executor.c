/* executor.c: contexts whose jobs run where the application says.
 *
 * SPDX-License-Identifier: MIT
 *
 * What the application's execute() gets is the job's address. It calls back
 * with that from a thread or loop of its own, for one turn of the job, which
 * comes again when it is ready for the next. One that calls back from within
 * execute() would take stack for each turn, so its jobs run in place, right
 * after execute() has returned; see in_place.c.
 */
#include "error.h"
#include "in_place.h"
#include "kill_gate.h"
#include "shared_context.h"

typedef struct executor {
    cw_executor calls;
    void *arg;
} executor;

static executor *executor_of(cw_context *context)
{
    return cw__context_data(context);
}

/* What the calling thread has just given to an execute() that has not returned
 * yet; NULL once it was called back with it. */
static _Thread_local cw_job *offered;

void cw__executor_run(void *task)
{
    if (offered == task)
        offered = NULL;
    else
        cw__in_place_turn(task);
}

/* The application does not take the job: it is cancelled, and what is left of
 * it to run does so elsewhere. */
static void refuse(cw_context *context, cw__worker *self, cw_job *job, int why)
{
    cw_error *cause =
        why == CW_ECLOSED
            ? NULL
            : cw_error_new(why, "the executor does not take the job", NULL);
    cw__cancel_refused(job, cause);
    cw_error_release(cause);
    bool begins = job->last != 0 || job->flags & CW__JOB_ATOMIC;
    /* One of a view has a place there, which only running it gives back. */
    if (!begins && job->context == context)
        cw__job_finish(self, job, NULL);
    else
        cw__dispatch_refused(self, job);
}

/* ---- dispatching */

static void execute(cw_context *context, cw__worker *self, cw_job *job,
                    enum cw__hint hint)
{
    executor *e = executor_of(context);
    cw_job *outer = offered;
    offered = job;
    cw__context_hold(context); /* the job may end before execute() returns */
    int status = e->calls.execute(e->arg, cw__executor_run, job);
    bool direct = offered != job;
    offered = outer;
    if (direct && hint == CW__YIELDED)
        cw__in_place_yield(job);
    else if (direct)
        cw__in_place(job);
    else if (status != CW_OK)
        refuse(context, self, job, status);
    cw__context_drop(context);
}

/* 1, 0, or a negative error code. */
static int needs_dispatch(cw_context *context)
{
    const executor *e = executor_of(context);
    return e->calls.is_dispatch_needed ? e->calls.is_dispatch_needed(e->arg)
                                       : 1;
}

static void dispatch(cw_context *context, cw__worker *self, cw_job *job,
                     enum cw__hint hint)
{
    /* A job of a view always needs it: it may not be alone in there. Acquire:
     * pairs with cw_context_close(). */
    bool closed = cw_load_acquire(&context->closed) != 0;
    bool asks = !closed && hint != CW__YIELDED && job->context == context;
    int needed = asks ? needs_dispatch(context) : 1;
    if (closed || needed < 0)
        refuse(context, self, job, closed ? CW_ECLOSED : needed);
    else if (needed == 0)
        cw__in_place(job);
    else
        execute(context, self, job, hint);
}

static int launch(cw_context *context, cw__worker *self, cw_job *job)
{
    int needed = needs_dispatch(context);
    if (needed < 0) {
        cw_error *error = cw_error_new(
            needed, "the executor cannot tell where the job runs", NULL);
        cw__job_finish(self, job, error);
        return needed;
    }
    if (needed == 0)
        cw__in_place(job);
    else
        execute(context, self, job, CW__SPAWNED);
    return CW_OK;
}

/* ---- making one */

static void closed(cw_context *context)
{
    const executor *e = executor_of(context);
    if (e->calls.close) e->calls.close(e->arg);
}

static void drop(cw_context *context)
{
    const executor *e = executor_of(context);
    if (e->calls.release) e->calls.release(e->arg);
}

static const cw__route route = {
    .dispatch = dispatch, .launch = launch, .close = closed, .drop = drop};

cw_context *cw_executor_context(const cw_executor *calls, void *arg,
                                const char *name)
{
    CW__RUNTIME;
    bool valid = calls && calls->execute && name && *name;
    cw_context *context = NULL;
    if (valid)
        context = cw__context_routed_closable(&route, name, sizeof(executor));
    cw__set_last_error(!valid ? CW_EINVAL : context ? CW_OK : CW_ENOMEM);
    if (!context) return NULL;
    context->timekeeper = NULL;
    *executor_of(context) = (executor){*calls, arg};
    return context;
}
