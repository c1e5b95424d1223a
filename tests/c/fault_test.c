/* fault_test.c: what happens when memory runs out, at every point.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each scenario runs again and again, with the first allocation from the system
 * failing, then the second, and so on until none fails any more; then once more
 * with all that follow failing, too. Nothing may crash, hang or leak; what
 * cannot be done is told as CW_ENOMEM.
 */
#include "test.h"

#include "helpers.h"

#include "context.h"
#include "coworker_test.h"

/* With caches of free blocks few allocations reach the system: a large frame
 * always does. */
enum { LARGE = 4000 };

/* Runs `scenario` with each allocation failing once, first that one alone, then
 * with all that follow; returns how many there are. */
static int for_each_failure(void (*scenario)(void))
{
    int count = 0;
    void (*const fail[])(long) = {fail_alloc_at, fail_allocs_from};
    for (int i = 0; i < 2; i++) {
        bool failed = true;
        for (int n = 1; failed; n++) {
            fail[i](n);
            scenario();
            failed = alloc_has_failed();
            fail_alloc_at(0);
            if (failed && n > count) count = n;
            ASSERT(n < 10000);
        }
    }
    return count;
}

/* An error object or a batch that could not be made may not matter in the end.
 */
static bool is_fine_or_out_of_memory(int code)
{
    return code == CW_OK || (code == CW_ENOMEM && alloc_has_failed());
}

/* ---- contexts */

static void open_context(void)
{
    cw_context *context = cw_new_fixed_worker_context(4, "test");
    if (!context) {
        ASSERT(alloc_has_failed());
        ASSERT_EQ(cw_last_error(), CW_ENOMEM);
        return;
    }
    ASSERT(!alloc_has_failed());
    shut_down(context);
}

TEST(making_a_context)
{
    ASSERT(for_each_failure(open_context) >= 5); /* itself and its threads */
}

/* ---- launching */

static cw_context *pool;

CW_COROUTINE(large, int, int, char room[LARGE];)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

static void launch_each_way(void)
{
    cw_job *launched = cw_launch(pool, large, 1);
    if (!launched) ASSERT_EQ(cw_last_error(), CW_ENOMEM);
    cw_job *async = cw_async(pool, large, 2);
    if (!async) ASSERT_EQ(cw_last_error(), CW_ENOMEM);
    int status = cw_spawn(pool, large, 3);
    ASSERT(status == CW_OK || status == CW_ENOMEM);
    fail_alloc_at(0); /* only launching may fail */
    bool failed = !launched || !async || status != CW_OK;
    if (launched) {
        wait_for(launched);
        ASSERT(cw_job_error(launched) == NULL);
    }
    if (async) {
        int out = 0;
        wait_for(async);
        ASSERT_EQ(cw_result(large, async, &out), CW_OK);
        ASSERT_EQ(out, 2);
    }
    cw_job_release(launched);
    cw_job_release(async);
    atomic_store(&test_alloc_failed, failed);
}

TEST(launching)
{
    pool = new_context(2);
    ASSERT_EQ(for_each_failure(launch_each_way), 3);
    shut_down(pool);
}

/* ---- everything that a body can do */

enum { LASTING = 1000 }; /* as an argument: it does not end by itself */

CW_COROUTINE(large_child, int, int, char room[LARGE];)
{
    CW_BEGIN(self);
    if (self->arg < 0) CW_FAIL(self, self->arg, "on purpose");
    CW_DELAY(self, self->arg == LASTING ? INT64_MAX : 1);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

CW_COROUTINE(large_scope, int, int, char room[LARGE]; cw_job * jobs[200];
             int outs[200]; int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++) {
        self->jobs[self->i] = cw_async(NULL, large_child, self->i);
        if (!self->jobs[self->i]) CW_FAIL(self, cw_last_error(), NULL);
    }
    CW_AWAIT_ALL(self, large_child, self->jobs, (size_t)self->arg, self->outs);
    for (int i = 0; i < self->arg; i++)
        ASSERT_EQ(self->outs[i], i);
    CW_RETURN(self, self->arg);
    CW_FINALLY(self);
    for (int i = 0; i < self->arg; i++)
        cw_job_release(self->jobs[i]);
    CW_END(self);
}

CW_COROUTINE(large_failing_scope, cw_none, cw_none, cw_job *job;
             char room[LARGE];)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, large_child, 1);
    if (!self->job) CW_FAIL(self, cw_last_error(), NULL);
    if (cw_spawn(NULL, large_child, CW_EBUSY) != CW_OK)
        CW_FAIL(self, cw_last_error(), NULL);
    CW_JOIN(self, self->job);
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(do_everything, cw_none, int, char room[LARGE]; int out;
             cw_none none; cw_job * job;)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    CW_CALL(self, large_child, 42, &self->out);
    ASSERT_EQ(self->out, 42);
    CW_WITH_TIMEOUT(self, 60 * 1000, large_child, 43, &self->out);
    ASSERT_EQ(self->out, 43);
    CW_SCOPE(self, large_scope, 10, &self->out);
    ASSERT_EQ(self->out, 10);
    CW_SCOPE(self, large_scope, 200, &self->out);
    ASSERT_EQ(self->out, 200);
    CW_TRY(self, 1);
    CW_SCOPE(self, large_failing_scope, CW_NONE, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        int code = cw_error_code(cw_caught(self));
        ASSERT(code == CW_EBUSY || code == CW_ENOMEM);
        if (code == CW_ENOMEM) CW_RAISE(self, cw_error_retain(cw_caught(self)));
    }
    self->job = cw_launch(NULL, large_child, LASTING);
    if (!self->job) CW_FAIL(self, cw_last_error(), NULL);
    CW_CANCEL_AND_JOIN(self, self->job);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    CW_RETURN(self, 7);
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

