/* await_test.c: join, join_all, await, await_all.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

CW_COROUTINE(give_later, int, int, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_YIELD(self);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

/* Fails with the error that it is given after `turns` turns. */
struct fault {
    int turns;
    cw_error *error;
};

CW_COROUTINE(fail_later, struct fault, int, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.turns; self->i++)
        CW_YIELD(self);
    CW_RAISE(self, cw_error_retain(self->arg.error));
    CW_END(self);
}

/* A job that is nobody's child and fails. */
static cw_job *start_failing(cw_context *context, cw_error *error)
{
    return cw_async(context, fail_later, ((struct fault){0, error}));
}

/* ---- join */

SCENARIO(join_waits_for_the_end, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, give_later, 3);
    ASSERT(!cw_is_completed(self->job));
    CW_JOIN(self, self->job);
    ASSERT(cw_is_completed(self->job));
    CW_JOIN(self, self->job); /* again: at once */
    cw_job_release(self->job);
    CW_END(self);
}

TEST(join_does_not_raise_the_jobs_error)
{
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_EBUSY, "own", NULL);
    cw_job *job = start_failing(context, error);
    wait_for(job); /* asserts success */
    ASSERT(cw_job_error(job) == error);
    cw_job_release(job);
    cw_error_release(error);
    shut_down(context);
}

CW_COROUTINE(join_when_cancelled, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    ASSERT(cw_is_completed(self->arg));
    CW_TRY(self, 1);
    CW_JOIN(self, self->arg);
    ASSERT(false);
    CW_CATCH(self, 1) { MARK(1); }
    CW_TRY(self, 2);
    CW_JOIN_ALL(self, &self->arg, 1);
    ASSERT(false);
    CW_CATCH(self, 2) { MARK(2); }
    CW_END(self);
}

SCENARIO(join_raises_if_the_caller_is_cancelled_even_if_it_is_over, cw_job *job,
         *other;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, give, 1);
    CW_YIELD(self);
    self->other = cw_launch(NULL, join_when_cancelled, self->job);
    CW_JOIN(self, self->other);
    MARK(3);
    cw_job_release(self->job);
    cw_job_release(self->other);
    CW_END(self);
}

CW_COROUTINE(join_failing_child, cw_error *, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, fail_later, ((struct fault){1, self->arg}));
    CW_TRY(self, 1);
    CW_JOIN(self, self->job);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), self->arg);
        MARK(1);
    }
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(joining_a_failing_child_raises_cancellation_because_of_it,
         cw_none none;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "child", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, join_failing_child, self->error, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->error);
        MARK(2);
    }
    cw_error_release(self->error);
    CW_END(self);
}

/* ---- join_all */

SCENARIO(join_all_waits_for_all, cw_job *jobs[5]; int i;)
{
    CW_BEGIN(self);
    for (int i = 0; i < 5; i++) {
        int turns[] = {4, 0, 7, 2, 5};
        self->jobs[i] = cw_launch(NULL, give_later, turns[i]);
    }
    CW_JOIN_ALL(self, self->jobs, 5);
    for (int i = 0; i < 5; i++)
        ASSERT(cw_is_completed(self->jobs[i]));
    CW_JOIN_ALL(self, self->jobs, 5);
    CW_JOIN_ALL(self, self->jobs, 0);
    CW_JOIN_ALL(self, NULL, 0);
    for (int i = 0; i < 5; i++)
        cw_job_release(self->jobs[i]);
    MARK(1);
    CW_END(self);
}

CW_COROUTINE(join_two, cw_job **, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_JOIN_ALL(self, self->arg, 2);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        MARK(1);
    }
    CW_END(self);
}

SCENARIO(join_all_can_be_cancelled_while_it_waits_for_the_second,
         cw_job *jobs[2], *waiting;)
{
    CW_BEGIN(self);
    self->jobs[0] = cw_launch(NULL, give_later, 2);
    self->jobs[1] = cw_launch(NULL, wait_for_ever, CW_NONE);
    self->waiting = cw_launch(NULL, join_two, self->jobs);
    CW_JOIN(self, self->jobs[0]);
    CW_YIELD(self);
    ASSERT(!cw_is_completed(self->waiting));
    CW_CANCEL_AND_JOIN(self, self->waiting);
    MARK(2);
    ASSERT(cw_is_active(self->jobs[1]));
    CW_CANCEL_AND_JOIN(self, self->jobs[1]);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    cw_job_release(self->waiting);
    CW_END(self);
}

CW_COROUTINE(join_all_of, cw_job **, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN_ALL(self, self->arg, 3);
    MARK(1);
    CW_END(self);
}

