/* context_test.c: contexts, their workers, and how they end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"

/* ---- making one */

TEST(wrong_arguments_are_told)
{
    const struct {
        int workers;
        const char *name;
    } wrong[] = {{0, "name"},
                 {-1, "name"},
                 {INT32_MIN, "name"},
                 {CW_MAX_WORKERS + 1, "name"},
                 {INT32_MAX, "name"},
                 {1, NULL},
                 {1, ""}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ASSERT(cw_new_fixed_worker_context(wrong[i].workers, wrong[i].name) ==
               NULL);
        ASSERT_EQ(cw_last_error(), CW_EINVAL);
    }
}

CW_COROUTINE(tell_worker, cw_none, const char *, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_RETURN(self, cw_worker_name());
    CW_END(self);
}

TEST(a_single_worker_has_the_contexts_name)
{
    char name[] = "alone";
    cw_context *context = cw_new_fixed_worker_context(1, name);
    name[0] = 'x'; /* it was copied */
    ASSERT_STR(cw_context_name(context), "alone");
    ASSERT_EQ(cw_context_workers(context), 1);
    cw_job *job = cw_async(context, tell_worker, CW_NONE);
    wait_for(job);
    const char *worker;
    ASSERT_EQ(cw_result(tell_worker, job, &worker), CW_OK);
    ASSERT_STR(worker, "alone");
    cw_job_release(job);
    shut_down(context);
}

struct meet {
    sem_t *arrived, *go;
    const char *names[3];
    _Atomic int count;
};

CW_FUNCTION(meet_there, struct meet *, cw_none)
{
    (*arg)->names[atomic_fetch_add(&(*arg)->count, 1)] = cw_worker_name();
    event_set((*arg)->arrived);
    event_await((*arg)->go);
    return CW_OK;
}

TEST(several_workers_are_numbered_and_work_at_the_same_time)
{
    cw_context *context = cw_new_fixed_worker_context(3, "crew");
    static struct meet meet;
    meet.arrived = event_new();
    meet.go = event_new();
    for (int i = 0; i < 3; i++)
        cw_spawn(context, meet_there, &meet);
    for (int i = 0; i < 3; i++)
        event_await(meet.arrived);
    bool seen[3] = {false};
    for (int i = 0; i < 3; i++) {
        ASSERT(strncmp(meet.names[i], "crew-", 5) == 0);
        seen[meet.names[i][5] - '1'] = true;
        event_set(meet.go);
    }
    ASSERT(seen[0] && seen[1] && seen[2]);
    shut_down(context);
    event_free(meet.arrived);
    event_free(meet.go);
}

TEST(a_long_name_is_cut)
{
    char name[200];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cw_context *context = cw_new_fixed_worker_context(2, name);
    ASSERT(context);
    size_t length = strlen(cw_context_name(context));
    ASSERT(length > 30 && length < sizeof name);
    ASSERT(strncmp(cw_context_name(context), name, length) == 0);
    shut_down(context);
}

CW_COROUTINE(check_current, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == self->arg);
    CW_YIELD(self);
    ASSERT(cw_current_context() == self->arg);
    MARK(1);
    CW_END(self);
}

TEST(inside_the_context_is_the_current_one)
{
    cw_context *context = new_context(2);
    ASSERT(cw_current_context() == NULL);
    cw_job *job = cw_launch(context, check_current, context);
    wait_for(job);
    MARK(2);
    cw_job_release(job);
    shut_down(context);
}

TEST(a_worker_that_cannot_be_started_is_told)
{
    for (int n = 0; n < 4; n++) {
        fail_thread_at(n + 1);
        ASSERT(cw_new_fixed_worker_context(4, "test") == NULL);
        ASSERT_EQ(cw_last_error(), CW_ESTART);
        fail_thread_at(0);
    }
}

#ifndef __EMSCRIPTEN__ /* a thread of Node takes megabytes */

TEST(as_many_workers_as_are_allowed)
{
    cw_context *context = cw_new_fixed_worker_context(CW_MAX_WORKERS, "many");
    if (!context) { /* the machine may allow fewer threads */
        ASSERT_EQ(cw_last_error(), CW_ESTART);
        return;
    }
    cw_job *job = cw_async(context, give, 42);
    wait_for(job);
    cw_job_release(job);
    shut_down(context);
}

