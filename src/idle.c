/* idle.c: what a worker does that has found nothing to do.
 *
 * SPDX-License-Identifier: MIT
 *
 * It searches, tells that it is free, and falls asleep: in here, or in its
 * host's event loop if that may want something. How it falls asleep so that
 * nobody's work is missed is in sleep.c.
 */
#include "context.h"
#include "host.h"
#include "sleep.h"
#include "watch.h"
#include "worker.h"

/* How long a worker that has called its host's code sleeps in here, ready to go
 * on at once, before it goes back to the host's event loop to sleep. */
static const int64_t linger_ns = 4 * 1000 * 1000;

/* This worker is not free any more. True if it was given a job before that. */
static bool stop_being_free(cw__worker *self)
{
    /* seq_cst, both: pairs with give_if_free() */
    cw_store_seq_cst(&self->free, 0);
    return cw_load_seq_cst(&self->handed) != NULL;
}

/* The job to run now: `job`, which was found, unless the worker was given one
 * meanwhile: nobody else could take that one while it runs `job`. The other one
 * goes where all find it; so if `job` must stay here, it is the one to run. */
static cw_job *take_found(cw__worker *self, cw_job *job, bool stays)
{
    if (cw_likely(!stop_being_free(self))) return job;
    cw_job *handed = cw__worker_take_handed(self);
    if (!handed) return job;
    cw__push(self, stays ? handed : job);
    cw__context_notify(self->context);
    return stays ? job : handed;
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

cw_job *cw__worker_idle(cw__worker *self, cw__run *why, const cw_job *until)
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
        if (!cw__inbox_empty(&self->inbox)) cw__worker_read_inbox(self);
        if (self->undelivered)
            return leave(self, searching, why, CW__RUN_VISIT);
        bool stays;
        cw_job *job = cw__worker_look(self, searching, lingered, &stays);
        if (job) {
            if (searching) cw__stop_searching(self);
            return take_found(self, job, stays);
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
        if (cw__await_expected(self)) continue;
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
        self->woke_at_ns = cw__now_ns();
        cw__worker_fire_timers(self);
        searching = true;
        looked = false;
    }
}
