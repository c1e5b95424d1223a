/* in_place.c: running jobs on top of what the calling thread does.
 *
 * SPDX-License-Identifier: MIT
 *
 * Unconfined jobs, and those of Main.immediate and of executors that want no
 * dispatch, run inside of the call that makes them ready. One that does so
 * inside of another would take stack for each level, so only the outermost one
 * runs like that; the others stand in a line of the thread and follow when it
 * suspends or ends, first in, first out. No lock is held where jobs are
 * dispatched, so running them there is as safe as running them later.
 *
 * A worker that looks for work counts as one who will find it, so it must not
 * run anything meanwhile: what a timer makes ready then goes to its queue.
 *
 * A thread that is nobody's worker is made one for as long as that takes: the
 * worker stands on its stack and has neither a queue nor jobs of its own.
 */
#include "in_place.h"

#include "alloc.h"
#include "coroutine.h"
#include "host.h"
#include "sleep.h"

/* Where workers for the time being belong. No job ever does. */
static cw_context nowhere;

static _Thread_local struct cw__here {
    cw__line waiting; /* for the outermost */
    cw_job *running;  /* runs in place right now */
    cw_job *again;    /* it has yielded, and goes on at once */
    bool active;      /* there is an outermost one */
} here;

static void run(cw__worker *self, cw_job *job)
{
    cw__interrupted before;
    cw__worker_interrupt(self, &before);
    cw_job *running = here.running;
    self->in_place++;
    here.running = job;
    do {
        here.again = NULL;
        self->current = job;
        /* A job that changes contexts is run on top of itself. */
        self->beneath = before.current == job ? before.beneath : before.current;
        cw__task_run(self, job);
    } while (here.again == job);
    cw__worker_go_back(self, &before);
    here.running = running;
    here.again = NULL;
}

/* What the worker has put aside must not wait: this may take long. */
static void clear_up(cw__worker *self)
{
    if (self->slot) cw__worker_give_up_slot(self);
    if (self->done) cw__worker_flush(self);
}

/* Calls `body` as a worker. */
static void as_guest(void (*body)(cw__worker *, cw_job *), cw_job *job)
{
    cw__worker guest;
    cw__worker_init(&guest, &nowhere, 0);
    cw__self = &guest;
    body(&guest, job);
    cw__self = NULL;
    cw_error_release(guest.failure);
    cw__alloc_flush();
}

static void run_all(cw__worker *self, cw_job *job)
{
    here.active = true;
    self->here = &here;
    clear_up(self);
    while (job) {
        run(self, job);
        job = cw__line_take(&here.waiting);
    }
    here.active = false;
}

void cw__in_place_give_up(cw__worker *worker)
{
    struct cw__here *left = worker->here;
    worker->here = NULL;
    if (!left) return;
    cw__line waiting = left->waiting;
    *left = (struct cw__here){.active = false};
    cw_job *job;
    while ((job = cw__line_take(&waiting)) != NULL)
        cw__push(worker, job);
}

void cw__in_place(cw_job *job)
{
    cw__worker *self = cw__self;
    if (cw_unlikely(job->flags & CW__JOB_PINNED) &&
        !cw__the_host.runs_here(job))
        cw__dispatch_pinned(job);
    else if (here.active)
        cw__line_put(&here.waiting, job);
    else if (!self)
        as_guest(run_all, job);
    else if (self->running && cw_load_relaxed(&self->free)) /* both ours */
        cw__push(self, job);
    else
        run_all(self, job);
}

void cw__in_place_yield(cw_job *job)
{
    if (here.waiting.first) {
        cw__line_put(&here.waiting, job);
    } else if (here.running == job) {
        here.again = job;
    } else if (here.active) { /* begun in place by another of them */
        run(cw__self, job);
    } else {
        cw__in_place(job);
    }
}

bool cw__in_place_pause(void)
{
    if (!here.active) return false;
    cw_job *job;
    while ((job = cw__line_take(&here.waiting)) != NULL)
        run(cw__self, job);
    here.active = false;
    return true;
}

void cw__in_place_go_on(bool paused) { here.active = paused; }

void cw__in_place_step(cw__worker *self, cw_job *job)
{
    clear_up(self);
    run(self, job);
}

/* In its context's way, if it has one. */
static void run_routed(cw__worker *self, cw_job *job)
{
    const cw__route *route = job->context->route;
    if (route->run)
        route->run(self, job);
    else
        cw__in_place_step(self, job);
}

void cw__in_place_turn(cw_job *job)
{
    bool paused = cw__in_place_pause();
    if (cw__self)
        run_routed(cw__self, job);
    else
        as_guest(run_routed, job);
    cw__in_place_go_on(paused);
}
