/* context.c: a fixed set of workers and what they share.
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

#include "alloc.h"
#include "check.h"
#include "entrance.h"
#include "error.h"
#include "host.h"
#include "kill_gate.h"
#include "limit.h"
#include "lost.h"
#include "text.h"
#include "watch.h"
#include "worker_scope.h"

#include <string.h>

cw__host cw__the_host;

static cw_context *context_new(uint32_t workers, const char *name, size_t more)
{
    size_t bytes = sizeof(cw_context) + workers * sizeof(cw__worker) + more;
    void *memory = cw__alloc(bytes + CW_CACHE_LINE);
    if (!memory) return NULL;
    /* The allocator's alignment is less than a cache line. */
    uintptr_t aligned =
        ((uintptr_t)memory + CW_CACHE_LINE) & ~(uintptr_t)(CW_CACHE_LINE - 1);
    cw_context *context = (cw_context *)aligned;
    memset(context, 0, bytes);
    context->memory = memory;
    context->bytes = bytes + CW_CACHE_LINE;
    CW__MARK(context, CONTEXT);
    cw__text text = cw__text_begin(context->name, sizeof context->name);
    cw__text_add(&text, name);
    context->count = context->limit = workers;
    context->home = context->timekeeper = context;
    context->backlog.alone = context->single = workers == 1;
    atomic_init(&context->refs, 1);
    cw__timers_init(&context->timers);
    for (uint32_t i = 0; i < workers; i++)
        cw__worker_init(&context->workers[i], context, i);
    return context;
}

void cw__context_hold(cw_context *context)
{
    cw_add_relaxed(&context->refs, 1); /* the caller holds a reference */
}

cw_context *cw_context_retain(cw_context *context)
{
    CW__CHECK_HANDLE(CONTEXT, context);
    cw_add_relaxed(&context->handles, 1);
    cw__context_hold(context);
    return context;
}

void cw__context_drop(cw_context *context)
{
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (cw_sub_acq_rel(&context->refs, 1) != 1) return;
    if (!context->adopted && !cw_load_acquire(&context->joined))
        cw__context_never_join(context);
    if (cw__the_host.context_free) cw__the_host.context_free(context);
    for (uint32_t i = 0; i < context->count; i++) {
        cw__worker_scope_end(&context->workers[i]);
        cw__system_free(context->workers[i].trace.events);
    }
    cw__timers_free(&context->timers);
    cw__entrance *entrance = cw_load_relaxed(&context->entrance);
    if (entrance) cw__free(entrance, sizeof *entrance);
    if (context->route && context->route->drop) context->route->drop(context);
    cw__clock *clock = context->clock;
    cw__free(context->memory, context->bytes);
    if (clock) clock->calls->drop(clock);
}

void cw_context_release(cw_context *context)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(CONTEXT, context);
    if (!context) return;
    /* Threads hold references of their own: without handles nobody could ever
     * close it. acq_rel: comes after all use of the other handles. */
    if (cw_sub_acq_rel(&context->handles, 1) == 1) cw_context_close(context);
    cw__context_drop(context);
}

const char *cw_context_name(const cw_context *context)
{
    CW__CHECK_HANDLE(CONTEXT, context);
    return context->name;
}

int cw_context_workers(const cw_context *context)
{
    CW__CHECK_HANDLE(CONTEXT, context);
    return (int)context->limit;
}

/* ---- threads */

static void wake_all(cw_context *context)
{
    for (uint32_t i = 0; i < context->count; i++)
        cw__worker_unpark(&context->workers[i]);
    if (cw_unlikely(context->clock))
        context->clock->calls->wake(context->clock);
}

/* So many of its threads have ended. */
static void end_running(cw_context *context, uint32_t count)
{
    /* acq_rel: the last one has seen all that the others did */
    if (cw_sub_acq_rel(&context->running, count) != count) return;
    cw_store_release(&context->ended, 1);
    cw__futex_wake(&context->ended);
}

void cw__worker_thread_end(cw__worker *self)
{
    cw_context *context = self->context;
    cw__worker_flush(self);
    wake_all(context);
    if (cw__the_host.worker_end) cw__the_host.worker_end(self);
    cw_error_release(self->failure);
    self->failure = NULL;
    cw__self = NULL;
    cw__alloc_flush();
    cw_sub_seq_cst(&context->up, 1);
    cw__own_life = NULL;
    cw__life *life = self->life; /* keeps the context up to here */
    end_running(context, 1);
    if (life)
        cw__life_end(life);
    else
        cw__context_drop(context);
    cw__alloc_flush();
}

