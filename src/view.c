/* view.c: parts of a context that run a limited number of jobs at a time.
 *
 * SPDX-License-Identifier: MIT
 *
 * A view has so many places as its limit says. A job that is ready takes a
 * place and is queued in the context below, the base, or waits in the view's
 * own line. So what stands in the base's queue brings its place along: whoever
 * runs it goes on, at the same place, with the next one of the line, up to
 * BATCH of them, then queues the next one behind all others of the base. When
 * the line is empty the place is free, and nothing is left in the base.
 *
 * The base may be a view itself. Then a job needs a place in each, the one in
 * the base from when the view has queued it there, and the line of the base has
 * jobs of all views on it.
 *
 * A body of the host's may go on elsewhere after its step. Then it can keep its
 * places until the host gives them back: that is how a host limits what runs
 * elsewhere.
 *
 * A view apart is to its jobs a context like any other. Only the base's worker
 * runs them and keeps their time, so closing it looks for its delays there.
 */
#include "view.h"

#include "check.h"
#include "error.h"
#include "in_place.h"
#include "kill_gate.h"
#include "shared_context.h"
#include "withdraw.h"

enum { BATCH = 16 };

static void dispatch(cw_context *context, cw__worker *self, cw_job *job,
                     enum cw__hint hint)
{
    cw__view *view = cw__view_of(context);
    cw__lock_acquire(&view->lock);
    bool waits = view->busy >= view->places;
    if (waits)
        cw__ranked_put(&view->waiting, job);
    else
        view->busy++;
    cw__lock_release(&view->lock);
    if (waits) return;
    if (hint == CW__QUEUED) hint = CW__SPAWNED; /* nobody wakes a view */
    cw_context *base = view->base;
    cw__context_hold(base); /* the job may be the last that needs the view */
    cw__dispatch_to(base, self, job, hint);
    cw__context_drop(base);
}

/* Whose turn it is in the line; with the lock. The base of a view apart has
 * others' jobs, too, and does not choose once more. */
static cw_job *next_of(cw__view *view)
{
    cw_job *job = cw__ranked_take(&view->waiting);
    if (job && view->apart && job->flags & CW__JOB_BOOKED)
        job->extra->booking.priority = CW_PRIORITY_NORMAL;
    return job;
}

/* The next job for a place; or NULL, and the place is free. */
static cw_job *take(cw__view *view)
{
    cw__lock_acquire(&view->lock);
    cw_job *job = view->busy <= view->places ? next_of(view) : NULL;
    if (!job) view->busy--;
    cw__lock_release(&view->lock);
    return job;
}

static void run_in(cw_context *context, cw__worker *self, cw_job *job);
static void run(cw__worker *self, cw_job *job);

static bool is_view(const cw_context *context)
{
    return context->route && context->route->run == run;
}

/* The view that a job came through right above `below`: itself its context or
 * a base of that. NULL if there is none. */
static cw_context *view_above(const cw_context *below, const cw_job *job)
{
    cw_context *above = job->context;
    while (is_view(above) && cw__view_of(above)->base != below)
        above = cw__view_of(above)->base;
    return is_view(above) ? above : NULL;
}

/* Runs one job that has a place in `context`. */
static void run_one(cw_context *context, cw__worker *self, cw_job *job)
{
    cw_context *above =
        job->context == context ? NULL : view_above(context, job);
    if (above)
        run_in(above, self, job);
    else if (self->running && !self->current)
        cw__worker_step(self, job);
    else if (cw__job_take(self, job))
        cw__in_place_step(self, job);
}

/* A place that a worker is running a job at. */
struct cw__place {
    struct cw__place *outer;
    cw_context *context; /* a reference: the last of the jobs may end */
};

/* Runs a job, and then others at its place in the view. */
static void run_in(cw_context *context, cw__worker *self, cw_job *job)
{
    cw__view *view = cw__view_of(context);
    struct cw__place place = {self->places, context};
    cw__context_hold(context);
    self->places = &place;
    for (unsigned n = 1; job; n++) {
        run_one(context, self, job);
        if (cw_unlikely(self->keeps_place)) break;
        job = take(view);
        if (job && n == BATCH) {
            cw__dispatch_to(view->base, self, job, CW__YIELDED);
            break;
        }
    }
    self->places = place.outer;
    cw__context_drop(context);
}

