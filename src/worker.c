/* worker.c: one worker of a context and its run loop.
 *
 * SPDX-License-Identifier: MIT
 *
 * Where a worker looks for work, in this order:
 *   0. what somebody handed to it while it was free;
 *   1. its slot: the job that was resumed last, whose data are warm; at most
 *      SLOT_BUDGET times in a row, so that two jobs that resume each other do
 *      not keep out the rest. Nobody can steal from there, so what is not run
 *      at once goes to the ring;
 *   2. its ring, oldest first;
 *   3. what came from outside (the context's inject queue and backlog); every
 *      GLOBAL_EVERY turns this comes first, so that it cannot starve;
 *   4. other workers' rings: it steals half of one.
 *
 * What it does when it finds nothing is in idle.c.
 */
#include "worker.h"

#include "context.h"
#include "coroutine.h"
#include "host.h"
#include "kill_gate.h"
#include "sleep.h"
#include "text.h"
#include "withdraw.h"

#include <string.h>

enum {
    GLOBAL_EVERY = 61, /* turns between looks at the outside queue */
    TURNS_PER_CALL = 256,
    CLOCK_EVERY = 16,   /* turns between looks at the clock */
    SENDS_PER_TURN = 8, /* to send a body elsewhere takes next to no time */
    SLOT_BUDGET = 3,
    SEARCH_ROUNDS = 2,
    BATCH_FROM_OUTSIDE = 2 * CW__BATCH_JOBS
};
/* How long a worker that has called its host's code may stay away from the
 * host's event loop while it is busy. */
static const int64_t visit_every_ns = 2 * 1000 * 1000;

_Thread_local cw__worker *cw__self;

void cw__worker_init(cw__worker *worker, cw_context *context, uint32_t index)
{
    memset(worker, 0, sizeof *worker);
    worker->context = context;
    worker->index = index;
    worker->mark = (uint8_t)(index % CW__LAST + 1);
    worker->random = index * 2654435761u + 1;
    worker->may_futex = true;
    cw_store_relaxed(&worker->gate, CW__GATE_CLOSED);
    worker->wake_at_ns = CW__NEVER;
    cw__text name = cw__text_begin(worker->name, sizeof worker->name);
    cw__text_add(&name, context->name);
    if (context->count > 1) {
        cw__text_add(&name, "-");
        cw__text_add_number(&name, index + 1);
    }
}

/* ---- finding work */

static cw_job *pop(cw__worker *self)
{
    cw_job *job = self->context->count == 1 ? cw__ring_pop_alone(&self->ring)
                                            : cw__ring_pop(&self->ring);
    cw_job *next = cw__ring_peek(&self->ring);
    if (next) cw__job_prefetch(next);
    return job;
}

/* Moves jobs from outside to the end of the ring. */
static bool take_from_outside(cw__worker *self)
{
    cw_context *context = self->context;
    if (cw__inbox_empty(&context->inject) &&
        cw_load_seq_cst(&context->backlog.count) == 0)
        return false;
    if (cw__ring_room(&self->ring) < BATCH_FROM_OUTSIDE)
        return cw__ring_length(&self->ring) > 0; /* enough to do */
    cw_job *jobs[BATCH_FROM_OUTSIDE];
    uint32_t count = cw__context_take(context, jobs, BATCH_FROM_OUTSIDE);
    /* They have waited long and are in no cache any more: all at once takes
     * little longer than one. */
    for (uint32_t i = 0; i < count; i++)
        cw__job_prefetch(jobs[i]);
    cw__ring_push_many(&self->ring, jobs, count);
    /* While they changed hands a searcher may have seen none of them and gone
     * to sleep, and the first of them may run for long. */
    if (count > 1 || cw_load_seq_cst(&context->backlog.count))
        cw__context_notify(context);
    return count > 0;
}

static cw_job *steal(cw__worker *self, bool *busy)
{
    cw_context *context = self->context;
    uint32_t count = context->count;
    uint32_t start = cw__worker_random(self) % count;
    for (uint32_t i = 0; i < count; i++) {
        cw__worker *victim = &context->workers[(start + i) % count];
        if (victim == self) continue;
        uint32_t moved = 0;
        cw_job *job = cw__ring_steal(&victim->ring, &self->ring, &moved);
        if (job) {
            cw__count(&self->steals, 1);
            cw__count(&self->stolen, moved + 1);
            cw__traced(&self->trace, CW__TRACE_STEAL, victim->index);
            return job;
        }
        if (cw__ring_length(&victim->ring)) *busy = true;
    }
    return NULL;
}