static void thread_main(void *arg)
{
    cw__life *life = arg;
    cw__worker *self = life->worker;
    cw__own_life = life;
    life->blocks = cw__alloc_blocks();
    if (life->again) life->locals = cw__thread_locals();
    cw__self = self;
    /* relaxed: whoever looks comes after what was launched here */
    cw_store_relaxed(&self->gate, CW__GATE_CLOSED);
    cw_add_seq_cst(&self->context->up, 1);
    /* A host that has an event loop on this thread runs the worker from
     * there, and ends it with cw__worker_thread_end(). */
    if (cw__the_host.worker_start && cw__the_host.worker_start(self)) return;
    cw__worker_run(self, 0, NULL);
    cw__worker_thread_end(self);
}

void cw__context_never_join(cw_context *context)
{
    cw_store_release(&context->joined, 1);
    for (uint32_t i = 0; i < context->started; i++)
        if (!context->workers[i].unjoined)
            cw__thread_detach(&context->workers[i].thread);
}

/* A new context whose workers have no threads yet. */
static int prepare(uint32_t workers, const char *name, cw_context **out)
{
    *out = NULL;
    if (workers < 1 || workers > CW_MAX_WORKERS || !name || !*name)
        return CW_EINVAL;
    cw_context *context = context_new(workers, name, 0);
    if (!context) return CW_ENOMEM;
    atomic_init(&context->handles, 1);
    atomic_init(&context->running, workers);
    /* A worker whose thread has not begun looks like one that sleeps in its
     * event loop, so that jobs can be handed to it. Set before any begins. */
    for (uint32_t i = 0; i < workers; i++) {
        atomic_init(&context->workers[i].asleep_in_loop, 1);
        atomic_init(&context->workers[i].free, 1);
        cw_or_seq_cst(&context->idle_bits[i / 32], 1u << i % 32);
    }
    atomic_init(&context->idle, workers << 16);
    *out = context;
    return CW_OK;
}

/* True: a thread of the host's runs in the memory of a dead one. */
static bool start_again(cw__life *life)
{
    if (!cw__the_host.start_again) return false;
    void *argument = cw__thread_argument(thread_main, life);
    if (!argument) return false;
    life->again = true;
    if (cw__the_host.start_again(argument)) return true;
    life->again = false;
    cw__system_free(argument);
    return false;
}

/* Starts the first thread of a worker. */
static int start_first(cw__worker *worker, cw__life *life)
{
    if (!start_again(life))
        return cw__thread_start(&worker->thread, thread_main, life);
    worker->unjoined = true; /* it was detached in its first life */
    return CW_OK;
}

/* Starts the threads of the first `count` workers. */
static int start_threads(cw_context *context, uint32_t count,
                         bool (*setup)(cw__worker *, void *), void *arg)
{
    for (uint32_t i = 0; i < count; i++) {
        cw__worker *worker = &context->workers[i];
        bool ready = !setup || setup(worker, arg);
        cw__life *life = ready ? cw__life_new(worker) : NULL;
        int status = life ? start_first(worker, life) : CW_ENOMEM;
        if (status != CW_OK) {
            /* Those that run end at once; the rest never was. Nobody can join
             * them. */
            cw__context_never_join(context);
            if (life) cw__life_end(life);
            cw_sub_acq_rel(&context->running, context->count - i);
            cw_context_release(context);
            return status;
        }
        context->started = i + 1;
    }
    return CW_OK;
}

int cw__context_open(uint32_t workers, const char *name,
                     bool (*setup)(cw__worker *, void *), void *arg,
                     cw_context **out)
{
    cw_context *context;
    int status = prepare(workers, name, &context);
    if (status == CW_OK) status = start_threads(context, workers, setup, arg);
    *out = status == CW_OK ? context : NULL;
    return status;
}

int cw__context_open_growing(uint32_t workers, const char *name,
                             cw_context **out)
{
    cw_context *context;
    int status = prepare(workers, name, &context);
    if (status == CW_OK) {
        context->workers[0].begun = true;
        status = start_threads(context, 1, NULL, NULL);
    }
    *out = NULL;
    if (status != CW_OK) return status;
    cw__context_never_join(context);
    /* Nobody else knows it yet. */
    context->grows = context->permanent = true;
    context->timekeeper = NULL; /* all its workers may be blocked */
    *out = context;
    return CW_OK;
}

