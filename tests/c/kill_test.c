/* kill_test.c: jobs that may be killed, and what becomes of their workers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "context.h"
#include "helpers.h"
#include "kill.h"
#include "kill_gate.h"
#include "killing.h"

TEST(a_body_that_never_looks_is_killed_after_its_time_of_grace)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, hold_worker, hold), hold);
    cw_cancel(job, NULL);
    wait_for(job);
    assert_lost(job, "worker 'test' was killed after the time of grace while "
                     "it ran 'hold_worker'");
    ASSERT_EQ(stats_of(context).lost, 1);
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    shut_down_all(context);
}

TEST(what_is_queued_behind_it_runs_on_the_new_thread)
{
    enum { JOBS = 1000 }; /* more than a ring holds */
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, hold_worker, hold), hold);
    cw_job *jobs[JOBS];
    for (int i = 0; i < JOBS; i++)
        jobs[i] = cw_async(context, give, i);
    cw_cancel(job, NULL);
    for (int i = 0; i < JOBS; i++) {
        int result;
        wait_for(jobs[i]);
        ASSERT_EQ(cw_result(give, jobs[i], &result), CW_OK);
        ASSERT_EQ(result, i);
        cw_job_release(jobs[i]);
    }
    ASSERT(cw_is_completed(job));
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    shut_down_all(context);
}

TEST(a_context_loses_all_its_workers_again_and_again)
{
    enum { WORKERS = 4, ROUNDS = 25 };
    cw_context *context = new_context(WORKERS);
    struct hold *hold = hold_new();
    for (int round = 0; round < ROUNDS; round++) {
        cw_job *jobs[WORKERS];
        for (int i = 0; i < WORKERS; i++)
            jobs[i] = LAUNCH_KILLABLE(context, hold_worker, hold);
        for (int i = 0; i < WORKERS; i++)
            event_await(hold->entered);
        for (int i = 0; i < WORKERS; i++)
            cw_cancel(jobs[i], NULL);
        for (int i = 0; i < WORKERS; i++) {
            wait_for(jobs[i]);
            assert_lost(jobs[i], NULL);
            cw_job_release(jobs[i]);
        }
    }
    ASSERT_EQ(stats_of(context).lost, WORKERS * ROUNDS);
    let_zombies_go(context, hold, WORKERS * ROUNDS);
    while (stats_of(context).workers != WORKERS)
        cw__thread_pause();
    shut_down_all(context);
}

TEST(a_thread_that_is_given_up_without_proof_stays_at_its_gate)
{
    static const cw__loss loss = {"was given up", NULL};
    cw_context *context = new_context(1);
    cw__worker *worker = &context->workers[0];
    struct hold *hold = hold_new();
    cw_job *job = holding(cw_launch(context, hold_worker, hold), hold);
    ASSERT(!cw__gate_doom_open(worker));
    ASSERT(cw__gate_doom_open(worker));
    (void)cw__worker_lose(worker, &loss);
    cw__worker_gone(worker);
    wait_for(job);
    assert_lost(job, "worker 'test' was given up while it ran 'hold_worker'");
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    shut_down(context);
}

/* ---- who dies, and who does not */

static _Atomic int went_on;

CW_FUNCTION(hold_and_go_on, struct hold *, cw_none)
{
    event_set((*arg)->entered);
    event_await((*arg)->release);
    (void)cw_is_stopped(); /* here it finds out */
    atomic_store(&went_on, 1);
    return CW_OK;
}

TEST(a_thread_that_was_left_behind_goes_no_further_than_the_next_call)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, hold_and_go_on, hold), hold);
    cw_cancel(job, NULL);
    wait_for(job);
    let_zombies_go(context, hold, 1);
    ASSERT_EQ(atomic_load(&went_on), 0);
    cw_job_release(job);
    shut_down_all(context);
}

TEST(who_ends_in_time_is_not_killed)
{
    cw_context *context = new_context(2);
    cw_job *job = LAUNCH_KILLABLE(context, wait_for_ever, CW_NONE);
    cw_job *none = LAUNCH_KILLABLE(context, give, 1);
    cw_cancel(job, NULL);
    wait_for(job);
    wait_for(none);
    cw_cancel(none, NULL);
    ASSERT_EQ(cw_job_error(none), 0);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    ASSERT_EQ(cw_error_cause(cw_job_error(job)), 0);
    ASSERT_EQ(stats_of(context).lost, 0);
    cw_job_release(job);
    cw_job_release(none);
    shut_down_all(context);
}