TEST(join_all_raises_no_failure)
{
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_EBUSY, "own", NULL);
    cw_job *jobs[3];
    for (int i = 0; i < 3; i++)
        jobs[i] = start_failing(context, error);
    cw_none none;
    ASSERT_EQ(cw_run_blocking(join_all_of, jobs, &none, NULL), CW_OK);
    for (int i = 0; i < 3; i++) {
        ASSERT(cw_job_error(jobs[i]) == error);
        cw_job_release(jobs[i]);
    }
    cw_error_release(error);
    shut_down(context);
}

/* ---- await */

SCENARIO(await_gives_the_same_value_to_all, cw_job *job; int out;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = cw_async(NULL, give_later, 5);
    CW_AWAIT(self, give_later, self->job, &self->out);
    ASSERT_EQ(self->out, 5);
    self->out = 0;
    CW_AWAIT(self, give_later, self->job, &self->out);
    ASSERT_EQ(self->out, 5);
    self->out = 0;
    ASSERT_EQ(cw_result(give_later, self->job, &self->out), CW_OK);
    ASSERT_EQ(self->out, 5);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(await_failed, cw_job *, cw_none, int out;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_AWAIT(self, fail_later, self->arg, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == cw_job_error(self->arg));
        MARK(1);
    }
    CW_TRY(self, 2);
    CW_AWAIT(self, fail_later, self->arg, &self->out);
    ASSERT(false);
    CW_CATCH(self, 2)
    {
        ASSERT(cw_caught(self) == cw_job_error(self->arg));
        MARK(2);
    }
    ASSERT_EQ(self->out, 0);
    CW_END(self);
}

TEST(await_raises_the_same_error_object_each_time)
{
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_EBUSY, "own", NULL);
    cw_job *job = start_failing(context, error);
    cw_none none;
    ASSERT_EQ(cw_run_blocking(await_failed, job, &none, NULL), CW_OK);
    ASSERT(cw_job_error(job) == error);
    int out = 3;
    ASSERT_EQ(cw_result(fail_later, job, &out), CW_EBUSY);
    ASSERT_EQ(out, 3);
    cw_job_release(job);
    cw_error_release(error);
    shut_down(context);
}

/* The caller is cancelled by that very failure and yet sees the failure. */
CW_COROUTINE(await_failing_child, cw_error *, cw_none, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, fail_later, ((struct fault){1, self->arg}));
    CW_TRY(self, 1);
    CW_AWAIT(self, fail_later, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->arg);
        MARK(1);
    }
    ASSERT(cw_is_stopped());
    CW_TRY(self, 2);
    CW_YIELD(self);
    ASSERT(false);
    CW_CATCH(self, 2)
    {
        ASSERT_CANCELLED(cw_caught(self), self->arg);
        MARK(2);
    }
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(awaiting_a_failing_child_raises_its_failure, cw_none none;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "child", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, await_failing_child, self->error, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->error);
        MARK(3);
    }
    cw_error_release(self->error);
    CW_END(self);
}

/* The child has failed but is not over: it waits for a child of its own. */
CW_COROUTINE(fail_with_child, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, wait_for_ever, CW_NONE), CW_OK);
    CW_YIELD(self);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

CW_COROUTINE(await_not_over, cw_error *, cw_none, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, fail_with_child, self->arg);
    CW_TRY(self, 1);
    CW_AWAIT(self, fail_with_child, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->arg);
        MARK(1);
    }
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(awaiting_a_child_that_fails_but_is_not_over_raises_its_failure,
         cw_none none;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "child", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, await_not_over, self->error, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->error);
        MARK(2);
    }
    cw_error_release(self->error);
    CW_END(self);
}

CW_COROUTINE(await_when_cancelled, cw_job *, cw_none, int out;)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    CW_AWAIT(self, give, self->arg, &self->out);
    ASSERT_EQ(self->out, 8);
    MARK(1);
    CW_END(self);
}

SCENARIO(await_of_what_is_over_does_not_look_at_cancellation, cw_job *job,
         *other;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, give, 8);
    CW_YIELD(self);
    self->other = cw_launch(NULL, await_when_cancelled, self->job);
    CW_JOIN(self, self->other);
    MARK(2);
    cw_job_release(self->job);
    cw_job_release(self->other);
    CW_END(self);
}

