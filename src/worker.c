/* worker.c: one worker of a context, its run loop and its sleep.
 *
 * SPDX-License-Identifier: MIT
 *
 * Where a worker looks for work, in this order:
 *   0. what somebody handed to it while it slept;
 *   1. its slot: the job that was resumed last, whose data are warm; at most
 *      SLOT_BUDGET times in a row, so that two jobs that resume each other do
 *      not keep out the rest. Nobody can steal from there, so what is not run
 *      at once goes to the ring;
 *   2. its ring, oldest first;
 *   3. what came from outside (the context's inject queue and backlog); every
 *      GLOBAL_EVERY turns this comes first, so that it cannot starve;
 *   4. other workers' rings: it steals half of one.
 *
 * Sleeping. A worker that finds nothing counts itself out of the searchers and
 * into the sleepers, with its bit in `idle_bits` set before, and then looks
 * everywhere once more. Whoever queues a job looks at these counters after the
 * job is visible. All of this is sequentially consistent, so either the one who
 * queues sees the sleeper and wakes it, or the sleeper's last look sees the
 * job. Nobody is woken while somebody searches: a searcher that finds work and
 * was the last one wakes the next. Whoever clears a sleeper's bit moves it from
 * the sleepers to the searchers and owes it a wake-up.
 *
 * Time. While anybody sleeps and a timer is set, one sleeper, the keeper,
 * sleeps only until the earliest deadline. Whoever is to be woken for work is
 * chosen among the others first. Running workers look at the clock now and
 * then.
 */
#include "worker.h"

#include "context.h"
#include "coroutine.h"
#include "error.h"
#include "host.h"
#include "limit.h"
#include "text.h"

#include <string.h>

enum {
    GLOBAL_EVERY = 61, /* turns between looks at the outside queue */
    TURNS_PER_CALL = 256,
    CLOCK_EVERY = 16, /* turns between looks at the clock */
    SLOT_BUDGET = 3,
    SEARCH_ROUNDS = 2,
    TIMERS_PER_TURN = 64,
    BATCH_FROM_OUTSIDE = 2 * CW__BATCH_JOBS,
    OVERFLOW = 2 * CW__BATCH_JOBS
};
/* How long a worker that has called its host's code may stay away from the
 * host's event loop while it is busy, and how long it sleeps in here, ready to
 * go on at once, before it goes back there to sleep. */
static const int64_t visit_every_ns = 2 * 1000 * 1000;
static const int64_t linger_ns = 4 * 1000 * 1000;
/* After so long a sleep a worker is given a job of its own, see hand_over(). */
static const int64_t rest_ns = 200 * 1000;

enum { ONE_SEARCHER = 1, ONE_SLEEPER = 1 << 16 };

_Thread_local cw__worker *cw__self;

void cw__worker_init(cw__worker *worker, cw_context *context, uint32_t index)
{
    memset(worker, 0, sizeof *worker);
    worker->context = context;
    worker->index = index;
    worker->random = index * 2654435761u + 1;
    worker->may_futex = true;
    cw__text name = cw__text_begin(worker->name, sizeof worker->name);
    cw__text_add(&name, context->name);
    if (context->count > 1) {
        cw__text_add(&name, "-");
        cw__text_add_number(&name, index + 1);
    }
}

const char *cw_worker_name(void) { return cw__self ? cw__self->name : ""; }

cw_job *cw_current_job(void) { return cw__self ? cw__self->current : NULL; }

cw_context *cw_current_context(void)
{
    return cw__self ? cw__self->context : NULL;
}

bool cw_is_stopped(void)
{
    cw_job *job = cw_current_job();
    return job && !cw_is_active(job->scope);
}

static uint32_t next_random(cw__worker *self)
{
    uint32_t x = self->random; /* xorshift32 */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return self->random = x;
}

/* ---- queueing on this worker */

static bool push_to_ring(cw__worker *self, cw_job *job)
{
    return self->context->count == 1 ? cw__ring_push_alone(&self->ring, job)
                                     : cw__ring_push(&self->ring, job);
}

/* Puts a job at the end of the line. */
static void push(cw__worker *self, cw_job *job)
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

static bool hand_over(cw__worker *self, cw_job *job);

static void inject(cw_context *context, cw_job *job)
{
    cw__inbox_push(&context->inject, (uintptr_t)job);
    cw__context_notify(context);
}