/* Ends when the other one was killed: it is killable, but is not to be. */
TEST(another_killable_job_is_let_go_on)
{
    cw_context *context = new_context(2);
    struct hold *hold = hold_new(), *other = hold_new();
    cw_job *spared = LAUNCH_KILLABLE(context, hold_worker, other);
    cw_job *job = LAUNCH_KILLABLE(context, hold_worker, hold);
    event_await(other->entered);
    event_await(hold->entered);
    cw_cancel(job, NULL);
    wait_for(job);
    event_set(other->release);
    wait_for(spared);
    ASSERT_EQ(cw_job_error(spared), 0);
    ASSERT_EQ(stats_of(context).lost, 1);
    hold_free(other);
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    cw_job_release(spared);
    shut_down_all(context);
}

TEST(one_that_nobody_said_may_be_killed_is_waited_for)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(cw_async(context, hold_worker, hold), hold);
    cw_cancel(job, NULL);
    event_set(hold->release);
    wait_for(job);
    ASSERT_EQ(stats_of(context).lost, 0);
    cw_job_release(job);
    hold_free(hold);
    shut_down_all(context);
}

/* ---- after it has waited */

CW_CHANNEL_TYPE(ints, int)

enum { WAYS = 9 };

typedef struct stage {
    int way;
    struct hold *hold;
    cw_job *over;     /* soon */
    ints full, empty; /* not for long */
} stage;

CW_COROUTINE(wait_a_moment, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    CW_END(self);
}

CW_COROUTINE(wait_and_hold, const stage *, cw_none, cw_none nothing;
             int element; bool in_time; cw_clause clause; int which;)
{
    CW_BEGIN(self);
    if (self->arg->way == 0) CW_DELAY(self, 1);
    if (self->arg->way == 1) CW_YIELD(self);
    if (self->arg->way == 2) CW_JOIN(self, self->arg->over);
    if (self->arg->way == 3)
        CW_AWAIT(self, wait_a_moment, self->arg->over, &self->nothing);
    if (self->arg->way == 4) CW_SEND(self, ints, self->arg->full, 1);
    if (self->arg->way == 5)
        CW_RECEIVE(self, ints, self->arg->empty, &self->element);
    if (self->arg->way == 6)
        CW_CALL(self, wait_a_moment, CW_NONE, &self->nothing);
    if (self->arg->way == 7)
        CW_WITH_TIMEOUT_OR_NULL(self, 1, wait_for_ever, CW_NONE, &self->nothing,
                                &self->in_time);
    if (self->arg->way == 8) {
        self->clause = cw_on_timeout(1);
        CW_SELECT(self, &self->clause, 1, &self->which);
    }
    event_set(self->arg->hold->entered);
    event_await(self->arg->hold->release);
    CW_END(self);
}

TEST(a_body_that_has_waited_is_killed_like_any_other)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    stage stages[WAYS];
    for (int i = 0; i < WAYS; i++) {
        stage *at = &stages[i];
        *at = (stage){i, hold, cw_async(context, wait_a_moment, CW_NONE),
                      ints_new(0), ints_new(0)};
        cw_job *job = LAUNCH_KILLABLE(context, wait_and_hold, at);
        if (i == 4 || i == 5) {
            int element;
            await_doing(job, i == 4 ? CW_DUMP_SEND : CW_DUMP_RECEIVE);
            ASSERT_EQ(i == 4 ? ints_try_receive(at->full, &element)
                             : ints_try_send(at->empty, 1),
                      CW_OK);
        }
        event_await(hold->entered);
        cw_cancel(job, NULL);
        wait_for(job);
        assert_lost(job, NULL);
        cw_job_release(job);
        cw_job_release(at->over);
        cw_channel_release(at->full.channel);
        cw_channel_release(at->empty.channel);
    }
    let_zombies_go(context, hold, WAYS);
    shut_down_all(context);
}

/* ---- trees */

CW_COROUTINE(scope_that_hangs, struct hold *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, wait_for_ever, CW_NONE), CW_OK);
    event_set(self->arg->entered);
    event_await(self->arg->release);
    CW_END(self);
}

CW_COROUTINE(call_plainly, struct hold *, cw_none, cw_none nothing;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, scope_that_hangs, self->arg, &self->nothing);
    CW_END(self);
}

static _Atomic int cleaned_up;

