/* virtual.c: schedulers whose time is virtual.
 *
 * SPDX-License-Identifier: MIT
 *
 * Events. A job that is ready to run is an event at the present moment; one
 * that waits in a delay, and a time limit, is an event at its deadline. Nothing
 * records an event but the line of ready jobs and the heaps of timers, since
 * their order is clear: the clock moves only when no job is ready, so every
 * ready job is one of the present moment, and a timer that is due now was set
 * before and comes first. Timers of one deadline come in the order in which
 * they were set; the heaps of all contexts of a clock count together.
 *
 * In place. A job on an unconfined dispatcher runs on top of whoever launches
 * or resumes it. No lock is held where jobs are dispatched, so this is as safe
 * as running it later. In such a job further ones are put off until the
 * outermost one suspends, so that the stack stays flat.
 *
 * The thread that drives a scheduler is the worker of all its contexts. What
 * other threads make ready arrives in an inbox and becomes an event when the
 * driving thread looks there next.
 */
#include "virtual.h"

#include "coroutine.h"
#include "limit.h"
#include "watch.h"

enum { TIME_EVERY = 16 }; /* events between looks at the real clock */
/* How many jobs may stand on top of each other if any depth is asked for. */
enum { DEEPEST = 100 };

/* What the calling thread drives. */
static _Thread_local cw_test_scheduler *driving;

/* ---- queues */

static bool in_background(const cw_job *job)
{
    return job->context->role & CW__BACKGROUND;
}

void cw__schedule(cw_test_scheduler *scheduler, cw_job *job)
{
    cw__line_put(&scheduler->ready, job);
    if (!in_background(job)) scheduler->foreground++;
}

static void take_arrivals(cw_test_scheduler *scheduler)
{
    if (cw__inbox_empty(&scheduler->arrivals)) return;
    cw_job *job = (cw_job *)cw__inbox_take(&scheduler->arrivals);
    while (job) {
        cw_job *next = job->next;
        cw__schedule(scheduler, job);
        job = next;
    }
}

/* ---- driving */

cw_test_scheduler *cw__driving(void) { return driving; }

void cw__bind(cw_test_scheduler *scheduler) { scheduler->bound = &driving; }

static bool may_drive(const cw_test_scheduler *scheduler)
{
    return !driving && (!scheduler->bound || scheduler->bound == &driving);
}

int cw__drive(cw_test_scheduler *scheduler, bool *nested)
{
    *nested = driving == scheduler;
    if (!may_drive(scheduler)) return CW_ESTATE;
    uint32_t nobody = 0;
    /* acq_rel: the thread that drove it before has left it as it is now */
    if (!cw_cas_acq_rel(&scheduler->driven, &nobody, 1)) return CW_ESTATE;
    driving = scheduler;
    for (unsigned role = 0; role < CW__ROLES; role++)
        scheduler->contexts[role]->workers[0].outer = cw__self;
    take_arrivals(scheduler); /* they come before what this thread does */
    return CW_OK;
}

void cw__drive_end(cw_test_scheduler *scheduler)
{
    driving = NULL;
    cw_store_release(&scheduler->driven, 0);
}

void cw__drive_last(cw_test_scheduler *scheduler)
{
    CW_ASSERT(driving == scheduler);
    driving = NULL;
}

/* ---- running */

void cw__check_time(cw_test_scheduler *scheduler)
{
    if (scheduler->real_limit_ns == CW__NEVER ||
        cw__now_ns() < scheduler->real_limit_ns)
        return;
    scheduler->real_limit_ns = CW__NEVER;
    scheduler->out_of_time(scheduler);
}

static void count_turn(cw_test_scheduler *scheduler)
{
    if (++scheduler->turns % TIME_EVERY == 0) cw__check_time(scheduler);
}

/* `inside`: of the step that it interrupts, if it does. */
static void run(cw_test_scheduler *scheduler, cw_job *job, bool inside)
{
    cw__worker *outer = cw__self, *self = &job->context->workers[0];
    cw__interrupted before;
    cw__worker_interrupt(self, &before);
    self->beneath = inside ? before.current : NULL;
    self->in_place = inside ? before.in_place + 1 : 0;
    cw__self = self;
    do {
        scheduler->again = NULL;
        self->current = job;
        cw__count(&self->steps, 1);
        cw__task_run(self, job);
        count_turn(scheduler);
    } while (scheduler->again == job);
    cw__worker_go_back(self, &before);
    cw__self = outer;
}

void cw__run_in_place(cw_test_scheduler *scheduler, cw_job *job)
{
    run(scheduler, job, false);
}

