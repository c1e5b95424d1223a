/* workers_model.c: whole workers that fall asleep, are woken, and end.
 *
 * SPDX-License-Identifier: MIT
 *
 * Here the threads are a context's workers, in their own loop, and one or two
 * from outside. A wake-up that is lost shows as threads that all wait.
 */
#include "model.h"

#include "context.h"
#include "error.h"
#include "host.h"

static cw_context *pool;
static cw__worker *workers;

static struct words {
    _Atomic uint32_t ran[3]; /* what the bodies below set */
} * words;

static cw_job *handle;

typedef _Atomic uint32_t *word_pointer;

/* Says that it has run. */
CW_FUNCTION(sets, word_pointer, cw_none)
{
    cw_store_seq_cst(*arg, 1);
    return CW_OK;
}

/* Takes long: until another body has run. */
CW_FUNCTION(awaits, word_pointer, cw_none)
{
    model_await(*arg);
    return CW_OK;
}

CW_COROUTINE(delays, word_pointer, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    CW_FINALLY(self);
    cw_store_seq_cst(self->arg, 1);
    CW_END(self);
}

static void begin(uint32_t count)
{
    cw__the_host = (cw__host){0};
    words = model_new(sizeof *words);
    handle = NULL;
    CHECK(cw__context_open(count, "pool", NULL, NULL, &pool) == CW_OK);
    workers = pool->workers;
}

static void end(void)
{
    CHECK(cw_context_join(pool) == CW_OK);
    cw_job_release(handle);
    cw_context_release(pool);
    model_delete(words);
}

/* All workers are up and have slept for so long that jobs are handed to them.
 */
static void let_rest(void)
{
    model_settle();
    model_advance(1000 * 1000);
}

/* The same, but they have just fallen asleep: jobs are injected. */
static void let_nod_off(void)
{
    model_settle();
    for (uint32_t i = 0; i < pool->count; i++)
        cw_store_relaxed(&workers[i].slept_at_ns, cw__now_ns());
}

/* For mutants: true for what a worker does in its last look before it sleeps,
 * which comes after it has counted itself among the sleepers. */
static bool in_last_look(const struct model_op *op)
{
    static bool looks[3];
    if (op->thread < 1 || op->thread > (int)pool->count) return false;
    bool *mine = &looks[op->thread];
    if (op->address == (uintptr_t)&pool->idle)
        *mine = op->kind == MODEL_ADD;
    else if (op->address == (uintptr_t)&workers[op->thread - 1].word)
        *mine = false;
    return *mine;
}

/* ---- dispatching against falling asleep */

static void spawn_and_close(void *unused)
{
    (void)unused;
    CHECK(cw_spawn(pool, sets, &words->ran[0]) == CW_OK);
    model_await(&words->ran[0]);
    model_calm_down();
    cw_context_close(pool);
}

/* The worker begins, asleep already, as far as others know. */
SCENARIO(worker_begin, 3)
{
    begin(1);
    model_thread(spawn_and_close, NULL);
    model_run();
    end();
}

MUTANT(worker_begin, "it sleeps even if somebody has woken it")
{
    if (MODEL_IS(op, MODEL_FUTEX_WAIT, &workers[0].word)) return MODEL_FORCE;
    if (op->thread != 1 || !MODEL_IS(op, MODEL_LOAD, &workers[0].word))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

/* The worker gets up, finds nothing and falls asleep, or not. */
SCENARIO(worker_dispatch, 3)
{
    begin(1);
    model_settle();
    cw__worker_unpark(&workers[0]);
    model_thread(spawn_and_close, NULL);
    model_run();
    end();
}

MUTANT(worker_dispatch, "no last look before sleeping")
{
    if (!in_last_look(op) || !MODEL_IS(op, MODEL_LOAD, &pool->inject.newest))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

/* As if it counted itself out after the last look. */
MUTANT(worker_dispatch, "the last look comes too early")
{
    static uint64_t earlier;
    if (op->thread == 1 && MODEL_IS(op, MODEL_STORE, &workers[0].word))
        earlier = op->value ? earlier : model_peek(&pool->inject.newest) != 0;
    if (!in_last_look(op) || !MODEL_IS(op, MODEL_LOAD, &pool->inject.newest))
        return MODEL_AS_IS;
    op->value = earlier;
    return MODEL_FORCE;
}

MUTANT(worker_dispatch, "nobody looks for sleepers")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_LOAD, &pool->idle))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

