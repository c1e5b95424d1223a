/* run_blocking_test.c: running a coroutine on the calling thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"

#include <sched.h>

/* ---- results and errors */

TEST(the_result_and_success_are_returned)
{
    int out = 0;
    cw_error *error = (cw_error *)&out; /* anything but NULL */
    ASSERT_EQ(cw_run_blocking(give, 42, &out, &error), CW_OK);
    ASSERT_EQ(out, 42);
    ASSERT(error == NULL);
    ASSERT_EQ(cw_run_blocking(give, 43, &out, NULL), CW_OK);
    ASSERT_EQ(out, 43);
}

TEST(the_error_is_returned_and_told_to_nobody_else)
{
    cw_set_unhandled_handler(count_unhandled);
    int out = 7;
    cw_error *error;
    ASSERT_EQ(cw_run_blocking(fail_with, CW_EBUSY, &out, &error), CW_EBUSY);
    ASSERT_STR(cw_error_message(error), "on purpose");
    cw_error_release(error);
    ASSERT_EQ(cw_run_blocking(fail_with, CW_EINVAL, &out, NULL), CW_EINVAL);
    ASSERT_EQ(out, 7);
    ASSERT_EQ(unhandled_count, 0);
}

/* ---- the loop */

CW_COROUTINE(check_thread, pthread_t, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(pthread_equal(pthread_self(), self->arg));
    ASSERT(cw_current_context() != NULL);
    ASSERT_EQ(cw_context_workers(cw_current_context()), 1);
    ASSERT(cw_current_job() != NULL);
    CW_DELAY(self, 1);
    ASSERT(pthread_equal(pthread_self(), self->arg));
    MARK(1);
    CW_END(self);
}

TEST(it_runs_on_the_calling_thread)
{
    cw_none none;
    ASSERT_EQ(cw_run_blocking(check_thread, pthread_self(), &none, NULL),
              CW_OK);
    MARK(2);
    ASSERT(cw_current_context() == NULL);
    ASSERT(cw_current_job() == NULL);
}

CW_COROUTINE(mark_after, int, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 3; self->i++)
        CW_YIELD(self);
    CW_DELAY(self, 2);
    MARK(self->arg);
    CW_END(self);
}

CW_COROUTINE(leave_children, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, mark_after, 1), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, mark_after, 2), CW_OK);
    CW_RETURN(self, 5);
    CW_END(self);
}

TEST(it_waits_for_children)
{
    int out;
    ASSERT_EQ(cw_run_blocking(leave_children, CW_NONE, &out, NULL), CW_OK);
    MARK(3);
    ASSERT_EQ(out, 5);
}

CW_COROUTINE(await_elsewhere, cw_context *, int, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(self->arg, give, 42);
    CW_AWAIT(self, give, self->job, &self->out);
    cw_job_release(self->job);
    CW_RETURN(self, self->out);
    CW_END(self);
}

static void *run_many(void *context)
{
    for (int i = 0; i < 300; i++) {
        int out = 0;
        ASSERT_EQ(cw_run_blocking(await_elsewhere, context, &out, NULL), CW_OK);
        ASSERT_EQ(out, 42);
    }
    return NULL;
}

TEST(threads_have_loops_of_their_own)
{
    cw_context *context = new_context(2);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        ASSERT(pthread_create(&threads[i], NULL, run_many, context) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    shut_down(context);
}

/* ---- nested calls */

static cw_context *outer_loop;

CW_COROUTINE(inner, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == outer_loop);
    CW_YIELD(self);
    MARK(3);
    CW_RETURN(self, 42);
    CW_END(self);
}

CW_COROUTINE(mark_at_once, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(self->arg);
    CW_END(self);
}

