/* dispatch.c: putting ready jobs where workers find them.
 *
 * SPDX-License-Identifier: MIT
 *
 * A job that a worker of its context makes ready goes to that worker's slot or
 * ring. One that comes from elsewhere is handed to a sleeping worker if that is
 * where it belongs, or else injected: any worker takes it from there. After a
 * job is visible a sleeper is woken if nobody searches; sleep.c says why that
 * is enough.
 */
#include "channel.h"
#include "context.h"
#include "handler.h"
#include "host.h"
#include "sleep.h"
#include "withdraw.h"

enum { OVERFLOW = 2 * CW__BATCH_JOBS };
/* After so long a sleep a worker is given a job of its own. */
static const int64_t rest_ns = 200 * 1000;

/* ---- queues */

static bool push_to_ring(cw__worker *self, cw_job *job)
{
    return self->context->count == 1 ? cw__ring_push_alone(&self->ring, job)
                                     : cw__ring_push(&self->ring, job);
}

/* Puts a job at the end of the line. */
void cw__push(cw__worker *self, cw_job *job)
{
    cw_context *context = self->context;
    if (context->count == 1) {
        /* A single worker keeps strict order: once something overflowed, all
         * that follows has to go behind it. */
        if (cw_unlikely(cw_load_relaxed(&context->backlog.count)) ||
            !push_to_ring(self, job))
            cw__backlog_put(&context->backlog, &job, 1);
        return;
    }
    if (cw_likely(push_to_ring(self, job))) return;
    cw_job *jobs[OVERFLOW]; /* full: half of it goes where all look for it */
    uint32_t count = cw__ring_take(&self->ring, OVERFLOW - 1, jobs);
    jobs[count++] = job;
    cw__backlog_put(&context->backlog, jobs, count);
}

static void inject(cw_context *context, cw_job *job)
{
    cw__inbox_push(&context->inject, (uintptr_t)job);
    cw__context_notify(context);
}

/* ---- sleepers */

/* Gives a job to a sleeper whose bit the caller has cleared. */
static void give(cw__worker *worker, cw_job *job)
{
    /* seq_cst: comes before the wake-up, and pairs with take_handed */
    job = cw_swap_seq_cst(&worker->handed, job);
    cw__wake(worker);
    /* It had one already if it got up by itself just before, to sleep again. */
    if (job) inject(worker->context, job);
}

/* Wakes the worker for the job if it sleeps. */
static bool give_if_asleep(cw__worker *worker, cw_job *job)
{
    if (!cw__clear_idle_bit(worker->context, worker->index)) return false;
    cw_sub_seq_cst(&worker->context->idle, CW__ONE_SLEEPER - CW__ONE_SEARCHER);
    give(worker, job);
    return true;
}

/* Leaves a job to a worker that is awake without anything to do. It may just
 * fall asleep, or find something else, which may take long: then it must not
 * have the job. */
static bool give_if_free(cw__worker *worker, cw_job *job)
{
    if (!cw_load_relaxed(&worker->free) || cw_load_relaxed(&worker->handed))
        return false;
    /* seq_cst: comes before both looks at the worker, and pairs with
     * stop_being_free() and cw__fall_asleep() */
    cw_job *other = cw_swap_seq_cst(&worker->handed, job);
    if (other) inject(worker->context, other); /* somebody else was faster */
    cw__worker_unpark(worker);
    if (!cw_load_seq_cst(&worker->free)) {
        job = cw__worker_take_handed(worker);
        if (job) inject(worker->context, job);
    }
    return true;
}

/* Gives a job straight to a worker that has nothing to do: to the one that ran
 * it last, or, if it is launched from outside (`self` is NULL), to one that has
 * rested for a while or has not run anything yet. So jobs that are launched on
 * a quiet pool start on different workers and stay there, while on a busy one,
 * whose workers only nod off, they are queued and nobody is woken in vain.
 * False if there is no such worker. */
static bool hand_over(cw_context *context, cw__worker *self, cw_job *job)
{
    if (context->count == 1) return false; /* keeps strict order */
    if (context->grows) return false;      /* not all of them have a thread */
    uint32_t idle = cw_load_seq_cst(&context->idle);
    if (idle == 0) return false;
    uint32_t last = cw__job_last_worker(job); /* not begun: out of range */
    if (last < context->count && !(self && self->index == last)) {
        cw__worker *worker = &context->workers[last];
        if (give_if_asleep(worker, job) || (self && give_if_free(worker, job)))
            return true;
    }
    if (self) return false;
    /* relaxed: only the first jobs of a context can meet one that has not run
     * anything, and on a busy one this has to be quick */
    if (idle < CW__ONE_SLEEPER &&
        cw_load_relaxed(&context->next_rested) >= context->count)
        return false;
    int64_t rested = cw__now_ns() - rest_ns;
    /* relaxed: any starting point will do */
    uint32_t start = cw_add_relaxed(&context->next_rested, 1);
    for (uint32_t i = 0; i < context->count; i++) {
        cw__worker *worker = &context->workers[(start + i) % context->count];
        if (cw_load_relaxed(&worker->slept_at_ns) < rested &&
            (give_if_asleep(worker, job) ||
             (!cw_load_relaxed(&worker->steps) && give_if_free(worker, job))))
            return true;
    }
    return false;
}

