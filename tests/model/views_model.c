/* views_model.c: parts of contexts, and contexts that grow.
 *
 * SPDX-License-Identifier: MIT
 */
#include "model.h"

#include "view.h"

static cw_context *pool, *view;

static struct words {
    _Atomic uint32_t ran[2]; /* what the bodies below set */
} * words;

typedef _Atomic uint32_t *word_pointer;

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

static void end(void)
{
    CHECK(cw_context_join(pool) == CW_OK);
    cw_context_release(pool);
    model_delete(words);
}

/* ---- the last job of a view against a new one */

static void spawn_first(void *unused)
{
    (void)unused;
    CHECK(cw_spawn(view, sets, &words->ran[0]) == CW_OK);
}

static void spawn_second_and_close(void *unused)
{
    (void)unused;
    CHECK(cw_spawn(view, sets, &words->ran[1]) == CW_OK);
    model_await(&words->ran[0]);
    model_await(&words->ran[1]);
    model_calm_down();
    cw_context_close(pool);
}

/* It finds the place taken, or the line empty, while that changes. */
SCENARIO(view_place, 2)
{
    words = model_new(sizeof *words);
    CHECK(cw__context_open(1, "pool", NULL, NULL, &pool) == CW_OK);
    view = cw__view_new(pool, 1, "view");
    model_settle();
    model_thread(spawn_first, NULL);
    model_thread(spawn_second_and_close, NULL);
    model_run();
    cw_context_release(view);
    end();
}

MUTANT(view_place, "its lock does not lock")
{
    const cw__lock *lock = &cw__view_of(view)->lock;
    return MODEL_IS(op, MODEL_CAS, &lock->word) ? MODEL_FORCE : MODEL_AS_IS;
}

/* ---- a context that starts its threads when it needs them */

static void spawn_both_and_close(void *unused)
{
    (void)unused;
    CHECK(cw_spawn(pool, awaits, &words->ran[0]) == CW_OK);
    CHECK(cw_spawn(pool, sets, &words->ran[0]) == CW_OK);
    model_await(&words->ran[0]);
    model_calm_down();
    pool->permanent = false;
    cw_context_close(pool);
}

/* The one thread that it has may be busy with the first job when the second
 * comes, or look for work, or sleep. */
SCENARIO(pool_grows, 2)
{
    words = model_new(sizeof *words);
    CHECK(cw__context_open_growing(2, "pool", &pool) == CW_OK);
    model_settle();
    model_thread(spawn_both_and_close, NULL);
    model_run();
    end();
}

MUTANT(pool_grows, "who finds work still counts as one who looks for it")
{
    if (op->thread != 1 || op->kind != MODEL_SUB ||
        op->address != (uintptr_t)&pool->idle)
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_CHANGED;
}
