/* virtual_test.c: schedulers whose time is virtual.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"
#include "virtual.h"

#include "context.h"
#include "limit.h"

/* ---- time */

enum { HOUR = 60 * 60 * 1000 };

VIRTUAL(delays_take_no_real_time, int64_t began;)
{
    CW_BEGIN(self);
    self->began = cw__now_ns();
    ASSERT_EQ(NOW, 0);
    CW_DELAY(self, 24 * HOUR);
    ASSERT_EQ(NOW, 24 * HOUR);
    CW_DELAY(self, 0);
    CW_DELAY(self, -1);
    ASSERT_EQ(NOW, 24 * HOUR);
    CW_YIELD(self);
    ASSERT_EQ(NOW, 24 * HOUR);
    CW_DELAY(self, 1);
    ASSERT_EQ(NOW, 24 * HOUR + 1);
    ASSERT((cw__now_ns() - self->began) / 1000000 < HOUR);
    CW_END(self);
}

struct due {
    int delay, mark;
};

CW_COROUTINE(mark_after, struct due, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg.delay);
    MARK(self->arg.mark);
    CW_END(self);
}

static void spawn_due(cw_context *context, int delay, int mark)
{
    struct due due = {delay, mark};
    ASSERT_EQ(cw_spawn(context, mark_after, due), CW_OK);
}

VIRTUAL(timers_of_one_moment_come_in_the_order_they_were_set_in, char unused;)
{
    CW_BEGIN(self);
    spawn_due(NULL, 10, 2);
    spawn_due(NULL, 5, 1);
    spawn_due(NULL, 10, 3);
    CW_YIELD(self); /* they have set theirs */
    spawn_due(UNCONFINED, 10, 4);
    spawn_due(BACKGROUND, 10, 5);
    CW_YIELD(self);
    spawn_due(NULL, 10, 6);
    CW_YIELD(self);
    CW_DELAY(self, 10);
    MARK(7);
    CW_END(self);
}

CW_COROUTINE(mark_and_spawn, struct due, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg.delay);
    MARK(self->arg.mark);
    spawn_due(NULL, 0, 4);
    CW_END(self);
}

VIRTUAL(what_becomes_ready_comes_behind_the_timers_of_the_moment, char unused;)
{
    CW_BEGIN(self);
    struct due first = {7, 1};
    ASSERT_EQ(cw_spawn(NULL, mark_and_spawn, first), CW_OK);
    spawn_due(NULL, 7, 2);
    ASSERT_EQ(cw_test_advance_time_by(NULL, 7), CW_OK);
    ASSERT_EQ(test_marks, 0);
    spawn_due(NULL, 0, 3);
    ASSERT_EQ(cw_test_run_current(NULL), CW_OK); /* with what that adds */
    ASSERT_EQ(test_marks, 4);
    ASSERT_EQ(NOW, 7);
    CW_END(self);
}

VIRTUAL(advancing_by_nothing_runs_nothing, char unused;)
{
    CW_BEGIN(self);
    spawn_due(NULL, 0, 1);
    ASSERT_EQ(cw_test_advance_time_by(NULL, 0), CW_OK);
    ASSERT_EQ(test_marks, 0);
    ASSERT_EQ(cw_test_advance_time_by(NULL, 1), CW_OK);
    ASSERT_EQ(test_marks, 1);
    ASSERT_EQ(NOW, 1);
    CW_END(self);
}

VIRTUAL(the_clock_does_not_go_back, char unused;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_test_advance_time_by(NULL, -1), CW_EINVAL);
    ASSERT_EQ(cw_test_advance_time_by(NULL, INT64_MIN), CW_EINVAL);
    ASSERT_EQ(NOW, 0);
    CW_END(self);
}

static int passed;

CW_COROUTINE(pass_after, int64_t, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg);
    passed++;
    CW_END(self);
}