SCENARIO(a_nested_call_runs_the_outer_loops_jobs_as_well, cw_job *job; int out;)
{
    CW_BEGIN(self);
    outer_loop = cw_current_context();
    self->job = cw_current_job();
    MARK(1);
    ASSERT_EQ(cw_spawn(NULL, mark_at_once, 2), CW_OK);
    ASSERT_EQ(cw_run_blocking(inner, CW_NONE, &self->out, NULL), CW_OK);
    MARK(4);
    ASSERT_EQ(self->out, 42);
    ASSERT(cw_current_job() == self->job);
    ASSERT(cw_current_context() == outer_loop);
    CW_END(self);
}

static bool stop_yielding;

CW_COROUTINE(yield_until_told, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    while (!stop_yielding)
        CW_YIELD(self);
    CW_END(self);
}

SCENARIO(a_nested_call_does_not_wait_for_the_outer_loops_jobs, int out;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, yield_until_told, CW_NONE), CW_OK);
    ASSERT_EQ(cw_run_blocking(give, 42, &self->out, NULL), CW_OK);
    stop_yielding = true;
    MARK(1);
    CW_END(self);
}

CW_COROUTINE(nest, int, int, int out;)
{
    CW_BEGIN(self);
    if (self->arg == 0) CW_RETURN(self, 0);
    ASSERT_EQ(cw_run_blocking(nest, self->arg - 1, &self->out, NULL), CW_OK);
    CW_RETURN(self, self->out + 1);
    CW_END(self);
}

TEST(calls_nest)
{
    int out;
    ASSERT_EQ(cw_run_blocking(nest, 100, &out, NULL), CW_OK);
    ASSERT_EQ(out, 100);
}

SCENARIO(a_failing_nested_call_does_not_harm_its_caller, int out;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_run_blocking(fail_with, CW_EBUSY, &self->out, NULL), CW_EBUSY);
    ASSERT(!cw_is_stopped());
    CW_YIELD(self);
    MARK(1);
    CW_END(self);
}

/* ---- inside of a job */

CW_COROUTINE(must_not_run, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(false);
    CW_END(self);
}

CW_COROUTINE(call_when_cancelled, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_none none;
    cw_error *error;
    cw_cancel(cw_current_job(), NULL);
    ASSERT_EQ(cw_run_blocking(must_not_run, CW_NONE, &none, &error),
              CW_ECANCELED);
    ASSERT_CANCELLED(error, NULL);
    cw_error_release(error);
    MARK(1);
    CW_END(self);
}

TEST(in_a_cancelled_job_the_body_does_not_run)
{
    cw_context *context = new_context(1);
    cw_spawn(context, call_when_cancelled, CW_NONE);
    shut_down(context);
    MARK(2);
}

CW_COROUTINE(wait_and_mark, sem_t *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    event_set(self->arg);
    CW_DELAY(self, INT64_MAX);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(1);
    CW_END(self);
}

CW_FUNCTION(block, sem_t *, cw_none)
{
    cw_none none;
    cw_context *before = cw_current_context();
    int status = cw_run_blocking(wait_and_mark, *arg, &none, NULL);
    MARK(2);
    ASSERT(cw_current_context() == before);
    return status;
}

TEST(cancelling_the_caller_reaches_the_blocking_call)
{
    cw_context *context = new_context(1);
    sem_t *waits = event_new();
    cw_job *job = cw_launch(context, block, waits);
    event_await(waits);
    cw_cancel(job, NULL);
    wait_for(job);
    MARK(3);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    cw_job_release(job);
    shut_down(context);
    event_free(waits);
}

CW_FUNCTION(call_failing, cw_none, cw_none)
{
    int out;
    ASSERT_EQ(cw_run_blocking(fail_with, CW_EBUSY, &out, NULL), CW_EBUSY);
    ASSERT(!cw_is_stopped());
    return CW_OK;
}

TEST(a_failure_is_only_the_callers_who_may_ignore_it)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_context *context = new_context(1);
    cw_job *job = cw_launch(context, call_failing, CW_NONE);
    wait_for(job);
    ASSERT(cw_job_error(job) == NULL);
    ASSERT_EQ(unhandled_count, 0);
    cw_job_release(job);
    shut_down(context);
}