MUTANT(worker_dispatch, "waking does not set the word")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_STORE, &workers[0].word)
               ? MODEL_SKIP
               : MODEL_AS_IS;
}

MUTANT(worker_dispatch, "waking does not wake")
{
    return MODEL_IS(op, MODEL_FUTEX_WAKE, &workers[0].word) ? MODEL_SKIP
                                                            : MODEL_AS_IS;
}

MUTANT(worker_dispatch, "the system does not compare the word")
{
    return MODEL_IS(op, MODEL_FUTEX_WAIT, &workers[0].word) ? MODEL_FORCE
                                                            : MODEL_AS_IS;
}

/* ---- passing the search on */

static void spawn_two_and_close(void *unused)
{
    (void)unused;
    CHECK(cw_spawn(pool, awaits, &words->ran[0]) == CW_OK);
    CHECK(cw_spawn(pool, sets, &words->ran[0]) == CW_OK);
    model_await(&words->ran[0]);
    model_calm_down();
    cw_context_close(pool);
}

/* The first job does not end before the second has run, which therefore must
 * not wait behind it. */
SCENARIO(worker_dispatch_two, 2)
{
    begin(2);
    let_nod_off();
    model_thread(spawn_two_and_close, NULL);
    model_run();
    end();
}

MUTANT(worker_dispatch_two, "the last searcher does not look back")
{
    static bool stopped;
    if (op->thread > 2) return MODEL_AS_IS;
    if (op->address == (uintptr_t)&pool->idle && op->kind != MODEL_LOAD)
        stopped = op->kind == MODEL_SUB && op->value == 1;
    if (!stopped || op->kind != MODEL_LOAD) return MODEL_AS_IS;
    if (op->address != (uintptr_t)&pool->inject.newest &&
        op->address != (uintptr_t)&pool->backlog.count &&
        op->address != (uintptr_t)&pool->idle)
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

/* ---- jobs that are handed over */

/* The same, and then it closes the pool. */
CW_FUNCTION(awaits_and_closes, word_pointer, cw_none)
{
    model_await(*arg);
    model_calm_down();
    cw_context_close(pool);
    return CW_OK;
}

static void spawn(void *unused)
{
    (void)unused;
    CHECK(cw_spawn(pool, sets, &words->ran[0]) == CW_OK);
}

/* A long job waits for whoever looks there while another one is handed to a
 * sleeper, who may just be getting up. */
SCENARIO(worker_hand_over, 2)
{
    begin(2);
    let_rest();
    cw_job *job = cw__job_new(pool, &awaits_and_closes, 0, 0, 0);
    ((struct awaits_and_closes *)(void *)cw__job_frame(job))->arg =
        &words->ran[0];
    CHECK(cw__context_admit(NULL, pool));
    cw__dispatch(NULL, job, CW__QUEUED);
    model_allow_early_wakes(1);
    model_thread(spawn, NULL);
    model_run();
    end();
}

/* What is handed to it then lies there while it runs something else. */
MUTANT(worker_hand_over, "one that gets up does not await its wake-up")
{
    static bool gets_up[3];
    if (op->thread > 2) return MODEL_AS_IS;
    bool *mine = &gets_up[op->thread];
    if (op->address == (uintptr_t)&pool->idle_bits[0])
        *mine = op->kind == MODEL_AND;
    if (!*mine || !MODEL_IS(op, MODEL_LOAD, &workers[op->thread - 1].word))
        return MODEL_AS_IS;
    op->value = 1;
    return MODEL_FORCE;
}

/* The first worker is awake, has run nothing yet, and is given the short job
 * while it finds the long one, or falls asleep again. */
SCENARIO(worker_give_free, 2)
{
    begin(2);
    let_rest();
    cw_job *job = cw__job_new(pool, &awaits_and_closes, 0, 0, 0);
    ((struct awaits_and_closes *)(void *)cw__job_frame(job))->arg =
        &words->ran[0];
    CHECK(cw__context_admit(NULL, pool));
    cw__dispatch(NULL, job, CW__QUEUED);
    cw__worker_unpark(&workers[0]);
    model_thread(spawn, NULL);
    model_run();
    end();
}

MUTANT(worker_give_free, "who gives does not look whether it is free still")
{
    static bool given;
    if (op->thread != 3) return MODEL_AS_IS;
    if (op->address == (uintptr_t)&workers[0].handed)
        given = op->kind == MODEL_SWAP;
    if (!given || !MODEL_IS(op, MODEL_LOAD, &workers[0].free))
        return MODEL_AS_IS;
    op->value = 1;
    return MODEL_FORCE;
}

MUTANT(worker_give_free, "who has found a job does not look for another one")
{
    static bool found;
    if (op->thread != 1) return MODEL_AS_IS;
    if (op->address == (uintptr_t)&workers[0].free)
        found = op->kind == MODEL_STORE && op->value == 0;
    if (!found || !MODEL_IS(op, MODEL_LOAD, &workers[0].handed))
        return MODEL_AS_IS;
    found = false;
    op->value = 0;
    return MODEL_FORCE;
}

/* ---- jobs that must stay where they are */

static const cw_elements *first_worker;

CW_FUNCTION(sets_on_the_first, word_pointer, cw_none)
{
    CHECK(cw__self == &workers[0]);
    cw_store_seq_cst(*arg, 1);
    return CW_OK;
}

static void spawn_and_await_both(void *unused)
{
    (void)unused;
    CHECK(cw_spawn(pool, sets, &words->ran[1]) == CW_OK);
    model_await(&words->ran[0]);
    model_await(&words->ran[1]);
    model_calm_down();
    cw_context_close(pool);
}

/* A worker gets up for one of these, and is handed another one meanwhile. */
SCENARIO(worker_bound, 2)
{
    begin(2);
    let_rest();
    first_worker = cw_worker_scope(pool, 0);
    handle = cw_launch_with(first_worker, CW_START_DEFAULT, sets_on_the_first,
                            &words->ran[0]);
    CHECK(handle);
    model_thread(spawn_and_await_both, NULL);
    model_run();
    cw_elements_release(first_worker);
    end();
}

MUTANT(worker_bound, "the first one does not look for what it was handed")
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_LOAD, &workers[0].handed))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

