/* kill_gate.c: when a worker's thread may be ended, and when it may not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kill_gate.h"

#include "lock.h"
#include "lost.h"
#include "platform.h"

_Thread_local uint32_t cw__gate_left;

/* More than who kills takes to look again: timers are late, those of a page
 * that has much to do by far. */
static const int64_t at_most_ns = 100 * 1000 * 1000;

static uint32_t with_state(uint32_t word, uint32_t state)
{
    return (word & ~(uint32_t)CW__GATE_STATE) | state;
}

/* Code that is in and out of the runtime all the time would hardly ever be
 * found at an open gate. So it waits there for who wants it, for as long as
 * that one takes at most to look again. */
static void await_holder(cw__worker *self)
{
    int64_t until = cw__now_ns() + at_most_ns;
    /* acquire: pairs with cw__gate_hold() */
    while (cw_load_acquire(&self->gate) == cw__gate_left &&
           cw__now_ns() < until)
        cw__thread_pause();
    cw_store_relaxed(&self->wanted, 0);
}

void cw__gate_open_guarded(cw__worker *self)
{
    const cw_job *job = self->current;
    if (!cw__runs_killable(self) ||
        (job && (job->armed != CW__UNARMED || job->top->callee))) {
        cw_store_relaxed(&self->gate, CW__GATE_OPEN); /* the next call opens */
        return;
    }
    self->gate_turn += CW__GATE_TURN;
    cw__gate_left = self->gate_turn | CW__GATE_KILLABLE;
    /* seq_cst, both: release, for who holds the gate and looks at the worker;
     * and before the look whether somebody wants to, pairs with
     * cw__gate_hold() */
    cw_store_seq_cst(&self->gate, cw__gate_left);
    if (cw_unlikely(cw_load_seq_cst(&self->wanted))) await_holder(self);
}

void cw__gate_close_killable(cw__worker *self)
{
    uint32_t held = with_state(cw__gate_left, CW__GATE_HELD);
    for (unsigned spins = 0;;) {
        uint32_t word = cw__gate_left;
        /* acq_rel: pairs with cw__gate_hold() and cw__gate_let_go() */
        if (cw_cas_acq_rel(&self->gate, &word, CW__GATE_CLOSED)) break;
        if (word != held) cw__thread_lost();
        cw__spin(&spins); /* for a look at a few jobs */
    }
    cw__gate_left = 0;
}

/* Neither open nor killable. Comes back only if the thread may go on; true: it
 * is open after all. */
static bool look(const cw__worker *self)
{
    bool acts_for_it = !cw__own_life || cw__own_life->worker != self;
    if (acts_for_it) return false;
    uint32_t word = cw_load_acquire(&self->gate);
    for (unsigned spins = 0; word == CW__GATE_HELD;) {
        cw__spin(&spins); /* until the other one has looked again */
        /* acquire: pairs with cw__gate_let_go_open() */
        word = cw_load_acquire(&self->gate);
    }
    if ((word & CW__GATE_STATE) == CW__GATE_DOOMED) cw__thread_lost();
    return word == CW__GATE_OPEN;
}

void cw__gate_close_guarded(cw__worker *self)
{
    if (cw__gate_left) {
        cw__gate_close_killable(self);
        return;
    }
    (void)look(self);
    cw_store_relaxed(&self->gate, CW__GATE_CLOSED);
}

cw__worker *cw__gate_enter_guarded(cw__worker *self)
{
    if (cw__gate_left) {
        cw__gate_close_killable(self);
        return self;
    }
    if (!look(self)) return NULL;
    cw_store_relaxed(&self->gate, CW__GATE_CLOSED);
    return self;
}

/* ---- for who kills */

bool cw__gate_hold(cw__worker *worker)
{
    /* seq_cst, both: see cw__gate_open_guarded() */
    cw_store_seq_cst(&worker->wanted, 1);
    uint32_t word = cw_load_seq_cst(&worker->gate);
    if ((word & CW__GATE_STATE) != CW__GATE_KILLABLE) return false;
    /* acq_rel: pairs with the opening; what the worker has done is seen */
    if (!cw_cas_acq_rel(&worker->gate, &word, with_state(word, CW__GATE_HELD)))
        return false;
    cw_store_relaxed(&worker->wanted, 0);
    return true;
}

void cw__gate_let_go(cw__worker *worker)
{
    uint32_t word = cw_load_relaxed(&worker->gate); /* nobody else's now */
    /* release: pairs with the closing */
    cw_store_release(&worker->gate, with_state(word, CW__GATE_KILLABLE));
}

void cw__gate_doom(cw__worker *worker)
{
    uint32_t word = cw_load_relaxed(&worker->gate);
    cw_store_release(&worker->gate, with_state(word, CW__GATE_DOOMED));
}

bool cw__gate_doom_open(cw__worker *worker)
{
    uint32_t word = CW__GATE_OPEN;
    /* acq_rel: what the worker has done is seen as far as it can be */
    (void)cw_cas_acq_rel(&worker->gate, &word, CW__GATE_DOOMED);
    return (word & CW__GATE_STATE) == CW__GATE_DOOMED;
}

bool cw__gate_hold_open(cw__worker *worker)
{
    uint32_t word = CW__GATE_OPEN;
    /* acq_rel: what the worker has done is seen as far as it can be */
    (void)cw_cas_acq_rel(&worker->gate, &word, CW__GATE_HELD);
    return word == CW__GATE_HELD;
}

void cw__gate_let_go_open(cw__worker *worker)
{
    /* release: pairs with look() */
    cw_store_release(&worker->gate, CW__GATE_OPEN);
}
