/* kill_model.c: a worker loses its thread: launching, ends, scopes, timers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "killing.h"

#include "launch.h"

/* ---- dispatching */

CW_COROUTINE(yields, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    own_step();
    CW_YIELD(self);
    own_step();
    CW_END(self);
}

/* What is queued behind it on the only worker is not lost. */
WAY(yield, 2)
{
    begin(1);
    start_victim(&yields);
    start_counting(0);
    run();
    check_lost();
    CHECK(words->ran[0] == 1);
    end();
}

MUTANT(kill_yield, "the killer does not look at the gate")
{
    if (op->thread != 2 || op->address != (uintptr_t)&workers[0].gate)
        return MODEL_AS_IS;
    if (op->kind == MODEL_CAS) return MODEL_FORCE;
    if (op->kind != MODEL_LOAD || (op->now & CW__GATE_STATE) != CW__GATE_CLOSED)
        return MODEL_AS_IS;
    op->value = CW__GATE_KILLABLE;
    return MODEL_FORCE;
}

MUTANT(kill_yield, "who is held at the gate does not wait")
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_CAS, &workers[0].gate))
        return MODEL_AS_IS;
    return (op->now & CW__GATE_STATE) == CW__GATE_HELD ? MODEL_FORCE
                                                       : MODEL_AS_IS;
}

MUTANT(kill_yield, "who comes to the gate when it is lost goes on")
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_CAS, &workers[0].gate))
        return MODEL_AS_IS;
    return MODEL_FORCE;
}

MUTANT(kill_yield, "opening the gate does not release")
{
    if (!MODEL_IS(op, MODEL_STORE, &workers[0].gate) || op->thread != 1)
        return MODEL_AS_IS;
    op->order = __ATOMIC_RELAXED;
    return MODEL_CHANGED;
}

/* What the killer frees when the thread is declared dead is not all. */
MUTANT(kill_yield, "memory is freed without a proof of death")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_CAS, &first_life->over))
        return MODEL_AS_IS;
    op->value = 3;
    return MODEL_CHANGED;
}

MUTANT(kill_yield, "the worker gets no other thread")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_SUB, &pool->up))
        return MODEL_AS_IS;
    return MODEL_SKIP;
}

/* ---- the turn of a gate */

CW_FUNCTION(runs_on, cw_none, cw_none)
{
    (void)arg, (void)result;
    cw_add_seq_cst(&words->ran[1], 1);
    return CW_OK;
}

CW_FUNCTION(runs_long, cw_none, cw_none)
{
    (void)arg, (void)result;
    own_step();
    return CW_OK;
}

/* The next one may be killed, too, but nobody means to. It runs while the
 * thread before, which is left behind, comes to the gate. */
SCENARIO(kill_not_the_next, 2)
{
    terminating = false;
    begin(1);
    start_victim(&runs_long);
    next = job_of(&runs_on, CW__JOB_KILLABLE);
    start(next);
    run();
    CHECK(words->ran[1] == 1 && !cw_job_error(next));
    end();
}

MUTANT(kill_not_the_next, "turns are used twice")
{
    if (!MODEL_IS(op, MODEL_STORE, &workers[0].gate)) return MODEL_AS_IS;
    workers[0].gate_turn = 0;
    return MODEL_CHANGED;
}

MUTANT(kill_not_the_next, "the killer does not look whom it holds")
{
    static bool held;
    if (op->thread != 2) return MODEL_AS_IS;
    if (MODEL_IS(op, MODEL_CAS, &workers[0].gate)) held = true;
    if (!held || !MODEL_IS(op, MODEL_STORE, &workers[0].gate))
        return MODEL_AS_IS;
    op->value = CW__GATE_DOOMED;
    return MODEL_CHANGED;
}

/* ---- launching */

CW_COROUTINE(spawns, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    own_step();
    CHECK(cw_spawn(NULL, counts, &words->ran[1]) == CW_OK);
    own_step();
    CW_END(self);
}