/* ---- work on a worker's own ring */

CW_COROUTINE(launches, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CHECK(cw_spawn(NULL, sets, &words->ran[0]) == CW_OK);
    model_await(&words->ran[0]); /* somebody else has to steal it */
    model_calm_down();
    cw_context_close(pool);
    CW_END(self);
}

/* The other worker is about to find nothing and to fall asleep again. */
SCENARIO(worker_steal, 2)
{
    begin(2);
    let_nod_off();
    CHECK(cw_spawn(pool, launches, CW_NONE) == CW_OK);
    cw__worker_unpark(&workers[1]);
    model_run();
    end();
}

MUTANT(worker_steal, "the last look leaves out the rings")
{
    int other = op->thread == 1 ? 1 : 0;
    if (!in_last_look(op) ||
        !MODEL_IS(op, MODEL_LOAD, &workers[other].ring.tail))
        return MODEL_AS_IS;
    op->value = model_peek(&workers[other].ring.head);
    return MODEL_FORCE;
}

/* ---- time */

CW_COROUTINE(delays_and_closes, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    model_calm_down();
    cw_context_close(pool);
    CW_END(self);
}

/* One worker sets the first timer while the other one falls asleep: one of
 * them keeps the time. */
SCENARIO(worker_timer, 2)
{
    begin(2);
    let_nod_off();
    CHECK(cw_spawn(pool, delays_and_closes, CW_NONE) == CW_OK);
    cw__worker_unpark(&workers[1]);
    model_run();
    end();
}

MUTANT(worker_timer, "who falls asleep does not look at the clock")
{
    if (!in_last_look(op) || !MODEL_IS(op, MODEL_LOAD, &pool->timers.next_ns))
        return MODEL_AS_IS;
    op->value = (uint64_t)CW__NEVER;
    return MODEL_FORCE;
}

CW_COROUTINE(delays_long, word_pointer, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 5);
    CW_FINALLY(self);
    cw_store_seq_cst(self->arg, 1);
    CW_END(self);
}

static void delay_and_close(void *unused)
{
    (void)unused;
    int64_t began = cw__now_ns();
    CHECK(cw_spawn(pool, delays, &words->ran[0]) == CW_OK);
    model_await(&words->ran[0]);
    CHECK(cw__now_ns() - began == 1000 * 1000);
    model_calm_down();
    cw_context_close(pool);
}

/* A deadline that comes before the one that the keeper knows. */
SCENARIO(worker_timer_first, 2)
{
    begin(2);
    model_settle();
    CHECK(cw_spawn(pool, delays_long, &words->ran[1]) == CW_OK);
    model_settle();
    model_time_passes_last();
    model_thread(delay_and_close, NULL);
    model_run();
    end();
}