void cw__dispatch(cw__worker *self, cw_job *job, enum cw__hint hint)
{
    cw_context *context = job->context;
    if (!self || self->context != context) {
        if (hint == CW__QUEUED)
            cw__inbox_push(&context->inject, (uintptr_t)job);
        else if (!hand_over(NULL, job))
            inject(context, job);
        return;
    }
    if (hint == CW__RESUMED && self->running && !self->current &&
        context->count > 1) { /* a single worker keeps strict order */
        /* A body has just ended here and the worker takes its slot next, so
         * nobody has to be woken. */
        cw_job *before = self->slot;
        self->slot = job;
        if (!before) return;
        job = before;
    }
    push(self, job);
    /* A running worker needs nobody to tell it, and a single one has nobody to
     * tell. */
    if (hint != CW__YIELDED && !(self->running && context->count == 1))
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
        /* acquire: pairs with cw_context_close() */
        if (cw_unlikely(cw_load_acquire(&context->closed)))
            cw__cancel_closed(job);
        cw__dispatch(self, job, hint);
        if (foreign) cw__context_drop(context);
    }
}

void cw__dispatch_woken(cw__worker *self, cw__woken *woken)
{
    cw__dispatch_resumed(self, woken->tasks);
    cw__op *op = woken->ops;
    while (op) {
        cw__op *next = op->next; /* the host may free it at once */
        cw__the_host.op_fired(op);
        op = next;
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
    uint32_t start = next_random(self) % count;
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
        if (other == self || !other->has_loop) continue; /* not up yet */
        if (!cw_load_relaxed(&other->asleep_in_loop)) continue;
        cw_job *job = cw__worker_take_handed(other);
        if (job) return job;
    }
    return NULL;
}

/* A delay is over: the job goes on where it was before, if that worker has
 * nothing else to do; the worker that found out counts as such. */
static void resume_on_time(cw__worker *self, cw_job *job)
{
    if (hand_over(self, job)) return;
    if (job->last == self->index % CW__LAST + 1 && self->context->count > 1 &&
        !cw_load_relaxed(&self->handed))
        /* seq_cst, as in give(): others hand over only to sleepers, but one
         * may be late with it */
        job = cw_swap_seq_cst(&self->handed, job);
    if (job) cw__dispatch(self, job, CW__SPAWNED);
}

/* Runs down what is due. */
static void fire_timers(cw__worker *self)
{
    cw_context *context = self->context;
    if (cw_load_relaxed(&context->timers.next_ns) == CW__NEVER) return;
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
            if (cw_unlikely(cw_load_acquire(&context->closed)))
                cw__cancel_closed(job);
            resume_on_time(self, job);
        }
        cw__dispatch_woken(self, &woken);
        cw__limits_expire(limits);
        if (fired < TIMERS_PER_TURN) return;
    }
}

static void read_inbox(cw__worker *self)
{
    uintptr_t chain = self->undelivered;
    if (!chain) chain = cw__inbox_take(&self->inbox);
    if (chain) self->undelivered = cw__the_host.deliver(self, chain);
}

static cw_job *next_job(cw__worker *self)
{
    uint32_t tick = ++self->tick;
    if (cw_unlikely(self->undelivered || !cw__inbox_empty(&self->inbox)))
        read_inbox(self);
    if (cw_unlikely(tick % CLOCK_EVERY == 0)) fire_timers(self);
    if (cw_unlikely(tick % GLOBAL_EVERY == 0)) take_from_outside(self);
    cw_job *job = cw__worker_take_handed(self);
    if (job) return job;
    job = take_slot(self);
    if (job) {
        if (++self->slot_hits <= SLOT_BUDGET) return job;
        push(self, job);
    }
    self->slot_hits = 0;
    job = pop(self);
    if (job || !take_from_outside(self)) return job;
    return pop(self);
}

/* ---- sleeping and waking */

static bool clear_idle_bit(cw_context *context, uint32_t index)
{
    uint32_t bit = 1u << index % 32;
    /* seq_cst: decides who owes the wake-up */
    return (cw_and_seq_cst(&context->idle_bits[index / 32], ~bit) & bit) != 0;
}

static void wake(cw__worker *worker)
{
    cw_context *context = worker->context;
    cw_add_relaxed(&context->wakes, 1);
    /* seq_cst: release for what the worker will find; it may be about to wait,
     * then the futex compares */
    cw_store_seq_cst(&worker->word, 1);
    cw__futex_wake(&worker->word);
    if (worker->has_loop && cw__the_host.wake) cw__the_host.wake(worker);
}

