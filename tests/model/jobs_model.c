/* jobs_model.c: the job's word: ends, cancellation, children, waiters.
 *
 * SPDX-License-Identifier: MIT
 */
#include "model.h"

#include "context.h"
#include "error.h"
#include "host.h"
#include "limit.h"
#include "suspend.h"

CW_COROUTINE(nothing, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_END(self);
}

CW_COROUTINE(valued, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_END(self);
}

static cw_context *home;
static cw_job *job, *other, *third; /* each with a handle */

/* One of several registrations of a body that is awake: so nothing is
 * dispatched, and how often it has fired is counted. */
static struct waiting {
    cw_job body;
    cw__group *group;
    cw__waiter *waiter; /* the only one of the group */
    int status;
} * waiting[2];

enum { GROUP_BYTES = sizeof(cw__group) + sizeof(cw__waiter), OPEN = 8 };

static struct waiting *waiting_new(void)
{
    struct waiting *one = model_new(sizeof *one);
    one->group = model_new(GROUP_BYTES);
    one->group->task = &one->body;
    one->group->open = OPEN;
    one->waiter = one->group->waiters;
    one->waiter->kind = CW__WAITER_GROUP;
    one->waiter->owner.pointer = one->group;
    return one;
}

static void waiting_delete(struct waiting *one)
{
    model_delete(one->group);
    model_delete(one);
}

static size_t fired(const struct waiting *one)
{
    return OPEN - cw_load_relaxed(&one->group->open);
}

static cw_job *job_new(unsigned flags)
{
    return cw__job_new(home, &nothing, flags, 1, 0);
}

static void begin(void)
{
    cw__the_host = (cw__host){0};
    home = cw__context_adopt("home");
    job = other = third = NULL;
    for (int i = 0; i < 2; i++)
        waiting[i] = waiting_new();
}

static void end(void)
{
    for (int i = 0; i < 2; i++)
        waiting_delete(waiting[i]);
    cw_job_release(job);
    cw_job_release(other);
    cw_job_release(third);
    cw__context_disown(home);
}

static void finish(void *of) { cw__job_finish(NULL, of, NULL); }

static void finish_badly(void *of)
{
    cw__job_finish(NULL, of, cw_error_new(CW_EFAILED, NULL, NULL));
}

static void cancel(void *of) { cw_cancel(of, NULL); }

static void wait_for_job(void *arg)
{
    struct waiting *one = arg;
    one->status = cw__job_wait(job, one->waiter);
}

static void wait_and_give_up(void *arg)
{
    struct waiting *one = arg;
    wait_for_job(one);
    if (one->status != CW__PENDING) return;
    cw__job_unwait(one->waiter);
    CHECK(!one->waiter->linked);
}

/* A waiter fires once if it was registered, else not at all. */
static void check_fired(int i)
{
    CHECK(fired(waiting[i]) == (waiting[i]->status == CW__PENDING));
}

/* ---- ends and those who wait for them */

SCENARIO(job_end_wait, 3)
{
    begin();
    job = job_new(CW__JOB_FOREIGN);
    model_thread(finish, job);
    model_thread(wait_for_job, waiting[0]);
    model_thread(wait_and_give_up, waiting[1]);
    model_run();
    CHECK(cw_is_completed(job));
    check_fired(0);
    CHECK(fired(waiting[1]) <= 1);
    end();
}