MUTANT(worker_timer_first, "the keeper is not woken")
{
    static bool added;
    if (op->thread > 2) return MODEL_AS_IS;
    if (MODEL_IS(op, MODEL_STORE, &pool->timers.next_ns)) added = true;
    if (!added || op->kind != MODEL_LOAD) return MODEL_AS_IS;
    if (op->address == (uintptr_t)&pool->idle)
        added = false; /* nor anybody else */
    else if (op->address != (uintptr_t)&pool->keeper)
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

/* ---- resuming */

CW_COROUTINE(joins, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, handle);
    cw_store_seq_cst(&words->ran[0], 1);
    CW_END(self);
}

static void finish_and_close(void *unused)
{
    (void)unused;
    cw__job_finish(NULL, handle, NULL);
    model_await(&words->ran[0]);
    model_calm_down();
    cw_context_close(pool);
}

/* The body is resumed from outside while its worker falls asleep. */
SCENARIO(worker_resume, 2)
{
    begin(2);
    model_settle();
    handle = cw__job_new(pool, &joins, CW__JOB_FOREIGN | CW__JOB_ASYNC, 1, 0);
    CHECK(cw__context_admit(NULL, pool));
    CHECK(cw_spawn(pool, joins, CW_NONE) == CW_OK);
    model_thread(finish_and_close, NULL);
    model_run();
    end();
}

/* The only word of one byte. */
MUTANT(worker_resume, "suspending does not release")
{
    if (op->thread > 2 || op->kind != MODEL_CAS || op->size != 1)
        return MODEL_AS_IS;
    op->order = __ATOMIC_RELAXED;
    return MODEL_CHANGED;
}

MUTANT(worker_resume, "resuming does not acquire")
{
    if (op->thread != 3 || op->kind != MODEL_CAS || op->size != 1)
        return MODEL_AS_IS;
    op->order = __ATOMIC_RELEASE;
    return MODEL_CHANGED;
}

/* ---- napping */

CW_COROUTINE(finishes, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw__job_finish(cw__self, handle, NULL);
    model_await(&words->ran[0]); /* somebody else has to run whom this wakes */
    model_calm_down();
    cw_context_close(pool);
    CW_END(self);
}

/* The first worker naps after what it has run; the second runs this. */
static void run_beside_a_napper(const cw_coroutine *type)
{
    model_settle();
    CHECK(workers[0].naps && !workers[1].naps);
    cw_job *job = cw__job_new(pool, type, 0, 0, 0);
    CHECK(cw__context_admit(NULL, pool));
    cw__dispatch(NULL, job, CW__QUEUED);
    cw__worker_unpark(&workers[1]);
    model_run();
    end();
}

/* The first worker, which has run what waits now, naps, or sleeps for good,
 * while the second resumes a body and then does not come to it. */
SCENARIO(worker_nap, 2)
{
    begin(2);
    model_settle();
    cw_store_relaxed(&pool->naps, CW__NAPS_HELP);
    handle = cw__job_new(pool, &joins, CW__JOB_FOREIGN | CW__JOB_ASYNC, 1, 0);
    CHECK(cw__context_admit(NULL, pool));
    CHECK(cw_spawn(pool, joins, CW_NONE) == CW_OK);
    run_beside_a_napper(&finishes);
}

static enum model_change sleeps_on(struct model_op *op)
{
    static bool napped;
    if (op->thread != 1) return MODEL_AS_IS;
    if (op->address == (uintptr_t)&pool->nappers)
        napped = op->kind == MODEL_SUB;
    if (op->address == (uintptr_t)&workers[0].word) napped = false;
    if (!napped || !MODEL_IS(op, MODEL_LOAD, &workers[1].ring.tail))
        return MODEL_AS_IS;
    op->value = model_peek(&workers[1].ring.head);
    return MODEL_FORCE;
}

static enum model_change naps_for_good(const struct model_op *op)
{
    return MODEL_IS(op, MODEL_SUB, &pool->nappers) ? MODEL_SKIP : MODEL_AS_IS;
}

MUTANT(worker_nap, "who has napped sleeps on without a look around")
{
    return sleeps_on(op);
}

MUTANT(worker_nap, "who sleeps for good is taken for a napper")
{
    return naps_for_good(op);
}

