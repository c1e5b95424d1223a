/* worker_scope_model.c: what is bound to a worker that is lost.
 *
 * SPDX-License-Identifier: MIT
 *
 * A victim runs on the pool's one worker and is killed wherever it is, and the
 * worker's scope with it: a job that waits there, and one that a third thread
 * launches there at this moment.
 */
#include "killing.h"

#include "remains.h"

static const cw_elements *scope;
static cw_job *waiting, *launched; /* handles */
static cw_job *supervisor;         /* of the first thread; a handle */
static bool nobody_left;           /* it got no other thread */

CW_COROUTINE(runs, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    own_step();
    CW_YIELD(self);
    own_step();
    CW_END(self);
}

CW_FUNCTION(awaits_launch, cw_none, cw_none)
{
    (void)arg, (void)result;
    own_step();
    model_await(&words->ran[2]);
    return CW_OK;
}

/* Owes its clean-up, on whatever thread the worker has then. */
CW_COROUTINE(waits, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_FINALLY(self);
    CHECK(cw__self == &workers[0]);
    cw_add_seq_cst(&words->ran[0], 1);
    CW_END(self);
}

CW_FUNCTION(counts_there, cw_none, cw_none)
{
    (void)arg, (void)result;
    CHECK(cw__self == &workers[0]);
    cw_add_seq_cst(&words->ran[1], 1);
    return CW_OK;
}

/* Its handle is there at the end only. */
static void launch(void)
{
    launched = cw_async_with(scope, CW_START_DEFAULT, counts_there, CW_NONE);
    CHECK(launched);
    cw_store_seq_cst(&words->ran[2], 1);
}

static void launch_there(void *unused)
{
    (void)unused;
    launch();
}

static void ask_and_launch_there(void *unused)
{
    (void)unused;
    scope = cw_worker_scope(pool, 0);
    CHECK(scope);
    launch();
}

static void end_waiting(void)
{
    model_await(&words->ran[2]);
    cw_cancel(waiting, NULL);
    while (!cw_is_completed(waiting) || !cw_is_completed(launched))
        cw__thread_pause();
}

/* The worker has a scope, in which a job waits. */
static void begin_scope(void)
{
    begin(1);
    nobody_left = false;
    when_killed = end_waiting;
    scope = cw_worker_scope(pool, 0);
    CHECK(scope);
    supervisor = cw_job_retain(workers[0].scope);
    waiting = cw_async_with(scope, CW_START_DEFAULT, waits, CW_NONE);
    CHECK(waiting);
    model_settle();
}

/* Ended with the worker, as is told. */
static void check_scope_lost(cw_job *job)
{
    const cw_error *error = cw_job_error(job);
    CHECK(error && cw__error_is_cancel(error));
    CHECK(cw__error_is_lost(error));
}

static void check_scope(void)
{
    CHECK(cw_is_completed(waiting) && cw_is_completed(launched));
    bool cleans_up = !nobody_left;
    CHECK(words->ran[0] == cleans_up && words->ran[1] <= 1);
    CHECK(cw_is_cancelled(supervisor) == was_killed());
    if (was_killed()) check_scope_lost(waiting);
    /* It ran, or ended with the worker, which may come while it runs. */
    if (!cw_job_error(launched)) {
        CHECK(words->ran[1] == 1);
    } else {
        CHECK(was_killed());
        check_scope_lost(launched);
    }
}

static void end_scope(void)
{
    check_scope();
    cw_elements_release(scope);
    cw_job_release(supervisor);
    cw_job_release(waiting);
    cw_job_release(launched);
    end();
}

/* The launch comes before the loss, and is cancelled with the rest, or after,
 * and is refused. */
WAY(pinned_launch, 1)
{
    begin_scope();
    start_victim(&runs);
    model_thread(launch_there, NULL);
    run();
    end_scope();
}

MUTANT(lose_pinned_launch, "the launch does not lock the supervisor")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &supervisor->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* The scope is asked for at this moment: it is the lost one's or the next
 * one's.
 */
WAY(pinned_ask, 1)
{
    begin_scope();
    cw_elements_release(scope);
    scope = NULL;
    start_victim(&runs);
    model_thread(ask_and_launch_there, NULL);
    run();
    end_scope();
}

MUTANT(lose_pinned_ask, "who asks does not lock who the supervisor is")
{
    /* Up to then it locks nothing else that anybody knows. */
    return op->thread == 2 && !scope && op->kind == MODEL_CAS ? MODEL_FORCE
                                                              : MODEL_AS_IS;
}

/* ---- a worker that gets no other thread */

static void lose_for_good(void *unused)
{
    (void)unused;
    static const cw__loss loss = {"was terminated", NULL};
    model_await(&words->step);
    while (!cw_is_completed(victim) && !cw__gate_hold(&workers[0]))
        cw__thread_pause();
    nobody_left = !cw_is_completed(victim);
    if (nobody_left) {
        cw__gate_doom(&workers[0]);
        cw__life *life = cw__worker_lose(&workers[0], &loss);
        model_terminate(life);
        cw__life_proved(life);
        /* As cw__worker_replace() does when it fails. */
        cw__worker_nobody(&workers[0]);
        cw__worker_gone(&workers[0]);
    }
    model_await(&words->ran[2]);
    model_calm_down();
    end_waiting();
    cw_context_close(pool);
}

/* What is launched there ends with the others, by its launcher if the worker is
 * past it. Nobody runs anything any more, clean-up neither. */
SCENARIO(pinned_nobody, 1)
{
    terminating = true;
    begin_scope();
    start_victim(&awaits_launch);
    model_thread(launch_there, NULL);
    model_thread(lose_for_good, NULL);
    model_run();
    CHECK(cw_context_join(pool) == CW_OK);
    CHECK(nobody_left == was_killed());
    CHECK(cw_is_completed(victim) && words->settled == 1);
    check_lost();
    check_scope();
    cw_stats stats;
    cw_context_stats(pool, &stats);
    CHECK(stats.launched == stats.completed && stats.undead == 0);
    end_scope();
}

MUTANT(pinned_nobody, "who launches does not look whether anybody is there")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_LOAD, &workers[0].deaf))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

MUTANT(pinned_nobody, "who launches looks before the job is in the inbox")
{
    static uint64_t earlier;
    if (op->thread != 2) return MODEL_AS_IS;
    if (MODEL_IS(op, MODEL_LOAD, &workers[0].inbox.newest))
        earlier = model_peek(&workers[0].deaf);
    if (!MODEL_IS(op, MODEL_LOAD, &workers[0].deaf)) return MODEL_AS_IS;
    op->value = earlier;
    return MODEL_FORCE;
}

MUTANT(pinned_nobody, "the inbox is emptied before nobody reads it")
{
    static bool skipped;
    if (op->thread != 3) return MODEL_AS_IS;
    if (MODEL_IS(op, MODEL_STORE, &workers[0].deaf)) {
        skipped = true;
        return MODEL_SKIP;
    }
    if (skipped && MODEL_IS(op, MODEL_SUB, &pool->running)) {
        skipped = false;
        *(volatile uint32_t *)&workers[0].deaf = 1;
    }
    return MODEL_AS_IS;
}