static void run_everything(void)
{
    int out = 0;
    cw_error *error = NULL;
    int status = cw_run_blocking(do_everything, CW_NONE, &out, &error);
    ASSERT(is_fine_or_out_of_memory(status));
    if (status == CW_OK) ASSERT_EQ(out, 7);
    cw_error_release(error);
}

TEST(everything_on_a_loop) { ASSERT(for_each_failure(run_everything) > 10); }

static void run_everything_on_pool(void)
{
    cw_job *job = cw_async(pool, do_everything, CW_NONE);
    if (!job) {
        ASSERT_EQ(cw_last_error(), CW_ENOMEM);
        return;
    }
    while (!cw_is_completed(job)) /* without memory of its own */
        sched_yield();
    int code = cw_error_code(cw_job_error(job));
    ASSERT(is_fine_or_out_of_memory(code));
    cw_job_release(job);
}

TEST(everything_on_a_pool)
{
    pool = new_context(3);
    ASSERT(for_each_failure(run_everything_on_pool) > 10);
    shut_down(pool);
}

/* ---- failures and cancellation without memory for errors */

CW_FUNCTION(fail_at_length, int, cw_none)
{
    char message[LARGE];
    memset(message, 'm', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    return cw_fail(*arg, message);
}

static void fail_and_cancel(void)
{
    cw_job *failing = cw_async(pool, fail_at_length, CW_EBUSY);
    cw_job *hanging = cw_launch(pool, wait_for_ever, CW_NONE);
    if (hanging) cw_cancel(hanging, NULL);
    while (failing && !cw_is_completed(failing))
        sched_yield();
    while (hanging && !cw_is_completed(hanging))
        sched_yield();
    if (failing) {
        int code = cw_error_code(cw_job_error(failing));
        ASSERT(code == CW_EBUSY || (code == CW_ENOMEM && alloc_has_failed()));
    }
    if (hanging) { /* CW_ENOMEM: before it was cancelled */
        int code = cw_error_code(cw_job_error(hanging));
        ASSERT(code == CW_ECANCELED ||
               (code == CW_ENOMEM && alloc_has_failed()));
    }
    cw_job_release(failing);
    cw_job_release(hanging);
}

TEST(failing_and_cancelling)
{
    cw_set_unhandled_handler(count_unhandled);
    pool = new_context(1);
    ASSERT(for_each_failure(fail_and_cancel) >= 1);
    shut_down(pool);
}

/* ---- closing */

static void close_with_work(void)
{
    cw_context *context = cw_new_fixed_worker_context(2, "test");
    if (!context) return;
    for (int i = 0; i < 5; i++) {
        cw_spawn(context, wait_for_ever, CW_NONE);
        cw_spawn(context, large, i);
    }
    cw_context_close(context);
    cw_job *refused = cw_launch(context, large, 1);
    if (refused) {
        ASSERT(cw_is_completed(refused));
        ASSERT_EQ(cw_error_code(cw_job_error(refused)), CW_ECANCELED);
        cw_job_release(refused);
    }
    ASSERT_EQ(cw_context_join(context), CW_OK);
    cw_context_release(context);
}

TEST(closing_a_context)
{
    cw_set_unhandled_handler(count_unhandled);
    ASSERT(for_each_failure(close_with_work) > 10);
}

/* ---- more jobs than rings hold */

CW_COROUTINE(count_up, _Atomic int *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    atomic_fetch_add(self->arg, 1);
    CW_END(self);
}

CW_COROUTINE(flood, _Atomic int *, int, int i, launched;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 2000; self->i++)
        if (cw_spawn(NULL, count_up, self->arg) == CW_OK) self->launched++;
    CW_RETURN(self, self->launched);
    CW_END(self);
}

static void overflow(void)
{
    _Atomic int count = 0;
    cw_job *job = cw_async(pool, flood, &count);
    if (!job) return;
    while (!cw_is_completed(job))
        sched_yield();
    int launched = 0;
    ASSERT_EQ(cw_result(flood, job, &launched), CW_OK);
    ASSERT_EQ(count, launched); /* what was accepted runs, once */
    cw_job_release(job);
}

TEST(queues_that_overflow)
{
    for (int workers = 1; workers <= 2; workers++) {
        pool = new_context(workers);
        for (int n = 1; n < 3000; n += 37) {
            fail_alloc_at(n);
            overflow();
            fail_allocs_from(n);
            overflow();
            fail_alloc_at(0);
        }
        shut_down(pool);
    }
}

/* ---- tests in virtual time */

CW_COROUTINE(in_virtual_time, int, int, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 4; self->i++) {
        enum cw_test_dispatcher which = (enum cw_test_dispatcher)self->i;
        (void)cw_spawn(cw_test_context(NULL, which), large, 1);
        CW_DELAY(self, 1);
    }
    CW_FAIL(self, self->arg, "on purpose");
    CW_END(self);
}

static void run_virtual_test(void)
{
    int out;
    cw_error *error = NULL;
    int status = cw_run_test(in_virtual_time, CW_EBUSY, &out, &error);
    ASSERT(status == CW_EBUSY || is_fine_or_out_of_memory(status));
    ASSERT_EQ(cw_error_code(error), status);
    cw_error_release(error);
    status = cw_run_blocking_test(in_virtual_time, CW_EBUSY, &out, NULL);
    ASSERT(status == CW_EBUSY || is_fine_or_out_of_memory(status));
}

TEST(running_a_test) { ASSERT(for_each_failure(run_virtual_test) > 10); }