void cw__view_give_up(cw__worker *worker)
{
    const struct cw__place *place = worker->places;
    worker->places = NULL;
    for (; place; place = place->outer) {
        cw__view *view = cw__view_of(place->context);
        cw_job *job = take(view);
        if (job) cw__dispatch_to(view->base, worker, job, CW__YIELDED);
        cw__context_drop(place->context);
    }
}

/* A job that a worker has got: from the context at the very bottom. */
static void run(cw__worker *self, cw_job *job)
{
    cw_context *bottom = job->context;
    while (is_view(cw__view_of(bottom)->base))
        bottom = cw__view_of(bottom)->base;
    run_in(bottom, self, job);
    if (self->keeps_place) self->sends++;
    self->keeps_place = false;
}

static void drop(cw_context *context)
{
    cw_context_release(cw__view_of(context)->base);
}

/* A view apart was closed: its delays end now. */
static void closed(cw_context *context)
{
    cw_context *keeper = cw__timekeeper(context);
    cw__woken woken;
    while (keeper && cw__timers_cut(&keeper->timers, context, &woken))
        cw__dispatch_woken(cw__self, &woken);
}

static const cw__route route = {.dispatch = dispatch, .run = run, .drop = drop};
static const cw__route route_apart = {
    .dispatch = dispatch, .run = run, .close = closed, .drop = drop};

static cw_context *view_new(const cw__route *by, cw_context *base,
                            uint32_t limit, const char *name)
{
    cw_context *context =
        by == &route_apart
            ? cw__context_routed_closable(by, name, sizeof(cw__view))
            : cw__context_routed(by, name, sizeof(cw__view));
    if (!context) return NULL;
    context->timekeeper = base->timekeeper;
    context->limit = limit;
    context->single = base->single;
    cw__view_of(context)->places = limit;
    cw__view_of(context)->base = cw_context_retain(base);
    return context;
}

cw_context *cw__view_new(cw_context *base, uint32_t limit, const char *name)
{
    cw_context *context = view_new(&route, base, limit, name);
    if (!context) return NULL;
    context->home = base->home;
    context->permanent = true;
    return context;
}

cw_context *cw__view_apart_new(cw_context *base, uint32_t limit,
                               const char *name)
{
    cw_context *context = view_new(&route_apart, base, limit, name);
    if (context) cw__view_of(context)->apart = true;
    return context;
}

bool cw__view_is_apart(const cw_context *context)
{
    return context->route == &route_apart;
}

void cw__view_set_places(cw__worker *self, cw_context *context, uint32_t places)
{
    cw__view *view = cw__view_of(context);
    cw__lock_acquire(&view->lock);
    view->places = places;
    cw__lock_release(&view->lock);
    for (;;) {
        cw__lock_acquire(&view->lock);
        bool free = view->busy < view->places;
        cw_job *job = free ? next_of(view) : NULL;
        if (job) view->busy++;
        cw__lock_release(&view->lock);
        if (!job) return;
        cw__dispatch_to(view->base, self, job, CW__SPAWNED);
    }
}

void cw__view_place_back(cw__worker *self, cw_context *context)
{
    while (is_view(context)) {
        cw__view *view = cw__view_of(context);
        cw_context *base = view->base;
        cw_job *next = take(view);
        if (next) cw__dispatch_to(base, self, next, CW__SPAWNED);
        context = base;
    }
}

cw_context *cw_limited_parallelism(cw_context *context, int limit,
                                   const char *name)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(CONTEXT, context);
    cw_context *base = context ? cw__io_base(context) : NULL;
    int status = CW_OK;
    if (limit < 1 || !context)
        status = CW_EINVAL;
    else if (context == cw_unconfined_context())
        status = CW_ENOTSUP;
    cw__set_last_error(status);
    if (status != CW_OK) return NULL;
    if (!base && context->limit && (uint32_t)limit >= context->limit)
        return cw_context_retain(context);
    if (!name || !*name) name = context->name;
    cw_context *made =
        cw__view_new(base ? base : context, (uint32_t)limit, name);
    if (!made) cw__set_last_error(CW_ENOMEM);
    return made;
}