/* ---- falling asleep */

/* The last child of the call ends on another context just when the loop has
 * found that the call is not over and is about to fall asleep: after the first
 * such look, the second, and so on, up to more than there are. */
static struct hold child;
static cw_context *pool, *waiting_loop;
static int looks_left;
static _Atomic bool child_released;
static sem_t *loop_known;

CW_COROUTINE(leave_child_on_pool, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(pool, hold_worker, &child), CW_OK);
    event_await(child.entered);
    waiting_loop = cw_context_retain(cw_current_context());
    event_set(loop_known);
    CW_END(self);
}

static void end_child(const cw_job *job)
{
    if (--looks_left > 0 || atomic_exchange(&child_released, true)) return;
    event_set(child.release);
    cw_stats stats;
    do { /* until the other worker sleeps again and has told all it has to */
        sched_yield();
        cw_context_stats(pool, &stats);
    } while (!cw_is_completed(job) || stats.idle == 0);
}

/* Ends the child if the loop falls asleep before. */
static void *end_child_later(void *arg)
{
    event_await(loop_known);
    while (atomic_load(&waiting_loop->idle) >> 16 == 0 &&
           !atomic_load(&child_released))
        sched_yield();
    if (!atomic_exchange(&child_released, true)) event_set(child.release);
    cw_context_release(waiting_loop);
    return arg;
}

TEST(a_loop_does_not_fall_asleep_when_its_call_has_just_ended)
{
    child = (struct hold){event_new(), event_new()};
    loop_known = event_new();
    pool = new_context(1);
    for (int look = 1; look < 10; look++) {
        pthread_t thread;
        ASSERT(pthread_create(&thread, NULL, end_child_later, NULL) == 0);
        looks_left = look;
        atomic_store(&child_released, false);
        atomic_store(&test_found_not_over, end_child);
        cw_none none;
        ASSERT_EQ(cw_run_blocking(leave_child_on_pool, CW_NONE, &none, NULL),
                  CW_OK);
        atomic_store(&test_found_not_over, NULL);
        pthread_join(thread, NULL);
    }
    shut_down(pool);
    event_free(child.entered);
    event_free(child.release);
    event_free(loop_known);
}

/* ---- the loop's end */

SCENARIO(a_reference_to_the_loop_can_be_given_back, cw_context *loop;)
{
    CW_BEGIN(self);
    self->loop = cw_context_retain(cw_current_context());
    cw_context_release(self->loop);
    CW_DELAY(self, 1); /* raises if that has closed the loop */
    CW_END(self);
}

struct loop_user {
    cw_context *loop;
    sem_t *ready, *go;
};

CW_COROUTINE(lend_loop, struct loop_user *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    self->arg->loop = cw_context_retain(cw_current_context());
    event_set(self->arg->ready);
    event_await(self->arg->go);
    CW_END(self);
}

static void *launch_on_loop(void *arg)
{
    struct loop_user *user = arg;
    event_await(user->ready);
    for (int i = 1; i <= 3; i++)
        ASSERT_EQ(cw_spawn(user->loop, mark_at_once, i), CW_OK);
    cw_spawn(user->loop, wait_for_ever, CW_NONE);
    event_set(user->go);
    return NULL;
}

/* What others have put there is not lost; later work is refused. */
TEST(a_loop_that_ends_is_closed)
{
    struct loop_user user = {NULL, event_new(), event_new()};
    pthread_t thread;
    ASSERT(pthread_create(&thread, NULL, launch_on_loop, &user) == 0);
    cw_none none;
    ASSERT_EQ(cw_run_blocking(lend_loop, &user, &none, NULL), CW_OK);
    MARK(4);
    pthread_join(thread, NULL);
    cw_job *job = cw_launch(user.loop, must_not_run, CW_NONE);
    ASSERT(cw_is_completed(job));
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
    cw_job_release(job);
    cw_context_release(user.loop);
    event_free(user.ready);
    event_free(user.go);
}