VIRTUAL(the_clock_stops_at_the_end_of_time, cw_job *job;)
{
    CW_BEGIN(self);
    CW_DELAY(self, 10);
    ASSERT_EQ(cw_spawn(NULL, pass_after, CW_TEST_TIME_MAX - 11), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, pass_after, CW_TEST_TIME_MAX - 10), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, pass_after, INT64_MAX - 1), CW_OK);
    self->job = cw_launch(NULL, pass_after, INT64_MAX); /* for ever */
    ASSERT_EQ(cw_test_advance_time_by(NULL, INT64_MAX), CW_OK);
    ASSERT_EQ(NOW, CW_TEST_TIME_MAX);
    ASSERT_EQ(passed, 1);
    ASSERT_EQ(cw_test_run_current(NULL), CW_OK);
    ASSERT_EQ(passed, 3);
    ASSERT_EQ(cw_test_advance_until_idle(NULL), CW_OK);
    ASSERT_EQ(passed, 3);
    cw_cancel(self->job, NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- time limits */

CW_COROUTINE(wait_and_tell_time, int64_t *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_FINALLY(self);
    *self->arg = NOW;
    CW_END(self);
}

static void limit(cw_job *job, int64_t ms)
{
    cw_error *error = cw_error_new(CW_ETIMEDOUT, NULL, NULL);
    ASSERT(cw__limit_set(cw_current_context(), job, ms, error) >= 0);
    cw_error_release(error);
}

VIRTUAL(time_limits_run_out_in_virtual_time, cw_job *job; int64_t at;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, wait_and_tell_time, &self->at);
    limit(self->job, HOUR);
    spawn_due(NULL, HOUR, 2);
    CW_DELAY(self, HOUR);
    MARK(1);
    CW_JOIN(self, self->job);
    ASSERT_EQ(self->at, HOUR);
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(self->job))),
              CW_ETIMEDOUT);
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(give_after, int64_t, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg);
    CW_RETURN(self, 42);
    CW_END(self);
}

VIRTUAL(limited_scopes_run_out_in_virtual_time, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, HOUR, give_after, HOUR + 1, &self->out,
                            &self->in_time);
    ASSERT(!self->in_time);
    ASSERT_EQ(NOW, HOUR);
    CW_WITH_TIMEOUT_OR_NULL(self, HOUR, give_after, HOUR - 1, &self->out,
                            &self->in_time);
    ASSERT(self->in_time);
    ASSERT_EQ(self->out, 42);
    ASSERT_EQ(NOW, 2 * HOUR - 1);
    CW_END(self);
}

VIRTUAL(a_time_limit_that_is_not_needed_is_no_event, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, pass_after, 5);
    limit(self->job, HOUR);
    ASSERT_EQ(cw_test_advance_until_idle(NULL), CW_OK);
    ASSERT_EQ(NOW, 5);
    ASSERT_EQ(passed, 1);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- calls from inside of events */

CW_COROUTINE(advance_inside, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    ASSERT_EQ(cw_test_advance_time_by(NULL, 101), CW_OK);
    ASSERT_EQ(NOW, 101);
    MARK(3);
    spawn_due(NULL, 0, 5);
    CW_END(self);
}

/* The inner call has moved the clock: what is ready then is later than the
 * moment that the outer one runs. */
VIRTUAL(calls_may_be_made_by_events, char unused;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, advance_inside, CW_NONE), CW_OK);
    spawn_due(NULL, 100, 2);
    spawn_due(NULL, 102, 6);
    ASSERT_EQ(cw_test_run_current(NULL), CW_OK);
    MARK(4);
    ASSERT_EQ(NOW, 101);
    ASSERT_EQ(cw_test_advance_until_idle(NULL), CW_OK);
    ASSERT_EQ(NOW, 102);
    MARK(7);
    CW_END(self);
}

CW_COROUTINE(note_job, cw_none, cw_none, cw_job *job; cw_context * context;)
{
    CW_BEGIN(self);
    self->job = cw_current_job();
    self->context = cw_current_context();
    spawn_due(UNCONFINED, 0, 1);
    ASSERT_EQ(cw_test_run_current(NULL), CW_OK);
    ASSERT(cw_current_job() == self->job);
    ASSERT(cw_current_context() == self->context);
    ASSERT_STR(cw_worker_name(), "test");
    CW_END(self);
}

VIRTUAL(whose_turn_it_is_is_known_all_the_time, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_current_job();
    ASSERT_STR(cw_worker_name(), "test");
    ASSERT_EQ(cw_spawn(NULL, note_job, CW_NONE), CW_OK);
    ASSERT_EQ(cw_test_advance_until_idle(NULL), CW_OK);
    ASSERT(cw_current_job() == self->job);
    MARK(2);
    CW_END(self);
}

/* ---- the unconfined dispatcher */

CW_COROUTINE(mark_wait_mark, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_JOIN(self, self->arg);
    MARK(5);
    CW_END(self);
}

CW_COROUTINE(mark_four, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    CW_END(self);
}

VIRTUAL(unconfined_jobs_begin_and_go_on_in_place, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, mark_four, CW_NONE);
    MARK(1);
    ASSERT_EQ(cw_spawn(UNCONFINED, mark_wait_mark, self->job), CW_OK);
    MARK(3);
    CW_YIELD(self); /* the waiter goes on inside of the end of the job */
    MARK(6);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(run_two, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    spawn_due(NULL, 0, 6);
    spawn_due(NULL, 0, 7);
    MARK(5);
    CW_END(self);
}