/* Takes any sleeper's bit, the keeper's last. */
static cw__worker *pick_sleeper(cw_context *context)
{
    uint32_t keeper = cw_load_relaxed(&context->keeper);
    uint32_t words = (context->count + 31) / 32;
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t w = 0; w < words; w++) {
            uint32_t bits = cw_load_relaxed(&context->idle_bits[w]);
            while (bits) {
                uint32_t index = w * 32 + (uint32_t)__builtin_ctz(bits);
                bits &= bits - 1;
                if (round == 0 && index + 1 == keeper) continue;
                if (clear_idle_bit(context, index))
                    return &context->workers[index];
            }
        }
    }
    return NULL;
}

void cw__context_notify(cw_context *context)
{
    /* seq_cst: comes after the job was made visible */
    uint32_t idle = cw_load_seq_cst(&context->idle);
    if (idle < ONE_SLEEPER || idle % ONE_SLEEPER != 0) return;
    cw__worker *worker = pick_sleeper(context);
    /* A counted sleeper without a bit has got up by itself, or somebody else
     * wakes it: it is about to look for work, and before it sleeps again it
     * looks for this one. Waiting for it here could take as long as its job. */
    if (!worker) return;
    cw_sub_seq_cst(&context->idle, ONE_SLEEPER - ONE_SEARCHER);
    wake(worker);
}

/* Gives a job to a sleeper whose bit the caller has cleared. */
static void give(cw__worker *worker, cw_job *job)
{
    /* seq_cst: comes before the wake-up, and pairs with take_handed */
    job = cw_swap_seq_cst(&worker->handed, job);
    wake(worker);
    /* It had one already if it got up by itself just before, to sleep again. */
    if (job) inject(worker->context, job);
}

/* Wakes the worker for the job if it sleeps. */
static bool give_if_asleep(cw__worker *worker, cw_job *job)
{
    if (!clear_idle_bit(worker->context, worker->index)) return false;
    cw_sub_seq_cst(&worker->context->idle, ONE_SLEEPER - ONE_SEARCHER);
    give(worker, job);
    return true;
}

/* Gives a job straight to a sleeping worker: to the one that ran it last, or,
 * if it is launched from outside (`self` is NULL), to one that has rested for a
 * while. So jobs that are launched on a quiet pool start on different workers
 * and stay there, while on a busy one, whose workers only nod off, they are
 * queued and nobody is woken in vain. False if there is no such sleeper. */
static bool hand_over(cw__worker *self, cw_job *job)
{
    cw_context *context = job->context;
    if (context->count == 1) return false; /* keeps strict order */
    if (cw_load_seq_cst(&context->idle) < ONE_SLEEPER) return false;
    uint32_t last = job->last - 1u; /* not begun: out of range */
    if (last < context->count && !(self && self->index == last) &&
        give_if_asleep(&context->workers[last], job))
        return true;
    if (self) return false;
    int64_t rested = cw__now_ns() - rest_ns;
    /* relaxed: any starting point will do */
    uint32_t start = cw_add_relaxed(&context->next_rested, 1);
    for (uint32_t i = 0; i < context->count; i++) {
        cw__worker *worker = &context->workers[(start + i) % context->count];
        if (cw_load_relaxed(&worker->slept_at_ns) < rested &&
            give_if_asleep(worker, job))
            return true;
    }
    return false;
}

void cw__worker_unpark(cw__worker *worker)
{
    cw_context *context = worker->context;
    if (!clear_idle_bit(context, worker->index)) return; /* it is awake */
    cw_sub_seq_cst(&context->idle, ONE_SLEEPER - ONE_SEARCHER);
    wake(worker);
}

void cw__context_timer_added(cw__worker *self, cw_context *context, bool first)
{
    if (!first) return;
    /* seq_cst: after the deadline was published. The keeper sleeps too long
     * now; if there is none, a sleeper has to become it. */
    uint32_t keeper = cw_load_seq_cst(&context->keeper);
    if (keeper &&
        !(self && self->context == context && self->index + 1 == keeper)) {
        cw__worker_unpark(&context->workers[keeper - 1]);
    } else {
        cw__context_notify(context);
    }
}