SCENARIO(await_of_another_coroutines_job_is_a_mistake, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, give, 8);
    self->out = 3;
    CW_TRY(self, 1);
    CW_AWAIT(self, give_later, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ETYPE);
        MARK(1);
    }
    CW_TRY(self, 2);
    CW_AWAIT_ALL(self, give_later, &self->job, 1, &self->out);
    ASSERT(false);
    CW_CATCH(self, 2)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ETYPE);
        MARK(2);
    }
    ASSERT_EQ(self->out, 3);
    ASSERT_EQ(cw_result(give_later, self->job, &self->out), CW_ETYPE);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(a_result_that_is_not_there_yet_is_busy, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, give_later, 1);
    ASSERT_EQ(cw_result(give_later, self->job, &self->out), CW_EBUSY);
    ASSERT_EQ(cw_result(give, self->job, &self->out), CW_ETYPE);
    ASSERT(cw_job_error(self->job) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(awaiting_a_cancelled_job_raises_its_cancellation, cw_job *job;
         cw_none none; cw_error * cause;)
{
    CW_BEGIN(self);
    self->cause = cw_error_new(CW_EBUSY, "why", NULL);
    self->job = cw_async(NULL, wait_for_ever, CW_NONE);
    CW_YIELD(self);
    cw_cancel(self->job, self->cause);
    CW_TRY(self, 1);
    CW_AWAIT(self, wait_for_ever, self->job, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), self->cause);
        ASSERT(cw_caught(self) == cw_job_error(self->job));
        MARK(1);
    }
    ASSERT(!cw_is_stopped()); /* only the other one is cancelled */
    cw_job_release(self->job);
    cw_error_release(self->cause);
    CW_END(self);
}

/* The job is over and its waiter queued; then the waiter is cancelled. */
CW_COROUTINE(await_and_mark, cw_job *, cw_none, int out;)
{
    CW_BEGIN(self);
    MARK(1);
    CW_AWAIT(self, give_later, self->arg, &self->out);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(3);
    CW_END(self);
}

CW_COROUTINE(cancel_it, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    MARK(2);
    cw_cancel(self->arg, NULL);
    CW_END(self);
}

SCENARIO(a_waiter_that_is_cancelled_before_it_goes_on_raises, cw_job *job,
         *waiter;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, give_later, 1);
    self->waiter = cw_launch(NULL, await_and_mark, self->job);
    ASSERT_EQ(cw_spawn(NULL, cancel_it, self->waiter), CW_OK);
    CW_JOIN(self, self->waiter);
    MARK(4);
    ASSERT_EQ(cw_error_code(cw_job_error(self->waiter)), CW_ECANCELED);
    cw_job_release(self->job);
    cw_job_release(self->waiter);
    CW_END(self);
}

/* ---- await_all */

SCENARIO(await_all_gives_results_in_the_order_of_its_arguments, cw_job *jobs[6];
         int outs[6];)
{
    CW_BEGIN(self);
    for (int i = 0; i < 6; i++) {
        int turns[] = {4, 0, 7, 2, 5, 0};
        self->jobs[i] = cw_async(NULL, give_later, turns[i]);
    }
    CW_YIELD(self); /* two of them are over */
    CW_AWAIT_ALL(self, give_later, self->jobs, 6, self->outs);
    for (int i = 0; i < 6; i++) {
        int turns[] = {4, 0, 7, 2, 5, 0};
        ASSERT_EQ(self->outs[i], turns[i]);
    }
    memset(self->outs, 0, sizeof self->outs);
    CW_AWAIT_ALL(self, give_later, self->jobs, 6, self->outs); /* all over */
    ASSERT_EQ(self->outs[2], 7);
    for (int i = 0; i < 6; i++)
        cw_job_release(self->jobs[i]);
    MARK(1);
    CW_END(self);
}

CW_COROUTINE(mark_two, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_END(self);
}

SCENARIO(await_all_of_nothing_does_not_suspend, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, mark_two, CW_NONE), CW_OK);
    CW_AWAIT_ALL(self, give, NULL, 0, NULL);
    MARK(1);
    CW_END(self);
}

SCENARIO(await_all_may_get_a_job_twice, cw_job *jobs[2]; int outs[2];)
{
    CW_BEGIN(self);
    self->jobs[0] = self->jobs[1] = cw_async(NULL, give_later, 3);
    CW_AWAIT_ALL(self, give_later, self->jobs, 2, self->outs);
    ASSERT_EQ(self->outs[0], 3);
    ASSERT_EQ(self->outs[1], 3);
    cw_job_release(self->jobs[0]);
    CW_END(self);
}

struct three {
    cw_job *jobs[3];
    int outs[3];
};

CW_COROUTINE(await_three, struct three *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_AWAIT_ALL(self, fail_later, self->arg->jobs, 3, self->arg->outs);
    CW_END(self);
}