bool cw__hand_over(cw__worker *self, cw_job *job)
{
    return hand_over(job->context, self, job);
}

/* ---- dispatching */

void cw__dispatch_pinned(cw_job *job)
{
    cw__worker *home = cw__the_host.home_of(job);
    if (cw_unlikely(!home)) {
        cw__the_host.homeless(job);
        return;
    }
    if (cw__the_host.runs_here(job)) {
        cw__worker_pin(home, job);
        if (!home->running) cw__worker_unpark(home);
        return;
    }
    cw_context *context = job->context;
    cw__context_hold(context); /* once queued, the job may end */
    cw__inbox_push(&home->inbox, (uintptr_t)job | CW__INBOX_JOB);
    cw__worker_unpark(home);
    cw__context_drop(context);
}

/* True if a running body has just queued a job, and no more than so many wait
 * for the worker. */
static bool few_wait(const cw__worker *self, uint32_t most)
{
    return self->running && self->current &&
           cw__ring_length(&self->ring) <= most;
}

/* A job was just queued here. True if nobody has to be woken for it. One that a
 * running body has resumed, and that is alone, will hardly wait for anybody but
 * this worker, which takes it when the body suspends; nor will one or two that
 * it has launched, for which it may well wait. If the worker is late in doing
 * so, a napper finds them. To wake somebody each time would take longer than
 * what two bodies have to tell each other. */
static bool leave_to_nappers(cw__worker *self, enum cw__hint hint)
{
    cw_context *context = self->context;
    bool resumed = hint == CW__RESUMED;
    uint32_t most = resumed ? 1 : 2;
    /* seq_cst: after the job was made visible, pairs with end_nap() */
    if (cw_unlikely(cw_load_seq_cst(&context->nappers)))
        return few_wait(self, most);
    /* relaxed: no more than advice */
    uint32_t before = cw_load_relaxed(&context->naps);
    uint32_t after = resumed ? CW__NAPS_HELP : CW__NAPS_MAY_HELP;
    if (before < after && few_wait(self, most))
        cw_store_relaxed(&context->naps, after);
    return false;
}

void cw__dispatch_to(cw_context *context, cw__worker *self, cw_job *job,
                     enum cw__hint hint)
{
    if (cw_unlikely(job->flags & CW__JOB_KILLABLE)) cw__job_queued(job);
    if (cw_unlikely(context->route)) {
        context->route->dispatch(context, self, job, hint);
        return;
    }
    if (cw_unlikely(job->flags & (CW__JOB_PINNED | CW__JOB_BOOKED))) {
        enum cw__rank rank = cw__job_rank(job);
        if (job->flags & CW__JOB_PINNED) {
            cw__dispatch_pinned(job);
            return;
        }
        if (rank != CW__NORMAL) {
            cw__aside_put(&context->aside, job, rank);
            if (hint != CW__QUEUED) cw__context_notify(context);
            return;
        }
    }
    if (!self || self->context != context) {
        if (hint == CW__QUEUED)
            cw__inbox_push(&context->inject, (uintptr_t)job);
        else if (!hand_over(context, NULL, job))
            inject(context, job);
        return;
    }
    if (hint == CW__RESUMED && self->running && !self->current &&
        !self->in_place &&
        context->count > 1) { /* a single worker keeps strict order */
        /* A body has just ended here and the worker takes its slot next, so
         * nobody has to be woken. */
        cw_job *before = self->slot;
        self->slot = job;
        if (!before) return;
        job = before;
    }
    cw__push(self, job);
    /* A running worker needs nobody to tell it, and a single one has nobody to
     * tell. */
    if (hint == CW__YIELDED || (self->running && context->count == 1)) return;
    if (leave_to_nappers(self, hint)) return;
    cw__context_notify(context);
}

void cw__dispatch_resumed(cw__worker *self, cw_job *first)
{
    /* Several keep their order, which the slot would turn around. */
    enum cw__hint hint = first && first->next ? CW__SPAWNED : CW__RESUMED;
    while (first) {
        cw_job *job = first;
        cw_context *context = job->context;
        /* Once queued the job may end, and with it a context of which this
         * thread has no handle. */
        bool foreign = !self || self->context != context;
        if (foreign) cw__context_hold(context);
        first = job->next;
        cw__cancel_if_closed(job);
        cw__dispatch(self, job, hint);
        if (foreign) cw__context_drop(context);
    }
}

void cw__dispatch_woken(cw__worker *self, cw__woken *woken)
{
    while (woken->producers) { /* before those who wait for the same end */
        cw__waiter *waiter = woken->producers;
        woken->producers = waiter->next;
        cw__producer_ended(
            self, cw_container_of(waiter, struct cw_channel, producing),
            waiter->target.job->parent != NULL); /* not detached yet */
    }
    cw__dispatch_resumed(self, woken->tasks);
    cw__handlers_call(woken->handlers);
}
