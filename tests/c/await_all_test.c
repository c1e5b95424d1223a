/* await_all_test.c: await_all.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "later.h"

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