CW_COROUTINE(nested, struct hold *, cw_none, cw_none nothing;)
{
    CW_BEGIN(self);
    CW_CALL(self, call_plainly, self->arg, &self->nothing);
    CW_FINALLY(self);
    atomic_store(&cleaned_up, 1);
    CW_END(self);
}

TEST(all_scopes_that_the_step_is_in_end_with_it)
{
    cw_context *context = new_context(2);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, nested, hold), hold);
    cw_cancel(job, NULL);
    wait_for(job);
    assert_lost(job, NULL);
    ASSERT_EQ(atomic_load(&cleaned_up), 0); /* nobody knows its state */
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    shut_down_all(context);
}

CW_COROUTINE(launch_and_wait, struct hold *, cw_none, cw_job *child;)
{
    CW_BEGIN(self);
    self->child = cw_async(NULL, hold_worker, self->arg);
    CW_JOIN(self, self->child);
    CW_FINALLY(self);
    atomic_store(&cleaned_up, 1);
    cw_job_release(self->child);
    CW_END(self);
}

TEST(who_waits_for_a_child_that_is_killed_cleans_up)
{
    cw_context *context = new_context(2);
    struct hold *hold = hold_new();
    cw_job *job =
        holding(LAUNCH_KILLABLE(context, launch_and_wait, hold), hold);
    cw_cancel(job, NULL);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    ASSERT_EQ(atomic_load(&cleaned_up), 1);
    ASSERT_EQ(stats_of(context).lost, 1);
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    shut_down_all(context);
}

CW_COROUTINE(wait_and_hang, struct hold *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    event_set(self->arg->entered);
    event_await(self->arg->release);
    CW_END(self);
}

CW_COROUTINE(call_and_hang, struct hold *, cw_none, int number;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, give, 1, &self->number);
    event_set(self->arg->entered);
    event_await(self->arg->release);
    CW_END(self);
}

TEST(who_has_waited_before_is_killed_like_others)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    lose(holding(LAUNCH_KILLABLE(context, wait_and_hang, hold), hold));
    lose(holding(LAUNCH_KILLABLE(context, call_and_hang, hold), hold));
    let_zombies_go(context, hold, 2);
    shut_down_all(context);
}

static cw_job *inner;

/* A body that is lost gives no handles back, so these are kept elsewhere. */
CW_FUNCTION(keep_and_hold, struct hold *, cw_none)
{
    inner = cw_job_retain(cw_current_job());
    event_set((*arg)->entered);
    event_await((*arg)->release);
    return CW_OK;
}

CW_COROUTINE(run_in_place, struct hold *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_job_release(
        cw_launch_with(NULL, CW_START_UNDISPATCHED, keep_and_hold, self->arg));
    CW_END(self);
}

TEST(a_step_that_runs_inside_of_another_takes_that_along)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, run_in_place, hold), hold);
    cw_cancel(job, NULL);
    wait_for(job);
    wait_for(inner);
    assert_lost(job, "worker 'test' was killed after the time of grace while "
                     "it ran 'run_in_place'");
    assert_lost(inner, "worker 'test' was killed after the time of grace while "
                       "it ran 'keep_and_hold'");
    let_zombies_go(context, hold, 1);
    cw_job_release(inner);
    inner = NULL; /* so that a leak checker sees it if anybody has kept it */
    cw_job_release(job);
    shut_down_all(context);
}

/* ---- with others */

CW_COROUTINE(await_held, cw_job *, cw_none, cw_none nothing;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_AWAIT(self, hold_worker, self->arg, &self->nothing);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        ASSERT_EQ(cw_error_code(cw_error_cause(cw_caught(self))), CW_ELOST);
    }
    CW_END(self);
}

TEST(who_awaits_it_hears_of_the_loss)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = LAUNCH_KILLABLE(context, hold_worker, hold);
    cw_job *waiting = cw_async(NULL, await_held, job);
    event_await(hold->entered);
    cw_cancel(job, NULL);
    wait_for(waiting);
    ASSERT_EQ(cw_job_error(waiting), 0);
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    cw_job_release(waiting);
    shut_down_all(context);
}

CW_COROUTINE(hold_in_scope, struct hold *, cw_none, cw_job *job;
             const cw_elements *elements; cw_none nothing;)
{
    CW_BEGIN(self);
    self->elements = cw_elements_with_grace(NULL, GRACE_MS);
    self->job = cw_launch_with(self->elements, CW_START_DEFAULT, hold_worker,
                               self->arg);
    CW_JOIN(self, self->job);
    CW_FINALLY(self);
    cw_elements_release(self->elements);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(limit_it, struct hold *, bool, cw_none nothing;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 1, hold_in_scope, self->arg, &self->nothing,
                            &self->result);
    CW_END(self);
}