/* The same, while the second launches something and does not come to it. */
SCENARIO(worker_nap_launch, 2)
{
    begin(2);
    model_settle();
    cw_store_relaxed(&pool->naps, CW__NAPS_HELP);
    CHECK(cw_spawn(pool, sets, &words->ran[1]) == CW_OK);
    run_beside_a_napper(&launches);
}

MUTANT(worker_nap_launch, "who has napped sleeps on without a look around")
{
    return sleeps_on(op);
}

MUTANT(worker_nap_launch, "who sleeps for good is taken for a napper")
{
    return naps_for_good(op);
}

/* ---- ends of children */

CW_COROUTINE(has_children, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CHECK(cw_spawn(NULL, sets, &words->ran[0]) == CW_OK);
    CHECK(cw_spawn(NULL, sets, &words->ran[1]) == CW_OK);
    CW_END(self);
}

static void cancel_and_close(void *unused)
{
    (void)unused;
    cw_cancel(handle, NULL);
    model_calm_down();
    cw_context_close(pool);
}

/* The worker collects ended children while their parent is cancelled. */
SCENARIO(worker_children_cancel, 2)
{
    begin(1);
    model_settle();
    handle = cw_async(pool, has_children, CW_NONE);
    model_thread(cancel_and_close, NULL);
    model_run();
    CHECK(cw_is_completed(handle));
    CHECK((cw_job_error(handle) != NULL) == cw_is_cancelled(handle));
    end();
}

MUTANT(worker_children_cancel, "the parent's lock does not compare")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &handle->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* ---- closing */

static void launch(void *unused)
{
    (void)unused;
    handle = cw_async(pool, sets, &words->ran[0]);
}

static void close_pool(void *unused)
{
    (void)unused;
    cw_context_close(pool);
}

/* A job that is launched meanwhile runs or is refused, and ends. */
SCENARIO(worker_close_launch, 2)
{
    begin(1);
    model_thread(close_pool, NULL);
    model_thread(launch, NULL);
    model_run();
    CHECK(cw_is_completed(handle));
    CHECK(words->ran[0] == (cw_job_error(handle) == NULL));
    end();
}

MUTANT(worker_close_launch, "launching does not look whether it is closed")
{
    if (op->thread != 3 || !MODEL_IS(op, MODEL_LOAD, &pool->closed))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

MUTANT(worker_close_launch, "launching looks before it counts")
{
    static uint64_t earlier;
    if (op->thread != 3) return MODEL_AS_IS;
    if (MODEL_IS(op, MODEL_LOAD, &pool->closed)) {
        op->value = earlier;
        return MODEL_FORCE;
    }
    if (!MODEL_IS(op, MODEL_ADD, &pool->outside_launched))
        earlier = model_peek(&pool->closed);
    return MODEL_AS_IS;
}

MUTANT(worker_close_launch, "the last look leaves out closing")
{
    if (!in_last_look(op) || !MODEL_IS(op, MODEL_LOAD, &pool->closed))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

static void close_and_await(void *unused)
{
    (void)unused;
    int64_t now = cw__now_ns();
    cw_context_close(pool);
    model_await(&words->ran[0]);
    CHECK(cw__now_ns() - now < 1000 * 1000);
}

/* Closing cuts a delay short that just begins. */
SCENARIO(worker_close_delay, 2)
{
    begin(1);
    model_settle();
    model_time_passes_last();
    CHECK(cw_spawn(pool, delays, &words->ran[0]) == CW_OK);
    model_thread(close_and_await, NULL);
    model_run();
    end();
}

MUTANT(worker_close_delay, "who sets a timer does not look at closing")
{
    static bool added;
    if (op->thread != 1) return MODEL_AS_IS;
    if (MODEL_IS(op, MODEL_STORE, &pool->timers.lock)) added = true;
    if (!added || !MODEL_IS(op, MODEL_LOAD, &pool->closed)) return MODEL_AS_IS;
    added = false;
    op->value = 0;
    return MODEL_FORCE;
}

/* ... or is just over. */
SCENARIO(worker_close_delayed, 2)
{
    begin(1);
    model_settle();
    CHECK(cw_spawn(pool, delays, &words->ran[0]) == CW_OK);
    model_thread(close_pool, NULL);
    model_run();
    CHECK(words->ran[0]);
    end();
}

MUTANT(worker_close_delayed, "the heap's lock does not compare")
{
    return op->thread == 2 && MODEL_IS(op, MODEL_CAS, &pool->timers.lock)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}
