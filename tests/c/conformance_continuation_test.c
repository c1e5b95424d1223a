/* conformance_continuation_test.c: callbacks, case by case.
 *
 * SPDX-License-Identifier: MIT
 *
 * Handlers and hooks of C cannot throw. Where a case has one fail, it hands a
 * failure to whoever hears of those without an owner, as what threw would be
 * handed on.
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

/* ---- calls that wait to be called back */

struct call {
    cw_continuation *continuation;
    int mark_handler, mark_hook; /* to be passed there, 0: not at all */
    cw_error *handler_fails, *hook_fails; /* borrowed, or NULL */
};

static struct failures told;

/* A failure of somebody without an owner. */
static void hand_on(cw_error *error)
{
    if (error) SPAWN(noting(DETACHED, &told), CW_START_DEFAULT, raises, error);
}

static void cancelled(void *arg, cw_error *error)
{
    const struct call *call = arg;
    ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
    ASSERT(call->mark_handler);
    MARK(call->mark_handler);
    hand_on(call->handler_fails);
}

static void lost(void *arg, void *value)
{
    const struct call *call = arg;
    ASSERT_EQ(*(int *)value, 42);
    ASSERT(call->mark_hook);
    MARK(call->mark_hook);
    hand_on(call->hook_fails);
}

static void subscribe(cw_continuation *continuation, void *arg)
{
    struct call *call = arg;
    call->continuation = continuation;
    if (call->mark_handler)
        ASSERT_EQ(cw_on_cancel(continuation, cancelled, call), CW_OK);
}

static int resume(struct call *call)
{
    int value = 42;
    return cw_resume_with(call->continuation, &value, lost, call);
}

static int subscribe_again(struct call *call)
{
    return cw_on_cancel(call->continuation, cancelled, call);
}

struct waiting {
    struct call *call;
    int begins, ends; /* marks */
};

/* Passes a mark, waits to be called back in vain, passes another. */
CW_COROUTINE(waits, struct waiting, cw_none, int value;)
{
    CW_BEGIN(self);
    MARK(self->arg.begins);
    CW_TRY(self, 1);
    CW_SUSPEND_WITH(self, subscribe, self->arg.call, &self->value);
    ASSERT(false);
    CW_CATCH(self, 1) { MARK(self->arg.ends); }
    ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
    CW_END(self);
}

/* In place, up to where it waits. */
static cw_job *begin(struct call *call, int begins, int ends)
{
    struct waiting arg = {call, begins, ends};
    return LAUNCH(PLAIN, CW_START_UNDISPATCHED, waits, arg);
}

/* ---- 94: a resume that comes too late */