CW_COROUTINE(run_nested, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    ASSERT_EQ(cw_spawn(NULL, run_two, CW_NONE), CW_OK);
    MARK(3);
    CW_END(self);
}

VIRTUAL(inside_of_unconfined_jobs_others_wait_for_the_outermost, char unused;)
{
    CW_BEGIN(self);
    MARK(1);
    ASSERT_EQ(cw_spawn(UNCONFINED, run_nested, CW_NONE), CW_OK);
    MARK(8);
    CW_END(self);
}

CW_COROUTINE(yield_around, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    CW_YIELD(self); /* to nobody */
    MARK(2);
    spawn_due(NULL, 0, 4);
    MARK(3);
    CW_YIELD(self);
    MARK(5);
    CW_DELAY(self, 1);
    MARK(7);
    CW_YIELD(self);
    MARK(8);
    CW_END(self);
}

VIRTUAL(unconfined_jobs_yield_only_to_those_that_wait_for_them, char unused;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(UNCONFINED, yield_around, CW_NONE), CW_OK);
    MARK(6);
    CW_DELAY(self, 2);
    MARK(9);
    CW_END(self);
}

struct marks {
    int first, second;
};

CW_COROUTINE(mark_yield_mark, struct marks, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(self->arg.first);
    CW_YIELD(self);
    MARK(self->arg.second);
    CW_END(self);
}

VIRTUAL(what_is_begun_within_the_launch_may_yield, const cw_elements *where;)
{
    CW_BEGIN(self);
    self->where = cw_elements_with_context(NULL, UNCONFINED);
    struct marks marks[] = {{1, 2}, {4, 6}};
    cw_job_release(cw_launch_with(self->where, CW_START_UNDISPATCHED,
                                  mark_yield_mark, marks[0]));
    MARK(3);
    cw_job_release(
        cw_launch_with(NULL, CW_START_UNDISPATCHED, mark_yield_mark, marks[1]));
    MARK(5);
    CW_FINALLY(self);
    cw_elements_release(self->where);
    CW_END(self);
}

CW_COROUTINE(mark_when_cancelled, struct due, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_FINALLY(self);
    MARK(self->arg.mark);
    CW_END(self);
}