#endif

/* ---- closing */

static _Atomic int ran;

CW_COROUTINE(count_run, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    atomic_fetch_add(&ran, 1);
    CW_END(self);
}

TEST(what_was_accepted_before_closing_runs)
{
    cw_context *context = new_context(2);
    struct hold *hold = hold_all(context);
    for (int i = 0; i < 1000; i++)
        ASSERT_EQ(cw_spawn(context, count_run, CW_NONE), CW_OK);
    cw_context_close(context);
    cw_context_close(context); /* once more */
    ASSERT_EQ(ran, 0);
    let_go(context, hold);
    shut_down(context);
    ASSERT_EQ(ran, 1000);
    hold_free(hold);
}

TEST(what_comes_after_closing_is_refused)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    cw_context_close(context);
    cw_job *job = cw_launch(context, count_run, CW_NONE);
    ASSERT(job);
    ASSERT(cw_is_completed(job) && cw_is_cancelled(job));
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
    cw_job_release(job);
    job = cw_async(context, count_run, CW_NONE);
    ASSERT(cw_is_completed(job));
    cw_none none;
    ASSERT_EQ(cw_result(count_run, job, &none), CW_ECANCELED);
    cw_job_release(job);
    ASSERT_EQ(cw_spawn(context, count_run, CW_NONE), CW_OK);
    let_go(context, hold);
    shut_down(context);
    ASSERT_EQ(ran, 0);
    ASSERT_EQ(unhandled_count, 0);
    hold_free(hold);
}

/* A job of a closed context whose child is refused goes on. */
CW_COROUTINE(launch_and_count, cw_none, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, count_run, CW_NONE);
    ASSERT(cw_is_cancelled(self->job));
    ASSERT(!cw_is_stopped());
    cw_job_release(self->job);
    MARK(1);
    CW_END(self);
}

TEST(a_refused_child_does_not_harm_its_parent)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    cw_job *job = cw_launch(context, launch_and_count, CW_NONE);
    cw_context_close(context);
    let_go(context, hold);
    wait_for(job);
    ASSERT(cw_job_error(job) == NULL);
    ASSERT_EQ(ran, 0);
    MARK(2);
    cw_job_release(job);
    shut_down(context);
    hold_free(hold);
}

/* Waits in some way; passes a mark when that raises because of closing, and
 * one for its clean-up. */
enum how { BY_DELAY, BY_YIELD, BY_JOIN, BY_AWAIT, BY_SCOPE };

struct waiting {
    enum how how;
    cw_job *job;
    sem_t *waits;
};

CW_COROUTINE(join_in_scope, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, self->arg);
    CW_END(self);
}

CW_COROUTINE(wait_somehow, struct waiting, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    event_set(self->arg.waits);
    if (self->arg.how == BY_DELAY) {
        CW_DELAY(self, INT64_MAX);
    } else if (self->arg.how == BY_YIELD) {
        for (;;)
            CW_YIELD(self);
    } else if (self->arg.how == BY_JOIN) {
        CW_JOIN(self, self->arg.job);
    } else if (self->arg.how == BY_AWAIT) {
        CW_AWAIT(self, hold_worker, self->arg.job, &self->none);
    } else {
        CW_SCOPE(self, join_in_scope, self->arg.job, &self->none);
    }
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        ASSERT_EQ(cw_error_code(cw_error_cause(cw_caught(self))), CW_ECLOSED);
        MARK(1);
    }
    CW_DELAY(self, 10); /* and so do all later waits */
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(cw_is_stopped());
    MARK(2);
    CW_END(self);
}

