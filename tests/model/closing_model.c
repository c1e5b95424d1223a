/* closing_model.c: closing a context within limits, against those who launch.
 *
 * SPDX-License-Identifier: MIT
 *
 * The first thread is the context's one worker, the others launch and close.
 */
#include "model.h"

#include "context.h"
#include "host.h"

CW_CHANNEL_TYPE(ints, int)

static cw_context *pool;
static ints empty; /* nobody sends anything */
static cw_job *handle;

CW_COROUTINE(waits, cw_none, cw_none, int got;)
{
    CW_BEGIN(self);
    CW_RECEIVE(self, ints, empty, &self->got);
    CW_END(self);
}

static void begin(void)
{
    cw__the_host = (cw__host){0};
    handle = NULL;
    pool = NULL;
    empty = ints_new(0);
    CHECK(empty.channel);
    CHECK(cw__context_open(1, "pool", NULL, NULL, &pool) == CW_OK);
}

/* The worker ends only if all jobs do. */
static void end(void)
{
    CHECK(cw_context_join(pool) == CW_OK);
    CHECK(cw_is_completed(handle));
    CHECK(cw_error_code(cw_job_error(handle)) == CW_ECANCELED);
    cw_job_release(handle);
    cw_context_release(pool);
    cw_channel_release(empty.channel);
}

static void launch(void *unused)
{
    (void)unused;
    handle = cw_async(pool, waits, CW_NONE);
}

static void close_now(void *unused)
{
    (void)unused;
    CHECK(cw_context_close_within(pool, 0, INT64_MAX) == CW_OK);
}

/* Who closes finds the job, or who launches finds the context closed. */
SCENARIO(closing_launch, 2)
{
    begin();
    model_settle();
    model_thread(launch, NULL);
    model_thread(close_now, NULL);
    model_run();
    end();
}

MUTANT(closing_launch, "who launches does not see that it is closed")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_LOAD, &pool->closed))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

MUTANT(closing_launch, "the roster's locks do not compare")
{
    if (!pool) return MODEL_AS_IS; /* it is being made */
    uintptr_t from = (uintptr_t)pool->roster, room = 17 * CW_CACHE_LINE;
    return op->kind == MODEL_CAS && op->address - from < room ? MODEL_FORCE
                                                              : MODEL_AS_IS;
}

/* Two that close at once cancel the job once, which is waiting. */
SCENARIO(closing_twice, 1)
{
    begin();
    launch(NULL);
    model_settle();
    model_thread(close_now, NULL);
    model_thread(close_now, NULL);
    model_run();
    end();
}

MUTANT(closing_twice, "the limits are made twice")
{
    return MODEL_IS(op, MODEL_CAS, &pool->closing) ? MODEL_FORCE : MODEL_AS_IS;
}