static cw_job *take_slot(cw__worker *self)
{
    cw_job *job = self->slot;
    self->slot = NULL;
    return job;
}

cw_job *cw__worker_take_handed(cw__worker *worker)
{
    if (!cw_load_relaxed(&worker->handed)) return NULL;
    return cw_swap_acquire(&worker->handed, NULL); /* pairs with give() */
}

/* Takes what was handed to workers that sleep in their host's event loop, which
 * may be busy with something else. Only after a while: usually it is not. */
static cw_job *take_stranded(cw__worker *self)
{
    cw_context *context = self->context;
    for (uint32_t i = 0; i < context->count; i++) {
        cw__worker *other = &context->workers[i];
        if (other == self || !cw_load_relaxed(&other->asleep_in_loop)) continue;
        if (!cw_load_relaxed(&other->parks)) continue; /* not up yet */
        cw_job *job = cw__worker_take_handed(other);
        if (job) return job;
    }
    return NULL;
}

/* Without a host there are but jobs. */
static void pin_all(cw__worker *self, uintptr_t chain)
{
    while (chain) {
        uintptr_t item = chain;
        chain = cw__inbox_next(chain);
        cw__worker_pin(self, (cw_job *)(item & ~(uintptr_t)CW__INBOX_MARK));
    }
}

void cw__worker_read_inbox(cw__worker *self)
{
    uintptr_t chain = self->undelivered;
    if (!chain) chain = cw__inbox_take(&self->inbox);
    if (!chain) return;
    if (cw__the_host.deliver)
        self->undelivered = cw__the_host.deliver(self, chain);
    else
        pin_all(self, chain);
}

void cw__worker_pin(cw__worker *self, cw_job *job)
{
    cw__line_put(&self->pinned, job);
}

static cw_job *next_in_line(cw__worker *self)
{
    cw_job *job = pop(self);
    if (!job && take_from_outside(self)) job = pop(self);
    return job;
}

/* The same when jobs may wait that are not of normal rank. */
static cw_job *next_by_rank(cw__worker *self)
{
    cw__aside *aside = &self->context->aside;
    unsigned waiting = cw_load_relaxed(&aside->waiting);
    unsigned all = waiting | CW__ANY_NORMAL;
    enum cw__rank rank = cw__turns_next(&self->turns, all);
    cw_job *job = rank == CW__NORMAL ? next_in_line(self) : NULL;
    if (!job && rank == CW__NORMAL && waiting)
        rank = cw__turns_next(&self->turns, waiting);
    if (!job && rank != CW__NORMAL) job = cw__aside_take(aside, rank);
    if (job)
        cw__turns_taken(&self->turns, rank, waiting);
    else /* somebody was faster */
        job = next_in_line(self);
    return job;
}

static cw_job *next_job(cw__worker *self)
{
    uint32_t tick = ++self->tick;
    if (cw_unlikely(self->undelivered || self->pinned.first ||
                    !cw__inbox_empty(&self->inbox))) {
        if (self->undelivered || !cw__inbox_empty(&self->inbox))
            cw__worker_read_inbox(self);
        /* In turn with the others. */
        if (tick % 2 && self->pinned.first) return cw__line_take(&self->pinned);
    }
    if (cw_unlikely(tick % CLOCK_EVERY == 0)) cw__worker_fire_timers(self);
    if (cw_unlikely(tick % GLOBAL_EVERY == 0)) take_from_outside(self);
    cw_job *job = cw__worker_take_handed(self);
    if (job) return job;
    job = take_slot(self);
    if (job) {
        if (++self->slot_hits <= SLOT_BUDGET) return job;
        cw__push(self, job);
    }
    self->slot_hits = 0;
    /* relaxed: who does not see it yet finds it in the next turn */
    if (cw_unlikely(cw_load_relaxed(&self->context->aside.waiting))) {
        job = next_by_rank(self);
    } else {
        job = pop(self);
        if (!job && take_from_outside(self)) job = pop(self);
    }
    if (cw_unlikely(!job && self->pinned.first))
        job = cw__line_take(&self->pinned);
    return job;
}

static cw_job *search(cw__worker *self)
{
    for (unsigned round = 0; round < SEARCH_ROUNDS; round++) {
        bool busy = false;
        /* relaxed: who does not see it yet looks again before it sleeps */
        cw_job *job = cw_load_relaxed(&self->context->aside.waiting)
                          ? next_by_rank(self)
                          : next_in_line(self);
        if (!job) job = steal(self, &busy);
        if (job) return job;
        if (busy) { /* a thief is at it; there is more */
            cw__thread_pause();
            round = 0;
        }
    }
    return NULL;
}