/* True if there may be anything to do, anywhere. */
static bool any_work(cw__worker *self)
{
    cw_context *context = self->context;
    if (!cw__inbox_empty(&self->inbox) || !cw__inbox_empty(&context->inject) ||
        cw_load_seq_cst(&context->backlog.count) ||
        cw_load_seq_cst(&self->handed))
        return true;
    for (uint32_t i = 0; i < context->count; i++)
        if (cw__ring_length(&context->workers[i].ring)) return true;
    return false;
}

static void stop_keeping(cw__worker *self)
{
    uint32_t mine = self->index + 1;
    if (cw_load_relaxed(&self->context->keeper) == mine)
        cw_store_seq_cst(&self->context->keeper, 0);
}

/* Somebody else has cleared this worker's bit. What he wants to hand over comes
 * with the wake-up that he owes; it must not be left lying while the worker
 * runs something else. This takes as long as a lock. */
static void await_wake(cw__worker *self)
{
    /* acquire: pairs with wake() */
    while (cw_load_acquire(&self->word) == 0)
        cw__thread_pause();
}

/* Becomes a sleeper: returns false, a searcher again, if there is work, or if
 * `until` (unless NULL) is over: whoever ended it wakes those who sleep by then.
 */
static bool fall_asleep(cw__worker *self, bool searching, const cw_job *until)
{
    cw_context *context = self->context;
    cw_store_seq_cst(&self->word, 0);
    uint32_t bit = 1u << self->index % 32;
    cw_or_seq_cst(&context->idle_bits[self->index / 32], bit);
    cw_add_seq_cst(&context->idle, searching
                                       ? (uint32_t)(ONE_SLEEPER - ONE_SEARCHER)
                                       : (uint32_t)ONE_SLEEPER);
    /* Somebody has to keep the time. seq_cst, before the deadline is read:
     * pairs with cw__context_timer_added. */
    self->wake_at_ns = CW__NEVER;
    uint32_t none = 0;
    if (cw_load_seq_cst(&context->timers.next_ns) != CW__NEVER &&
        cw_cas_seq_cst(&context->keeper, &none, self->index + 1))
        self->wake_at_ns = cw_load_seq_cst(&context->timers.next_ns);
    if (!any_work(self) && !cw__context_quiet(context) &&
        !(until && cw_is_completed(until))) {
        /* One that has run nothing yet has rested since ever. */
        if (cw_load_relaxed(&self->steps))
            cw_store_relaxed(&self->slept_at_ns, cw__now_ns());
        cw__count(&self->parks, 1);
        cw__traced(&self->trace, CW__TRACE_PARK, 0);
        return true;
    }
    /* Or nobody would keep the time from now on, itself included. */
    stop_keeping(self);
    if (clear_idle_bit(context, self->index)) {
        cw_sub_seq_cst(&context->idle, ONE_SLEEPER - ONE_SEARCHER);
    } else {
        await_wake(self);
    }
    return false;
}

/* Awake again, as a searcher. */
static void get_up(cw__worker *self)
{
    if (clear_idle_bit(self->context, self->index)) { /* by itself */
        cw_sub_seq_cst(&self->context->idle, ONE_SLEEPER - ONE_SEARCHER);
    } else {
        await_wake(self);
    }
    stop_keeping(self);
    cw__traced(&self->trace, CW__TRACE_UNPARK, 0);
    fire_timers(self);
}

/* Sleeps on the futex word until woken, the deadline, or `at_most_ns`. */
static void sleep_in_futex(cw__worker *self, int64_t at_most_ns)
{
    int64_t timeout = at_most_ns;
    if (self->wake_at_ns != CW__NEVER) {
        int64_t left = self->wake_at_ns - cw__now_ns();
        if (left < 0) left = 0;
        if (timeout < 0 || left < timeout) timeout = left;
    }
    /* acquire: pairs with wake() */
    if (cw_load_acquire(&self->word) == 0)
        cw__futex_wait(&self->word, 0, timeout);
}

/* The last searcher that finds work passes the search on if there is more of
 * it: nobody was woken for what came while it searched. Also somebody has to
 * keep the time while this worker is busy. */
static void stop_searching(cw__worker *self)
{
    cw_context *context = self->context;
    uint32_t before = cw_sub_seq_cst(&context->idle, ONE_SEARCHER);
    if (before % ONE_SLEEPER != ONE_SEARCHER || before < ONE_SLEEPER) return;
    bool keeperless = cw_load_seq_cst(&context->keeper) == 0 &&
                      cw_load_seq_cst(&context->timers.next_ns) != CW__NEVER;
    if (keeperless || any_work(self)) cw__context_notify(context);
}

