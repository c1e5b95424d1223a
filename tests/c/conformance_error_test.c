/* conformance_error_test.c: what becomes of failures, case by case, on one
 * worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

static cw_error *a, *b, *c;
static struct failures told;

static void make_errors(void)
{
    a = failure("A");
    b = failure("B");
    c = failure("C");
}

static void drop_errors(void)
{
    forget_failures(&told);
    cw_error_release(a);
    cw_error_release(b);
    cw_error_release(c);
}

/* FAILURES(name, locals...) { body }: a scenario that uses the errors. */
#define FAILURES(NAME, ...)                                                    \
    CW_DECLARE_COROUTINE(NAME##_main, cw_none, cw_none, __VA_ARGS__)           \
    TEST(NAME)                                                                 \
    {                                                                          \
        make_errors();                                                         \
        RUN(NAME##_main);                                                      \
        drop_errors();                                                         \
    }                                                                          \
    CW_DEFINE_COROUTINE(NAME##_main, cw_none, cw_none)

/* Asserts that `error` is the only one that the handler was told of. */
#define ASSERT_TOLD(error)                                                     \
    do {                                                                       \
        ASSERT_EQ(told.count, 1);                                              \
        ASSERT(told.errors[0] == (error));                                     \
    } while (0)

/* ---- 115: one failure, to the handler */

FAILURES(case_115_a_failure_under_a_bare_job, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_job_new(NULL);
    SPAWN(noting(UNDER(self->job), &told), CW_START_ATOMIC, raises, a);
    CW_JOIN(self, self->job);
    ASSERT_TOLD(a);
    ASSERT(cw_error_suppressed(a, 0) == NULL);
    ASSERT(cw_job_error(self->job) == a);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 116: a failure after cancelling */

FAILURES(case_116_a_failure_during_cancellation, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_job_new(NULL);
    SPAWN(noting(UNDER(self->job), &told), CW_START_ATOMIC, raises, a);
    CW_CANCEL_AND_JOIN(self, self->job);
    ASSERT_TOLD(a);
    ASSERT(cw_error_suppressed(a, 0) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 118, 119: several failures below one job */

CW_COROUTINE(has_three_failing, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    SPAWN(PLAIN, CW_START_ATOMIC, raises, a);
    SPAWN(PLAIN, CW_START_ATOMIC, raises, b);
    SPAWN(PLAIN, CW_START_ATOMIC, raises, c);
    CW_END(self);
}

FAILURES(case_118_three_children_fail, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(noting(DETACHED, &told), CW_START_DEFAULT,
                       has_three_failing, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_TOLD(a);
    ASSERT(cw_error_suppressed(a, 0) == b);
    ASSERT(cw_error_suppressed(a, 1) == c);
    ASSERT(cw_error_suppressed(a, 2) == NULL);
    ASSERT(cw_error_suppressed(b, 0) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(fails_above_two_failing, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    SPAWN(PLAIN, CW_START_ATOMIC, raises, b);
    SPAWN(PLAIN, CW_START_ATOMIC, raises, c);
    CW_RAISE(self, cw_error_retain(a));
    CW_END(self);
}

FAILURES(case_119_a_job_and_its_children_fail, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(noting(DETACHED, &told), CW_START_DEFAULT,
                       fails_above_two_failing, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_TOLD(a);
    ASSERT(cw_error_suppressed(a, 0) == b);
    ASSERT(cw_error_suppressed(a, 1) == c);
    ASSERT(cw_error_suppressed(a, 2) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 121: a chain of bare jobs hands a failure on */

CW_COROUTINE(has_chain, cw_none, cw_none, cw_job *chain[3]; int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 3; self->i++)
        self->chain[self->i] = cw_job_new(self->i > 0 ? self->chain[self->i - 1]
                                                      : cw_current_scope());
    SPAWN(noting(UNDER(self->chain[2]), &told), CW_START_DEFAULT, raises, a);
    CW_TRY(self, 1);
    CW_YIELD(self);
    ASSERT(false);
    CW_CATCH(self, 1) { ASSERT_CANCELLED(cw_caught(self), a); }
    for (self->i = 0; self->i < 3; self->i++) {
        ASSERT(cw_is_cancelled(self->chain[self->i]));
        cw_job_release(self->chain[self->i]);
    }
    CW_END(self);
}

CW_COROUTINE(catches_from_scope, cw_none, int, cw_none none;)
{
    CW_BEGIN(self);
    ASSERT_RAISES(self, 1, a, CW_SCOPE(self, has_chain, CW_NONE, &self->none));
    MARK(1);
    CW_END(self);
}

FAILURES(case_121_a_failure_goes_up_a_chain_of_bare_jobs, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, catches_from_scope, CW_NONE);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT(cw_job_error(self->job) == NULL);
    ASSERT_EQ(told.count, 0);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 122: nested failures */

CW_COROUTINE(fails_with_b_above_c, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    SPAWN(PLAIN, CW_START_ATOMIC, raises, c);
    CW_RAISE(self, cw_error_retain(b));
    CW_END(self);
}

CW_COROUTINE(fails_with_a_above_b, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    SPAWN(PLAIN, CW_START_ATOMIC, fails_with_b_above_c, CW_NONE);
    CW_RAISE(self, cw_error_retain(a));
    CW_END(self);
}

FAILURES(case_122_nested_failures_are_suppressed_in_layers, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(noting(DETACHED, &told), CW_START_ATOMIC,
                       fails_with_a_above_b, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_TOLD(a);
    ASSERT(cw_error_suppressed(a, 0) == b);
    ASSERT(cw_error_suppressed(a, 1) == NULL);
    ASSERT(cw_error_suppressed(b, 0) == c);
    ASSERT(cw_error_suppressed(b, 1) == NULL);
    ASSERT(cw_error_suppressed(c, 0) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 124: what handlers are told, and when. Of jobs with hooks of their own C
 * has one kind, producers: theirs is to close the channel. */

static void early_at_4(void *arg, cw_error *error)
{
    (void)arg;
    ASSERT(error == a);
    ASSERT(cw_error_suppressed(a, 0) == NULL);
    MARK(4);
}

static void at_the_end_7(void *arg, cw_error *error)
{
    (void)arg;
    ASSERT(error == a);
    ASSERT(cw_error_suppressed(a, 0) == b);
    MARK(7);
}

CW_COROUTINE(raises_a_at_3, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_RAISE(self, cw_error_retain(a));
    CW_END(self);
}

CW_COROUTINE(ends_with_b, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, raises_a_at_3, CW_NONE);
    MARK(2);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(6);
    CW_RAISE(self, cw_error_retain(b));
    CW_END(self);
}

FAILURES(case_124_early_handlers_and_those_at_the_end, cw_job *job;
         cw_handler * handlers[2];)
{
    CW_BEGIN(self);
    self->job =
        LAUNCH(noting(DETACHED, &told), CW_START_DEFAULT, ends_with_b, CW_NONE);
    self->handlers[0] = cw_on_completion(self->job, 0, at_the_end_7, NULL);
    self->handlers[1] =
        cw_on_completion(self->job, CW_ON_CANCELLING, early_at_4, NULL);
    MARK(1);
    CW_YIELD(self);
    CW_YIELD(self);
    MARK(5);
    ASSERT_EQ(told.count, 0);
    CW_JOIN(self, self->job);
    MARK(8);
    ASSERT_TOLD(a);
    cw_handler_dispose(self->handlers[0]);
    cw_handler_dispose(self->handlers[1]);
    cw_job_release(self->job);
    CW_END(self);
}

CW_CHANNEL_TYPE(ints, int)

static void early_at_5(void *arg, cw_error *error)
{
    (void)arg;
    ASSERT(error == a);
    MARK(5);
}

static cw_error *closed_at_8(cw_error *cause, void *arg)
{
    cw_job *producer = *(cw_job **)arg;
    ASSERT(cause == a);
    ASSERT(cw_error_suppressed(a, 0) == b);
    ASSERT(cw_is_completed(producer));
    MARK(8);
    return NULL;
}

static void at_the_end_9(void *arg, cw_error *error)
{
    (void)arg;
    ASSERT(error == a);
    ASSERT(cw_error_suppressed(a, 0) == b);
    MARK(9);
}

CW_COROUTINE(produces_and_ends_with_b, cw_channel *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    cw_job_release(cw_async(NULL, raises, a));
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(7);
    CW_RAISE(self, cw_error_retain(b));
    CW_END(self);
}

CW_COROUTINE(has_a_producer, cw_none, cw_none, cw_job *job; ints channel;
             cw_handler * handlers[3];)
{
    CW_BEGIN(self);
    self->channel = ints_new(1);
    self->job = cw_produce(NULL, produces_and_ends_with_b,
                           self->channel.channel, self->channel.channel);
    ASSERT_EQ(cw_channel_on_close(self->channel.channel, closed_at_8,
                                  &self->job, NULL),
              CW_OK);
    self->handlers[0] = cw_on_completion(self->job, 0, at_the_end_9, NULL);
    self->handlers[1] =
        cw_on_completion(self->job, CW_ON_CANCELLING, early_at_4, NULL);
    self->handlers[2] =
        cw_on_completion(self->job, CW_ON_CANCELLING, early_at_5, NULL);
    MARK(1);
    CW_YIELD(self);
    MARK(3);
    CW_YIELD(self);
    MARK(6);
    CW_JOIN(self, self->job);
    MARK(10);
    for (int i = 0; i < 3; i++)
        cw_handler_dispose(self->handlers[i]);
    cw_channel_release(self->channel.channel);
    cw_job_release(self->job);
    CW_END(self);
}

FAILURES(case_124_the_hook_of_a_producer, cw_none none;)
{
    CW_BEGIN(self);
    CW_SUPERVISOR_SCOPE(self, has_a_producer, CW_NONE, &self->none);
    ASSERT_EQ(told.count, 0);
    CW_END(self);
}

/* ---- 125: the handler comes before those who join */

static void handle_at_3(void *arg, const char *name, cw_error *error)
{
    ASSERT(arg == &told);
    ASSERT_STR(name, "raises_a_at_2");
    ASSERT(error == a);
    MARK(3);
}

CW_COROUTINE(raises_a_at_2, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_RAISE(self, cw_error_retain(a));
    CW_END(self);
}

FAILURES(case_125_a_handler_and_a_job_together, cw_job *job; cw_job * child;
         const cw_elements *under;)
{
    CW_BEGIN(self);
    self->job = cw_job_new(NULL);
    self->under = UNDER(self->job);
    MARK(1);
    self->child =
        LAUNCH(cw_elements_with_handler(self->under, handle_at_3, &told),
               CW_START_DEFAULT, raises_a_at_2, CW_NONE);
    cw_elements_release(self->under);
    CW_JOIN(self, self->child);
    MARK(4);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->child);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 127: launched and async jobs with the same handler */

FAILURES(case_127_only_launched_jobs_tell_the_handler, cw_job *jobs[2];
         int out;)
{
    CW_BEGIN(self);
    self->jobs[0] =
        LAUNCH(noting(DETACHED, &told), CW_START_DEFAULT, raises, a);
    self->jobs[1] = ASYNC(noting(DETACHED, &told), CW_START_DEFAULT, raises, b);
    CW_JOIN_ALL(self, self->jobs, 2);
    ASSERT_TOLD(a);
    ASSERT_RAISES(self, 1, b,
                  CW_AWAIT(self, raises, self->jobs[1], &self->out));
    ASSERT_TOLD(a);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    CW_END(self);
}

/* ---- 128: a cancelled child */

CW_COROUTINE(cancels_its_child, cw_none, cw_none, cw_job *child;)
{
    CW_BEGIN(self);
    self->child = cw_launch(NULL, wait_for_ever, CW_NONE);
    CW_YIELD(self);
    MARK(1);
    CW_CANCEL_AND_JOIN(self, self->child);
    MARK(2);
    CW_YIELD(self);
    MARK(3);
    cw_job_release(self->child);
    CW_END(self);
}

FAILURES(case_128_a_parent_goes_on_without_a_cancelled_child, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, cancels_its_child, CW_NONE);
    CW_JOIN(self, self->job);
    MARK(4);
    ASSERT_FLAGS(self->job, false, true, false);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 130: a child fails because it is cancelled */

CW_COROUTINE(raises_a_when_cancelled, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(2);
    CW_RAISE(self, cw_error_retain(a));
    CW_END(self);
}

CW_COROUTINE(raises_b_later, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 10);
    MARK(1);
    CW_RAISE(self, cw_error_retain(b));
    CW_END(self);
}

CW_COROUTINE(has_a_and_b, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, raises_a_when_cancelled, CW_NONE);
    cw_spawn(NULL, raises_b_later, CW_NONE);
    CW_AWAIT_CANCELLATION(self);
    CW_END(self);
}

FAILURES(case_130_the_first_failure_comes_first, cw_job *job;)
{
    CW_BEGIN(self);
    self->job =
        LAUNCH(noting(DETACHED, &told), CW_START_DEFAULT, has_a_and_b, CW_NONE);
    CW_JOIN(self, self->job);
    MARK(3);
    ASSERT_TOLD(b);
    ASSERT(cw_error_suppressed(b, 0) == a);
    ASSERT(cw_error_suppressed(b, 1) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 131: a failure is told although it was taken for cancellation */

CW_COROUTINE(has_raising_child, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, raises, a);
    CW_AWAIT_CANCELLATION(self);
    CW_END(self);
}

CW_COROUTINE(rethrows_cancellation, cw_none, cw_none, cw_job *inner;)
{
    CW_BEGIN(self);
    self->inner = cw_launch(NULL, has_raising_child, CW_NONE);
    CW_TRY(self, 1);
    CW_JOIN(self, self->inner);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), a);
        MARK(1);
        cw_job_release(self->inner);
        CW_RAISE(self, cw_error_retain(cw_caught(self)));
    }
    CW_END(self);
}

FAILURES(case_131_cancellation_hides_no_failure, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(noting(DETACHED, &told), CW_START_DEFAULT,
                       rethrows_cancellation, CW_NONE);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT_TOLD(a);
    ASSERT(cw_error_suppressed(a, 0) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* 133 is about channels: see conformance_producer_test.c. */