/* Runs a job on top of what runs now, or after that. */
static void run_unconfined(cw_test_scheduler *scheduler, cw_job *job)
{
    if (scheduler->in_place > 0 &&
        !(scheduler->recursive && scheduler->in_place < DEEPEST)) {
        cw__line_put(&scheduler->later, job);
        return;
    }
    scheduler->in_place++;
    cw__run_in_place(scheduler, job);
    if (scheduler->in_place == 1)
        while ((job = cw__line_take(&scheduler->later)) != NULL)
            cw__run_in_place(scheduler, job);
    scheduler->in_place--;
}

/* A job yields to what waits for it to suspend, and to nothing else. */
static void yield_in_place(cw_test_scheduler *scheduler, cw_job *job)
{
    if (scheduler->in_place > 0 && scheduler->later.first) {
        cw__line_put(&scheduler->later, job);
    } else {
        scheduler->again = job;
    }
}

/* ---- what contexts ask of it */

static void wake(cw__clock *clock)
{
    cw_test_scheduler *scheduler = cw__of_clock(clock);
    if (driving == scheduler) return;
    /* seq_cst: comes after what there is to look at, which whoever waits looks
     * at after setting it to 0 */
    cw_store_seq_cst(&scheduler->word, 1);
    cw__futex_wake(&scheduler->word);
    if (scheduler->changed) scheduler->changed(scheduler);
}

static void dispatch(cw_context *context, cw__worker *self, cw_job *job,
                     enum cw__hint hint)
{
    cw_test_scheduler *scheduler = cw__of_clock(context->clock);
    bool unconfined = context->role & CW__UNCONFINED, nested = false;
    if (driving == scheduler) {
        if (!unconfined) {
            cw__schedule(scheduler, job);
        } else if (hint == CW__YIELDED) {
            yield_in_place(scheduler, job);
        } else {
            run_unconfined(scheduler, job);
        }
    } else if (unconfined && (!self || scheduler->bound) &&
               cw__drive(scheduler, &nested) == CW_OK) {
        run_unconfined(scheduler, job);
        cw__drive_end(scheduler);
    } else {
        cw__inbox_push(&scheduler->arrivals, (uintptr_t)job);
        wake(&scheduler->clock);
    }
}

static bool run_inside(cw__clock *clock, cw_job *job)
{
    cw_test_scheduler *scheduler = cw__of_clock(clock);
    bool nested;
    int status = cw__drive(scheduler, &nested);
    if (status != CW_OK && !nested) return false;
    run(scheduler, job, true);
    if (!nested) cw__drive_end(scheduler);
    return true;
}

static int launch(cw__clock *clock, cw__worker *self, cw_context **context,
                  cw_job **parent)
{
    cw_test_scheduler *scheduler = cw__of_clock(clock);
    if (driving && driving != scheduler) return CW_ESTATE;
    if (driving && self && self->context->clock == clock &&
        self->context->role & CW__BACKGROUND) {
        /* What the background launches stays there. */
        *context = scheduler->contexts[(*context)->role | CW__BACKGROUND];
    } else if (driving && (*context)->role & CW__BACKGROUND) {
        *parent = scheduler->background;
    }
    return CW_OK;
}

const cw__route cw__virtual_route = {.dispatch = dispatch};

const struct cw__clock_calls cw__virtual_calls = {
    .run_inside = run_inside,
    .launch = launch,
    .unhandled = cw__collect_failure,
    .wake = wake,
    .drop = cw__scheduler_drop,
};

cw_test_scheduler *cw__scheduler_of(const cw_context *context)
{
    cw__clock *clock = context->clock;
    return clock && clock->calls == &cw__virtual_calls ? cw__of_clock(clock)
                                                       : NULL;
}

/* ---- events */

/* The context with the timer that comes next, or NULL. */
static cw_context *next_timer(cw_test_scheduler *scheduler, int64_t *deadline)
{
    cw_context *next = NULL;
    uint32_t least = 0;
    *deadline = CW__NEVER;
    for (unsigned role = 0; role < CW__ROLES; role++) {
        cw_context *context = scheduler->contexts[role];
        int64_t at;
        uint32_t order = 0;
        if (!cw__timers_first(&context->timers, &at, &order)) continue;
        bool first = !next || at < *deadline ||
                     (at == *deadline && (int32_t)(order - least) < 0);
        if (!first) continue;
        next = context;
        *deadline = at;
        least = order;
    }
    return next;
}