TEST(a_time_limit_cancels_and_then_it_is_killed)
{
    cw_context *context = new_context(2);
    struct hold *hold = hold_new();
    cw_job *job = cw_async(context, limit_it, hold);
    wait_for(job);
    bool in_time = true;
    ASSERT_EQ(cw_result(limit_it, job, &in_time), CW_OK);
    ASSERT(!in_time);
    ASSERT_EQ(stats_of(context).lost, 1);
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    shut_down_all(context);
}

/* ---- places */

TEST(its_place_in_a_view_goes_to_the_next_one)
{
    cw_context *context = new_context(2);
    cw_context *outer = cw_limited_parallelism(context, 1, "outer");
    cw_context *view = cw_limited_parallelism(outer, 1, NULL);
    const cw_elements *there = cw_elements_with_context(NULL, view);
    const cw_elements *elements = cw_elements_with_grace(there, GRACE_MS);
    struct hold *hold = hold_new();
    for (int round = 0; round < 2; round++) { /* somebody waits, or comes */
        cw_job *job = holding(
            cw_launch_with(elements, CW_START_DEFAULT, hold_worker, hold),
            hold);
        cw_job *then = round ? NULL : cw_async(view, give, 1);
        cw_cancel(job, NULL);
        wait_for(job);
        if (!then) then = cw_async(outer, give, 1);
        wait_for(then);
        cw_job_release(then);
        cw_job_release(job);
    }
    let_zombies_go(context, hold, 2);
    cw_elements_release(elements);
    cw_elements_release(there);
    cw_context_release(view);
    cw_context_release(outer);
    shut_down(context);
}

CW_FUNCTION(run_inside, struct hold *, cw_none)
{
    cw_none none;
    return cw_run_blocking(hold_worker, *arg, &none, NULL);
}

TEST(what_is_in_a_blocking_call_is_not_killed)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, run_inside, hold), hold);
    cw_cancel(job, NULL);
    for (int i = 0; i < 3; i++)
        ASSERT(!cw__kill(job));
    ASSERT_EQ(stats_of(context).lost, 0);
    event_set(hold->release);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    cw_job_release(job);
    hold_free(hold);
    shut_down_all(context);
}

/* ---- behind what goes on for long */

/* Runs on `context`, whose only worker is busy with what is not to be killed;
 * `place` is it, or a view of it. */
static void end_behind(cw_context *context, cw_context *place)
{
    enum { JOBS = 300 }; /* more than a ring holds */
    const cw_elements *there = cw_elements_with_context(NULL, place);
    const cw_elements *elements = cw_elements_with_grace(there, 0);
    struct hold *hold = hold_new();
    cw_job *busy = holding(cw_async(place, hold_worker, hold), hold);
    cw_job *above = cw_job_new(NULL), *jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        const cw_elements *below = cw_elements_with_job(elements, above);
        jobs[i] = cw_launch_with(below, CW_START_DEFAULT, give, i);
        ASSERT(jobs[i]);
        cw_elements_release(below);
    }
    cw_job *last = cw_async(place, give, 1);
    cw_cancel(above, NULL);
    for (int i = 0; i < JOBS; i++) {
        wait_for(jobs[i]);
        ASSERT_EQ(cw_error_code(cw_job_error(jobs[i])), CW_ECANCELED);
        ASSERT_EQ(cw_error_cause(cw_job_error(jobs[i])), 0);
        cw_job_release(jobs[i]);
    }
    ASSERT(!cw_is_completed(busy));
    event_set(hold->release);
    wait_for(last);
    ASSERT_EQ(cw_job_error(last), 0);
    ASSERT_EQ(stats_of(context).lost, 0);
    cw_job_complete(above);
    cw_job_release(above);
    cw_job_release(busy);
    cw_job_release(last);
    cw_elements_release(elements);
    cw_elements_release(there);
    hold_free(hold);
}

TEST(what_has_not_begun_ends_without_a_worker)
{
    cw_context *context = new_context(1);
    end_behind(context, context);
    shut_down(context);
}

