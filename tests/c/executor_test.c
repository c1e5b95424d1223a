/* executor_test.c: contexts upon an application's own threads and queues.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "dispatcher.h"
#include "executor.h"

TEST(wrong_executors_are_refused)
{
    const cw_executor none = {0}, some = {.execute = executor_execute};
    ASSERT(!cw_executor_context(NULL, NULL, "executor"));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(!cw_executor_context(&none, NULL, "executor"));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(!cw_executor_context(&some, NULL, NULL));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(!cw_executor_context(&some, NULL, ""));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    fail_alloc_at(1);
    ASSERT(!cw_executor_context(&some, NULL, "executor"));
    ASSERT_EQ(cw_last_error(), CW_ENOMEM);
    fail_alloc_at(0);
}

/* An application's own thread with its own queue. */
static struct {
    sem_t *ready;
    pthread_mutex_t lock;
    struct turn turns[64];
    unsigned first, last;
    bool stopped;
} own = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int own_execute(void *arg, void (*run)(void *task), void *task)
{
    (void)arg;
    pthread_mutex_lock(&own.lock);
    own.turns[own.last++ % 64] = (struct turn){run, task};
    pthread_mutex_unlock(&own.lock);
    event_set(own.ready);
    return CW_OK;
}

static void own_close(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&own.lock);
    own.stopped = true;
    pthread_mutex_unlock(&own.lock);
    event_set(own.ready);
}

static void own_loop(void *arg)
{
    (void)arg;
    for (;;) {
        event_await(own.ready);
        pthread_mutex_lock(&own.lock);
        bool some = own.first != own.last, over = own.stopped && !some;
        struct turn turn = {0};
        if (some) turn = own.turns[own.first++ % 64];
        pthread_mutex_unlock(&own.lock);
        if (over) return;
        if (some) turn.run(turn.task);
    }
}

static pthread_t own_thread;

CW_COROUTINE(is_on_own_thread, cw_context *, cw_none, cw_job *child;)
{
    CW_BEGIN(self);
    ASSERT(pthread_equal(pthread_self(), own_thread));
    ASSERT(cw_current_context() == self->arg);
    ASSERT_STR(cw_worker_name(), "");
    CW_YIELD(self);
    ASSERT(pthread_equal(pthread_self(), own_thread));
    CW_DELAY(self, 1);
    ASSERT(pthread_equal(pthread_self(), own_thread));
    self->child = cw_launch(NULL, give, 1);
    CW_JOIN(self, self->child);
    ASSERT(pthread_equal(pthread_self(), own_thread));
    cw_job_release(self->child);
    CW_END(self);
}

TEST(an_executor_is_a_thread_of_the_application)
{
    static const cw_executor calls = {.execute = own_execute,
                                      .close = own_close};
    own.ready = event_new();
    struct call call = {own_loop, NULL};
    own_thread = on_thread(&call);
    cw_context *context = cw_executor_context(&calls, NULL, "own");
    ASSERT_STR(cw_context_name(context), "own");
    ASSERT_EQ(cw_context_workers(context), 0);
    succeeds(cw_launch(context, is_on_own_thread, context));
    cw_context *view = cw_limited_parallelism(context, 2, NULL);
    cw_job *jobs[3];
    for (int i = 0; i < 3; i++)
        jobs[i] = cw_launch(view, is_on_own_thread, view);
    for (int i = 0; i < 3; i++)
        succeeds(jobs[i]);
    cw_context_release(view);
    cw_context_close(context);
    cw_context_close(context);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    is_refused(cw_launch(context, give, 1));
    join_thread(own_thread);
    cw_context_release(context);
    event_free(own.ready);
}

TEST(an_executor_is_told_when_nobody_needs_it)
{
    struct executor executor;
    cw_context *context = executor_start(&executor, NULL);
    cw_job *job = cw_launch(context, wait_for_ever, CW_NONE);
    cw_context_release(context); /* closes it */
    ASSERT_EQ(atomic_load(&executor.closed), 1);
    ASSERT_EQ(atomic_load(&executor.released), 0);
    cw_cancel(job, NULL);
    wait_for(job);
    cw_job_release(job);
    executor_await_release(&executor);
    ASSERT_EQ(atomic_load(&executor.closed), 1);
    ASSERT_EQ(atomic_load(&executor.submitted), 1);
}