static bool start_searching(cw__worker *self)
{
    uint32_t idle = cw_load_seq_cst(&self->context->idle);
    do {
        /* At most half of the workers search. */
        if (idle % ONE_SLEEPER * 2 >= self->context->count &&
            self->context->count > 1)
            return false;
    } while (
        !cw_cas_weak_seq_cst(&self->context->idle, &idle, idle + ONE_SEARCHER));
    return true;
}

static cw_job *search(cw__worker *self)
{
    for (unsigned round = 0; round < SEARCH_ROUNDS; round++) {
        bool busy = false;
        cw_job *job = take_from_outside(self) ? pop(self) : NULL;
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

/* Others may have what is in the slot. */
static void give_up_slot(cw__worker *self)
{
    cw_job *job = take_slot(self);
    if (!job) return;
    push(self, job);
    cw__context_notify(self->context);
}

static void run_job(cw__worker *self, cw_job *job)
{
    /* Ended jobs whose parent runs here may wait a little longer. */
    if (self->done && self->done->parent != job->parent &&
        self->done->parent != job->scope)
        cw__worker_flush(self);
    if (cw_unlikely(self->slot)) give_up_slot(self); /* this may take long */
    self->current = job;
    cw__count(&self->steps, 1);
    cw__traced(&self->trace, CW__TRACE_BEGIN, (uintptr_t)cw__job_type(job));
    cw__task_run(self, job);
    cw__traced(&self->trace, CW__TRACE_END, 0);
    self->current = NULL;
}

/* True if the host's event loop should get a turn now. Only a worker that has
 * run code of the host can have something waiting there. */
static bool loop_is_due(cw__worker *self)
{
    if (!self->host_ran) return false;
    if (!self->foreign && ++self->since_clock < CLOCK_EVERY) return false;
    self->since_clock = 0;
    int64_t now = cw__now_ns();
    if (now - self->last_visit_ns < visit_every_ns) return false;
    self->last_visit_ns = now;
    return true;
}

/* Nothing to do. Returns a job after all, or NULL with the reason to leave in
 * `*why`. */
static cw_job *idle(cw__worker *self, cw__run *why, const cw_job *until)
{
    cw_context *context = self->context;
    bool asleep = cw_load_relaxed(&self->asleep_in_loop) != 0; /* ours */
    bool searching = asleep || start_searching(self);
    if (asleep) {
        cw_store_relaxed(&self->asleep_in_loop, 0);
        get_up(self);
    }
    bool lingered = false;
    for (;;) {
        cw_job *job = NULL;
        if (!cw__inbox_empty(&self->inbox)) read_inbox(self);
        if (self->undelivered) {
            if (searching) stop_searching(self);
            *why = CW__RUN_VISIT;
            return NULL;
        }
        job = cw__worker_take_handed(self);
        if (!job) job = take_slot(self);
        if (!job) job = pop(self);
        if (!job && searching) job = search(self);
        if (!job && lingered) job = take_stranded(self);
        if (job) {
            if (searching) stop_searching(self);
            return job;
        }
        cw__worker_publish(self);
        if (cw__context_quiet(context) || (until && cw_is_completed(until))) {
            if (searching) stop_searching(self);
            *why = CW__RUN_END;
            return NULL;
        }
        if (self->foreign && self->host_called) {
            /* What was just called may come to its end in the next turn. */
            if (searching) stop_searching(self);
            self->host_called = false;
            *why = CW__RUN_VISIT;
            return NULL;
        }
        if (!fall_asleep(self, searching, until)) {
            searching = true;
            continue;
        }
        if (!self->may_futex || self->foreign || lingered) {
            cw_store_relaxed(&self->asleep_in_loop, 1);
            *why = CW__RUN_SLEEP;
            return NULL;
        }
        /* Code of the host may have left things behind that want its event
         * loop, so it gets that soon; but work often comes again at once. */
        sleep_in_futex(self, self->host_ran ? linger_ns : -1);
        lingered = self->host_ran && cw_load_acquire(&self->word) == 0;
        get_up(self);
        searching = true;
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
        give_up_slot(self);
    }
    self->running = nested;
    return why;
}
