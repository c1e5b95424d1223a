/* cut_off_model.c: the end of a job for others, whose own thread is lost.
 *
 * SPDX-License-Identifier: MIT
 *
 * The first thread ends a job, and makes no further step once the second one
 * cuts that off, wherever it is. Who waits for the job, and for its parent,
 * which waits but for its end, hears of that once.
 */
#include "model.h"

#include "context.h"
#include "cut_off.h"
#include "error.h"
#include "host.h"
#include "suspend.h"

CW_COROUTINE(nothing, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_END(self);
}

static cw_context *lost, *here;
static cw_job *job, *parent; /* handles */
static cw_error *loss;
static bool was_locked, had_left; /* when it was cut off */

/* One of several registrations of a body that is awake: so nothing is
 * dispatched, and how often it has fired is counted. */
static struct waiting {
    cw_job body;
    cw__group *group;
} * waiting[2];

enum { GROUP_BYTES = sizeof(cw__group) + sizeof(cw__waiter), OPEN = 8 };

static struct waiting *waiting_for(cw_job *of)
{
    struct waiting *one = model_new(sizeof *one);
    one->group = model_new(GROUP_BYTES);
    one->group->task = &one->body;
    one->group->open = OPEN;
    cw__waiter *waiter = one->group->waiters;
    waiter->kind = CW__WAITER_GROUP;
    waiter->owner.pointer = one->group;
    CHECK(cw__job_wait(of, waiter) == CW__PENDING);
    return one;
}

static void waiting_delete(struct waiting *one)
{
    model_delete(one->group);
    model_delete(one);
}

static size_t fired(int i)
{
    return OPEN - cw_load_relaxed(&waiting[i]->group->open);
}

static void begin(void)
{
    cw__the_host = (cw__host){0};
    lost = cw__context_adopt("lost");
    here = cw__context_adopt("here");
    was_locked = false;
    loss = cw_error_new(CW_ELOST, "with its context", NULL);
    parent = cw__job_new(here, &nothing, CW__JOB_FOREIGN | CW__JOB_ASYNC, 1, 0);
    job = cw__job_new(lost, &nothing, CW__JOB_FOREIGN | CW__JOB_ASYNC, 1, 0);
    cw__job_attach_own(parent, job);
    cw__job_finish(NULL, parent, NULL);
    waiting[0] = waiting_for(job);
    waiting[1] = waiting_for(parent);
}

/* All references: that of a thread that may touch it, and those that one has
 * taken with it. */
static void drop_all(cw_job *of)
{
    for (uint32_t refs = model_peek(&of->refs); refs > 0; refs--)
        cw__job_drop(of);
}

static void disown(cw_context *context)
{
    for (uint32_t refs = model_peek(&context->refs); refs > 1; refs--)
        cw__context_drop(context);
    cw__context_disown(context);
}

static void end(void)
{
    drop_all(job);
    drop_all(parent);
    for (int i = 0; i < 2; i++)
        waiting_delete(waiting[i]);
    cw_error_release(loss);
    disown(lost);
    disown(here);
}

static void finish(void *of) { cw__job_finish(NULL, of, NULL); }

static bool is_locked(const cw_job *of)
{
    return model_peek(&of->state) & CW__JOB_LOCKED;
}

static void cut_off(void *unused)
{
    (void)unused;
    model_killed(job);
    model_terminate(job);
    was_locked = is_locked(job) || is_locked(parent);
    had_left = job->parent == NULL;
    cw__job_cut_off(NULL, job, loss);
}

static void check(void)
{
    CHECK(fired(0) <= 1 && fired(1) <= 1);
    if (was_locked) return; /* for ever: nobody can tell what is behind that */
    CHECK(cw_is_completed(job) && fired(0) == 1);
    /* What it had met before stays. */
    const cw_error *error = cw_job_error(job);
    bool cancelled = cw_is_cancelled(job) && error != loss;
    CHECK(!error || error == loss || cw__error_is_cancel(error));
    if (had_left) return; /* the parent was the dead thread's to end */
    CHECK(cw_is_completed(parent) && fired(1) == 1);
    CHECK(cw_job_error(parent) == (cancelled ? NULL : error));
}

static void run(void (*entry)(void *))
{
    model_pauses_take(20 * 1000 * 1000);
    model_thread(entry, job);
    model_thread(cut_off, NULL);
    model_run();
    check();
    end();
}

SCENARIO(cut_off_ending, 3)
{
    begin();
    run(finish);
}

MUTANT(cut_off_ending, "nobody looks whether a lock's holder is dead")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_LOAD, &job->state))
        return MODEL_AS_IS;
    op->value = op->now & ~(uint64_t)CW__JOB_LOCKED;
    return MODEL_FORCE;
}

MUTANT(cut_off_ending, "what has ended ends again")
{
    if (op->thread != 2) return MODEL_AS_IS;
    if (MODEL_IS(op, MODEL_CAS, &job->state)) return MODEL_FORCE;
    if (!MODEL_IS(op, MODEL_LOAD, &job->state)) return MODEL_AS_IS;
    op->value = op->now & ~(uint64_t)CW__JOB_FINAL;
    return MODEL_FORCE;
}

/* The same when its end is to be told to more, as it is cancelled. */
SCENARIO(cut_off_cancelled, 3)
{
    begin();
    cw_cancel(job, loss);
    run(finish);
}

MUTANT(cut_off_cancelled, "who waits is not looked for")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_CAS, &job->state))
        return MODEL_AS_IS;
    if (model_peek(&job->state) & CW__JOB_FINAL) job->waiters = NULL;
    return MODEL_AS_IS;
}

/* ---- among others */

static cw_job *sibling; /* a handle */

/* Who holds its lock would keep it from the sibling, too. */
static void cut_off_unlocked(void *unused)
{
    if (!is_locked(parent) && !is_locked(job)) cut_off(unused);
}

static void finish_sibling(void *unused)
{
    (void)unused;
    finish(sibling);
}

/* Another child ends in the meantime, and one of them ends the parent. */
SCENARIO(cut_off_sibling, 2)
{
    begin();
    sibling =
        cw__job_new(here, &nothing, CW__JOB_FOREIGN | CW__JOB_ASYNC, 1, 0);
    cw__job_attach(parent, sibling);
    model_thread(finish, job);
    model_thread(cut_off_unlocked, NULL);
    model_thread(finish_sibling, NULL);
    model_run();
    CHECK(cw_is_completed(sibling));
    check();
    cw_job_release(sibling);
    end();
}

MUTANT(cut_off_sibling, "the parent's lock does not compare")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &parent->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}
