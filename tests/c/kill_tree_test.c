/* kill_tree_test.c: killing bodies that have waited, and what becomes of those
 * around them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"
#include "killing.h"

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
    await_doing(job, CW_DUMP_JOIN); /* else it may be killed itself */
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