MUTANT(job_end_wait, "the end does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &job->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

MUTANT(job_end_wait, "the lock does not compare")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &job->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

MUTANT(job_end_wait, "unlocking does not release")
{
    if (!MODEL_IS(op, MODEL_STORE, &job->state)) return MODEL_AS_IS;
    op->order = __ATOMIC_RELAXED;
    return MODEL_CHANGED;
}

SCENARIO(job_end_cancel, 3)
{
    begin();
    job = job_new(CW__JOB_FOREIGN);
    waiting[0]->waiter->early = 1;
    model_thread(finish, job);
    model_thread(cancel, job);
    model_thread(wait_for_job, waiting[0]);
    model_run();
    CHECK(cw_is_completed(job));
    CHECK((cw_job_error(job) != NULL) == cw_is_cancelled(job));
    check_fired(0);
    end();
}

MUTANT(job_end_cancel, "the end does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &job->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

MUTANT(job_end_cancel, "an early waiter does not look again")
{
    return op->thread == 3 && MODEL_IS(op, MODEL_CAS, &job->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* A body and two children end at the same time: one of them settles the
 * parent. */
SCENARIO(job_end_children, 2)
{
    begin();
    job = job_new(CW__JOB_ASYNC);
    other = job_new(CW__JOB_FOREIGN);
    third = job_new(CW__JOB_FOREIGN);
    cw__job_attach_own(job, other);
    cw__job_attach_own(job, third);
    wait_for_job(waiting[0]);
    model_thread(finish, job);
    model_thread(finish, other);
    model_thread(finish_badly, third);
    model_run();
    CHECK(cw_is_completed(job) && cw_is_completed(other));
    CHECK(cw_error_code(cw_job_error(job)) == CW_EFAILED);
    check_fired(0);
    end();
}

MUTANT(job_end_children, "the lock does not compare")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &job->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

MUTANT(job_end_children, "the body does not see its children")
{
    /* Neither on the list nor fresh. */
    if (op->thread != 1) return MODEL_AS_IS;
    if (MODEL_IS(op, MODEL_LOAD, &job->fresh) ||
        MODEL_IS(op, MODEL_LOAD, &job->state)) {
        op->value = 0;
        return MODEL_FORCE;
    }
    return MODEL_IS(op, MODEL_CAS, &job->state) ? MODEL_FORCE : MODEL_AS_IS;
}

/* ---- new children and cancellation */

static void attach_own_two(void *unused)
{
    (void)unused;
    cw__job_attach_own(job, other);
    cw__job_attach_own(job, third);
}

static void attach_own_other(void *unused)
{
    (void)unused;
    cw__job_attach_own(job, other);
}

static void attach_other(void *unused)
{
    (void)unused;
    cw__job_attach(job, other);
}

static void attach_third(void *unused)
{
    (void)unused;
    cw__job_attach(job, third);
}

static void check_both_cancelled(void)
{
    CHECK(cw_is_cancelled(other) && cw_is_cancelled(third));
    finish(job);
    CHECK(!cw_is_completed(job));
    finish(other);
    finish(third);
    CHECK(cw_is_completed(job));
    end();
}

SCENARIO(job_attach_own_cancel, 3)
{
    begin();
    job = job_new(0);
    other = job_new(CW__JOB_FOREIGN);
    third = job_new(CW__JOB_FOREIGN);
    model_thread(attach_own_two, NULL);
    model_thread(cancel, job);
    model_run();
    check_both_cancelled();
}

MUTANT(job_attach_own_cancel, "the body does not look after attaching")
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_LOAD, &job->state))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

MUTANT(job_attach_own_cancel, "the canceller does not see fresh children")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_LOAD, &job->fresh))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

MUTANT(job_attach_own_cancel, "the body looks before it attaches")
{
    static uint64_t earlier;
    if (op->thread != 1) return MODEL_AS_IS;
    if (MODEL_IS(op, MODEL_LOAD, &job->fresh))
        earlier = model_peek(&job->state);
    if (!MODEL_IS(op, MODEL_LOAD, &job->state)) return MODEL_AS_IS;
    op->value = earlier;
    return MODEL_FORCE;
}

/* Others than the body attach. */
SCENARIO(job_attach_cancel, 2)
{
    begin();
    job = job_new(CW__JOB_FOREIGN);
    other = job_new(CW__JOB_FOREIGN);
    third = job_new(CW__JOB_FOREIGN);
    model_thread(attach_other, NULL);
    model_thread(attach_third, NULL);
    model_thread(cancel, job);
    model_run();
    check_both_cancelled();
}

MUTANT(job_attach_cancel, "the lock does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &job->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* A child fails while its parent gets another one and is cancelled. */
SCENARIO(job_fail_attach, 2)
{
    begin();
    job = job_new(CW__JOB_ASYNC);
    other = job_new(CW__JOB_FOREIGN);
    third = job_new(CW__JOB_FOREIGN);
    cw_job *failing = cw__job_new(home, &nothing, CW__JOB_FOREIGN, 0, 0);
    cw__job_attach_own(job, failing);
    model_thread(attach_own_other, NULL);
    model_thread(finish_badly, failing);
    model_thread(cancel, job);
    model_run();
    /* The failure is its root cause or, after the cancellation, reported. */
    cw_error *told = job->error;
    if (cw__error_is_cancel(told)) told = job->extra->reports->error;
    CHECK(cw_error_code(told) == CW_EFAILED);
    cw__job_attach_own(job, third);
    check_both_cancelled();
}

MUTANT(job_fail_attach, "the body does not look after attaching")
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_LOAD, &job->state))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

/* Two cancels meet in a tree whose leaf ends. */
SCENARIO(job_cancel_tree, 2)
{
    begin();
    job = job_new(0);
    other = job_new(0);
    third = job_new(CW__JOB_FOREIGN);
    cw__job_attach_own(job, other);
    cw__job_attach_own(other, third);
    finish(other);
    model_thread(cancel, job);
    model_thread(cancel, other);
    model_thread(finish, third);
    model_run();
    CHECK(cw_is_completed(third) && cw_is_completed(other));
    CHECK(cw_is_cancelled(job));
    finish(job);
    CHECK(cw_is_completed(job));
    end();
}

MUTANT(job_cancel_tree, "taking a child takes no reference")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_ADD, &other->refs)
               ? MODEL_SKIP
               : MODEL_AS_IS;
}

/* ---- lazy jobs */

static _Atomic unsigned started;

static void start(void *of)
{
    if (cw_job_start(of)) cw_add_relaxed(&started, 1);
}

