/* conformance_bare_job_test.c: what jobs without a body have to do, case by
 * case, on one worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

CW_DEFERRED(text, const char *)

/* ---- 8: joining a bare parent waits for its children */

CW_COROUTINE(yields_then_marks_5, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(5);
    CW_END(self);
}

SCENARIO(case_008_join_waits_for_a_bare_jobs_children, cw_job *parent;)
{
    CW_BEGIN(self);
    self->parent = cw_job_new(NULL);
    MARK(1);
    SPAWN(UNDER(self->parent), CW_START_UNDISPATCHED, yields_then_marks_5,
          CW_NONE);
    MARK(3);
    cw_cancel(self->parent, NULL);
    MARK(4);
    ASSERT_FLAGS(self->parent, false, false, true);
    CW_JOIN(self, self->parent);
    MARK(6);
    ASSERT_FLAGS(self->parent, false, true, true);
    cw_job_release(self->parent);
    CW_END(self);
}

/* ---- 11: a bare child's end and its parent */

TEST(case_011_a_bare_child_is_cancelled_or_fails)
{
    cw_error *error = failure("A");
    cw_job *parent = cw_job_new(NULL);
    cw_job *child = cw_job_new(parent);
    cw_cancel(child, NULL);
    ASSERT(cw_is_active(parent));
    cw_job_release(child);
    child = cw_job_new(parent);
    ASSERT_EQ(cw_job_complete_exceptionally(child, error), 1);
    ASSERT_FLAGS(child, false, true, true);
    ASSERT_FLAGS(parent, false, true, true);
    ASSERT(cw_job_error(parent) == error);
    cw_job_release(child);
    cw_job_release(parent);
    cw_error_release(error);
}

/* ---- 13: completing a job that has children */

TEST(case_013_the_last_child_completes_its_parent)
{
    cw_job *parent = cw_job_new(NULL);
    cw_job *child = cw_job_new(parent);
    ASSERT_FLAGS(parent, true, false, false);
    ASSERT_EQ(cw_job_complete(parent), 1);
    ASSERT_EQ(cw_job_complete(parent), 0);
    ASSERT_FLAGS(parent, true, false, false);
    ASSERT_FLAGS(child, true, false, false);
    ASSERT_EQ(cw_job_complete(child), 1);
    ASSERT_FLAGS(child, false, true, false);
    ASSERT_FLAGS(parent, false, true, false);
    cw_job_release(child);
    cw_job_release(parent);
}

/* ---- 14: what children see of a failure above */

CW_COROUTINE(sees_cancellation_by, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_TRY(self, 1);
    CW_AWAIT_CANCELLATION(self);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), self->arg);
        MARK(4);
    }
    CW_END(self);
}

SCENARIO(case_014_children_see_a_failure_as_cause, cw_job *parent;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = failure("A");
    self->parent = cw_job_new(NULL);
    MARK(1);
    SPAWN(UNDER(self->parent), CW_START_DEFAULT, sees_cancellation_by,
          self->error);
    CW_YIELD(self);
    MARK(3);
    ASSERT_EQ(cw_job_complete_exceptionally(self->parent, self->error), 1);
    CW_JOIN(self, self->parent);
    MARK(5);
    ASSERT(cw_job_error(self->parent) == self->error);
    cw_job_release(self->parent);
    cw_error_release(self->error);
    CW_END(self);
}

/* ---- 16: a deferred's end and its parent */

TEST(case_016_a_deferred_child_is_cancelled_or_fails)
{
    cw_error *error = failure("A");
    cw_job *parent = cw_deferred_new(text, NULL);
    cw_job *child = cw_deferred_new(text, parent);
    cw_cancel(child, NULL);
    ASSERT_FLAGS(parent, true, false, false);
    cw_job_release(child);
    child = cw_deferred_new(text, parent);
    ASSERT_EQ(cw_job_complete_exceptionally(child, error), 1);
    ASSERT_FLAGS(parent, false, true, true);
    ASSERT(cw_job_error(parent) == error);
    cw_job_release(child);
    cw_job_release(parent);
    cw_error_release(error);
}

/* ---- 17: a deferred that is complete waits for its children */

CW_COROUTINE(yields_and_marks_5, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    MARK(5);
    CW_END(self);
}

SCENARIO(case_017_await_waits_for_a_deferreds_children, cw_job *deferred;
         const char *value;)
{
    CW_BEGIN(self);
    self->deferred = cw_deferred_new(text, NULL);
    MARK(1);
    SPAWN(UNDER(self->deferred), CW_START_UNDISPATCHED, yields_and_marks_5,
          CW_NONE);
    MARK(3);
    ASSERT_EQ(cw_deferred_complete(text, self->deferred, "OK"), 1);
    ASSERT_EQ(cw_deferred_complete(text, self->deferred, "late"), 0);
    ASSERT_FLAGS(self->deferred, true, false, false);
    MARK(4);
    CW_AWAIT(self, text, self->deferred, &self->value);
    ASSERT_STR(self->value, "OK");
    MARK(6);
    cw_job_release(self->deferred);
    CW_END(self);
}
