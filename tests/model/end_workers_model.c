/* end_workers_model.c: a closed context's worker is ended in user code.
 *
 * SPDX-License-Identifier: MIT
 *
 * The first thread is the context's one worker, whose body is not killable: it
 * passes its gate by plain stores. The second one holds it there, as the keeper
 * of a closed context does, lets it go, or ends it.
 */
#include "model.h"

#include "context.h"
#include "end_workers.h"
#include "error.h"
#include "host.h"
#include "kill_gate.h"
#include "launch.h"
#include "lost.h"

static cw_context *pool;
static cw__worker *worker;
static cw_job *held, *never; /* handles */
static cw_handler *listener;
static bool cancels_late; /* while the worker runs already */
static bool is_over;

enum { LOOKS = 4 }; /* the keeper's; at the last one it gives up */

static struct words {
    _Atomic uint32_t step, settled;
} * words;

static void own_step(void) { cw_add_seq_cst(&words->step, 1); }

static void note_end(void *unused, cw_error *error)
{
    (void)unused, (void)error;
    cw_add_seq_cst(&words->settled, 1);
}

/* ---- what it runs */

/* In and out of the runtime, which each time leaves its thread's memory and the
 * worker's in another state. */
CW_FUNCTION(passes, cw_none, cw_none)
{
    (void)arg, (void)result;
    own_step();
    (void)cw_fail(CW_EFAILED, "not this one");
    own_step();
    (void)cw_fail(CW_ECANCELED, "but that");
    own_step();
    return CW_ECANCELED;
}

/* Is in user code while it is registered already. */
CW_COROUTINE(joins, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    own_step();
    CW_JOIN(self, never);
    CW_END(self);
}

static void run_inside(const cw_coroutine *type)
{
    CW__RUNTIME;
    cw__worker *self = cw__self;
    cw_job *inner = cw__job_new(pool, type, CW__JOB_ATOMIC, 0, 0);
    CHECK(inner);
    cw__job_attach_own(self->current->scope, inner);
    cw__job_run_in_place(self, inner);
}

CW_COROUTINE(steps, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    own_step();
    CW_END(self);
}

/* Its child's step is user code inside of the runtime. */
CW_COROUTINE(runs_inside, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    run_inside(&steps);
    own_step();
    CW_END(self);
}

/* ---- who ends it */

static void note_loss(cw__worker *lost, cw__life *life, const cw__loss *loss)
{
    (void)lost, (void)loss;
    model_killed(life);
}

static void keep(void *unused)
{
    (void)unused;
    if (cancels_late) cw_cancel(held, NULL);
    for (unsigned i = 1; !is_over && i <= LOOKS; i++) {
        is_over = cw__end_workers(pool, i == LOOKS);
        cw__thread_pause();
    }
}

static void begin(const cw_coroutine *type)
{
    cw__the_host = (cw__host){.worker_lost = note_loss};
    words = model_new(sizeof *words);
    is_over = false;
    never = cw_job_new(NULL);
    CHECK(never);
    CHECK(cw__context_open(1, "pool", NULL, NULL, &pool) == CW_OK);
    worker = &pool->workers[0];
    model_settle();
    model_pauses_take(1000 * 1000);
    CHECK(cw__context_admit(NULL, pool));
    held = cw__job_new(pool, type, CW__JOB_ASYNC | CW__JOB_ATOMIC, 1, 0);
    CHECK(held);
    listener = cw_on_completion(held, 0, note_end, NULL);
    CHECK(listener);
    cw__dispatch(NULL, held, CW__SPAWNED);
    if (!cancels_late) cw_cancel(held, NULL);
    cw_context_close(pool);
    model_thread(keep, NULL);
}

static void end(void)
{
    int status = cw_context_join(pool);
    CHECK(status == CW_OK || (status == CW_ETIMEDOUT && !is_over));
    CHECK(cw_is_completed(held) && words->settled == 1);
    cw_stats stats;
    cw_context_stats(pool, &stats);
    CHECK(stats.launched == stats.completed && stats.undead == 0);
    CHECK(stats.lost == worker->ended);
    if (worker->ended) CHECK(cw__error_is_lost(cw_job_error(held)));
    CHECK(!model_peek(&pool->timers.lock) && !model_peek(&pool->backlog.lock));
    /* Nobody is registered there any more. */
    CHECK(!(model_peek(&never->state) & CW__JOB_WAITERS));
    CHECK(cw_job_complete(never) == 1);
    cw_job_release(never);
    cw_handler_dispose(listener);
    cw_job_release(held);
    cw_context_release(pool);
    model_delete(words);
}

/* ---- each place where it may be */

/* It is held, and may have been about to pass all the same. */
SCENARIO(end_worker_passing, 2)
{
    cancels_late = false;
    begin(&passes);
    model_run();
    end();
}

MUTANT(end_worker_passing, "nobody looks whether the thread has gone on")
{
    if (op->thread == 2 && MODEL_IS(op, MODEL_LOAD, &worker->thread_id))
        worker->progress = UINT64_MAX;
    return MODEL_AS_IS;
}

/* The worker finds its gate in that state, and takes it for open. */
static enum model_change overlooks(struct model_op *op, uint32_t state)
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_LOAD, &worker->gate) ||
        (op->now & CW__GATE_STATE) != state)
        return MODEL_AS_IS;
    op->value = CW__GATE_OPEN;
    return MODEL_FORCE;
}

MUTANT(end_worker_passing, "who is held goes on")
{
    return overlooks(op, CW__GATE_HELD);
}

MUTANT(end_worker_passing, "who is doomed goes on")
{
    return overlooks(op, CW__GATE_DOOMED);
}

MUTANT(end_worker_passing, "who gives up lets nobody go")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_STORE, &worker->gate) &&
                   op->value == CW__GATE_OPEN
               ? MODEL_SKIP
               : MODEL_AS_IS;
}

/* It is between registering for an end and suspending. */
SCENARIO(end_worker_joining, 2)
{
    cancels_late = true;
    begin(&joins);
    model_run();
    end();
}

MUTANT(end_worker_joining, "what it was registered for is not ended")
{
    if (op->thread == 2 && MODEL_IS(op, MODEL_STORE, &worker->gate) &&
        op->value == CW__GATE_DOOMED)
        held->armed = CW__UNARMED;
    return MODEL_AS_IS;
}

/* It is in user code inside of the runtime, and let go. */
SCENARIO(end_worker_in_place, 2)
{
    cancels_late = false;
    begin(&runs_inside);
    model_run();
    end();
}

MUTANT(end_worker_in_place, "letting go does not release")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_STORE, &worker->gate) ||
        op->value != CW__GATE_OPEN)
        return MODEL_AS_IS;
    op->order = __ATOMIC_RELAXED;
    return MODEL_CHANGED;
}
