/* continuation_test.c: waiting for whoever calls back.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include <pthread.h>

/* What a callback interface keeps of a call. */
struct call {
    cw_continuation *continuation;
    int cancelled, lost; /* marks of the handlers' calls, 0: none */
    int lost_value;
    bool early; /* resumed within the call */
};

static void note_cancelled(void *arg, cw_error *error)
{
    struct call *call = arg;
    ASSERT(cw_error_code(error) == CW_ECANCELED);
    call->cancelled = (int)atomic_fetch_add(&test_marks, 1) + 1;
}

static void note_lost(void *arg, void *value)
{
    struct call *call = arg;
    call->lost = (int)atomic_fetch_add(&test_marks, 1) + 1;
    call->lost_value = *(int *)value;
}

static void begin(cw_continuation *continuation, void *arg)
{
    struct call *call = arg;
    call->continuation = continuation;
    ASSERT_EQ(cw_on_cancel(continuation, note_cancelled, call), CW_OK);
    int value = 7;
    if (call->early) ASSERT_EQ(cw_resume(continuation, &value), CW_OK);
}

CW_COROUTINE(wait_for_call, struct call *, int, int value;)
{
    CW_BEGIN(self);
    CW_SUSPEND_WITH(self, begin, self->arg, &self->value);
    CW_RETURN(self, self->value);
    CW_END(self);
}

static int call_back(struct call *call, int value)
{
    return cw_resume_with(call->continuation, &value, note_lost, call);
}

SCENARIO(a_call_back_resumes_with_its_value, struct call call; cw_job * job;
         int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, wait_for_call, &self->call);
    CW_YIELD(self);
    ASSERT(cw_continuation_is_active(self->call.continuation));
    ASSERT_EQ(call_back(&self->call, 42), CW_OK);
    ASSERT(!cw_continuation_is_active(self->call.continuation));
    ASSERT(!cw_is_completed(self->job)); /* only queued */
    ASSERT_EQ(call_back(&self->call, 43), CW_ESTATE);
    CW_AWAIT(self, wait_for_call, self->job, &self->out);
    ASSERT_EQ(self->out, 42);
    ASSERT_EQ(call_back(&self->call, 44), CW_ESTATE);
    ASSERT_EQ(self->call.cancelled, 0);
    ASSERT_EQ(self->call.lost, 0);
    CW_FINALLY(self);
    cw_job_release(self->job);
    cw_continuation_release(self->call.continuation);
    CW_END(self);
}

SCENARIO(a_call_back_within_the_call_is_kept, struct call call; int out;)
{
    CW_BEGIN(self);
    self->call.early = true;
    CW_CALL(self, wait_for_call, &self->call, &self->out);
    ASSERT_EQ(self->out, 7);
    CW_FINALLY(self);
    cw_continuation_release(self->call.continuation);
    CW_END(self);
}

SCENARIO(an_error_is_raised, struct call call; cw_job * job; cw_error * error;
         const cw_elements *alone; int out;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "called back", NULL);
    self->alone = cw_elements_with_job(NULL, NULL); /* else we failed, too */
    self->job = cw_async_with(self->alone, CW_START_DEFAULT, wait_for_call,
                              &self->call);
    CW_YIELD(self);
    ASSERT_EQ(cw_resume_error(self->call.continuation, NULL), CW_EINVAL);
    ASSERT_EQ(cw_resume_error(self->call.continuation, self->error), CW_OK);
    cw_cancel(self->job, NULL); /* the error counts all the same */
    CW_JOIN(self, self->job);
    ASSERT(cw_job_error(self->job) == self->error);
    ASSERT_EQ(self->call.cancelled, 0); /* it did not come to that */
    CW_FINALLY(self);
    cw_job_release(self->job);
    cw_error_release(self->error);
    cw_elements_release(self->alone);
    cw_continuation_release(self->call.continuation);
    CW_END(self);
}