VIRTUAL(cancelling_runs_unconfined_clean_up_in_place, cw_job *job;)
{
    CW_BEGIN(self);
    struct due first = {0, 2}, second = {0, 4};
    self->job = cw_launch(UNCONFINED, mark_when_cancelled, first);
    MARK(1);
    cw_cancel(self->job, NULL);
    MARK(3);
    ASSERT(cw_is_completed(self->job));
    cw_job_release(self->job);
    self->job = cw_launch(UNCONFINED, mark_when_cancelled, second);
    CW_CANCEL_AND_JOIN(self, self->job);
    MARK(5);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(launch_chain, int, int, cw_job *job; int out;)
{
    CW_BEGIN(self);
    if (self->arg == 0) CW_RETURN(self, 0);
    self->job = cw_async(NULL, launch_chain, self->arg - 1);
    CW_AWAIT(self, launch_chain, self->job, &self->out);
    cw_job_release(self->job);
    CW_RETURN(self, self->out + 1);
    CW_END(self);
}

CW_COROUTINE(await_chain, enum cw_test_dispatcher, int, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(cw_test_context(NULL, self->arg), launch_chain, 20000);
    CW_AWAIT(self, launch_chain, self->job, &self->out);
    cw_job_release(self->job);
    CW_RETURN(self, self->out);
    CW_END(self);
}

TEST(long_chains_do_not_grow_the_stack)
{
    int out = 0;
    ASSERT_EQ(cw_run_test(await_chain, CW_TEST_UNCONFINED, &out, NULL), CW_OK);
    ASSERT_EQ(out, 20000);
    ASSERT_EQ(cw_run_blocking_test(await_chain, CW_TEST_UNCONFINED, &out, NULL),
              CW_OK);
    ASSERT_EQ(out, 20000);
}

/* ---- a scheduler without a test */

TEST(a_scheduler_serves_without_a_test)
{
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    cw_context *context = cw_test_context(scheduler, CW_TEST_STANDARD);
    spawn_due(context, 0, 2);
    MARK(1);
    ASSERT_EQ(cw_test_run_current(scheduler), CW_OK);
    spawn_due(context, HOUR, 3);
    ASSERT_EQ(cw_test_advance_time_by(scheduler, HOUR), CW_OK);
    ASSERT_EQ(test_marks, 2);
    ASSERT_EQ(cw_test_advance_until_idle(scheduler), CW_OK);
    ASSERT_EQ(test_marks, 3);
    ASSERT_EQ(cw_test_current_time(scheduler), HOUR);
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
    ASSERT_EQ(cw_test_scheduler_free(NULL), CW_OK);
}

TEST(unconfined_jobs_run_in_place_on_any_thread_that_is_free)
{
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    cw_context *context = cw_test_context(scheduler, CW_TEST_UNCONFINED);
    spawn_due(context, 0, 1);
    MARK(2);
    struct due cancelled = {0, 3};
    cw_job *job = cw_launch(context, mark_when_cancelled, cancelled);
    cw_cancel(job, NULL);
    MARK(4);
    cw_job_release(job);
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
}

TEST(freeing_a_scheduler_cancels_what_is_left)
{
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    cw_context *context = cw_test_context(scheduler, CW_TEST_STANDARD);
    cw_context_retain(context);
    struct due last = {0, 2};
    ASSERT_EQ(cw_spawn(context, mark_when_cancelled, last), CW_OK);
    ASSERT_EQ(cw_test_run_current(scheduler), CW_OK);
    spawn_due(context, 0, 1); /* was accepted before */
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
    MARK(3);
    /* Nothing is accepted any more. */
    cw_job *job = cw_launch(context, mark_after, last);
    ASSERT(cw_is_completed(job));
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
    cw_job_release(job);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    cw_context_release(context);
}

VIRTUAL(closing_a_test_dispatcher_ends_its_delays, cw_job *job;)
{
    CW_BEGIN(self);
    struct due cancelled = {0, 1};
    self->job = cw_launch(UNCONFINED, mark_when_cancelled, cancelled);
    cw_context_close(UNCONFINED);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT_EQ(NOW, 0);
    ASSERT_EQ(cw_context_join(UNCONFINED), CW_EDEADLK);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- one scheduler at a time */

static cw_test_scheduler *other;

VIRTUAL(a_second_scheduler_is_refused, int64_t time;)
{
    CW_BEGIN(self);
    other = cw_test_scheduler_new();
    ASSERT(cw_launch(cw_test_context(other, CW_TEST_STANDARD), give, 1) ==
           NULL);
    ASSERT_EQ(cw_last_error(), CW_ESTATE);
    ASSERT_EQ(cw_spawn(cw_test_context(other, CW_TEST_UNCONFINED), give, 1),
              CW_ESTATE);
    ASSERT_EQ(cw_test_run_current(other), CW_ESTATE);
    ASSERT_EQ(cw_test_advance_time_by(other, 1), CW_ESTATE);
    ASSERT_EQ(cw_test_advance_until_idle(other), CW_ESTATE);
    ASSERT_EQ(cw_test_scheduler_free(other), CW_ESTATE);
    ASSERT_EQ(cw_test_current_time(other), 0);
    CW_DELAY(self, 1);
    CW_FINALLY(self);
    ASSERT_EQ(NOW, 1);
    CW_END(self);
}

CW_COROUTINE(free_own_scheduler, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_test_scheduler_free(other), CW_ESTATE);
    int out;
    ASSERT_EQ(cw_run_test(give, 1, &out, NULL), CW_ESTATE);
    MARK(1);
    CW_END(self);
}

TEST(a_scheduler_is_not_freed_by_its_own_jobs)
{
    other = cw_test_scheduler_new();
    ASSERT_EQ(cw_spawn(cw_test_context(other, CW_TEST_STANDARD),
                       free_own_scheduler, CW_NONE),
              CW_OK);
    ASSERT_EQ(cw_test_advance_until_idle(other), CW_OK);
    ASSERT_EQ(cw_test_scheduler_free(other), CW_OK);
    MARK(2);
}

TEST(outside_of_tests_there_is_no_scheduler)
{
    ASSERT_EQ(cw_test_current_time(NULL), CW_ESTATE);
    ASSERT_EQ(cw_test_run_current(NULL), CW_ESTATE);
    ASSERT_EQ(cw_test_advance_time_by(NULL, 1), CW_ESTATE);
    ASSERT_EQ(cw_test_advance_until_idle(NULL), CW_ESTATE);
    ASSERT(cw_test_context(NULL, CW_TEST_STANDARD) == NULL);
    ASSERT_EQ(cw_last_error(), CW_ESTATE);
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    ASSERT(cw_test_context(scheduler, (enum cw_test_dispatcher)4) == NULL);
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
    ASSERT_STR(cw_status_name(CW_ESTATE), "CW_ESTATE");
}
