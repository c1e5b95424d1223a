/* waits.c: what a body in JavaScript waits for, as coroutines.
 *
 * SPDX-License-Identifier: MIT
 */
#include "waits.h"

#include "alloc.h"
#include "context.h"
#include "frame.h"
#include "kill_gate.h"
#include "launch.h"
#include "suspend.h"
#include "tree.h"

#include <string.h>

/* The leaf that is just being begun on this thread. */
static _Thread_local const cw_job *beginning;

static cwb_wait *wait_of(cw_frame *frame)
{
    return (cwb_wait *)(void *)((char *)frame + frame->type->arg_offset);
}

cwb_home *cwb_leaf_home(const cw_job *job)
{
    return wait_of(cw__job_frame((cw_job *)job))->home;
}

int cwb_leaf_begin(cw_job *scope, const cwb_leaf *leaf, const void *arg)
{
    /* Atomic: what need not wait does not ask whether it is cancelled. */
    unsigned kind =
        CW__JOB_INSIDE | CW__JOB_LEAF | CW__JOB_LONELY | CW__JOB_ATOMIC;
    cw_context *context = scope->context;
    /* What is in a view of several workers waits at one of them. */
    if (context->home->count > 1) context = context->home;
    if (!context->home->single) kind |= CW__JOB_PINNED;
    cw_job *job = cw__job_new(context, &leaf->type, kind, 0, 0);
    if (!job) return CW_ENOMEM;
    memcpy((char *)job->top + leaf->type.arg_offset, arg, leaf->type.arg_size);
    wait_of(cw__job_frame(job))->home = cwb_here;
    cw__job_attach(scope, job);
    const cw_job *before = beginning;
    beginning = job;
    cw__job_run_in_place(cw__self, job);
    beginning = before;
    return CW_OK;
}

cw_step cwb_leaf_step(cw_frame *frame)
{
    /* It is our own code: a thread that is taken for dead in the middle of it
     * must not go on. Telling JavaScript is not. */
    CW__RUNTIME;
    const cwb_leaf *leaf = cw_container_of(frame->type, const cwb_leaf, type);
    cw_step step = leaf->body(frame);
    if (step != CW_STEP_DONE) return step;
    if (cw_unlikely(wait_of(frame)->home != cwb_here)) {
        cw_error_release(frame->error); /* its realm is lost: nobody to tell */
        frame->error = NULL;
        return CW_STEP_DONE;
    }
    /* The body goes on in JavaScript; what is in line waits until it has come
     * to its next wait. */
    if (frame->job != beginning && !frame->job->context->clock)
        cwb_realm->host_goes_on = true;
    cw_error *error = frame->error;
    frame->error = NULL; /* it is JavaScript's; the leaf was only its bearer */
    cw__runtime_leave(&cw__entered);
    cw_js_settled(wait_of(frame)->token, error,
                  (char *)frame + leaf->type.result_offset,
                  leaf->type.result_size);
    (void)cw__runtime_enter();
    cw_error_release(error);
    return CW_STEP_DONE;
}

/* ---- time */

typedef struct delay_arg {
    cwb_wait wait;
    int64_t ms;
} delay_arg;

CW_COROUTINE(delaying, delay_arg, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg.ms);
    CW_END(self);
}
CWB_LEAF(delaying, "delay", delay_arg, cw_none);

/* `ms` is a whole number; INFINITY waits for the cancellation. */
int cwb_delay(cw_job *scope, uint32_t token, double ms)
{
    delay_arg arg = {{.token = token}, cwb_whole_ms(ms)};
    return cwb_leaf_begin(scope, &delaying_leaf, &arg);
}

CW_COROUTINE(yielding, cwb_wait, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    CW_END(self);
}
CWB_LEAF(yielding, "yield", cwb_wait, cw_none);

int cwb_yield(cw_job *scope, uint32_t token)
{
    return cwb_leaf_begin(scope, &yielding_leaf, &(cwb_wait){.token = token});
}

/* ---- ends of jobs */

typedef struct job_arg {
    cwb_wait wait;
    enum cwb_how how;
    cw_job *job; /* owned */
} job_arg;

/* Waits for a job that is a part of the calling body: cancelling is that job's
 * to deal with. */
static int end(cw_frame *frame, cw_job *target)
{
    return cw__wait_for_job(frame->job, target, CW__WAIT_SHIELD);
}

static int ended(cw_frame *frame, const job_arg *arg)
{
    cw__end_wait(frame->job);
    cw_error *error = cw_error_retain(cw_job_error(arg->job));
    if (!error && arg->how == CWB_END && cw__job_cancelling(frame->job))
        error = cw__job_cancellation(frame->job);
    if (!error) return 0;
    cw__set_error(frame, error);
    return 1;
}