SCENARIO(the_canceller_tells_the_handler, struct call call; cw_job * job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, wait_for_call, &self->call);
    CW_YIELD(self);
    cw_cancel(self->job, NULL);
    ASSERT_EQ(self->call.cancelled, 1); /* within the call */
    ASSERT(!cw_is_completed(self->job));
    CW_JOIN(self, self->job);
    ASSERT_CANCELLED(cw_job_error(self->job), NULL);
    /* Too late is no mistake, once. */
    ASSERT_EQ(call_back(&self->call, 5), CW_OK);
    ASSERT_EQ(self->call.lost, 2);
    ASSERT_EQ(self->call.lost_value, 5);
    ASSERT_EQ(call_back(&self->call, 6), CW_ESTATE);
    ASSERT_EQ(cw_on_cancel(self->call.continuation, note_cancelled, NULL),
              CW_ESTATE); /* a second one */
    CW_FINALLY(self);
    cw_job_release(self->job);
    cw_continuation_release(self->call.continuation);
    CW_END(self);
}

SCENARIO(a_value_is_lost_if_the_body_is_cancelled_before_it_goes_on,
         struct call call;
         cw_job * job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, wait_for_call, &self->call);
    CW_YIELD(self);
    ASSERT_EQ(call_back(&self->call, 9), CW_OK);
    cw_cancel(self->job, NULL);
    ASSERT_EQ(self->call.cancelled, 0); /* it was not waiting any more */
    CW_JOIN(self, self->job);
    ASSERT_CANCELLED(cw_job_error(self->job), NULL);
    ASSERT_EQ(self->call.cancelled, 1); /* first the handler, then the hook */
    ASSERT_EQ(self->call.lost, 2);
    ASSERT_EQ(self->call.lost_value, 9);
    CW_FINALLY(self);
    cw_job_release(self->job);
    cw_continuation_release(self->call.continuation);
    CW_END(self);
}

static void begin_cancelled(cw_continuation *continuation, void *arg)
{
    struct call *call = arg;
    ASSERT(!cw_continuation_is_active(continuation));
    begin(continuation, call);
}

CW_COROUTINE(wait_when_cancelled, struct call *, cw_none, int value;)
{
    CW_BEGIN(self);
    cw_cancel(self->frame.job, NULL);
    CW_SUSPEND_WITH(self, begin_cancelled, self->arg, &self->value);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(a_cancelled_body_begins_but_does_not_wait, struct call call;
         cw_job * job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, wait_when_cancelled, &self->call);
    CW_JOIN(self, self->job);
    ASSERT_EQ(self->call.cancelled, 1);
    CW_FINALLY(self);
    cw_job_release(self->job);
    cw_continuation_release(self->call.continuation);
    CW_END(self);
}

/* ---- races */

static void *resume_thread(void *arg)
{
    struct call *call = arg;
    (void)call_back(call, 1);
    cw_continuation_release(call->continuation);
    return NULL;
}

static void begin_on_thread(cw_continuation *continuation, void *arg)
{
    struct call *call = arg;
    call->continuation = continuation;
    ASSERT_EQ(cw_on_cancel(continuation, note_cancelled, call), CW_OK);
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, resume_thread, call), 0);
    pthread_detach(thread);
}

CW_COROUTINE(wait_for_thread, struct call *, int, int value;)
{
    CW_BEGIN(self);
    CW_SUSPEND_WITH(self, begin_on_thread, self->arg, &self->value);
    CW_RETURN(self, self->value);
    CW_END(self);
}

TEST(a_value_from_elsewhere_arrives_or_is_lost)
{
    enum { ROUNDS = 200 };
    static struct call calls[ROUNDS];
    cw_context *context = new_context(2);
    for (int i = 0; i < ROUNDS; i++) {
        cw_job *job = cw_async(context, wait_for_thread, &calls[i]);
        if (i % 2) cw_cancel(job, NULL);
        wait_for(job);
        int out = 0;
        if (cw_result(wait_for_thread, job, &out) == CW_OK) {
            ASSERT_EQ(out, 1);
            ASSERT_EQ(calls[i].lost, 0);
        } else {
            ASSERT(i % 2);
        }
        cw_job_release(job);
    }
    shut_down(context);
}
