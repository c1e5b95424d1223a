/* entrance_model.c: a context whose queue is limited, and what stands aside.
 *
 * SPDX-License-Identifier: MIT
 *
 * The first thread is the context's one worker, the others launch and cancel.
 */
#include "model.h"

#include "context.h"
#include "entrance.h"
#include "error.h"
#include "host.h"

static cw_context *pool;
static cw__entrance *entrance;
static cw_job *handle;
static const cw_elements *high;

static struct words {
    _Atomic uint32_t ran[3]; /* what the bodies below set */
} * words;

typedef _Atomic uint32_t *word_pointer;

CW_FUNCTION(sets, word_pointer, cw_none)
{
    cw_store_seq_cst(*arg, 1);
    return CW_OK;
}

static void begin(void)
{
    cw__the_host = (cw__host){0};
    words = model_new(sizeof *words);
    handle = NULL;
    entrance = NULL;
    CHECK(cw__context_open(1, "pool", NULL, NULL, &pool) == CW_OK);
}

static void limit_queue(void)
{
    CHECK(cw_context_limit_queue(pool, 1, CW_FULL_WAIT) == CW_OK);
    entrance = cw_load_relaxed(&pool->entrance);
}

static void end(void)
{
    CHECK(cw_context_join(pool) == CW_OK);
    cw_job_release(handle);
    cw_context_release(pool);
    model_delete(words);
}

/* The worker ends when these have run. */
static void close_after(unsigned first, unsigned second)
{
    model_await(&words->ran[first]);
    model_await(&words->ran[second]);
    model_calm_down();
    CHECK(!entrance || entrance->taken == 0);
    cw_context_close(pool);
}

/* ---- places */

static void spawn(void *word) { CHECK(cw_spawn(pool, sets, word) == CW_OK); }

static void spawn_and_close(void *word)
{
    spawn(word);
    close_after(0, 1);
}

/* Two launches for one place: each gets it, and it is free at the end. */
SCENARIO(entrance_two, 2)
{
    begin();
    limit_queue();
    model_settle();
    model_thread(spawn, &words->ran[0]);
    model_thread(spawn_and_close, &words->ran[1]);
    model_run();
    end();
}

MUTANT(entrance_two, "the lock does not compare")
{
    return MODEL_IS(op, MODEL_CAS, &entrance->lock) ? MODEL_FORCE : MODEL_AS_IS;
}

static void cancel_and_close(void *unused)
{
    (void)unused;
    cw_cancel(handle, NULL);
    close_after(0, 2);
}

/* The one in line is cancelled while the place comes to it; the one behind it
 * gets it all the same. */
SCENARIO(entrance_cancel, 2)
{
    begin();
    limit_queue();
    CHECK(cw_spawn(pool, sets, &words->ran[0]) == CW_OK);
    handle = cw_async(pool, sets, &words->ran[1]);
    CHECK(cw_spawn(pool, sets, &words->ran[2]) == CW_OK);
    model_thread(cancel_and_close, NULL);
    model_run();
    CHECK(cw_is_completed(handle));
    CHECK(words->ran[1] || cw_job_error(handle));
    end();
}

MUTANT(entrance_cancel, "letting in does not compare the job's word")
{
    return op->thread == 1 && MODEL_IS(op, MODEL_CAS, &handle->state)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* ---- aside */

static void launch_high(void *unused)
{
    (void)unused;
    handle = cw_async_with(high, CW_START_DEFAULT, sets, &words->ran[0]);
    close_after(0, 0);
}

/* The worker falls asleep, or sees what has come aside. */
SCENARIO(aside_dispatch, 3)
{
    begin();
    const cw_elements *there = cw_elements_with_context(NULL, pool);
    high = cw_elements_with_priority(there, CW_PRIORITY_HIGH);
    cw_elements_release(there);
    model_settle();
    cw__worker_unpark(&pool->workers[0]);
    model_thread(launch_high, NULL);
    model_run();
    cw_elements_release(high);
    end();
}

MUTANT(aside_dispatch, "the worker never looks aside")
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_LOAD, &pool->aside.waiting))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

MUTANT(aside_dispatch, "nobody looks for sleepers")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_LOAD, &pool->idle))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}
