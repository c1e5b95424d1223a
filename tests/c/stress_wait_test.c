/* stress_wait_test.c: waiting against the end, cancellation and timers, again
 * and again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"
#include "races.h"

/* CW_JOIN by a body that takes its time between registering with the job and
 * giving its worker free: what happens meanwhile has to be remembered. */
#define SLOW_JOIN(self, job_)                                                  \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if (cw__join(&(self)->frame, (job_)) == CW__PENDING) {                 \
            for (uint32_t i_ = chance(8); i_ > 0; i_--)                        \
                dither();                                                      \
            return CW_STEP_SUSPENDED;                                          \
        }                                                                      \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, cw__joined(&(self)->frame));                           \
    } while (0)

/* ---- waiters against the end */

struct waiters {
    cw_job *job;
    _Atomic int woken, cancelled;
};

CW_COROUTINE(end_after, uint32_t, int, uint32_t i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_YIELD(self);
    CW_RETURN(self, 42);
    CW_END(self);
}

CW_COROUTINE(wait_for_end, struct waiters *, cw_none, uint32_t how; int out;)
{
    CW_BEGIN(self);
    if (chance(2)) CW_YIELD(self);
    self->how = chance(3);
    if (self->how == 0) {
        CW_JOIN(self, self->arg->job);
    } else if (self->how == 1) {
        SLOW_JOIN(self, self->arg->job);
    } else {
        CW_AWAIT(self, end_after, self->arg->job, &self->out);
        ASSERT_EQ(self->out, 42);
    }
    ASSERT(cw_is_completed(self->arg->job));
    atomic_fetch_add(&self->arg->woken, 1);
    CW_END(self);
}

STRESS(waiting_against_the_end)
{
    enum { COUNT = 20 };
    for (int round = 0; round < round_count; round++) {
        struct waiters waiters = {NULL, 0, 0};
        cw_job *jobs[COUNT];
        waiters.job = cw_async(context, end_after, chance(8));
        for (int i = 0; i < COUNT; i++)
            jobs[i] = cw_launch(context, wait_for_end, &waiters);
        for (int i = 0; i < COUNT; i++) {
            wait_for(jobs[i]);
            ASSERT(cw_job_error(jobs[i]) == NULL);
            cw_job_release(jobs[i]);
        }
        ASSERT_EQ(waiters.woken, COUNT);
        cw_job_release(waiters.job);
    }
}

/* ---- the end, cancellation and a timer against each other */

CW_COROUTINE(wait_or_be_cancelled, struct waiters *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    if (chance(2)) {
        CW_JOIN(self, self->arg->job);
    } else {
        SLOW_JOIN(self, self->arg->job);
    }
    atomic_fetch_add(&self->arg->woken, 1);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        atomic_fetch_add(&self->arg->cancelled, 1);
    }
    CW_END(self);
}

struct duel {
    struct waiters waiters;
    cw_job *waiting[8];
};

static void end_awaited(void *arg)
{
    struct duel *duel = arg;
    cw_cancel(duel->waiters.job, NULL);
}

static void cancel_waiting(void *arg)
{
    struct duel *duel = arg;
    for (int i = 0; i < 8; i++) {
        cw_cancel(duel->waiting[i], NULL);
        dither();
    }
}

STRESS(resumption_against_cancellation)
{
    act *const acts[] = {end_awaited, cancel_waiting};
    for (int round = 0; round < round_count; round++) {
        struct duel duel = {.waiters = {NULL, 0, 0}};
        duel.waiters.job = cw_launch(context, wait_for_ever, CW_NONE);
        for (int i = 0; i < 8; i++)
            duel.waiting[i] =
                cw_launch(context, wait_or_be_cancelled, &duel.waiters);
        for (uint32_t i = chance(30); i > 0; i--)
            dither();
        act_together(2, acts, &duel);
        int skipped = 0;
        for (int i = 0; i < 8; i++)
            wait_for(duel.waiting[i]);
        /* Each one that has begun went on in one way. */
        skipped = 8 - duel.waiters.woken - duel.waiters.cancelled;
        ASSERT(skipped >= 0);
        for (int i = 0; i < 8; i++) {
            ASSERT(skipped == 0 || cw_is_cancelled(duel.waiting[i]) ||
                   duel.waiters.woken > 0);
            cw_job_release(duel.waiting[i]);
        }
        wait_for(duel.waiters.job);
        cw_job_release(duel.waiters.job);
    }
}

struct delay_run {
    _Atomic int over, cancelled;
};

CW_COROUTINE(delay_or_be_cancelled, struct delay_run *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_DELAY(self, 1);
    atomic_fetch_add(&self->arg->over, 1);
    CW_CATCH(self, 1) { atomic_fetch_add(&self->arg->cancelled, 1); }
    CW_END(self);
}

STRESS(timers_against_cancellation)
{
    enum { COUNT = 40 };
    for (int round = 0; round < long_round_count; round++) {
        struct delay_run run = {0, 0};
        cw_job *jobs[COUNT];
        for (int i = 0; i < COUNT; i++)
            jobs[i] = cw_launch(context, delay_or_be_cancelled, &run);
        /* They run out while they are cancelled one by one. */
        int64_t until = cw__now_ns() + 700000 + (int64_t)chance(500000);
        while (cw__now_ns() < until) {
        }
        for (int i = 0; i < COUNT; i++) {
            cw_cancel(jobs[i], NULL);
            dither();
        }
        int skipped = 0;
        for (int i = 0; i < COUNT; i++) {
            wait_for(jobs[i]);
            cw_job_release(jobs[i]);
        }
        skipped = COUNT - run.over - run.cancelled;
        ASSERT(skipped >= 0 && skipped <= COUNT);
        ASSERT_EQ(context->timers.count, 0);
    }
}
