/* kill_model.c: a worker loses its thread: launching, ends, scopes, timers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "killing.h"

#include "launch.h"

/* ---- dispatching and launching */

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
    CHECK(words->ran[0] == 1);
    end();
}

/* The gate is no help to one who does not look at it. */
MUTANT(kill_yield, "the killer does not look at the gate")
{
    if (op->thread != 2 || op->address != (uintptr_t)&workers[0].gate)
        return MODEL_AS_IS;
    if (op->kind == MODEL_CAS) return MODEL_FORCE;
    if (op->kind != MODEL_LOAD || op->now & CW__GATE_STATE) return MODEL_AS_IS;
    op->value = CW__GATE_KILLABLE;
    return MODEL_FORCE;
}