/* It is queued once, or ends without having begun. */
SCENARIO(job_start_cancel, 2)
{
    begin();
    started = 0;
    job = job_new(0);
    cw_store_relaxed(&job->state, CW__JOB_NEW);
    model_thread(start, job);
    model_thread(start, job);
    model_thread(cancel, job);
    model_run();
    cw_job *queued[2];
    uint32_t count = cw__context_take(home, queued, 2);
    CHECK(count == started && count <= 1);
    CHECK(cw_is_completed(job) == (count == 0) && cw_is_cancelled(job));
    if (count) finish(job);
    CHECK(home->outside_launched == home->outside_completed);
    end();
}

MUTANT(job_start_cancel, "the lock does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &job->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* ---- jobs that anybody completes */

static _Atomic unsigned completions;
static int values[2] = {1, 2};

static void complete(void *value)
{
    if (cw__deferred_complete(job, &valued, value) == 1)
        cw_add_relaxed(&completions, 1);
}

/* One value gets through, or none if it is cancelled before. */
SCENARIO(job_complete_cancel, 2)
{
    begin();
    completions = 0;
    job = cw__deferred_new(&valued, NULL);
    wait_for_job(waiting[0]);
    model_thread(complete, &values[0]);
    model_thread(complete, &values[1]);
    model_thread(cancel, job);
    model_run();
    CHECK(cw_is_completed(job) && completions <= 1);
    check_fired(0);
    int value = 0;
    int status = cw__result(job, &valued, &value);
    CHECK(status == (job->error ? CW_ECANCELED : CW_OK));
    CHECK(job->error || (completions == 1 && (value == 1 || value == 2)));
    end();
}

MUTANT(job_complete_cancel, "the lock does not compare")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &job->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* ---- functions that are called at the end */

static cw_handler *handler;
static _Atomic unsigned calls;

static void count_call(void *unused, cw_error *error)
{
    (void)unused;
    (void)error;
    cw_add_relaxed(&calls, 1);
}

static void dispose(void *unused)
{
    (void)unused;
    cw_handler_dispose(handler);
}

static void handle_end(void *unused)
{
    (void)unused;
    cw_handler_dispose(cw_on_completion(job, 0, count_call, NULL));
}

SCENARIO(job_handler, 2)
{
    begin();
    calls = 0;
    job = job_new(CW__JOB_FOREIGN);
    handler = cw_on_completion(job, 0, count_call, NULL);
    model_thread(finish, job);
    model_thread(dispose, NULL);
    model_thread(handle_end, NULL);
    model_run();
    CHECK(cw_is_completed(job) && calls <= 2);
    end();
}

MUTANT(job_handler, "the lock does not compare")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &job->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* An early handler behind a child: the cancel comes by when the child may have
 * gone, and so may the job. */
SCENARIO(job_handler_among_children, 2)
{
    begin();
    calls = 0;
    job = job_new(CW__JOB_FOREIGN);
    other = job_new(CW__JOB_FOREIGN);
    third = job_new(CW__JOB_FOREIGN);
    cw__job_attach(job, other);
    cw__job_attach(job, third);
    handler = cw_on_completion(job, CW_ON_CANCELLING, count_call, NULL);
    cw__job_finish(NULL, job, NULL); /* it is over when they are */
    model_thread(finish, third);
    model_thread(finish, other);
    model_thread(cancel, job);
    model_run();
    CHECK(cw_is_completed(job) && calls == 1);
    cw_handler_dispose(handler);
    end();
}

MUTANT(job_handler_among_children, "the lock does not compare")
{
    return op->thread == 3 && MODEL_IS(op, MODEL_CAS, &job->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* ---- time limits */

static cw__limit *limit;

static void run_down(void *unused)
{
    (void)unused;
    cw__woken woken;
    cw__limit *limits;
    cw__timers_due(&home->timers, cw__now_ns() + 1000 * 1000 * 1000, 8, &woken,
                   &limits);
    cw__limits_expire(limits);
}

SCENARIO(job_limit_end, 2)
{
    begin();
    job = job_new(CW__JOB_FOREIGN);
    cw_error *late = cw_error_new(CW_ETIMEDOUT, NULL, NULL);
    CHECK(cw__limit_set(home, job, 1, late) >= 0);
    cw_error_release(late);
    limit = job->extra->limits[CW__TIMEOUT];
    model_thread(finish, job);
    model_thread(run_down, NULL);
    model_thread(wait_for_job, waiting[0]);
    model_run();
    CHECK(cw_is_completed(job));
    CHECK((cw_job_error(job) != NULL) == cw_is_cancelled(job));
    check_fired(0);
    end();
}

MUTANT(job_limit_end, "the clock takes no reference")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_ADD, &limit->refs)
               ? MODEL_SKIP
               : MODEL_AS_IS;
}

MUTANT(job_limit_end, "the heap's lock does not compare")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &home->timers.lock)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}
