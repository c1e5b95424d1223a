/* stats.c: counters read by users, tests and drawings.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"
#include "context.h"

#include <string.h>

void cw_context_stats(const cw_context *context, cw_stats *out)
{
    CW__CHECK_HANDLE(CONTEXT, context);
    memset(out, 0, sizeof *out);
    context = context->home;
    out->launched = cw_load_relaxed(&context->outside_launched);
    out->completed = cw_load_relaxed(&context->outside_completed);
    out->failed = cw_load_relaxed(&context->outside_failed);
    out->cancelled = cw_load_relaxed(&context->outside_cancelled);
    for (uint32_t i = 0; i < context->count; i++) {
        const cw__worker *worker = &context->workers[i];
        out->launched += cw_load_relaxed(&worker->launched);
        out->completed += cw_load_relaxed(&worker->completed);
        out->failed += cw_load_relaxed(&worker->failed);
        out->cancelled += cw_load_relaxed(&worker->cancelled);
        out->steps += cw_load_relaxed(&worker->steps);
        out->steals += cw_load_relaxed(&worker->steals);
        out->stolen += cw_load_relaxed(&worker->stolen);
        out->parks += cw_load_relaxed(&worker->parks);
        out->timers += cw_load_relaxed(&worker->timers_fired);
    }
    out->wakes = cw_load_relaxed(&context->wakes);
    out->lost = cw_load_relaxed(&context->lost);
    /* acquire: who reads that none is left comes after all that they did */
    out->undead = cw_load_acquire(&context->zombies);
    out->leaked = cw_load_relaxed(&context->leaked);
    out->workers = cw_load_relaxed(&context->up);
    /* Those that are not up yet are counted among the sleepers, too. */
    uint32_t asleep = cw_load_relaxed(&context->idle) >> 16;
    out->idle = asleep < out->workers ? asleep : out->workers;
}

#ifdef __wasm__
_Static_assert(sizeof(cw_job) + sizeof(cw_frame) <= 128,
               "a million suspended coroutines fit in 256 MB");
#endif

size_t cw_job_overhead(void) { return sizeof(cw_job) + sizeof(cw_frame); }