cw_job *cw__worker_look(cw__worker *self, bool searching, bool lingered,
                        bool *stays)
{
    cw_job *job = cw__worker_take_handed(self);
    *stays = !job && self->pinned.first;
    if (*stays) job = cw__line_take(&self->pinned);
    if (!job) job = take_slot(self);
    /* relaxed: who does not see it yet looks again before it sleeps */
    if (!job && cw_load_relaxed(&self->context->aside.waiting))
        job = next_by_rank(self);
    if (!job) job = pop(self);
    if (!job && searching) job = search(self);
    if (!job && lingered) job = take_stranded(self);
    return job;
}

/* ---- running */

void cw__worker_give_up_slot(cw__worker *self)
{
    cw_job *job = take_slot(self);
    if (!job) return;
    cw__push(self, job);
    cw__context_notify(self->context);
}

void cw__worker_step(cw__worker *self, cw_job *job)
{
    if (cw_unlikely(!cw__job_take(self, job))) return;
    /* Ended jobs whose parent runs here may wait a little longer. */
    if (self->done && self->done->parent != job->parent &&
        self->done->parent != job->scope)
        cw__worker_flush(self);
    if (cw_unlikely(self->slot))
        cw__worker_give_up_slot(self); /* this may take long */
    self->current = job;
    cw__count(&self->steps, 1);
    cw__traced(&self->trace, CW__TRACE_BEGIN, (uintptr_t)cw__job_type(job));
    cw__task_run(self, job);
    cw__traced(&self->trace, CW__TRACE_END, 0);
    self->current = NULL;
}

static void run_job(cw__worker *self, cw_job *job)
{
    const cw_context *context = job->context;
    if (cw_unlikely(context != self->context && context->route->run))
        context->route->run(self, job);
    else
        cw__worker_step(self, job);
}

/* True if the host's event loop should get a turn now. Only a worker that has
 * run code of the host can have something waiting there. */
static bool loop_is_due(cw__worker *self)
{
    if (!self->host_ran) return false;
    if (self->host_goes_on) return true;
    if (!self->foreign && ++self->since_clock < CLOCK_EVERY) return false;
    self->since_clock = 0;
    int64_t now = cw__now_ns();
    if (now - self->last_visit_ns < visit_every_ns) return false;
    self->last_visit_ns = now;
    return true;
}

/* CW__RUN_MORE after so many turns. */
static cw__run run_turns(cw__worker *self, uint32_t turns, const cw_job *until)
{
    cw__run why = CW__RUN_END;
    for (; turns > 0; turns--) {
        bool asleep = cw_load_relaxed(&self->asleep_in_loop) != 0; /* ours */
        cw_job *job = asleep ? NULL : next_job(self);
        if (!job) {
            cw__worker_flush(self);
            if (until && cw_is_completed(until) && !asleep) return CW__RUN_END;
            job = cw__worker_idle(self, &why, until);
            if (!job) return why;
        }
        uint32_t sends = self->sends;
        run_job(self, job);
        if (self->sends != sends && self->sends % SENDS_PER_TURN) turns++;
        /* Others of the loop may always be ready. */
        if (until && cw_is_completed(until)) return CW__RUN_VISIT;
        if (self->undelivered || (self->has_loop && loop_is_due(self)))
            return CW__RUN_VISIT;
    }
    return CW__RUN_MORE;
}

/* Engines translate WebAssembly quickly at first and well later, but change
 * over only between calls. So the loop must not be one endless call: it is
 * entered anew every TURNS_PER_CALL turns, by way of a volatile pointer, which
 * keeps compilers and linkers from inlining it. */
static cw__run (*volatile call_run_turns)(cw__worker *, uint32_t,
                                          const cw_job *) = run_turns;

cw__run cw__worker_run(cw__worker *self, uint32_t budget, const cw_job *until)
{
    bool nested = self->running;
    self->running = true;
    cw__run why;
    do {
        uint32_t turns = TURNS_PER_CALL;
        if (budget && budget < turns) turns = budget;
        why = call_run_turns(self, turns, until);
        if (budget && (budget -= turns) == 0 && why == CW__RUN_MORE)
            why = CW__RUN_VISIT;
    } while (why == CW__RUN_MORE);
    if (why == CW__RUN_VISIT) { /* the worker leaves with work left */
        cw__worker_flush(self);
        cw__worker_give_up_slot(self);
        if (self->host_goes_on) why = CW__RUN_GO_ON;
    }
    self->host_goes_on = false;
    self->running = nested;
    return why;
}