static void close_while_waiting(enum how how, bool resumed)
{
    cw_context *context = new_context(1), *other = new_context(1);
    struct hold until = {event_new(), event_new()};
    sem_t *waits = event_new();
    cw_job *awaited = cw_launch(other, hold_worker, &until);
    cw_job *job = cw_launch(context, wait_somehow,
                            ((struct waiting){how, awaited, waits}));
    event_await(waits);
    struct hold *hold = resumed ? hold_all(context) : NULL; /* it waits now */
    cw_context_close(context);
    if (resumed) {
        let_go(context, hold);
        ASSERT(cw_is_active(job)); /* not before it is resumed */
    }
    event_set(until.release);
    wait_for(job);
    MARK(3);
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
    cw_job_release(job);
    cw_job_release(awaited);
    shut_down(context);
    shut_down(other);
    if (hold) hold_free(hold);
    event_free(waits);
    event_free(until.entered);
    event_free(until.release);
}

TEST(closing_ends_delays) { close_while_waiting(BY_DELAY, false); }

TEST(closing_ends_loops_of_yields) { close_while_waiting(BY_YIELD, false); }

TEST(what_joins_is_cancelled_when_it_is_resumed)
{
    close_while_waiting(BY_JOIN, true);
}

TEST(what_awaits_is_cancelled_when_it_is_resumed)
{
    close_while_waiting(BY_AWAIT, true);
}

TEST(what_waits_for_its_scope_is_cancelled_when_it_is_resumed)
{
    close_while_waiting(BY_SCOPE, true);
}

CW_COROUTINE(delay_after_close, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_context_close(self->arg);
    MARK(1); /* it goes on ... */
    CW_DELAY(self, 0);
    MARK(2);
    CW_TRY(self, 1);
    CW_DELAY(self, INT64_MAX); /* ... until it suspends */
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_error_cause(cw_caught(self))), CW_ECLOSED);
        MARK(3);
    }
    CW_END(self);
}

TEST(a_job_can_close_its_own_context)
{
    cw_context *context = new_context(1);
    ASSERT_EQ(cw_spawn(context, delay_after_close, context), CW_OK);
    while (!atomic_load(&context->closed))
        sched_yield();
    ASSERT_EQ(cw_context_join(context), CW_OK);
    MARK(4);
    cw_context_release(context);
}

/* CW_DELAY by a body that lets another thread close its context just before it
 * suspends. */
#define DELAY_AND_CLOSE(self, ms)                                              \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if (cw__delay(&(self)->frame, (ms)) == CW__PENDING) {                  \
            pthread_t thread_;                                                 \
            ASSERT(pthread_create(&thread_, NULL, close_it,                    \
                                  cw_current_context()) == 0);                 \
            pthread_join(thread_, NULL);                                       \
            return CW_STEP_SUSPENDED;                                          \
        }                                                                      \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, cw__delayed(&(self)->frame));                          \
    } while (0)

static void *close_it(void *context)
{
    cw_context_close(context);
    return NULL;
}

CW_COROUTINE(close_before_suspending, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    DELAY_AND_CLOSE(self, INT64_MAX);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_error_cause(cw_caught(self))), CW_ECLOSED);
        MARK(1);
    }
    CW_END(self);
}

TEST(closing_ends_a_delay_that_is_about_to_begin)
{
    cw_context *context = new_context(1);
    cw_job *job = cw_launch(context, close_before_suspending, CW_NONE);
    wait_for(job);
    MARK(2);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    cw_job_release(job);
    shut_down(context);
}

/* ---- joining */

TEST(only_a_closed_context_can_be_joined)
{
    cw_context *context = new_context(1);
    ASSERT_EQ(cw_context_join(context), CW_EINVAL);
    cw_context_close(context);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    ASSERT_EQ(cw_context_join(context), CW_OK); /* at once */
    cw_context_release(context);
}

static int try_to_join(cw_context *context)
{
    cw_context_close(context);
    return cw_context_join(context);
}

CW_COROUTINE(join_own_context, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(try_to_join(self->arg), CW_EDEADLK);
    MARK(1);
    CW_END(self);
}

TEST(a_worker_cannot_join_its_own_context)
{
    cw_context *context = new_context(2);
    cw_job *job = cw_launch(context, join_own_context, context);
    wait_for(job);
    cw_job_release(job);
    shut_down(context);
    MARK(2);
}

CW_COROUTINE(join_by_call, cw_context *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_RETURN(self, try_to_join(self->arg));
    CW_END(self);
}