CW_COROUTINE(runs_in_place, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    ASSERT(cw_current_context() == self->arg);
    cw_spawn(NULL, marks, 4);
    MARK(3);
    CW_END(self);
}

SCENARIO(an_executor_that_needs_no_dispatch, struct executor executor;
         cw_context * context;)
{
    CW_BEGIN(self);
    self->context = executor_start(&self->executor, NULL);
    atomic_store(&self->executor.needed, 0);
    MARK(1);
    cw_spawn(self->context, runs_in_place, self->context);
    MARK(5);
    ASSERT_EQ(atomic_load(&self->executor.submitted), 0);
    cw_context_release(self->context);
    executor_await_release(&self->executor);
    CW_END(self);
}

CW_COROUTINE(cleans_up_on_io, struct executor *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    CW_YIELD(self);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(runs_on("io-"));
    MARK(2);
    CW_END(self);
}

TEST(a_refused_yield_cleans_up_on_io)
{
    struct executor executor;
    cw_context *pool = new_context(1);
    cw_context *context = executor_start(&executor, pool);
    atomic_store(&executor.refuse_from, 2);
    is_refused(cw_launch(context, cleans_up_on_io, &executor));
    ASSERT_EQ(atomic_load(&executor.submitted), 2);
    cw_context_release(context);
    executor_await_release(&executor);
    shut_down(pool);
}

CW_COROUTINE(fails_to_go_on, struct executor *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    atomic_store(&self->arg->needed, CW_EFAILED);
    CW_DELAY(self, 1);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(runs_on("io-"));
    MARK(2);
    CW_END(self);
}

TEST(a_failure_to_decide_about_one_that_has_begun_is_a_refusal)
{
    struct executor executor;
    cw_context *pool = new_context(1);
    cw_context *context = executor_start(&executor, pool);
    is_refused(cw_launch(context, fails_to_go_on, &executor));
    ASSERT_EQ(atomic_load(&executor.submitted), 1);
    cw_context_release(context);
    executor_await_release(&executor);
    shut_down(pool);
}

CW_COROUTINE(begins_on_io, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    ASSERT(runs_on("io-"));
    CW_DELAY(self, 1);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(2);
    CW_END(self);
}

TEST(a_refused_atomic_job_begins_on_io)
{
    struct executor executor;
    cw_context *context = executor_start(&executor, NULL);
    atomic_store(&executor.refuse_from, 1);
    const cw_elements *place = cw_elements_with_context(NULL, context);
    is_refused(cw_launch_with(place, CW_START_ATOMIC, begins_on_io, CW_NONE));
    cw_elements_release(place);
    cw_context_release(context);
    executor_await_release(&executor);
}

TEST(a_refused_job_of_a_view_gives_its_place_back)
{
    struct executor executor;
    cw_context *pool = new_context(1);
    cw_context *context = executor_start(&executor, pool);
    cw_context *view = cw_limited_parallelism(context, 1, NULL);
    atomic_store(&executor.refuse_from, 1);
    is_refused(cw_launch(view, give, 1));
    atomic_store(&executor.refuse_from, 0);
    succeeds(cw_launch(view, marks, 1));
    succeeds(cw_launch(view, marks, 2));
    cw_context_release(view);
    cw_context_release(context);
    executor_await_release(&executor);
    shut_down(pool);
}

TEST(without_io_what_is_refused_runs_here)
{
    struct executor executor;
    cw_context *context = executor_start(&executor, NULL);
    cw_job *job = cw_launch(context, cleans_up, CW_NONE);
    atomic_store(&executor.refuse_from, 2);
    fail_thread_at(1);
    cw_cancel(job, NULL);
    ASSERT(cw_is_completed(job));
    ASSERT_EQ(atomic_load(&done_count), 1);
    cw_job_release(job);
    cw_context_release(context);
    executor_await_release(&executor);
}

TEST(closing_an_executor_in_use)
{
    for (int i = 0; i < 20; i++) {
        struct executor executor;
        cw_context *pool = new_context(1);
        cw_context *context = executor_start(&executor, pool);
        struct call call = {launch_until_closed, context};
        pthread_t threads[] = {on_thread(&call), on_thread(&call)};
        succeeds(cw_launch(context, give, 1));
        cw_context_close(context);
        join_thread(threads[0]);
        join_thread(threads[1]);
        cw_context_release(context);
        shut_down(pool);
        executor_await_release(&executor);
    }
}