TEST(what_waits_for_a_place_ends_without_a_worker)
{
    cw_context *context = new_context(2);
    cw_context *view = cw_limited_parallelism(context, 1, NULL);
    end_behind(context, view);
    cw_context_release(view);
    shut_down(context);
}

TEST(what_has_ended_in_the_queue_gives_its_place_there_back)
{
    cw_context *context = new_context(1);
    ASSERT_EQ(cw_context_limit_queue(context, 1, CW_FULL_FAIL), CW_OK);
    struct hold *hold = hold_new();
    cw_job *busy = holding(cw_async(context, hold_worker, hold), hold);
    cw_job *job = LAUNCH_KILLABLE(context, give, 1);
    ASSERT(!cw_async(context, give, 2));
    cw_cancel(job, NULL);
    wait_for(job);
    event_set(hold->release);
    wait_for(busy);
    cw_job *next;
    while (!(next = cw_async(context, give, 3)))
        cw__thread_pause();
    wait_for(next);
    cw_job_release(next);
    cw_job_release(job);
    cw_job_release(busy);
    hold_free(hold);
    cw_context_close(context);
    ASSERT_EQ(cw_context_join(context), CW_OK); /* only then all is counted */
    ASSERT_EQ(stats_of(context).launched, 3);
    ASSERT_EQ(stats_of(context).completed, 3);
    shut_down_all(context);
}

TEST(what_has_to_begin_waits_for_a_worker)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *busy = holding(cw_async(context, hold_worker, hold), hold);
    cw_job *job = cw_launch_with(killable(context), CW_START_ATOMIC, give, 1);
    cw_cancel(job, NULL);
    for (int i = 0; i < 3; i++)
        ASSERT(!cw__kill(job));
    event_set(hold->release);
    wait_for(job);
    cw_job_release(job);
    cw_job_release(busy);
    while (stats_of(context).undead)
        cw__thread_pause();
    hold_free(hold);
    shut_down_all(context);
}

/* ---- at the end */

TEST(a_closed_context_ends_after_a_kill)
{
    cw_context *context = new_context(2);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, hold_worker, hold), hold);
    cw_context_close(context);
    cw_cancel(job, NULL);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    assert_lost(job, NULL);
    cw_job_release(job);
    let_zombies_go(context, hold, 1);
    cw_context_release(context);
}

/* ---- in and out of the library */

CW_FUNCTION(call_all_the_time, sem_t *, cw_none)
{
    event_set(*arg);
    for (unsigned rounds = 1; rounds; rounds++) {
        if (cw_is_stopped() && !cw_current_job()) break; /* never */
#ifndef CW_PLAIN_ALLOC /* leak checkers would find what it has just made */
        cw_error *error = cw_error_new(CW_EFAILED, "of no use", NULL);
        cw_error_release(error);
        cw_job *job = cw_job_new(NULL);
        ASSERT_EQ(cw_job_complete(job), 1);
        cw_job_release(job);
#endif
    }
    return CW_OK;
}

CW_COROUTINE(fib, int, int, cw_job *jobs[2]; int parts[2];)
{
    CW_BEGIN(self);
    if (self->arg < 2) CW_RETURN(self, self->arg);
    self->jobs[0] = cw_async(NULL, fib, self->arg - 1);
    self->jobs[1] = cw_async(NULL, fib, self->arg - 2);
    CW_AWAIT_ALL(self, fib, self->jobs, 2, self->parts);
    CW_RETURN(self, self->parts[0] + self->parts[1]);
    CW_FINALLY(self);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    CW_END(self);
}

/* Its threads are gone by themselves. What it had just made is lost. */
TEST(one_that_is_in_and_out_of_the_library_is_killed)
{
    enum { ROUNDS = 50 };
    cw_context *context = new_context(2);
    sem_t *begun = event_new();
    for (int round = 0; round < ROUNDS; round++) {
        cw_job *job = LAUNCH_KILLABLE(context, call_all_the_time, begun);
        event_await(begun);
        cw_cancel(job, NULL);
        wait_for(job);
        assert_lost(job, NULL);
        cw_job_release(job);
        cw_job *sum = cw_async(context, fib, 10);
        int result;
        wait_for(sum);
        ASSERT_EQ(cw_result(fib, sum, &result), CW_OK);
        ASSERT_EQ(result, 55);
        cw_job_release(sum);
    }
    while (stats_of(context).undead)
        cw__thread_pause();
    ASSERT_EQ(stats_of(context).lost, ROUNDS);
    event_free(begun);
    shut_down_all(context);
}