CW_FUNCTION(join_from_blocking_call, cw_context *, cw_none)
{
    int status = 0;
    ASSERT_EQ(cw_run_blocking(join_by_call, *arg, &status, NULL), CW_OK);
    ASSERT_EQ(status, CW_EDEADLK);
    MARK(1);
    return CW_OK;
}

TEST(not_even_from_a_blocking_call)
{
    cw_context *context = new_context(1);
    cw_job *job = cw_launch(context, join_from_blocking_call, context);
    wait_for(job);
    cw_job_release(job);
    shut_down(context);
    MARK(2);
}

static void *join_it(void *arg)
{
    ASSERT_EQ(cw_context_join(arg), CW_OK);
    ASSERT_EQ(ran, 1);
    return NULL;
}

TEST(several_threads_can_join)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    cw_spawn(context, count_run, CW_NONE);
    cw_context_close(context);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        ASSERT(pthread_create(&threads[i], NULL, join_it, context) == 0);
    let_go(context, hold);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cw_context_release(context);
    hold_free(hold);
}

CW_COROUTINE(join_other, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(try_to_join(self->arg), CW_OK);
    MARK(1);
    CW_END(self);
}

TEST(a_worker_can_join_another_context)
{
    cw_context *context = new_context(1), *other = new_context(1);
    cw_job *job = cw_launch(context, join_other, other);
    wait_for(job);
    cw_job_release(job);
    cw_context_release(other);
    shut_down(context);
    MARK(2);
}

/* A job that waits for a child elsewhere keeps the context from ending. */
CW_COROUTINE(child_elsewhere, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(self->arg, wait_for_ever, CW_NONE), CW_OK);
    CW_END(self);
}

TEST(join_waits_for_jobs_whose_children_run_elsewhere)
{
    cw_context *context = new_context(1), *other = new_context(1);
    cw_job *job = cw_launch(context, child_elsewhere, other);
    struct hold *hold = hold_all(context);
    cw_context_close(context);
    let_go(context, hold);
    ASSERT(cw_is_active(job));
    cw_cancel(job, NULL);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    ASSERT(cw_is_completed(job));
    cw_job_release(job);
    cw_context_release(context);
    shut_down(other);
    hold_free(hold);
}

/* ---- references */

static pthread_key_t at_thread_end;

static void thread_ended(void *event) { event_set(event); }

CW_FUNCTION(tell_thread_end, sem_t *, cw_none)
{
    ASSERT(pthread_setspecific(at_thread_end, *arg) == 0);
    return CW_OK;
}

TEST(the_last_release_closes)
{
    ASSERT(pthread_key_create(&at_thread_end, thread_ended) == 0);
    sem_t *ended = event_new();
    cw_context *context = new_context(1);
    ASSERT(cw_context_retain(context) == context);
    cw_job *job = cw_launch(context, tell_thread_end, ended);
    wait_for(job);
    cw_job_release(job);
    cw_context_release(context);
    job = cw_async(context, give, 1); /* there is a handle left */
    wait_for(job);
    ASSERT(cw_job_error(job) == NULL);
    cw_job_release(job);
    struct hold *hold = hold_all(context);
    job = cw_async(context, give, 2);
    event_set(hold->release);
    cw_context_release(context); /* what was accepted runs */
    wait_for(job);
    ASSERT(cw_job_error(job) == NULL);
    cw_job_release(job);
    event_await(ended); /* its worker has ended */
    hold_free(hold);
    event_free(ended);
}

TEST(releasing_a_closed_context_is_fine)
{
    cw_context *context = new_context(3);
    cw_context_close(context);
    cw_context_release(context);
    cw_context_release(NULL);
}

TEST(an_unused_context_ends)
{
    for (int i = 0; i < 50; i++)
        shut_down(new_context(1 + i % 4));
}

/* More launches from outside than a counter of 32 bits can hold. */
TEST(the_count_of_jobs_may_wrap)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    atomic_fetch_add(&context->outside_launched, UINT32_MAX - 1);
    atomic_fetch_add(&context->outside_completed, UINT32_MAX - 1);
    for (int i = 0; i < 10; i++)
        cw_spawn(context, count_run, CW_NONE);
    let_go(context, hold);
    shut_down(context);
    ASSERT_EQ(ran, 10);
    hold_free(hold);
}
