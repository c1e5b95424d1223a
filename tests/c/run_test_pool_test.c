/* run_test_pool_test.c: tests in virtual time and work in real time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"
#include "virtual.h"

CW_COROUTINE(mark_after, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1000 * self->arg);
    MARK(self->arg);
    CW_END(self);
}

/* ---- other contexts */

static cw_context *pool;

CW_FUNCTION(work, int, int)
{
    ASSERT_EQ(cw_test_current_time(NULL), CW_ESTATE);
    struct timespec nap = {0, 2000000};
    nanosleep(&nap, NULL);
    *result = *arg + 1;
    return CW_OK;
}

CW_COROUTINE(work_elsewhere, int, int, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(pool, work, self->arg);
    CW_AWAIT(self, work, self->job, &self->out);
    cw_job_release(self->job);
    ASSERT_EQ(NOW, 0);
    CW_DELAY(self, 1000);
    CW_RETURN(self, self->out);
    CW_END(self);
}

TEST(work_elsewhere_is_waited_for_in_real_time)
{
    pool = new_context(2);
    int out;
    ASSERT_EQ(cw_run_test(work_elsewhere, 41, &out, NULL), CW_OK);
    ASSERT_EQ(out, 42);
    shut_down(pool);
}

CW_COROUTINE(leave_work_elsewhere, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(pool, work, 1), CW_OK);
    ASSERT_EQ(cw_spawn(pool, fail_with, CW_EBUSY), CW_OK);
    CW_RETURN(self, 1);
    CW_END(self);
}

TEST(children_elsewhere_are_waited_for_and_fail_the_test)
{
    pool = new_context(2);
    int out;
    for (int i = 0; i < 20; i++)
        ASSERT_EQ(cw_run_test(leave_work_elsewhere, CW_NONE, &out, NULL),
                  CW_EBUSY);
    shut_down(pool);
}

/* A child that the body has sent elsewhere comes back to the test. */
CW_COROUTINE(come_back, cw_context *, int, cw_job *job; int out;)
{
    CW_BEGIN(self);
    for (int i = 0; i < 10; i++)
        ASSERT_EQ(cw_spawn(self->arg, give, i), CW_OK);
    self->job = cw_async(self->arg, give, 42);
    CW_AWAIT(self, give, self->job, &self->out);
    cw_job_release(self->job);
    CW_RETURN(self, self->out);
    CW_END(self);
}

CW_COROUTINE(send_there_and_back, enum cw_test_dispatcher, int, cw_job *job;
             int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(pool, come_back, cw_test_context(NULL, self->arg));
    CW_AWAIT(self, come_back, self->job, &self->out);
    cw_job_release(self->job);
    CW_RETURN(self, self->out);
    CW_END(self);
}

TEST(jobs_come_from_other_contexts)
{
    pool = new_context(2);
    for (int i = 0; i < 400; i++) {
        int out = 0;
        enum cw_test_dispatcher which = (enum cw_test_dispatcher)(i % 4);
        ASSERT_EQ(cw_run_test(send_there_and_back, which, &out, NULL), CW_OK);
        ASSERT_EQ(out, 42);
    }
    shut_down(pool);
}

static void *run_many(void *arg)
{
    for (int i = 0; i < 100; i++) {
        int out = 0;
        ASSERT_EQ(
            cw_run_test(send_there_and_back, CW_TEST_STANDARD, &out, NULL),
            CW_OK);
        ASSERT_EQ(out, 42);
    }
    return arg;
}

TEST(threads_have_tests_of_their_own)
{
    pool = new_context(2);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        ASSERT(pthread_create(&threads[i], NULL, run_many, NULL) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    shut_down(pool);
}

static void *drive_from_elsewhere(void *scheduler)
{
    int out;
    ASSERT_EQ(cw_test_run_current(scheduler), CW_ESTATE);
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_ESTATE);
    cw_test_options options = {
        .context = cw_test_context(scheduler, CW_TEST_STANDARD)};
    ASSERT_EQ(cw_run_test_with(&options, give, 1, &out, NULL), CW_ESTATE);
    /* This is queued. */
    ASSERT_EQ(
        cw_spawn(cw_test_context(scheduler, CW_TEST_UNCONFINED), mark_after, 1),
        CW_OK);
    ASSERT_EQ(test_marks, 0);
    return NULL;
}

static cw_test_scheduler *shared;

CW_COROUTINE(let_others_drive, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    pthread_t thread;
    ASSERT(pthread_create(&thread, NULL, drive_from_elsewhere, shared) == 0);
    pthread_join(thread, NULL);
    CW_END(self);
}

TEST(one_thread_drives_a_scheduler)
{
    shared = cw_test_scheduler_new();
    cw_test_options options = {.context =
                                   cw_test_context(shared, CW_TEST_STANDARD)};
    cw_none none;
    ASSERT_EQ(
        cw_run_test_with(&options, let_others_drive, CW_NONE, &none, NULL),
        CW_OK);
    MARK(2); /* what is left when the body has ended is done, too */
    ASSERT_EQ(cw_test_current_time(shared), 1000);
    ASSERT_EQ(cw_test_scheduler_free(shared), CW_OK);
}

/* ---- blocking calls */

CW_FUNCTION(test_inside, cw_none, int)
{
    (void)arg;
    cw_context *before = cw_current_context();
    int status =
        cw_run_test(send_there_and_back, CW_TEST_STANDARD, result, NULL);
    ASSERT(cw_current_context() == before);
    return status;
}

TEST(a_worker_can_run_a_test)
{
    pool = new_context(1);
    cw_context *context = new_context(1);
    int out = 0;
    cw_job *job = cw_launch(context, test_inside, CW_NONE);
    wait_for(job);
    ASSERT_EQ(cw_result(test_inside, job, &out), CW_OK);
    ASSERT_EQ(out, 42);
    cw_job_release(job);
    ASSERT_EQ(cw_run_blocking(test_inside, CW_NONE, &out, NULL), CW_OK);
    shut_down(context);
    shut_down(pool);
}

CW_COROUTINE(real_delay, cw_none, int, int out;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_run_test(give, 1, &self->out, NULL), CW_ESTATE);
    CW_DELAY(self, 1); /* in real time */
    ASSERT_EQ(NOW, 0);
    CW_RETURN(self, 1);
    CW_END(self);
}

VIRTUAL(a_blocking_call_inside_of_a_test_runs_in_real_time, int out;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_run_blocking(real_delay, CW_NONE, &self->out, NULL), CW_OK);
    ASSERT_EQ(self->out, 1);
    CW_DELAY(self, 1000);
    MARK(1);
    CW_END(self);
}
