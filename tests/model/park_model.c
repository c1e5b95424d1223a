/* park_model.c: bodies that suspend while they are resumed and kicked.
 *
 * SPDX-License-Identifier: MIT
 *
 * One thread is the worker that runs the body up to where it suspends. What has
 * to hold: a body that is suspended and woken is queued exactly once, one that
 * went on by itself is not queued.
 */
#include "model.h"

#include "context.h"
#include "coroutine.h"
#include "error.h"
#include "host.h"

static cw_context *home;
static cw_job *body, *first, *second; /* each with a handle */
static unsigned ended;                /* bodies */

CW_COROUTINE(target, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_RETURN(self, 1);
    CW_END(self);
}

CW_COROUTINE(joins, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, first);
    CHECK(cw_is_completed(first));
    CW_FINALLY(self);
    ended++;
    CW_END(self);
}

/* Waits twice, so that a wake-up for one wait may come during the next. */
CW_COROUTINE(joins_both, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, first);
    CHECK(cw_is_completed(first));
    CW_JOIN(self, second);
    CHECK(cw_is_completed(second));
    CW_FINALLY(self);
    ended++;
    CW_END(self);
}

CW_COROUTINE(awaits_both, cw_none, cw_none, int results[2]; cw_job * jobs[2];)
{
    CW_BEGIN(self);
    self->jobs[0] = first;
    self->jobs[1] = second;
    CW_AWAIT_ALL(self, target, self->jobs, 2, self->results);
    CHECK(self->results[0] == 1 && self->results[1] == 1);
    CW_FINALLY(self);
    ended++;
    CW_END(self);
}

CW_COROUTINE(delays, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    CW_FINALLY(self);
    ended++;
    CW_END(self);
}

static void begin(const cw_coroutine *type)
{
    cw__the_host = (cw__host){0};
    home = cw__context_adopt("home");
    body = cw__job_new(home, type, CW__JOB_ASYNC, 1, 0);
    first = cw__job_new(home, &target, CW__JOB_ASYNC, 1, 0);
    second = cw__job_new(home, &target, CW__JOB_ASYNC, 1, 0);
    ended = 0;
}

static void run_body(void *unused)
{
    (void)unused;
    cw__self = &home->workers[0];
    cw__task_run(cw__self, body);
    cw__self = NULL;
}

/* What was dispatched; from others than the worker it is injected. */
static uint32_t take_dispatched(void)
{
    cw_job *jobs[4];
    uint32_t count = cw__context_take(home, jobs, 4);
    for (uint32_t i = 0; i < count; i++)
        CHECK(jobs[i] == body);
    CHECK(!cw__ring_length(&home->workers[0].ring));
    return count;
}

/* The body has ended, or was queued once, and then ends. */
static void check_body(void)
{
    while (!cw_is_completed(body)) {
        CHECK(take_dispatched() == 1);
        run_body(NULL);
    }
    CHECK(take_dispatched() == 0);
    CHECK(ended <= 1); /* 0: cancelled before it began */
}

static void end(void)
{
    cw_job_release(body);
    cw_job_release(first);
    cw_job_release(second);
    cw__context_disown(home);
}

static void finish(void *job)
{
    /* What the target's body would do. */
    ((struct target *)(void *)cw__job_frame(job))->result = 1;
    cw__job_finish(NULL, job, NULL);
}

static void finish_badly(void *job)
{
    cw__job_finish(NULL, job, cw_error_new(CW_EFAILED, NULL, NULL));
}

static void cancel(void *job) { cw_cancel(job, NULL); }

/* ---- resume and kick */

SCENARIO(park_resume_kick, 2)
{
    begin(&joins);
    model_thread(run_body, NULL);
    model_thread(finish, first);
    model_thread(cancel, body);
    model_run();
    finish(second);
    check_body();
    end();
}

MUTANT(park_resume_kick, "suspending does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &body->park)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

MUTANT(park_resume_kick, "resuming leaves it suspended")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_CAS, &body->park))
        return MODEL_AS_IS;
    op->value |= op->now & CW__PARKED;
    return MODEL_CHANGED;
}