SCENARIO(case_094_a_resume_after_cancellation_is_ignored, struct call call;
         cw_job * job;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = begin(&self->call, 2, 4);
    cw_cancel(self->job, NULL);
    ASSERT_EQ(cw_resume(self->call.continuation, &(int){42}), CW_OK);
    MARK(3);
    CW_YIELD(self);
    MARK(5);
    ASSERT(cw_is_completed(self->job));
    ASSERT_CANCELLED(cw_job_error(self->job), NULL);
    cw_continuation_release(self->call.continuation);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 95: the job that a body is given ends. As long as somebody waits in it
 * it only completes, so that it is over by then only for who begins to wait. */

static void subscribe_and_complete(cw_continuation *continuation, void *arg)
{
    cw_job *job = arg;
    MARK(2);
    ASSERT_EQ(cw_job_complete(job), 1);
    ASSERT_FLAGS(job, true, false, false);
    int value = 42;
    ASSERT_EQ(cw_resume(continuation, &value), CW_OK);
    cw_continuation_release(continuation);
}

CW_COROUTINE(completes_its_job, cw_job *, int, int value;)
{
    CW_BEGIN(self);
    CW_SUSPEND_WITH(self, subscribe_and_complete, self->arg, &self->value);
    MARK(3);
    CW_RETURN(self, self->value);
    CW_END(self);
}

SCENARIO(case_095_a_job_waits_for_who_waits_in_it, cw_job *job;
         const cw_elements *under; int out;)
{
    CW_BEGIN(self);
    self->job = cw_job_new(NULL);
    self->under = UNDER(self->job);
    MARK(1);
    CW_WITH_ELEMENTS(self, self->under, completes_its_job, self->job,
                     &self->out);
    MARK(4);
    ASSERT_EQ(self->out, 42);
    ASSERT(cw_is_completed(self->job));
    cw_elements_release(self->under);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(case_095_a_job_has_ended_normally, cw_job *job; struct call call;
         const cw_elements *under; cw_none none;)
{
    CW_BEGIN(self);
    self->job = cw_job_new(NULL);
    ASSERT_EQ(cw_job_complete(self->job), 1);
    self->under = UNDER(self->job);
    MARK(1);
    CW_TRY(self, 1);
    CW_WITH_ELEMENTS(self, self->under, waits,
                     ((struct waiting){&self->call, 2, 3}), &self->none);
    ASSERT(false);
    CW_CATCH(self, 1) { MARK(4); }
    ASSERT_CANCELLED(cw_caught(self), NULL);
    ASSERT(!cw_job_error(self->job));
    cw_continuation_release(self->call.continuation);
    cw_elements_release(self->under);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 97: resumed, and cancelled while it is queued */

SCENARIO(case_097_the_handler_is_called_when_the_body_would_go_on,
         struct call call;
         cw_job * job;)
{
    CW_BEGIN(self);
    MARK(1);
    self->call.mark_handler = 4;
    self->job = begin(&self->call, 2, 5);
    ASSERT_EQ(cw_resume(self->call.continuation, &(int){42}), CW_OK);
    cw_cancel(self->job, NULL);
    MARK(3);
    CW_YIELD(self);
    MARK(6);
    ASSERT_EQ(subscribe_again(&self->call), CW_ESTATE);
    ASSERT(cw_is_completed(self->job));
    cw_continuation_release(self->call.continuation);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 98: a handler fails */

SCENARIO(case_098_a_failure_of_the_handler_is_its_own, struct call call;
         cw_job * job; cw_error * a;)
{
    CW_BEGIN(self);
    MARK(1);
    self->a = failure("a");
    self->call.mark_handler = 3;
    self->call.handler_fails = self->a;
    self->job = begin(&self->call, 2, 5);
    cw_cancel(self->job, NULL);
    MARK(4);
    ASSERT_EQ(told.count, 0);
    CW_YIELD(self);
    MARK(6);
    ASSERT_CANCELLED(cw_job_error(self->job), NULL);
    ASSERT_EQ(told.count, 1);
    ASSERT(told.errors[0] == self->a);
    forget_failures(&told);
    cw_error_release(self->a);
    cw_continuation_release(self->call.continuation);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 100: resumed, and cancelled while it is queued: handler, then hook */

SCENARIO(case_100_handler_and_hook_are_called_when_it_would_go_on,
         struct call call;
         cw_job * job;)
{
    CW_BEGIN(self);
    MARK(1);
    self->call.mark_handler = 7;
    self->call.mark_hook = 8;
    MARK(2);
    self->job = begin(&self->call, 3, 9);
    MARK(4);
    ASSERT_EQ(resume(&self->call), CW_OK);
    MARK(5);
    cw_cancel(self->job, NULL);
    MARK(6);
    CW_YIELD(self);
    MARK(10);
    ASSERT_CANCELLED(cw_job_error(self->job), NULL);
    cw_continuation_release(self->call.continuation);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 101: handler and hook fail */

SCENARIO(case_101_failures_of_handler_and_hook_are_told_each, struct call call;
         cw_job * job; cw_error * a, *b, *cause;)
{
    CW_BEGIN(self);
    self->a = failure("a");
    self->b = failure("b");
    self->cause = failure("cause");
    self->call.mark_handler = 3;
    self->call.handler_fails = self->a;
    self->call.mark_hook = 5;
    self->call.hook_fails = self->b;
    MARK(1);
    self->job = begin(&self->call, 2, 7);
    cw_cancel(self->job, self->cause);
    MARK(4);
    ASSERT_EQ(resume(&self->call), CW_OK); /* too late: at once */
    MARK(6);
    CW_YIELD(self);
    MARK(8);
    ASSERT_CANCELLED(cw_job_error(self->job), self->cause);
    ASSERT(!cw_error_suppressed(cw_job_error(self->job), 0));
    ASSERT_EQ(told.count, 2);
    ASSERT(told.errors[0] == self->a);
    ASSERT(told.errors[1] == self->b);
    ASSERT(!cw_error_suppressed(self->a, 0));
    forget_failures(&told);
    cw_error_release(self->a);
    cw_error_release(self->b);
    cw_error_release(self->cause);
    cw_continuation_release(self->call.continuation);
    cw_job_release(self->job);
    CW_END(self);
}