CW_COROUTINE(awaiting, job_arg, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    if (self->arg.how == CWB_JOIN) {
        CW_JOIN(self, self->arg.job);
    } else if (self->arg.how == CWB_AWAIT) {
        CW__SUSPEND(self, cw__await(&self->frame, self->arg.job),
                    cw__awaited_any(&self->frame, self->arg.job));
    } else {
        CW__SUSPEND(self, end(&self->frame, self->arg.job),
                    ended(&self->frame, &self->arg));
    }
    CW_FINALLY(self);
    cw_job_release(self->arg.job);
    CW_END(self);
}
CWB_LEAF(awaiting, "await", job_arg, cw_none);

/* Waits for a job's end: as enum cwb_how says. */
int cwb_await(cw_job *scope, uint32_t token, cw_job *job, uint32_t how)
{
    job_arg arg = {{.token = token}, (enum cwb_how)how, cw_job_retain(job)};
    int status = cwb_leaf_begin(scope, &awaiting_leaf, &arg);
    if (status != CW_OK) cw_job_release(job);
    return status;
}

typedef struct jobs_arg {
    cwb_wait wait;
    uint32_t count;
    cw_job **jobs; /* owned, as each of them */
} jobs_arg;

static void free_jobs(const jobs_arg *arg)
{
    for (uint32_t i = 0; i < arg->count; i++)
        cw_job_release(arg->jobs[i]);
    cw__free(arg->jobs, arg->count * sizeof *arg->jobs);
}

CW_COROUTINE(awaiting_all, jobs_arg, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW__SUSPEND(
        self, cw__await_all(&self->frame, self->arg.jobs, self->arg.count),
        cw__awaited_all_any(&self->frame, self->arg.jobs, self->arg.count));
    CW_FINALLY(self);
    free_jobs(&self->arg);
    CW_END(self);
}
CWB_LEAF(awaiting_all, "awaitAll", jobs_arg, cw_none);

CW_COROUTINE(joining_all, jobs_arg, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN_ALL(self, self->arg.jobs, self->arg.count);
    CW_FINALLY(self);
    free_jobs(&self->arg);
    CW_END(self);
}
CWB_LEAF(joining_all, "joinAll", jobs_arg, cw_none);

static int wait_for_all(cw_job *scope, const cwb_leaf *leaf, uint32_t token,
                        uint32_t count)
{
    jobs_arg arg = {
        {.token = token}, count, cw__alloc(count * sizeof *arg.jobs)};
    if (!arg.jobs) return CW_ENOMEM;
    memcpy(arg.jobs, cwb_scratch(0), count * sizeof *arg.jobs);
    for (uint32_t i = 0; i < count; i++)
        cw_job_retain(arg.jobs[i]);
    int status = cwb_leaf_begin(scope, leaf, &arg);
    if (status != CW_OK) free_jobs(&arg);
    return status;
}

/* Awaits all of the `count` jobs, at least one, whose addresses stand in the
 * scratch buffer. */
int cwb_await_all(cw_job *scope, uint32_t token, uint32_t count)
{
    return wait_for_all(scope, &awaiting_all_leaf, token, count);
}

/* Waits for the ends of such jobs, one after the other. */
int cwb_join_all(cw_job *scope, uint32_t token, uint32_t count)
{
    return wait_for_all(scope, &joining_all_leaf, token, count);
}

/* ---- somebody who calls back */

static void begin_suspended(cw_continuation *continuation, void *arg)
{
    cw_js_suspended(*(uint32_t *)arg, continuation);
}

CW_COROUTINE(suspending, cwb_wait, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_SUSPEND_WITH(self, begin_suspended, &self->arg.token, &self->result);
    CW_END(self);
}
CWB_LEAF(suspending, "suspendCancellable", cwb_wait, cw_none);

/* Hands a continuation (owned) to JavaScript, within the call. */
int cwb_suspend(cw_job *scope, uint32_t token)
{
    return cwb_leaf_begin(scope, &suspending_leaf, &(cwb_wait){.token = token});
}

/* ---- passing by, and the end of a body */

/* A body that is being run has not waited for anything yet, and goes on in its
 * event loop before what is in line. */
void cwb_goes_on(void) { cwb_realm->host_goes_on = true; }

/* What a body has begun to wait for and left behind is cancelled: its leaves,
 * the scopes in it, and what runs elsewhere for it. */
void cwb_cancel_parts(cw_job *scope)
{
    /* Without memory they are waited for. */
    (void)cw__cancel_parts(scope);
}