WAY(launch, 2)
{
    begin(1);
    start_victim(&spawns);
    start_counting(0);
    run();
    CHECK(words->ran[0] == 1 && words->ran[1] <= 1);
    end();
}

MUTANT(kill_launch, "the gate opens too early")
{
    /* While the child is put on the ring. */
    if (op->thread == 1 && MODEL_IS(op, MODEL_STORE, &workers[0].ring.tail) &&
        model_peek(&words->step) == 1)
        *(volatile uint32_t *)&workers[0].gate =
            workers[0].gate_turn | CW__GATE_KILLABLE;
    return MODEL_AS_IS;
}

static cw_job *other; /* a handle */

static void note_other(void *unused, cw_error *error)
{
    (void)unused, (void)error;
    cw_add_seq_cst(&words->ran[2], 1);
}

CW_COROUTINE(joins_other, word_pointer, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, other);
    cw_add_seq_cst(self->arg, 1);
    CW_END(self);
}

/* A child that begins inside of its parent's step, which goes on after it, or
 * is lost with it. Nobody has a handle, which would be lost, too. */
static void run_inside(const cw_coroutine *type)
{
    CW__RUNTIME;
    cw__worker *self = cw__self;
    cw_job *job = cw__job_new(pool, type, CW__JOB_ATOMIC, 0, 0);
    CHECK(job);
    cw__job_attach_own(self->current->scope, job);
    cw__job_run_in_place(self, job);
}

CW_COROUTINE(runs_inside, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    run_inside(&yields);
    own_step();
    CW_END(self);
}

WAY(in_place, 1)
{
    begin(1);
    start_victim(&runs_inside);
    start_counting(0);
    run();
    CHECK(words->ran[0] == 1);
    end();
}

CW_COROUTINE(joins_in_place, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, other);
    own_step();
    CW_END(self);
}

/* What is woken in place, in the middle of another one's end, is not killed
 * there: who else waits for that has to hear of it. */
WAY(in_the_way, 2)
{
    begin(1);
    other = job_of(&counts, 0);
    ((struct counts *)(void *)cw__job_frame(other))->arg = &words->ran[0];
    victim = cw__job_new(cw_unconfined_context(), &joins_in_place,
                         CW__JOB_KILLABLE, 1, 0);
    listener = cw_on_completion(victim, 0, note_end, NULL);
    cw_handler *second = cw_on_completion(other, 0, note_other, NULL);
    CHECK(listener && second);
    start(victim);
    CHECK(cw_spawn(pool, joins_other, &words->ran[1]) == CW_OK);
    model_settle();
    start(other);
    run();
    CHECK(words->ran[0] == 1 && words->ran[1] == 1 && words->ran[2] == 1);
    cw_handler_dispose(second);
    cw_job_release(other);
    end();
}

/* Memory of the worker's: what cw_fail() leaves there, and what it frees. */
CW_FUNCTION(fails, cw_none, cw_none)
{
    (void)arg, (void)result;
    (void)cw_fail(CW_EFAILED, "not this one");
    own_step();
    (void)cw_fail(CW_ECANCELED, "but that");
    own_step();
    return CW_ECANCELED;
}

WAY(alloc, 2)
{
    begin(1);
    start_victim(&fails);
    start_counting(0);
    run();
    check_lost();
    CHECK(words->ran[0] == 1);
    end();
}

/* ---- waiting for each other */

CW_COROUTINE(awaits_other, cw_none, cw_none, cw_none nothing;)
{
    CW_BEGIN(self);
    own_step();
    CW_AWAIT(self, counts, other, &self->nothing);
    own_step();
    CW_END(self);
}

WAY(await, 2)
{
    begin(1);
    other = job_of(&counts, 0);
    ((struct counts *)(void *)cw__job_frame(other))->arg = &words->ran[0];
    start_victim(&awaits_other);
    start(other);
    run();
    CHECK(words->ran[0] == 1 && !cw_job_error(other));
    cw_job_release(other);
    end();
}