int cw__worker_start(cw__worker *worker)
{
    cw__life *life = worker->life;
    if (start_again(life)) return CW_OK;
    /* Detached: who joins the others may be at it already. */
    cw__thread thread;
    int status = cw__thread_start(&thread, thread_main, life);
    if (status == CW_OK) cw__thread_detach(&thread);
    return status;
}

void cw__worker_gone(cw__worker *worker)
{
    cw_context *context = worker->context;
    cw__context_hold(context);
    end_running(context, 1);
    cw__context_drop(context);
}

bool cw__worker_begin(cw__worker *worker)
{
    if (worker->begun) return true;
    worker->begun = true; /* before its thread can fall asleep again */
    cw__life *life = cw__life_new(worker);
    if (!life) return false;
    if (cw__thread_start(&worker->thread, thread_main, life) != CW_OK) {
        cw__life_end(life);
        return false;
    }
    cw__thread_detach(&worker->thread);
    return true;
}

cw_context *cw_new_fixed_worker_context(int workers, const char *name)
{
    CW__RUNTIME;
    cw_context *context = NULL;
    int status = workers < 1 ? CW_EINVAL
                             : cw__context_open((uint32_t)workers, name, NULL,
                                                NULL, &context);
    cw__set_last_error(status);
    return context;
}

cw_context *cw__context_adopt(const char *name)
{
    cw_context *context = context_new(1, name, 0);
    if (context) {
        context->adopted = true;
        atomic_init(&context->handles, 1); /* the loop itself */
    }
    return context;
}

cw_context *cw__context_routed(const cw__route *route, const char *name,
                               size_t bytes)
{
    cw_context *context = context_new(0, name, bytes);
    if (context) {
        context->route = route;
        atomic_init(&context->handles, 1);
        atomic_init(&context->ended, 1); /* there are no threads to wait for */
    }
    return context;
}

void cw__context_disown(cw_context *context)
{
    cw__alloc_flush();
    /* Nobody will ever run it again: that is its end. */
    cw_store_release(&context->ended, 1);
    cw__futex_wake(&context->ended);
    cw__context_drop(context);
}

void cw_context_close(cw_context *context)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CONTEXT, context);
    if (context->permanent) return;
    /* What waits to be let in was launched before. acquire: pairs with
     * cw_context_limit_queue() */
    if (cw_load_acquire(&context->entrance)) cw__entrance_open(context);
    uint32_t open = 0;
    /* seq_cst: comes before every later look at the counters and timers */
    if (!cw_cas_seq_cst(&context->closed, &open, 1)) return;
    cw__context_hold(context); /* the last worker may end meanwhile */
    cw__worker *self = cw__self;
    for (;;) { /* delays end now: their coroutines could only be refused */
        cw__woken woken;
        cw__limit *limits;
        if (!cw__timers_due(&context->timers, CW__NEVER, 64, &woken, &limits))
            break;
        cw__dispatch_woken(self, &woken);
        cw__limits_expire(limits);
    }
    wake_all(context);
    if (context->route && context->route->close) context->route->close(context);
    cw__context_drop(context);
}

int cw_context_join(cw_context *context)
{
    CW__CHECK_HANDLE(CONTEXT, context);
    if (!cw_load_acquire(&context->closed)) return CW_EINVAL;
    if (!cw__thread_may_block()) return CW_EDEADLK;
    for (cw__worker *self = cw__self; self; self = self->outer)
        if (self->context == context ||
            (context->clock && self->context->clock == context->clock))
            return CW_EDEADLK;
    /* acquire: pairs with the last thread's store */
    while (cw_load_acquire(&context->ended) == 0)
        cw__futex_wait(&context->ended, 0, -1);
    cw__futex_wake(&context->ended); /* others may wait as well */
    uint32_t first = 0;
    if (cw_cas_acq_rel(&context->joined, &first, 1))
        for (uint32_t i = 0; i < context->started; i++)
            if (!context->workers[i].unjoined)
                cw__thread_join(&context->workers[i].thread);
    return CW_OK;
}

/* ---- time */

cw_context *cw__timekeeper(const cw_context *context)
{
    return context->timekeeper ? context->timekeeper : cw_default_context();
}

int64_t cw__context_deadline(const cw_context *context, int64_t ms)
{
    int64_t at = cw__deadline(cw__context_now(context), ms);
    /* Only a virtual clock ever gets there. */
    bool last = at == CW__NEVER && context->clock && ms < INT64_MAX;
    return last ? CW__LAST_MOMENT : at;
}

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
        wake_all(context);
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
