/* withdraw_model.c: a killable job ends in the queue that a worker takes it
 * from.
 *
 * SPDX-License-Identifier: MIT
 *
 * The first thread is the context's one worker, the others cancel a job that
 * stands in its queue between two more, and withdraw it as who kills does.
 */
#include "model.h"

#include "context.h"
#include "error.h"
#include "host.h"
#include "withdraw.h"

static cw_context *pool;
static cw__worker *workers;
static cw_job *victim, *parent; /* handles */
static cw_handler *listener;

static struct words {
    _Atomic uint32_t begun, cleaned, settled, withdrawn;
    _Atomic uint32_t ran[2]; /* those before and behind it */
} * words;

typedef _Atomic uint32_t *word_pointer;

CW_FUNCTION(counts, word_pointer, cw_none)
{
    cw_add_seq_cst(*arg, 1);
    return CW_OK;
}

CW_COROUTINE(nothing, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_END(self);
}

/* Owes its clean-up once it has begun. */
CW_COROUTINE(cleans_up, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_add_seq_cst(&words->begun, 1);
    CW_YIELD(self);
    CW_FINALLY(self);
    cw_add_seq_cst(&words->cleaned, 1);
    CW_END(self);
}

static void note_end(void *unused, cw_error *error)
{
    (void)unused, (void)error;
    cw_add_seq_cst(&words->settled, 1);
}

static cw_job *admitted(const cw_coroutine *type, unsigned flags)
{
    CHECK(cw__context_admit(NULL, pool));
    cw_job *job = cw__job_new(pool, type, flags, 1, 0);
    CHECK(job);
    return job;
}

/* The worker sleeps. The victim stands between two others; its parent waits
 * but for its end. */
static void begin(void)
{
    cw__the_host = (cw__host){0};
    words = model_new(sizeof *words);
    CHECK(cw__context_open(1, "pool", NULL, NULL, &pool) == CW_OK);
    workers = pool->workers;
    model_settle();
    parent = admitted(&nothing, CW__JOB_FOREIGN | CW__JOB_ASYNC);
    victim = admitted(&cleans_up, CW__JOB_KILLABLE);
    cw__job_attach_own(parent, victim);
    cw__job_finish(NULL, parent, NULL);
    listener = cw_on_completion(victim, 0, note_end, NULL);
    CHECK(listener);
    CHECK(cw_spawn(pool, counts, &words->ran[0]) == CW_OK);
    cw__dispatch(NULL, victim, CW__SPAWNED);
    CHECK(cw_spawn(pool, counts, &words->ran[1]) == CW_OK);
}

static void check_victim(void)
{
    CHECK(cw_context_join(pool) == CW_OK);
    CHECK(cw_is_completed(victim) && cw_is_completed(parent));
    CHECK(words->settled == 1);
    CHECK(words->begun <= 1 && words->cleaned == words->begun);
    CHECK(words->ran[0] == 1 && words->ran[1] == 1);
    cw_stats stats;
    cw_context_stats(pool, &stats);
    CHECK(stats.launched == stats.completed);
}

static void end(void)
{
    check_victim();
    const cw_error *error = cw_job_error(victim);
    if (error)
        CHECK(cw_error_code(error) == CW_ECANCELED);
    else /* it was over before */
        CHECK(words->begun == 1);
    cw_handler_dispose(listener);
    cw_job_release(victim);
    cw_job_release(parent);
    cw_context_release(pool);
    model_delete(words);
}

/* What was not taken before has ended when this returns. */
static void withdraw(void)
{
    cw__job_withdraw(NULL, victim);
    CHECK(cw_is_completed(victim) ||
          !(model_peek(&victim->state) & CW__JOB_QUEUED));
}

/* The worker ends as soon as it can: not before the queue is empty. */
static void cancel_and_withdraw(void *unused)
{
    (void)unused;
    cw_cancel(victim, NULL);
    withdraw();
    cw_context_close(pool);
}

/* It is taken, or withdrawn, and counted once, by whoever takes it. */
SCENARIO(withdraw_take, 2)
{
    begin();
    model_thread(cancel_and_withdraw, NULL);
    model_run();
    end();
}

MUTANT(withdraw_take, "who takes it does not say so")
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_STORE, &victim->state) ||
        op->value & CW__JOB_FINAL)
        return MODEL_AS_IS;
    op->value |= CW__JOB_QUEUED;
    return MODEL_CHANGED;
}

MUTANT(withdraw_take, "the lock of who takes it does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &victim->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

MUTANT(withdraw_take, "who withdraws it does not lock")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &victim->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

MUTANT(withdraw_take, "the queue has no reference")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_ADD, &victim->refs)
               ? MODEL_SKIP
               : MODEL_AS_IS;
}

/* It ends there as all other jobs do: is counted out at once, and put on the
 * list of ended ones by the link that is the queue's. */
MUTANT(withdraw_take, "who withdraws it forgets that it stands in a queue")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_LOAD, &victim->state) ||
        op->order != __ATOMIC_RELAXED || !(op->now & CW__JOB_FINAL))
        return MODEL_AS_IS;
    op->value = op->now & ~(uint64_t)CW__JOB_WITHDRAWN;
    return MODEL_FORCE;
}

MUTANT(withdraw_take, "who takes it forgets that it is withdrawn")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_STORE, &victim->state) ||
        !(op->value & CW__JOB_WITHDRAWN))
        return MODEL_AS_IS;
    op->value &= ~(uint64_t)CW__JOB_WITHDRAWN;
    return MODEL_CHANGED;
}

static void withdraw_cancelled(void *unused)
{
    (void)unused;
    withdraw();
    if (cw_add_seq_cst(&words->withdrawn, 1) == 0) return;
    model_calm_down();
    cw_context_close(pool);
}

/* Two that kill: the job's own warrant is executed, and that of one above. */
SCENARIO(withdraw_twice, 2)
{
    begin();
    cw_cancel(victim, NULL);
    model_thread(withdraw_cancelled, NULL);
    model_thread(withdraw_cancelled, NULL);
    model_run();
    end();
}

MUTANT(withdraw_twice, "it still stands in the queue when it is withdrawn")
{
    if (op->thread == 1 || !MODEL_IS(op, MODEL_STORE, &victim->state) ||
        !(op->value & CW__JOB_WITHDRAWN))
        return MODEL_AS_IS;
    op->value |= CW__JOB_QUEUED;
    return MODEL_CHANGED;
}

MUTANT(withdraw_twice, "who withdraws it does not lock")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &victim->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}