CW_COROUTINE(joins_victim, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, victim);
    cw_add_seq_cst(&words->ran[0], 1);
    CW_END(self);
}

/* Who waits for the one that is lost goes on, once. */
WAY(join, 2)
{
    begin(1);
    start_victim(&yields);
    CHECK(cw_spawn(pool, joins_victim, CW_NONE) == CW_OK);
    run();
    CHECK(words->ran[0] == 1);
    end();
}

CW_COROUTINE(waits_long, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_FINALLY(self);
    cw_add_seq_cst(&words->ran[0], 1);
    CW_END(self);
}

CW_FUNCTION(cancels_other, cw_none, cw_none)
{
    (void)arg, (void)result;
    own_step();
    cw_cancel(other, NULL);
    own_step();
    return CW_OK;
}

static void cancel_other(void) { cw_cancel(other, NULL); }

WAY(cancel, 2)
{
    begin(1);
    when_killed = cancel_other;
    other = job_of(&waits_long, 0);
    start(other);
    model_settle();
    start_victim(&cancels_other);
    run();
    CHECK(words->ran[0] == 1 && cw_is_completed(other));
    cw_job_release(other);
    end();
}

/* ---- time and scopes */

CW_COROUTINE(delays, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    own_step();
    CW_DELAY(self, 1);
    own_step();
    CW_END(self);
}

WAY(delay, 1)
{
    begin(1);
    start_victim(&delays);
    start_counting(0);
    run();
    check_lost();
    CHECK(words->ran[0] == 1);
    CHECK(cw_load_relaxed(&pool->timers.next_ns) == CW__NEVER);
    end();
}

CW_COROUTINE(opens_scope, cw_none, cw_none, cw_none nothing;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, spawns, CW_NONE, &self->nothing);
    own_step();
    CW_END(self);
}

WAY(scope, 1)
{
    begin(1);
    start_victim(&opens_scope);
    start_counting(0);
    run();
    CHECK(words->ran[0] == 1 && words->ran[1] <= 1);
    end();
}

CW_COROUTINE(calls, cw_none, cw_none, cw_none nothing;)
{
    CW_BEGIN(self);
    CW_CALL(self, yields, CW_NONE, &self->nothing);
    own_step();
    CW_END(self);
}

CW_COROUTINE(limits, cw_none, cw_none, cw_none nothing; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 1, calls, CW_NONE, &self->nothing,
                            &self->in_time);
    own_step();
    CW_END(self);
}

/* A call in a scope with a time limit. */
WAY(limit, 1)
{
    begin(1);
    start_victim(&limits);
    run();
    CHECK(cw_load_relaxed(&pool->timers.next_ns) == CW__NEVER);
    end();
}

/* ---- two workers */

CW_FUNCTION(ends_other, cw_none, cw_none)
{
    (void)arg, (void)result;
    own_step();
    (void)cw_job_complete(other);
    own_step();
    return CW_OK;
}

static void complete_other(void) { (void)cw_job_complete(other); }

/* What it makes ready goes to its ring or slot, or to the other worker, which
 * falls asleep meanwhile, or gets up. */
WAY(wake, 1)
{
    begin(2);
    when_killed = complete_other;
    other = cw_job_new(NULL);
    for (int i = 0; i < 2; i++)
        CHECK(cw_spawn(pool, joins_other, &words->ran[0]) == CW_OK);
    model_settle();
    start_victim(&ends_other);
    run();
    CHECK(words->ran[0] == 2);
    cw_job_release(other);
    end();
}

/* The other worker steals from one who is lost. */
WAY(steal, 1)
{
    begin(2);
    start_victim(&spawns);
    start_counting(0);
    start_counting(2);
    cw__worker_unpark(&workers[0]);
    cw__worker_unpark(&workers[1]);
    run();
    CHECK(words->ran[0] == 1 && words->ran[1] <= 1 && words->ran[2] == 1);
    end();
}
