/* killing.h: what the scenarios share in which a worker loses its thread.
 *
 * SPDX-License-Identifier: MIT
 *
 * A job that may be killed, the victim, goes a way through the core, in steps
 * between which its own code runs. Another thread kills it wherever it is, and
 * gives the worker another thread. Afterwards nothing may be missing.
 *
 * Each way is gone twice. `kill_...`: the victim is cancelled and then killed
 * by cw__kill(); its thread goes on by itself until it comes to the gate, as
 * threads do natively. `lose_...`: the worker is lost, nobody has cancelled
 * anything, and the thread makes no further step, as on the web.
 */
#ifndef MODEL_KILLING_H
#define MODEL_KILLING_H

#include "model.h"

#include "context.h"
#include "error.h"
#include "host.h"
#include "kill.h"
#include "kill_gate.h"
#include "lost.h"
#include "sleep.h"

#define WAY(NAME, BOUND)                                                       \
    static void NAME##_way(void);                                              \
    SCENARIO(kill_##NAME, BOUND)                                               \
    {                                                                          \
        terminating = false;                                                   \
        NAME##_way();                                                          \
    }                                                                          \
    SCENARIO(lose_##NAME, BOUND)                                               \
    {                                                                          \
        terminating = true;                                                    \
        NAME##_way();                                                          \
    }                                                                          \
    static void NAME##_way(void)

static cw_context *pool;
static cw__worker *workers;
static cw_job *victim; /* a handle */
static cw_handler *listener;
static void (*when_killed)(void); /* what else the killer does then */
static cw__life *first_life;      /* of the first worker's first thread */
static cw_job *next;              /* a handle: what else there is to watch */
static bool terminating;

static struct words {
    _Atomic uint32_t step, settled, killed;
    _Atomic uint32_t ran[3]; /* how often the bodies below did */
} * words;

/* The victim's own code. */
static inline void own_step(void) { cw_add_seq_cst(&words->step, 1); }

typedef _Atomic uint32_t *word_pointer;

CW_FUNCTION(counts, word_pointer, cw_none)
{
    cw_add_seq_cst(*arg, 1);
    return CW_OK;
}

/* ---- before */

static void note_end(void *unused, cw_error *error)
{
    (void)unused, (void)error;
    cw_add_seq_cst(&words->settled, 1);
}

static void note_loss(cw__worker *worker, cw__life *life, const cw__loss *loss)
{
    (void)worker, (void)loss;
    cw_add_relaxed(&words->killed, 1);
    model_killed(life);
}

/* From outside, the thread is ended at once, and that proves it. */
static void replace(cw__worker *worker, cw__life *life)
{
    model_terminate(life);
    cw__life_proved(life);
    CHECK(cw__worker_replace(worker) == CW_OK);
}

static void begin(uint32_t count)
{
    cw__the_host = (cw__host){.worker_lost = note_loss};
    if (terminating) model_keep_threads();
    words = model_new(sizeof *words);
    when_killed = NULL;
    next = NULL;
    CHECK(cw__context_open(count, "pool", NULL, NULL, &pool) == CW_OK);
    workers = pool->workers;
    first_life = workers[0].life;
    model_settle();
    model_pauses_take(10 * 1000 *
                      1000); /* who waits at an open gate gives up */
}

/* A job of the pool, with one handle. */
static cw_job *job_of(const cw_coroutine *type, unsigned flags)
{
    cw_job *job = cw__job_new(pool, type, flags, 1, 0);
    CHECK(job);
    return job;
}

static void start(cw_job *job)
{
    CHECK(cw__context_launch(cw__self, job, CW__SPAWNED) == CW_OK);
}

static void start_victim(const cw_coroutine *type)
{
    victim = job_of(type, CW__JOB_KILLABLE);
    listener = cw_on_completion(victim, 0, note_end, NULL);
    CHECK(listener);
    start(victim);
}

/* A job that has nothing to do with it runs once, whatever happens. */
static inline void start_counting(int i)
{
    CHECK(cw_spawn(pool, counts, &words->ran[i]) == CW_OK);
}

/* ---- the killer */

/* As somebody does who hears of a thread's end, but at the gate. */
static bool lose_any(void)
{
    static const cw__loss loss = {"was terminated", NULL};
    for (uint32_t i = 0; i < pool->count; i++) {
        if (!cw__gate_hold(&workers[i])) continue;
        cw__gate_doom(&workers[i]);
        replace(&workers[i], cw__worker_lose(&workers[i], &loss));
        return true;
    }
    return cw_is_completed(victim);
}

static void kill_it(void)
{
    if (!terminating) cw_cancel(victim, NULL);
    while (!(terminating ? lose_any() : cw__kill(victim)))
        cw__thread_pause();
    while (!cw_is_completed(victim))
        cw__thread_pause();
}

/* Waits until all workers sleep again, and nobody is taken for one who does, or
 * looks for work, who is not there. */
static void await_rest(void)
{
    uint32_t all = pool->count * CW__ONE_SLEEPER;
    while (cw_load_seq_cst(&pool->idle) != all ||
           cw_load_seq_cst(&pool->up) != pool->count ||
           cw_load_seq_cst(&pool->zombies))
        cw__thread_pause();
    CHECK(cw_load_seq_cst(&pool->idle_bits[0]) == (1u << pool->count) - 1);
}

static void killer(void *unused)
{
    (void)unused;
    (void)cw_load_seq_cst(&words->step); /* it is looked at: see model.h */
    kill_it();
    while (next && !cw_is_completed(next))
        cw__thread_pause();
    model_calm_down();
    if (when_killed) when_killed();
    await_rest();
    cw_context_close(pool);
}

/* ---- after */

static bool was_killed(void) { return words->killed != 0; }

static void run(void)
{
    model_thread(killer, NULL);
    model_run();
    CHECK(cw_context_join(pool) == CW_OK);
    CHECK(words->settled == 1);
    CHECK(cw_is_completed(victim));
    cw_stats stats;
    cw_context_stats(pool, &stats);
    CHECK(stats.launched == stats.completed);
    CHECK(stats.lost == words->killed && stats.undead == 0);
    CHECK(!model_peek(&pool->timers.lock) && !model_peek(&pool->backlog.lock));
    CHECK(!(model_peek(&victim->state) & CW__JOB_LOCKED));
    const cw_error *error = cw_job_error(victim);
    CHECK(!error || cw__error_is_cancel(error));
}

/* For a victim that launches nothing. */
static inline void check_lost(void)
{
    if (was_killed()) CHECK(cw__error_is_lost(cw_job_error(victim)));
}

static void end(void)
{
    cw_handler_dispose(listener);
    cw_job_release(victim);
    cw_job_release(next);
    cw_context_release(pool);
    model_delete(words);
}

#endif /* MODEL_KILLING_H */
