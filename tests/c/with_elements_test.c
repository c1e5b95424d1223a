/* with_elements_test.c: scopes with elements of their own: in another context,
 * below another job.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

/* ---- between contexts */

struct both {
    cw_context *here, *there;
    cw_job *cancels;
    sem_t *entered;
};

CW_COROUTINE(runs_there, struct both, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == self->arg.there);
    CW_YIELD(self);
    ASSERT(cw_current_context() == self->arg.there);
    CW_DELAY(self, 1);
    ASSERT(cw_current_context() == self->arg.there);
    cw_spawn(NULL, give, 1);
    CW_RETURN(self, 42);
    CW_END(self);
}

CW_COROUTINE(goes_and_comes, struct both, int, const cw_elements *set; int out;
             int i;)
{
    CW_BEGIN(self);
    self->set = cw_elements_with_context(NULL, self->arg.there);
    for (self->i = 0; self->i < 20; self->i++) {
        self->out = 0;
        CW_WITH_ELEMENTS(self, self->set, runs_there, self->arg, &self->out);
        ASSERT_EQ(self->out, 42);
        ASSERT(cw_current_context() == self->arg.here);
    }
    CW_FINALLY(self);
    cw_elements_release(self->set);
    CW_END(self);
}

static cw_job *launch_on(cw_context *context, struct both both)
{
    cw_job *job = cw_async(context, goes_and_comes, both);
    ASSERT(job);
    return job;
}

TEST(a_body_goes_to_another_context_and_comes_back)
{
    struct both both = {new_context(2), new_context(2), NULL, NULL};
    cw_job *job = launch_on(both.here, both);
    wait_for(job);
    ASSERT(cw_job_error(job) == NULL);
    cw_job_release(job);
    shut_down(both.here);
    shut_down(both.there);
}

TEST(a_closed_context_takes_nobody)
{
    struct both both = {new_context(1), new_context(1), NULL, NULL};
    cw_context_close(both.there);
    cw_job *job = launch_on(both.here, both);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
    cw_job_release(job);
    shut_down(both.here);
    shut_down(both.there);
}

CW_COROUTINE(goes_to_never, struct both, int, const cw_elements *set; int out;)
{
    CW_BEGIN(self);
    self->set = cw_elements_with_context(NULL, self->arg.there);
    event_set(self->arg.entered);
    CW_WITH_ELEMENTS(self, self->set, never, CW_NONE, &self->out);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(cw_current_context() == self->arg.here);
    cw_elements_release(self->set);
    CW_END(self);
}

/* It waits in the other context's queue when it is cancelled. */
TEST(cancelled_on_the_way_there)
{
    struct both both = {new_context(1), new_context(1), NULL, event_new()};
    struct hold *hold = hold_all(both.there);
    cw_job *job = cw_async(both.here, goes_to_never, both);
    event_await(both.entered);
    cw_job *after = cw_async(both.here, give, 1); /* it has left by then */
    wait_for(after);
    cw_cancel(job, NULL);
    let_go(both.there, hold);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    cw_job_release(after);
    cw_job_release(job);
    shut_down(both.here);
    shut_down(both.there);
    hold_free(hold);
    event_free(both.entered);
}

CW_COROUTINE(ends_there, struct both, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    event_set(self->arg.entered);
    CW_RETURN(self, 1);
    CW_END(self);
}

CW_COROUTINE(loses_value, struct both, int, const cw_elements *set; int out;)
{
    CW_BEGIN(self);
    self->set = cw_elements_with_context(NULL, self->arg.there);
    CW_WITH_ELEMENTS(self, self->set, ends_there, self->arg, &self->out);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(cw_current_context() == self->arg.here);
    cw_elements_release(self->set);
    CW_END(self);
}

/* It waits in its own context's queue, with a value. */
TEST(cancelled_on_the_way_back)
{
    struct both both = {new_context(1), new_context(1), NULL, event_new()};
    struct hold *there = hold_all(both.there);
    cw_job *job = cw_async(both.here, loses_value, both);
    struct hold *here = hold_all(both.here); /* behind the job's first step */
    let_go(both.there, there);
    event_await(both.entered);
    cw_job *after = cw_async(both.there, give, 1);
    wait_for(after);
    cw_cancel(job, NULL);
    let_go(both.here, here);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    cw_job_release(after);
    cw_job_release(job);
    shut_down(both.here);
    shut_down(both.there);
    hold_free(here);
    hold_free(there);
    event_free(both.entered);
}

/* ---- another job's scope */

SCENARIO(a_job_among_the_elements_takes_a_scope_over, cw_job *other;
         const cw_elements *set; int out; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = cw_error_new(CW_ECANCELED, "other", NULL);
    self->other = cw_job_new(NULL);
    self->set = UNDER(self->other);
    CW_WITH_ELEMENTS(self, self->set, marks, 1, &self->out);
    ASSERT_EQ(self->out, 1);
    cw_cancel(self->other, self->a);
    ASSERT_RAISES(
        self, 1, self->a,
        CW_WITH_ELEMENTS(self, self->set, never, CW_NONE, &self->out));
    ASSERT(!cw_is_stopped());
    CW_YIELD(self);
    cw_elements_release(self->set);
    cw_job_release(self->other);
    cw_error_release(self->a);
    CW_END(self);
}

CW_COROUTINE(scope_is_child_of, cw_job *, int, cw_job *parent;)
{
    CW_BEGIN(self);
    self->parent = cw_job_parent(cw_current_scope());
    ASSERT(self->parent == self->arg);
    cw_job_release(self->parent);
    cw_cancel(self->arg, NULL);
    CW_TRY(self, 1);
    CW_YIELD(self);
    ASSERT(false);
    CW_CATCH(self, 1) { MARK(1); }
    CW_END(self);
}

SCENARIO(cancelling_the_job_among_the_elements, cw_job *other;
         const cw_elements *set; int out;)
{
    CW_BEGIN(self);
    self->other = cw_job_new(NULL);
    self->set = UNDER(self->other);
    ASSERT_RAISES_CODE(self, 1, CW_ECANCELED,
                       CW_WITH_ELEMENTS(self, self->set, scope_is_child_of,
                                        self->other, &self->out));
    MARK(2);
    CW_YIELD(self);
    ASSERT(cw_is_completed(self->other));
    cw_elements_release(self->set);
    cw_job_release(self->other);
    CW_END(self);
}