/* Nothing but the kick wakes it. */
SCENARIO(park_kick, 3)
{
    begin(&joins);
    model_thread(run_body, NULL);
    model_thread(cancel, body);
    model_run();
    check_body();
    finish(first);
    finish(second);
    end();
}

MUTANT(park_kick, "the body does not look at cancellation")
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_LOAD, &body->state))
        return MODEL_AS_IS;
    op->value = op->now & ~(uint64_t)CW__JOB_CANCELLING;
    return MODEL_FORCE;
}

MUTANT(park_kick, "cancelling does not kick")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &body->park)
               ? MODEL_SKIP
               : MODEL_AS_IS;
}

SCENARIO(park_twice, 2)
{
    begin(&joins_both);
    model_thread(run_body, NULL);
    model_thread(finish, first);
    model_thread(finish, second);
    model_run();
    check_body();
    end();
}

MUTANT(park_twice, "a wait begins without forgetting the one before")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_STORE, &body->park)
               ? MODEL_SKIP
               : MODEL_AS_IS;
}

/* ---- several targets */

SCENARIO(park_await_all, 3)
{
    begin(&awaits_both);
    model_thread(run_body, NULL);
    model_thread(finish, first);
    model_thread(finish, second);
    model_run();
    check_body();
    end();
}

MUTANT(park_await_all, "suspending does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &body->park)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

MUTANT(park_await_all, "a job's end does not compare")
{
    return op->thread == 3 && MODEL_IS(op, MODEL_CAS, &second->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

SCENARIO(park_await_all_failure, 2)
{
    begin(&awaits_both);
    model_thread(run_body, NULL);
    model_thread(finish, first);
    model_thread(finish_badly, second);
    model_run();
    check_body();
    end();
}

MUTANT(park_await_all_failure, "suspending does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &body->park)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* ---- somebody looks on */

/* What a suspended body waits for, read as a dump reads it. */
static void look(void *unused)
{
    (void)unused;
    if (!cw__task_borrow(body)) return;
    CHECK(body->armed == CW__ARMED_JOB);
    CHECK(body->waiter.target.job == first);
    cw__task_give_back(body);
}

SCENARIO(park_look, 2)
{
    begin(&joins);
    model_thread(run_body, NULL);
    model_thread(finish, first);
    model_thread(look, NULL);
    model_run();
    finish(second);
    check_body();
    end();
}

MUTANT(park_look, "borrowing does not compare")
{
    return op->thread == 3 && MODEL_IS(op, MODEL_CAS, &body->park) &&
                   op->value == 0
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

MUTANT(park_look, "giving back does not compare")
{
    return op->thread == 3 && MODEL_IS(op, MODEL_CAS, &body->park) &&
                   op->value == CW__PARKED
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

SCENARIO(park_look_kick, 2)
{
    begin(&joins);
    model_thread(run_body, NULL);
    model_thread(cancel, body);
    model_thread(look, NULL);
    model_run();
    check_body();
    finish(first);
    finish(second);
    end();
}

MUTANT(park_look_kick, "borrowing does not acquire")
{
    if (op->thread != 3 || !MODEL_IS(op, MODEL_CAS, &body->park))
        return MODEL_AS_IS;
    op->order = __ATOMIC_RELAXED;
    return MODEL_CHANGED;
}

/* ---- time */

static void run_down(void *unused)
{
    (void)unused;
    cw__woken woken;
    cw__limit *limits;
    cw__timers_due(&home->timers, cw__now_ns() + 1000 * 1000 * 1000, 8, &woken,
                   &limits);
    cw__dispatch_woken(NULL, &woken);
}

SCENARIO(park_delay_cancel, 2)
{
    begin(&delays);
    finish(first);
    finish(second);
    model_thread(run_body, NULL);
    model_thread(run_down, NULL);
    model_thread(cancel, body);
    model_run();
    run_down(NULL); /* if it came too early */
    check_body();
    end();
}

MUTANT(park_delay_cancel, "suspending does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &body->park)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

MUTANT(park_delay_cancel, "the heap's lock does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &home->timers.lock)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}
