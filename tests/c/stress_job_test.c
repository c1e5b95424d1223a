/* stress_job_test.c: jobs that begin, grow children and end while they are
 * cancelled, again and again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"
#include "races.h"

static cw_context *pool; /* of the round, for actors */

/* ---- start against cancel */

struct run {
    cw_job *job;
    _Atomic int began, ended, cleaned;
};

CW_COROUTINE(count_run, struct run *, int, int i;)
{
    CW_BEGIN(self);
    atomic_fetch_add(&self->arg->began, 1);
    for (self->i = 0; self->i < 3; self->i++)
        CW_YIELD(self);
    atomic_fetch_add(&self->arg->ended, 1);
    CW_RETURN(self, 42);
    CW_FINALLY(self);
    atomic_fetch_add(&self->arg->cleaned, 1);
    CW_END(self);
}

static void launch_run(void *arg)
{
    struct run *run = arg;
    cw_job *job = cw_async(pool, count_run, run);
    __atomic_store_n(&run->job, job, __ATOMIC_RELEASE);
}

static void cancel_run(void *arg)
{
    struct run *run = arg;
    cw_job *job;
    while (!(job = __atomic_load_n(&run->job, __ATOMIC_ACQUIRE)))
        cw__thread_pause();
    dither();
    cw_cancel(job, NULL);
}

STRESS(start_against_two_cancels)
{
    act *const acts[] = {launch_run, cancel_run, cancel_run};
    pool = context;
    for (int round = 0; round < round_count; round++) {
        struct run run = {NULL, 0, 0, 0};
        act_together(3, acts, &run);
        wait_for(run.job);
        ASSERT(run.began <= 1);
        ASSERT_EQ(run.cleaned, run.began);
        ASSERT(run.ended <= run.began);
        int out = 0, status = cw_result(count_run, run.job, &out);
        if (status == CW_OK) {
            ASSERT_EQ(run.ended, 1);
            ASSERT_EQ(out, 42);
        } else {
            ASSERT_EQ(status, CW_ECANCELED);
        }
        cw_job_release(run.job);
    }
}

/* ---- a child that is attached while its parent ends or is cancelled */

struct family {
    cw_job *parent, *child;
    cw_error *cause;
};

static void attach_child(void *arg)
{
    struct family *family = arg;
    cw__job_attach(family->parent, family->child);
}

static void end_parent(void *arg)
{
    struct family *family = arg;
    cw__job_finish(NULL, family->parent, NULL);
}

static void cancel_parent(void *arg)
{
    struct family *family = arg;
    cw_cancel(family->parent, family->cause);
}

STRESS(attach_against_the_parents_end_and_cancellation)
{
    act *const acts[] = {attach_child, end_parent, cancel_parent};
    cw_error *cause = cw_error_new(CW_EBUSY, NULL, NULL);
    for (int round = 0; round < round_count; round++) {
        struct family family = {cw__job_new(context, NULL, CW__JOB_BARE, 1, 0),
                                cw__job_new(context, NULL, CW__JOB_BARE, 1, 0),
                                cause};
        int count = 2 + (int)chance(2);
        act_together(count, acts, &family);
        cw_job *parent = family.parent, *child = family.child;
        /* Either listed, so awaited, or cancelled at once. */
        ASSERT(cw_is_completed(parent) != (child->parent != NULL));
        if (cw_is_completed(parent)) ASSERT(cw_is_cancelled(child));
        if (cw_is_cancelled(parent)) {
            ASSERT(count == 3 && cw_is_cancelled(child));
            ASSERT(cw_error_cause(child->error) == cause);
        }
        cw__job_finish(NULL, child, NULL);
        ASSERT(cw_is_completed(child) && cw_is_completed(parent));
        cw_job_release(parent);
        cw_job_release(child);
    }
    cw_error_release(cause);
}

/* The same by a body that launches while it is cancelled. */
struct brood {
    cw_job *job;
    _Atomic int launched, began, ended;
};

CW_COROUTINE(be_born, struct brood *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    atomic_fetch_add(&self->arg->began, 1);
    CW_YIELD(self);
    CW_FINALLY(self);
    atomic_fetch_add(&self->arg->ended, 1);
    CW_END(self);
}

CW_COROUTINE(bear, struct brood *, cw_none, int i; cw_job * child;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 50; self->i++) {
        self->child = cw_launch(NULL, be_born, self->arg);
        atomic_fetch_add(&self->arg->launched, 1);
        cw_job_release(self->child);
        if (self->i % 8 == 7) CW_YIELD(self);
    }
    CW_END(self);
}