TEST(await_all_fails_as_soon_as_one_does_and_leaves_the_others_alone)
{
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_EBUSY, "second", NULL);
    struct three three = {.outs = {1, 1, 1}};
    three.jobs[0] =
        cw_async(context, fail_later, ((struct fault){INT32_MAX, error}));
    three.jobs[1] = cw_async(context, fail_later, ((struct fault){100, error}));
    three.jobs[2] =
        cw_async(context, fail_later, ((struct fault){INT32_MAX, error}));
    cw_none none;
    cw_error *raised;
    ASSERT_EQ(cw_run_blocking(await_three, &three, &none, &raised), CW_EBUSY);
    ASSERT(raised == error);
    cw_error_release(raised);
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(three.outs[i], 1);
    ASSERT(cw_is_active(three.jobs[0]) && cw_is_active(three.jobs[2]));
    for (int i = 0; i < 3; i++) {
        cw_cancel(three.jobs[i], NULL);
        cw_job_release(three.jobs[i]);
    }
    cw_error_release(error);
    shut_down(context);
}

TEST(await_all_raises_what_failed_first)
{
    cw_context *context = new_context(1);
    cw_error *first = cw_error_new(CW_EBUSY, "first", NULL);
    cw_error *second = cw_error_new(CW_EBUSY, "second", NULL);
    struct three three;
    struct hold *hold = hold_all(context); /* all begin in the same turn */
    for (int i = 0; i < 3; i++) {
        struct fault fault = {i == 1 ? 5 : 6, i == 1 ? first : second};
        three.jobs[i] = cw_async(context, fail_later, fault);
    }
    cw_job *waiter = cw_async(context, await_three, &three);
    let_go(context, hold);
    wait_for(waiter);
    ASSERT(cw_job_error(waiter) == first);
    cw_job_release(waiter);
    for (int i = 0; i < 3; i++) {
        wait_for(three.jobs[i]);
        cw_job_release(three.jobs[i]);
    }
    cw_error_release(first);
    cw_error_release(second);
    shut_down(context);
    hold_free(hold);
}

/* The children's failures cancel each other: what is raised is the failure,
 * not the cancellation that it has caused in an earlier argument. */
CW_COROUTINE(await_all_children, cw_error *, cw_none, struct three three;)
{
    CW_BEGIN(self);
    for (int i = 0; i < 3; i++) {
        struct fault fault = {i == 1 ? 1 : INT32_MAX, self->arg};
        self->three.jobs[i] = cw_async(NULL, fail_later, fault);
    }
    CW_TRY(self, 1);
    CW_AWAIT_ALL(self, fail_later, self->three.jobs, 3, self->three.outs);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->arg);
        MARK(1);
    }
    for (int i = 0; i < 3; i++)
        cw_job_release(self->three.jobs[i]);
    CW_END(self);
}

SCENARIO(await_all_of_children_raises_the_failure, cw_none none;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "child", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, await_all_children, self->error, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->error);
        MARK(2);
    }
    cw_error_release(self->error);
    CW_END(self);
}

CW_COROUTINE(await_all_and_hang, cw_job **, cw_none, int outs[2];)
{
    CW_BEGIN(self);
    CW_AWAIT_ALL(self, give_later, self->arg, 2, self->outs);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(1);
    CW_END(self);
}

SCENARIO(await_all_can_be_cancelled, cw_job *jobs[2], *waiter; int outs[2];)
{
    CW_BEGIN(self);
    self->jobs[0] = cw_async(NULL, give_later, 2);
    self->jobs[1] = cw_async(NULL, give_later, INT32_MAX);
    self->waiter = cw_launch(NULL, await_all_and_hang, self->jobs);
    CW_JOIN(self, self->jobs[0]);
    CW_CANCEL_AND_JOIN(self, self->waiter);
    MARK(2);
    ASSERT(cw_is_active(self->jobs[1]));
    cw_cancel(self->jobs[1], NULL);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    cw_job_release(self->waiter);
    CW_END(self);
}

/* ---- many waiters */

CW_COROUTINE(wait_in_line, cw_job *, cw_none, int number;)
{
    static int next;
    CW_BEGIN(self);
    self->number = next++;
    CW_JOIN(self, self->arg);
    MARK(self->number + 1);
    CW_END(self);
}

CW_COROUTINE(wake_a_line, int, cw_none, cw_job *job; int i;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, give_later, 5);
    for (self->i = 0; self->i < self->arg; self->i++)
        ASSERT_EQ(cw_spawn(NULL, wait_in_line, self->job), CW_OK);
    cw_job_release(self->job);
    CW_END(self);
}

static void wake(int count)
{
    use_small_stacks();
    cw_context *context = new_context(1);
    cw_job *job = cw_launch(context, wake_a_line, count);
    wait_for(job);
    ASSERT_EQ(test_marks, count);
    cw_job_release(job);
    shut_down(context);
}

TEST(waiters_wake_in_order_of_arrival) { wake(33); }

TEST(a_hundred_thousand_waiters_wake_in_order_of_arrival) { wake(100000); }
