/* completion_handler_test.c: when completion handlers are called, and what they
 * are told.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

#include <sched.h>

CW_DEFERRED(number, int)

struct noted {
    int calls;
    int order;
    cw_error *error;
    cw_handler *handler;
    struct noted *other; /* to be disposed of when this one is called */
};

static int handler_calls;

static void note(void *arg, cw_error *error)
{
    struct noted *noted = arg;
    noted->calls++;
    noted->order = ++handler_calls;
    noted->error = error;
    if (noted->other) cw_handler_dispose(noted->other->handler);
}

/* ---- when they are called */

TEST(handlers_are_called_in_order)
{
    struct noted all[3] = {0};
    cw_job *job = cw_job_new(NULL);
    for (int i = 0; i < 3; i++)
        all[i].handler = cw_on_completion(job, 0, note, &all[i]);
    ASSERT_EQ(cw_job_complete(job), 1);
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(all[i].order, i + 1);
        ASSERT(all[i].error == NULL);
        cw_handler_dispose(all[i].handler);
    }
    cw_job_release(job);
}

TEST(a_handler_takes_back_the_next_one)
{
    struct noted first = {0}, second = {0}, third = {0};
    cw_job *job = cw_job_new(NULL);
    first.handler = cw_on_completion(job, 0, note, &first);
    second.handler = cw_on_completion(job, 0, note, &second);
    third.handler = cw_on_completion(job, 0, note, &third);
    first.other = &second;
    ASSERT_EQ(cw_job_complete(job), 1);
    ASSERT_EQ(first.calls, 1);
    ASSERT_EQ(second.calls, 0);
    ASSERT_EQ(third.calls, 1);
    cw_handler_dispose(first.handler);
    cw_handler_dispose(third.handler);
    cw_job_release(job);
}

TEST(late_handlers)
{
    struct noted late = {0}, not_late = {0};
    cw_error *a = failure("A");
    cw_job *job = cw_job_new(NULL);
    ASSERT_EQ(cw_job_complete_exceptionally(job, a), 1);
    late.handler = cw_on_completion(job, 0, note, &late);
    ASSERT_EQ(late.calls, 1);
    ASSERT(late.error == a);
    not_late.handler = cw_on_completion(job, CW_NOT_LATE, note, &not_late);
    ASSERT_EQ(not_late.calls, 0);
    cw_handler_dispose(late.handler);
    cw_handler_dispose(not_late.handler);
    cw_job_release(job);
    cw_error_release(a);
}

TEST(early_handlers)
{
    struct noted early = {0}, at_end = {0}, late = {0}, not_late = {0};
    cw_job *job = cw_job_new(NULL);
    cw_job *child = cw_job_new(job);
    cw_job *grandchild = cw_deferred_new(number, child);
    early.handler = cw_on_completion(job, CW_ON_CANCELLING, note, &early);
    at_end.handler = cw_on_completion(job, 0, note, &at_end);
    ASSERT_EQ(cw_job_complete(child), 1);
    ASSERT_EQ(early.calls, 0);
    cw_cancel(job, NULL);
    ASSERT_EQ(early.calls, 1);
    ASSERT_EQ(at_end.calls, 1);
    late.handler = cw_on_completion(job, CW_ON_CANCELLING, note, &late);
    not_late.handler =
        cw_on_completion(job, CW_ON_CANCELLING | CW_NOT_LATE, note, &not_late);
    ASSERT_EQ(late.calls, 1);
    ASSERT_EQ(not_late.calls, 0);
    cw_handler_dispose(early.handler);
    cw_handler_dispose(at_end.handler);
    cw_handler_dispose(late.handler);
    cw_handler_dispose(not_late.handler);
    cw_job_release(grandchild);
    cw_job_release(child);
    cw_job_release(job);
}

SCENARIO(early_handlers_while_a_job_is_cancelling, cw_job *job; cw_error * a;)
{
    static struct noted early, late, at_end;
    CW_BEGIN(self);
    self->a = cw_error_new(CW_ECANCELED, "why", NULL);
    self->job = cw_launch(NULL, wait_for_ever, CW_NONE);
    CW_YIELD(self);
    early.handler = cw_on_completion(self->job, CW_ON_CANCELLING, note, &early);
    cw_cancel(self->job, self->a);
    ASSERT_EQ(early.calls, 1);
    ASSERT(early.error == self->a);
    late.handler = cw_on_completion(self->job, CW_ON_CANCELLING, note, &late);
    ASSERT_EQ(late.calls, 1);
    ASSERT(late.error == self->a);
    at_end.handler = cw_on_completion(self->job, 0, note, &at_end);
    ASSERT_EQ(at_end.calls, 0);
    CW_JOIN(self, self->job);
    ASSERT_EQ(early.calls, 1);
    ASSERT_EQ(late.calls, 1);
    ASSERT_EQ(at_end.calls, 1);
    ASSERT(at_end.error == self->a);
    cw_handler_dispose(early.handler);
    cw_handler_dispose(late.handler);
    cw_handler_dispose(at_end.handler);
    cw_job_release(self->job);
    cw_error_release(self->a);
    CW_END(self);
}

SCENARIO(lazy_is_not_started_by_a_handler, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(PLAIN, CW_START_LAZY, never, CW_NONE);
    cw_handler_dispose(cw_on_completion(self->job, 0, note, NULL));
    CW_YIELD(self);
    ASSERT_FLAGS(self->job, false, false, false);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- from several threads at once */

static _Atomic int ended_calls;

static void count_end(void *arg, cw_error *error)
{
    (void)arg;
    (void)error;
    atomic_fetch_add(&ended_calls, 1);
}

CW_FUNCTION(starts_it, cw_job *, cw_none)
{
    (void)cw_job_start(*arg);
    return CW_OK;
}

CW_FUNCTION(cancels_it, cw_job *, cw_none)
{
    cw_cancel(*arg, NULL);
    return CW_OK;
}

CW_FUNCTION(completes_the_bare, cw_job *, cw_none)
{
    cw_job_complete(*arg);
    return CW_OK;
}

TEST(starting_cancelling_and_completing_meet)
{
    enum { ROUNDS = 500 };
    cw_context *context = new_context(3);
    const cw_elements *there = cw_elements_with_context(NULL, context);
    for (int i = 0; i < ROUNDS; i++) {
        cw_job *bare = cw_job_new(NULL);
        const cw_elements *under = cw_elements_with_job(there, bare);
        cw_job *lazy = cw_async_with(under, CW_START_LAZY, give, 1);
        cw_handler *at_end = cw_on_completion(lazy, 0, count_end, NULL);
        cw_handler *early =
            cw_on_completion(bare, CW_ON_CANCELLING, count_end, NULL);
        cw_job *jobs[4] = {cw_launch(context, starts_it, lazy),
                           cw_launch(context, cancels_it, i % 2 ? lazy : bare),
                           cw_launch(context, completes_the_bare, bare),
                           cw_launch(context, starts_it, lazy)};
        wait_for(lazy);
        wait_for(bare);
        for (int j = 0; j < 4; j++) {
            wait_for(jobs[j]);
            cw_job_release(jobs[j]);
        }
        /* Those who join may go on before handlers have run. */
        while (atomic_load(&ended_calls) < 2 * (i + 1))
            sched_yield();
        cw_handler_dispose(at_end);
        cw_handler_dispose(early);
        cw_job_release(lazy);
        cw_job_release(bare);
        cw_elements_release(under);
    }
    ASSERT_EQ(atomic_load(&ended_calls), 2 * ROUNDS);
    cw_elements_release(there);
    shut_down(context);
}
