/* end_workers.c: the end of a closed context whose workers do not come.
 *
 * SPDX-License-Identifier: MIT
 *
 * A worker that sleeps, or is somewhere in the runtime, ends by itself once
 * there is nothing left to do. One in user code is declared dead: its thread
 * goes on until it comes to its gate, and no further.
 */
#include "end_workers.h"

#include "kill_gate.h"
#include "lost.h"
#include "platform.h"
#include "remains.h"

/* Holds the worker at its gate if it is in user code, killable or not, for
 * sure. */
static bool hold(cw__worker *worker, bool *is_killable)
{
    *is_killable = cw__gate_hold(worker);
    if (*is_killable) return true;
    /* relaxed: of a thread that has not ended, since this one is not in there
     * if it has; then the gate is not open */
    uintptr_t id = cw_load_relaxed(&worker->thread_id);
    bool goes_on = cw__thread_goes_on(id, &worker->progress);
    if (cw__gate_hold_open(worker)) return goes_on;
    worker->progress = 0;
    (void)cw__thread_goes_on(id, &worker->progress);
    return false;
}

/* Ends what bodies have registered for, as they would themselves: a thread that
 * is in user code between two calls may be about to wait. */
static void end_wait(cw_job *job)
{
    if (!job || job->armed == CW__UNARMED) return;
    cw_cancel(job->scope, NULL); /* unless it is, as it may be shielded */
    (void)cw__end_wait_of(job);
}

static void end_one(cw__worker *worker)
{
    static const cw__loss loss = {"was killed, since its context was closed,",
                                  NULL};
    bool is_killable;
    if (!worker->life || !hold(worker, &is_killable)) return;
    if (!is_killable && worker->interrupted) {
        /* It has been called from within the runtime, which is half done. */
        cw__gate_let_go_open(worker);
        return;
    }
    cw__gate_doom(worker);
    if (!is_killable) end_wait(worker->current);
    (void)cw__worker_lose(worker, &loss);
    worker->ended = true;
    cw__worker_nobody(worker);
}

static void give_up(cw_context *context)
{
    for (uint32_t i = 0; i < context->count; i++) {
        cw__worker *worker = &context->workers[i];
        /* relaxed: nobody else holds it */
        if (cw_load_relaxed(&worker->gate) == CW__GATE_HELD)
            cw__gate_let_go_open(worker);
    }
    uint32_t waits = CW__NOT_ENDED;
    /* acq_rel: they look what has become of the jobs */
    (void)cw_cas_acq_rel(&context->ended, &waits, CW__GIVEN_UP);
    cw__futex_wake(&context->ended);
}

bool cw__end_workers(cw_context *context, bool gives_up)
{
    uint32_t dead = 0;
    for (uint32_t i = 0; i < context->count; i++) {
        cw__worker *worker = &context->workers[i];
        if (!gives_up) end_one(worker);
        if (worker->ended) dead++;
    }
    /* acquire: pairs with the ends of the others */
    bool all = cw_load_acquire(&context->running) == dead;
    while (all && cw__context_end_remains(context) > 0) {
    }
    bool over = all && cw__context_quiet(context);
    if (gives_up && !over) give_up(context);
    /* If some are left, the last one to end tells those who wait then. */
    if (dead > 0 && (over || (gives_up && !all)))
        cw__workers_gone(context, dead);
    return over;
}
