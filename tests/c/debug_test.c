/* debug_test.c: handles that are not what they should be.
 *
 * SPDX-License-Identifier: MIT
 *
 * Only for builds with CW_DEBUG.
 */
#include "test.h"

#include "helpers.h"

CW_CHANNEL_TYPE(ints, int)

/* MISUSE(name, "what it says") { body }: the body aborts with that. */
#define MISUSE(NAME, text)                                                     \
    static void NAME##_body(void);                                             \
    TEST(NAME) { assert_aborts(NAME##_body, "coworker: " text); }              \
    static void NAME##_body(void)

static cw_job *freed_job(void)
{
    cw_job *job = cw_job_new(NULL);
    ASSERT_EQ(cw_job_complete(job), 1);
    cw_job_release(job);
    return job;
}

static cw_context *freed_context(void)
{
    cw_context *context = new_context(1);
    shut_down(context);
    return context;
}

/* ---- NULL */

MISUSE(cancelling_null, "cw_cancel(): job is NULL\n") { cw_cancel(NULL, NULL); }

MISUSE(asking_null, "cw_is_completed(): job is NULL\n")
{
    (void)cw_is_completed(NULL);
}

MISUSE(closing_null, "cw_context_close(): context is NULL\n")
{
    cw_context_close(NULL);
}

MISUSE(locking_null, "cw_try_lock(): mutex is NULL\n")
{
    (void)cw_try_lock(NULL, NULL);
}

CW_COROUTINE(sends_to, cw_channel *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_SEND(self, ints, (ints){self->arg}, 1);
    CW_END(self);
}

MISUSE(sending_to_null, "CW_SEND(): channel is NULL\n")
{
    cw_none none;
    (void)cw_run_blocking(sends_to, NULL, &none, NULL);
}

TEST(null_is_no_misuse_where_it_is_allowed)
{
    cw_job_release(NULL);
    cw_job_release(cw_job_retain(NULL));
    cw_context_release(NULL);
    cw_error_release(NULL);
    cw_elements_release(NULL);
    cw_handler_dispose(NULL);
    cw_continuation_release(NULL);
    cw_channel_release(NULL);
    cw_broadcast_release(NULL);
    cw_mutex_release(NULL);
    cw_semaphore_release(NULL);
    ASSERT_EQ(cw_error_code(NULL), CW_OK);
}

/* ---- what is freed */

MISUSE(releasing_a_job_twice, "cw_job_release(): job is freed\n")
{
    cw_job_release(freed_job());
}

MISUSE(cancelling_a_freed_job, "cw_cancel(): job is freed\n")
{
    cw_cancel(freed_job(), NULL);
}

MISUSE(joining_a_freed_job, "CW_JOIN(): job is freed\n")
{
    wait_for(freed_job());
}

MISUSE(launching_on_a_freed_context, "cw_launch(): context is freed\n")
{
    cw_job_release(cw_launch(freed_context(), give, 1));
}

MISUSE(joining_a_freed_context, "cw_context_join(): context is freed\n")
{
    (void)cw_context_join(freed_context());
}

MISUSE(asking_a_freed_error, "cw_error_message(): error is freed\n")
{
    cw_error *error = cw_error_new(CW_EFAILED, "gone", NULL);
    cw_error_release(error);
    (void)cw_error_message(error);
}

MISUSE(giving_freed_elements, "cw_launch_with(): elements is freed\n")
{
    const cw_elements *elements = cw_elements_with_name(NULL, "gone");
    cw_elements_release(elements);
    cw_job_release(cw_launch_with(elements, CW_START_DEFAULT, give, 1));
}

MISUSE(closing_a_freed_channel, "cw_channel_close(): channel is freed\n")
{
    ints channel = ints_new(1);
    cw_channel_release(channel.channel);
    (void)cw_channel_close(channel.channel, NULL, NULL);
}

MISUSE(giving_back_to_a_freed_semaphore, "cw_give_back(): semaphore is freed\n")
{
    cw_semaphore *semaphore = cw_semaphore_new(1, 1);
    cw_semaphore_release(semaphore);
    (void)cw_give_back(semaphore);
}

static void ignore(void *arg, cw_error *error) { (void)arg, (void)error; }

MISUSE(disposing_of_a_handler_twice, "cw_handler_dispose(): handler is freed\n")
{
    cw_job *job = cw_job_new(NULL);
    cw_handler *handler = cw_on_completion(job, 0, ignore, NULL);
    cw_handler_dispose(handler);
    cw_handler_dispose(handler);
}

static void release_and_resume(cw_continuation *continuation, void *arg)
{
    (void)arg;
    cw_continuation_release(continuation);
    cw_continuation_release(continuation); /* that was the body's */
    (void)cw_resume(continuation, NULL);
}

CW_COROUTINE(is_resumed_wrongly, cw_none, cw_none, int value;)
{
    CW_BEGIN(self);
    CW_SUSPEND_WITH(self, release_and_resume, NULL, &self->value);
    CW_END(self);
}

MISUSE(resuming_a_freed_continuation, "cw_resume(): continuation is freed\n")
{
    cw_none none;
    (void)cw_run_blocking(is_resumed_wrongly, CW_NONE, &none, NULL);
}

/* ---- what is something else */

MISUSE(taking_anything_for_a_job, "cw_cancel(): job is no job\n")
{
    static char something[1024];
    cw_cancel((cw_job *)(void *)something, NULL);
}

MISUSE(taking_a_semaphore_for_a_mutex,
       "cw_unlock(): mutex is no mutex, but a semaphore\n")
{
    cw_semaphore *semaphore = cw_semaphore_new(1, 0);
    (void)cw_unlock((cw_mutex *)(void *)semaphore, NULL);
}