static void launch_brood(void *arg)
{
    struct brood *brood = arg;
    cw_job *job = cw_async(pool, bear, brood);
    __atomic_store_n(&brood->job, job, __ATOMIC_RELEASE);
}

static void cancel_brood(void *arg)
{
    struct brood *brood = arg;
    cw_job *job;
    while (!(job = __atomic_load_n(&brood->job, __ATOMIC_ACQUIRE)))
        cw__thread_pause();
    for (uint32_t i = chance(20); i > 0; i--)
        dither();
    cw_cancel(job, NULL);
}

STRESS(launching_children_against_cancellation)
{
    act *const acts[] = {launch_brood, cancel_brood};
    pool = context;
    for (int round = 0; round < round_count; round++) {
        struct brood brood = {NULL, 0, 0, 0};
        act_together(2, acts, &brood);
        wait_for(brood.job);
        ASSERT_EQ(brood.began, brood.ended); /* nobody is left */
        ASSERT(brood.began <= brood.launched);
        if (!cw_job_error(brood.job)) ASSERT_EQ(brood.began, 50);
        cw_job_release(brood.job);
    }
}

/* ---- random trees */

static _Atomic int alive; /* bodies that have begun and not ended */

/* Does something random, `arg` levels deep. */
CW_COROUTINE(grow, int, int, cw_job *jobs[3]; int outs[3]; int i, out, what;)
{
    CW_BEGIN(self);
    atomic_fetch_add(&alive, 1);
    if (self->arg == 0) {
        self->what = (int)chance(8);
        if (self->what == 0) CW_FAIL(self, CW_EBUSY, "leaf");
        if (self->what < 4) CW_YIELD(self);
        if (self->what == 4) CW_DELAY(self, 1);
        if (self->what == 5) cw_cancel(cw_current_job(), NULL);
        CW_RETURN(self, 0);
    }
    for (self->i = 0; self->i < 3; self->i++) {
        self->what = (int)chance(5);
        CW_TRY(self, 1);
        if (self->what == 0) {
            CW_SCOPE(self, grow, self->arg - 1, &self->out);
        } else if (self->what == 1) {
            CW_CALL(self, grow, self->arg - 1, &self->out);
        } else {
            self->jobs[self->i] = chance(2)
                                      ? cw_async(NULL, grow, self->arg - 1)
                                      : cw_launch(NULL, grow, self->arg - 1);
            if (self->what == 2) {
                CW_AWAIT(self, grow, self->jobs[self->i], &self->out);
            } else if (self->what == 3) {
                if (chance(2)) CW_YIELD(self);
                CW_CANCEL_AND_JOIN(self, self->jobs[self->i]);
            }
        }
        CW_CATCH(self, 1)
        {
            ASSERT(cw_error_code(cw_caught(self)) == CW_ECANCELED ||
                   cw_error_code(cw_caught(self)) == CW_EBUSY);
            if (chance(2)) CW_RAISE(self, cw_error_retain(cw_caught(self)));
        }
    }
    CW_RETURN(self, self->arg);
    CW_FINALLY(self);
    for (int i = 0; i < 3; i++)
        cw_job_release(self->jobs[i]);
    atomic_fetch_sub(&alive, 1);
    CW_END(self);
}

struct gardener {
    cw_job *job;
};

static void launch_tree(void *arg)
{
    struct gardener *gardener = arg;
    cw_job *job = cw_async(pool, grow, 4);
    __atomic_store_n(&gardener->job, job, __ATOMIC_RELEASE);
}

static void cancel_tree(void *arg)
{
    struct gardener *gardener = arg;
    cw_job *job;
    while (!(job = __atomic_load_n(&gardener->job, __ATOMIC_ACQUIRE)))
        cw__thread_pause();
    for (uint32_t i = chance(60); i > 0; i--)
        dither();
    cw_cancel(job, NULL);
}

STRESS(random_trees_end_completely)
{
    act *const acts[] = {launch_tree, cancel_tree};
    pool = context;
    for (int round = 0; round < round_count; round++) {
        struct gardener gardener = {NULL};
        act_together(chance(2) ? 2 : 1, acts, &gardener);
        wait_for(gardener.job);
        int out = 0, status = cw_result(grow, gardener.job, &out);
        ASSERT(status == CW_OK || status == CW_EBUSY || status == CW_ECANCELED);
        if (status == CW_OK) ASSERT_EQ(out, 4);
        ASSERT_EQ(alive, 0);
        cw_job_release(gardener.job);
    }
}
