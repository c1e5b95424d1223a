/* worker.c: one worker of a context, its run loop and its sleep.
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
 * How it sleeps when it finds nothing is in sleep.c.
 */
#include "worker.h"

#include "context.h"
#include "coroutine.h"
#include "host.h"
#include "kill_gate.h"
#include "limit.h"
#include "sleep.h"
#include "text.h"
#include "watch.h"
#include "withdraw.h"

#include <string.h>

enum {
    GLOBAL_EVERY = 61, /* turns between looks at the outside queue */
    TURNS_PER_CALL = 256,
    CLOCK_EVERY = 16, /* turns between looks at the clock */
    SLOT_BUDGET = 3,
    SEARCH_ROUNDS = 2,
    TIMERS_PER_TURN = 64,
    BATCH_FROM_OUTSIDE = 2 * CW__BATCH_JOBS
};
/* How long a worker that has called its host's code may stay away from the
 * host's event loop while it is busy, and how long it sleeps in here, ready to
 * go on at once, before it goes back there to sleep. */
static const int64_t visit_every_ns = 2 * 1000 * 1000;
static const int64_t linger_ns = 4 * 1000 * 1000;

_Thread_local cw__worker *cw__self;

void cw__worker_init(cw__worker *worker, cw_context *context, uint32_t index)
{
    memset(worker, 0, sizeof *worker);
    worker->context = context;
    worker->index = index;
    worker->mark = (uint8_t)(index % CW__LAST + 1);
    worker->random = index * 2654435761u + 1;
    worker->may_futex = true;
    worker->wake_at_ns = CW__NEVER;
    cw__text name = cw__text_begin(worker->name, sizeof worker->name);
    cw__text_add(&name, context->name);
    if (context->count > 1) {
        cw__text_add(&name, "-");
        cw__text_add_number(&name, index + 1);
    }
}

const char *cw_worker_name(void)
{
    CW__RUNTIME;
    return cw__self ? cw__self->name : "";
}

cw_job *cw_current_job(void)
{
    CW__RUNTIME;
    return cw__self ? cw__self->current : NULL;
}

cw_job *cw_current_scope(void)
{
    CW__RUNTIME;
    cw_job *job = cw_current_job();
    return job ? job->scope : NULL;
}

cw_context *cw_current_context(void)
{
    CW__RUNTIME;
    const cw__worker *self = cw__self;
    return self ? cw__worker_place(self) : NULL;
}