static void fire(cw_test_scheduler *scheduler, cw_context *context,
                 int64_t deadline)
{
    cw__worker *self = &context->workers[0];
    cw__woken woken;
    cw__limit *limits;
    uint32_t fired =
        cw__timers_due(&context->timers, deadline, 1, &woken, &limits);
    cw__count(&self->timers_fired, fired);
    cw_job *job = woken.tasks; /* not more than one */
    if (job) {
        woken.tasks = NULL;
        if (cw_load_acquire(&context->closed)) cw__cancel_closed(job);
        cw__run_in_place(scheduler, job);
    }
    cw__dispatch_woken(self, &woken);
    cw__limits_expire(limits);
}

void cw__set_clock(cw_test_scheduler *scheduler, int64_t now_ns)
{
    if (now_ns > cw__virtual_now(scheduler))
        cw_store_relaxed(&scheduler->clock.now_ns, now_ns);
}

bool cw__run_event(cw_test_scheduler *scheduler, int64_t until_ns)
{
    count_turn(scheduler);
    take_arrivals(scheduler);
    if (cw__virtual_now(scheduler) > until_ns) return false;
    int64_t deadline;
    cw_context *context = next_timer(scheduler, &deadline);
    if (scheduler->ready.first && deadline > cw__virtual_now(scheduler)) {
        cw_job *job = cw__line_take(&scheduler->ready);
        if (!in_background(job)) scheduler->foreground--;
        cw__run_in_place(scheduler, job);
        return true;
    }
    if (!context || deadline > until_ns) return false;
    cw__set_clock(scheduler, deadline);
    fire(scheduler, context, deadline);
    return true;
}

bool cw__has_events(cw_test_scheduler *scheduler, bool background)
{
    take_arrivals(scheduler);
    if (background ? scheduler->ready.first != NULL : scheduler->foreground > 0)
        return true;
    for (unsigned role = 0; role < CW__ROLES; role++) {
        const cw_context *context = scheduler->contexts[role];
        if (role & CW__BACKGROUND && !background) continue;
        if (cw__timers_any(&context->timers)) return true;
    }
    return false;
}

void cw__expect_change(cw_test_scheduler *scheduler)
{
    /* seq_cst: see wake() */
    cw_store_seq_cst(&scheduler->word, 0);
}

void cw__await_change(cw_test_scheduler *scheduler)
{
    int64_t timeout = -1;
    if (scheduler->real_limit_ns != CW__NEVER) {
        timeout = scheduler->real_limit_ns - cw__now_ns();
        if (timeout < 0) timeout = 0;
    }
    /* acquire: pairs with cw_debug_set() */
    if (cw_unlikely(cw_load_acquire(&cw__debug_options) & CW_DEBUG_DEADLOCKS)) {
        uint32_t turns = scheduler->turns;
        cw__watching->idle();
        if (scheduler->ready.first || scheduler->turns != turns) return;
    }
    cw__futex_wait(&scheduler->word, 0, timeout);
    cw__check_time(scheduler);
}

void cw__close(cw_test_scheduler *scheduler)
{
    for (unsigned role = 0; role < CW__ROLES; role++)
        cw_context_close(scheduler->contexts[role]);
}

bool cw__quiet(cw_test_scheduler *scheduler)
{
    for (unsigned role = 0; role < CW__ROLES; role++)
        if (!cw__context_quiet(scheduler->contexts[role])) return false;
    return true;
}

/* ---- advancing */

cw__advance cw__advance_current(cw_test_scheduler *scheduler)
{
    int64_t now = cw__virtual_now(scheduler);
    return (cw__advance){scheduler, now, now, false};
}

cw__advance cw__advance_by(cw_test_scheduler *scheduler, int64_t ms)
{
    int64_t now = cw__virtual_now(scheduler);
    int64_t left = (CW__LAST_MOMENT - now) / CW__NS_PER_MS;
    int64_t then = now + (ms < left ? ms : left) * CW__NS_PER_MS;
    int64_t until = scheduler->inclusive ? then : then - 1;
    return (cw__advance){scheduler, until, then, false};
}

cw__advance cw__advance_until_idle(cw_test_scheduler *scheduler)
{
    return (cw__advance){scheduler, CW__LAST_MOMENT, 0, true};
}

bool cw__advance_go_on(const cw__advance *advance)
{
    cw_test_scheduler *scheduler = advance->scheduler;
    if ((!advance->idle || cw__has_events(scheduler, false)) &&
        cw__run_event(scheduler, advance->until_ns))
        return true;
    cw__set_clock(scheduler, advance->then_ns);
    return false;
}
