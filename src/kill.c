/* kill.c: jobs that may be killed.
 *
 * SPDX-License-Identifier: MIT
 *
 * The time of grace is kept by a coroutine in a context whose threads no user
 * code can hold up: the host's main thread, which is never blocked, or a thread
 * of its own.
 */
#include "kill.h"

#include "alloc.h"
#include "context.h"
#include "error.h"
#include "host.h"
#include "kill_gate.h"
#include "launch.h"
#include "losses.h"
#include "roster.h"
#include "tree.h"
#include "withdraw.h"

#include <string.h>

/* How long it waits for a worker to open its gate before it looks again. */
enum { RETRY_MS = 4 };

/* ---- the thread that kills */

static cw__lock keeper_lock;
static cw_context *keeper;

int cw__find_keeper(cw_context **out)
{
    *out = cw__the_host.keeper;
    if (*out) return CW_OK;
    cw__lock_acquire(&keeper_lock);
    cw_context *found = *out = keeper;
    cw__lock_release(&keeper_lock);
    if (found) return CW_OK;
    int status = cw__context_open(1, "coworker-killer", NULL, NULL, &found);
    if (status != CW_OK) return status;
    cw__context_never_join(found);
    cw__roster_free(found); /* nobody knows it yet */
    found->permanent = true;
    cw__lock_acquire(&keeper_lock);
    cw_context *first = keeper;
    *out = first ? first : found;
    keeper = *out;
    cw__lock_release(&keeper_lock);
    if (!first) return CW_OK;
    found->permanent = false; /* somebody else was faster */
    cw_context_release(found);
    return CW_OK;
}

/* ---- who runs something of a job */

bool cw__job_is_below(const cw_job *job, const cw_job *above)
{
    while (job && job != above) {
        const cw_job *next = job->parent;
        if (!next && job->flags & CW__JOB_SCOPE)
            next = cw__job_task((cw_job *)job); /* shielded */
        job = next;
    }
    return job != NULL;
}

/* With the worker held at its gate. */
static bool runs_any_of(const cw__worker *worker, const cw_job *above)
{
    if (cw__job_is_below(worker->current, above)) return true;
    const cw__interrupted *outer = worker->interrupted;
    for (; outer; outer = outer->outer)
        if (cw__job_is_below(outer->current, above)) return true;
    return cw__the_host.runs_below && cw__the_host.runs_below(worker, above);
}

/* Ends the worker's thread if it is at its gate, with something of the job. */
static void kill_at_gate(cw__worker *worker, cw_job *above)
{
    static const cw__loss loss = {"was killed after the time of grace", NULL};
    if (!cw__gate_hold(worker)) return;
    /* A thread that was a worker for a while only is not ours to end. */
    if (!worker->life || !runs_any_of(worker, above)) {
        cw__gate_let_go(worker);
        return;
    }
    cw__gate_doom(worker);
    cw__life *life = cw__worker_lose(worker, &loss);
    if (cw__the_host.replace_worker) {
        cw__the_host.replace_worker(worker, life);
        return;
    }
    if (cw__losses_note(worker->context)) cw__losses_fail(worker, &loss);
    (void)cw__worker_replace(worker); /* what is left there has to end */
}

static void kill_in(cw_context *context, cw_job *above)
{
    if (context->adopted) return; /* somebody's own thread */
    if (context->count == 0 && cw__the_host.kill_away)
        cw__the_host.kill_away(context, above);
    for (uint32_t i = 0; i < context->count; i++)
        kill_at_gate(&context->workers[i], above);
}

/* A set of contexts, few of them. */
typedef struct places {
    cw_context *contexts[16]; /* references */
    unsigned count;
} places;

static void add_place(places *found, cw_context *context)
{
    context = context->home;
    for (unsigned i = 0; i < found->count; i++)
        if (found->contexts[i] == context) return;
    if (found->count == sizeof found->contexts / sizeof *found->contexts)
        return; /* the next look finds it, when others are through */
    cw__context_hold(context);
    found->contexts[found->count++] = context;
}

/* Where a job and all below it run. */
static void find_places(places *found, cw_job *job)
{
    if (cw_is_completed(job)) return;
    if (job->context) add_place(found, job->context);
    cw__children children;
    if (cw__children_take(job, CW__CHILDREN_LAUNCHED | CW__CHILDREN_PARTS,
                          &children) != CW_OK)
        return;
    for (size_t i = 0; i < children.count; i++)
        find_places(found, children.jobs[i]);
    cw__children_drop(&children);
}

/* Ends what no worker has begun, and may not find the time to. */
static void withdraw(cw_job *job)
{
    if (cw_is_completed(job)) return;
    cw__children children;
    if (cw__children_take(job, CW__CHILDREN_LAUNCHED | CW__CHILDREN_WAITS,
                          &children) == CW_OK) {
        for (size_t i = 0; i < children.count; i++)
            withdraw(children.jobs[i]);
        cw__children_drop(&children);
    }
    cw__job_withdraw(cw__self, job);
}

bool cw__kill(cw_job *job)
{
    places found = {.count = 0};
    find_places(&found, job);
    for (unsigned i = 0; i < found.count; i++) {
        kill_in(found.contexts[i], job);
        cw__context_drop(found.contexts[i]);
    }
    withdraw(job);
    return cw_is_completed(job);
}

/* ---- the time of grace */

typedef struct reaping {
    cw_job *job; /* owned */
    int64_t grace_ms;
} reaping;

CW_COROUTINE(wait_for_end, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, self->arg);
    CW_END(self);
}

CW_COROUTINE(reap, reaping, cw_none, cw_none nothing; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, self->arg.grace_ms, wait_for_end,
                            self->arg.job, &self->nothing, &self->in_time);
    while (!cw__kill(self->arg.job))
        CW_DELAY(self, RETRY_MS);
    CW_FINALLY(self);
    cw_job_release(self->arg.job);
    CW_END(self);
}

static void begin_reaping(cw_job *job, int64_t grace_ms)
{
    cw_context *place;
    int status = cw__find_keeper(&place);
    const reaping arg = {job, grace_ms};
    cw_job *reaper =
        status == CW_OK ? cw__job_new(place, &reap, 0, 0, 0) : NULL;
    if (!reaper) return; /* then it is as if it were not killable */
    cw_job_retain(job);
    memcpy((char *)reaper->top + reap.arg_offset, &arg, sizeof arg);
    cw__context_launch(cw__self, reaper, CW__SPAWNED);
}

/* Waits for a killable job to be cancelled. */
typedef struct warrant {
    cw_job *job; /* borrowed: it hears of its end */
    int64_t grace_ms;
    cw_handler *handler;
} warrant;

/* It is cancelled, has failed, or has ended. */
static void execute(void *arg, cw_error *error)
{
    warrant *found = arg;
    if (error && !cw_is_completed(found->job))
        begin_reaping(found->job, found->grace_ms);
    cw_handler_dispose(found->handler);
    cw__free(found, sizeof *found);
}

int cw__job_make_killable(cw_job *job, int64_t grace_ms)
{
    warrant *made = cw__alloc(sizeof *made);
    if (!made) return CW_ENOMEM;
    *made = (warrant){job, grace_ms < 0 ? 0 : grace_ms, NULL};
    job->flags |= CW__JOB_KILLABLE;
    /* Nobody can cancel it yet, so the handle is there before the call. */
    made->handler = cw_on_completion(job, CW_ON_CANCELLING, execute, made);
    if (made->handler) return CW_OK;
    cw__free(made, sizeof *made);
    return CW_ENOMEM;
}