bool cw_is_stopped(void)
{
    CW__RUNTIME;
    cw_job *job = cw_current_job();
    return job && !cw_is_active(job->scope);
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

/* A delay is over: the job goes on where it was before, if that worker has
 * nothing else to do; the worker that found out counts as such. */
static void resume_on_time(cw__worker *self, cw_job *job)
{
    cw_context *context = job->context;
    if (cw_unlikely(context != self->context)) { /* it has no clock */
        cw__context_hold(context);
        cw__dispatch(self, job, CW__SPAWNED);
        cw__context_drop(context);
        return;
    }
    if (cw_unlikely(job->flags & CW__JOB_PINNED)) {
        cw__dispatch(self, job, CW__RESUMED);
        return;
    }
    if (cw__hand_over(self, job)) return;
    if ((job->last & CW__LAST) == self->mark && self->context->count > 1 &&
        !cw_load_relaxed(&self->handed))
        /* seq_cst, as in give(): others hand over only to a free worker, but
         * one may be late with it */
        job = cw_swap_seq_cst(&self->handed, job);
    if (job) cw__dispatch(self, job, CW__SPAWNED);
}

void cw__worker_fire_timers(cw__worker *self)
{
    cw_context *context = self->context;
    if (!cw__timers_any(&context->timers)) return;
    int64_t now = cw__now_ns();
    for (;;) {
        cw__woken woken;
        cw__limit *limits;
        uint32_t fired = cw__timers_due(&context->timers, now, TIMERS_PER_TURN,
                                        &woken, &limits);
        if (!fired) return;
        cw__count(&self->timers_fired, fired);
        while (woken.tasks) {
            cw_job *job = woken.tasks;
            woken.tasks = job->next;
            cw__cancel_if_closed(job);
            resume_on_time(self, job);
        }
        cw__dispatch_woken(self, &woken);
        cw__limits_expire(limits);
        if (fired < TIMERS_PER_TURN) return;
    }
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

static void read_inbox(cw__worker *self)
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
            read_inbox(self);
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
        cw_job *job = next_by_rank(self);
        if (!job) job = steal(self, &busy);
        if (job) return job;
        if (busy) { /* a thief is at it; there is more */
            cw__thread_pause();
            round = 0;
        }
    }
    return NULL;
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

/* This worker is not free any more. True if it was given a job before that. */
static bool stop_being_free(cw__worker *self)
{
    /* seq_cst, both: pairs with give_if_free() */
    cw_store_seq_cst(&self->free, 0);
    return cw_load_seq_cst(&self->handed) != NULL;
}

/* The job to run now: `job`, which was found, unless the worker was given one
 * meanwhile: nobody else could take that one while it runs `job`. */
static cw_job *take_found(cw__worker *self, cw_job *job)
{
    if (cw_likely(!stop_being_free(self))) return job;
    cw_job *handed = cw__worker_take_handed(self);
    if (!handed) return job;
    cw__push(self, job);
    cw__context_notify(self->context);
    return handed;
}

/* The others have taken a worker that has just begun for a sleeper. If it got
 * up by itself now, it would find nothing, and miss what they give it. */
static void begin_asleep(cw__worker *self)
{
    cw__count(&self->parks, 1);
    cw__traced(&self->trace, CW__TRACE_PARK, 0);
    cw__sleep_in_futex(self, -1);
}

/* The worker has nothing to do in here. */
static cw_job *leave(cw__worker *self, bool searching, cw__run *why,
                     cw__run reason)
{
    if (searching) cw__stop_searching(self);
    stop_being_free(self);
    *why = reason;
    return NULL;
}

/* Nothing to do. Returns a job after all, or NULL with the reason to leave in
 * `*why`. */
static cw_job *idle(cw__worker *self, cw__run *why, const cw_job *until)
{
    cw_context *context = self->context;
    bool asleep = cw_load_relaxed(&self->asleep_in_loop) != 0; /* ours */
    bool searching = asleep || cw__start_searching(self);
    cw_store_relaxed(&self->free, 1); /* those who see it look again */
    if (asleep) {
        cw_store_relaxed(&self->asleep_in_loop, 0);
        if (!cw_load_relaxed(&self->parks)) begin_asleep(self);
        cw__get_up(self);
        cw__worker_fire_timers(self);
    }
    bool lingered = false, looked = false;
    for (;;) {
        cw_job *job = NULL;
        if (!cw__inbox_empty(&self->inbox)) read_inbox(self);
        if (self->undelivered)
            return leave(self, searching, why, CW__RUN_VISIT);
        job = cw__worker_take_handed(self);
        if (!job) job = cw__line_take(&self->pinned);
        if (!job) job = take_slot(self);
        if (!job && cw_load_relaxed(&context->aside.waiting))
            job = next_by_rank(self);
        if (!job) job = pop(self);
        if (!job && searching) job = search(self);
        if (!job && lingered) job = take_stranded(self);
        if (job) {
            if (searching) cw__stop_searching(self);
            return take_found(self, job);
        }
        /* acquire: pairs with cw_debug_set() */
        uint32_t debug = cw_load_acquire(&cw__debug_options);
        if (cw_unlikely(debug & CW_DEBUG_DEADLOCKS) && !looked) {
            looked = true; /* once per sleep: then look again for work */
            cw__watching->idle();
            continue;
        }
        cw__worker_publish(self);
        if (cw__context_quiet(context) || (until && cw_is_completed(until)))
            return leave(self, searching, why, CW__RUN_END);
        if (self->foreign && self->host_called) {
            /* What was just called may come to its end in the next turn. */
            self->host_called = false;
            return leave(self, searching, why, CW__RUN_VISIT);
        }
        bool in_futex = self->may_futex && !self->foreign && !lingered;
        if (!cw__fall_asleep(self, searching, in_futex, until)) {
            searching = true;
            continue;
        }
        if (!in_futex) {
            cw_store_relaxed(&self->asleep_in_loop, 1);
            *why = CW__RUN_SLEEP;
            return NULL;
        }
        /* Code of the host may have left things behind that want its event
         * loop, so it gets that soon; but work often comes again at once. */
        cw__sleep_in_futex(self, self->host_ran ? linger_ns : -1);
        lingered = self->host_ran && cw_load_acquire(&self->word) == 0;
        cw__get_up(self);
        cw__worker_fire_timers(self);
        searching = true;
        looked = false;
    }
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
            job = idle(self, &why, until);
            if (!job) return why;
        }
        run_job(self, job);
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
