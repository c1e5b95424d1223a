/* kill_gate.h: when a worker's thread may be ended, and when it may not.
 *
 * SPDX-License-Identifier: MIT
 *
 * A thread can be terminated, or die, at any instruction. If that happens in
 * user code nothing of ours is half done; inside of the runtime it would leave
 * locks held and queues torn. So each worker has a word that says where it is:
 *
 *   CLOSED         inside of the runtime, or asleep: must not be ended
 *   OPEN           in user code that nobody asked to be killable, or that has
 *                  not taken yet what it waited for, or is about to suspend
 *   KILLABLE|turn  in user code that may be ended. Each time it is opened it
 *                  gets another turn, so that whoever means to kill one step
 *                  cannot hit the next
 *   HELD|turn      somebody looks whether this is the one to kill; the worker
 *                  waits at the gate; turn 0: see cw__gate_hold_open()
 *   DOOMED|turn    its thread is as good as dead: when it comes to the gate it
 *                  stays there for good; turn 0: see cw__gate_doom_open()
 *
 * The worker opens the gate around user code and closes it whenever that calls
 * back into the runtime, allocator included. Both cost a plain store unless the
 * code is killable. It is never killable while the body that runs is registered
 * for something to wait for, so a body that is lost waits for nothing. Nor is
 * it while a body runs in place inside of something that the runtime does:
 * woken by the end of another job, say, whose other waiters come after it.
 *
 * A thread that was declared dead may go on for a while. All that it knows of
 * the gate is the word that it left there itself; since turns are never used
 * twice, it cannot pass any more, whoever owns the worker by then.
 */
#ifndef CW_KILL_GATE_H
#define CW_KILL_GATE_H

#include "worker.h"

enum {
    CW__GATE_OPEN, /* 0, as is what a thread leaves there that is not killable:
                      one look at both together tells that all is as usual */
    CW__GATE_CLOSED,
    CW__GATE_KILLABLE,
    CW__GATE_HELD,
    CW__GATE_DOOMED,
    CW__GATE_STATE = 7, /* mask; the turn is above */
    CW__GATE_TURN = 8
};

/* What this thread left at its killable gate; 0: that is not open. */
extern _Thread_local uint32_t cw__gate_left;

/* On a worker that is guarded: killable if what runs is, unless its body is
 * registered. */
void cw__gate_open_guarded(cw__worker *self);
/* For one that is not simply open. These come back only if the thread may go
 * on. */
void cw__gate_close_killable(cw__worker *self);
void cw__gate_close_guarded(cw__worker *self);
/* The same for one that is not closed, either; see cw__runtime_enter(). */
cw__worker *cw__gate_enter_guarded(cw__worker *self);

/* True if what the worker runs now may be killed. */
static inline bool cw__runs_killable(const cw__worker *self)
{
    const cw_job *job = self->current;
    const cw__interrupted *below = self->interrupted;
    if (cw_unlikely(below) && !below->killable) return false;
    return (job && job->flags & CW__JOB_KILLABLE) || self->host_killable;
}

/* True if there is more to a step of the job than opening the gate. There
 * rarely is, so that is all that most are asked. */
static inline bool cw__is_special(const cw__worker *self, const cw_job *job)
{
    return job->flags & (CW__JOB_KILLABLE | CW__JOB_WATCHED) || self->guarded;
}

/* Around a step, if it may need one. Returns what to end it with. */
static inline bool cw__guard_begin(cw__worker *self, const cw_job *job)
{
    bool before = self->guarded;
    if (job->flags & CW__JOB_KILLABLE) self->guarded = true;
    return before;
}

static inline void cw__guard_end(cw__worker *self, bool before)
{
    self->guarded = before || self->host_killable;
}

/* Around a step of the current job's body, and around the host's own code: */
static inline void cw__user_begin(cw__worker *self)
{
    if (cw_unlikely(self->guarded))
        cw__gate_open_guarded(self);
    else /* relaxed: only who finds the thread dead looks at it */
        cw_store_relaxed(&self->gate, CW__GATE_OPEN);
}

/* relaxed: the gate is the caller's own; or that of a dead one, for whom this
 * thread acts, which is neither open nor closed; or another one's already, who
 * is this worker now, but then this thread has left something */
static inline uint32_t cw__gate_word(const cw__worker *self)
{
    return cw__gate_left | cw_load_relaxed(&self->gate);
}

/* For functions that mostly have but to look at what is the body's own, and
 * need no gate for that. Not for who may be killed: he may be dead. */
static inline bool cw__may_look(void) { return !cw__gate_left; }

/* False: that is for cw__gate_close_guarded(). */
static inline bool cw__user_ends(cw__worker *self)
{
    if (cw_unlikely(cw__gate_word(self) != CW__GATE_OPEN)) return false;
    cw_store_relaxed(&self->gate, CW__GATE_CLOSED);
    return true;
}

static inline void cw__user_end(cw__worker *self)
{
    if (!cw__user_ends(self)) cw__gate_close_guarded(self);
}

/* Begins every function that user code calls and that changes anything that is
 * shared. The worker, if the gate was open or is due to be; NULL: nothing to do
 * at the end. */
static inline cw__worker *cw__runtime_enter(void)
{
    cw__worker *self = cw__self;
    if (!self) return NULL;
    uint32_t word = cw__gate_word(self);
    if (cw_unlikely(word != CW__GATE_OPEN))
        return cw_likely(word == CW__GATE_CLOSED)
                   ? NULL
                   : cw__gate_enter_guarded(self);
    cw_store_relaxed(&self->gate, CW__GATE_CLOSED);
    return self;
}

static inline void cw__runtime_leave(cw__worker *const *entered)
{
    if (*entered) cw__user_begin(*entered);
}

/* First in such a function; what it does lasts until that returns. */
#define CW__RUNTIME                                                            \
    cw__worker *const cw__entered                                              \
        __attribute__((cleanup(cw__runtime_leave), unused)) =                  \
            cw__runtime_enter()

/* ---- for who kills */

/* Keeps the worker at its gate if that is open and killable. Then nothing that
 * it runs can end, up to ... If it is not, the worker waits a little when it
 * opens it next, for another try. */
bool cw__gate_hold(cw__worker *worker);
/* ... either of these. */
void cw__gate_let_go(cw__worker *worker);
void cw__gate_doom(cw__worker *worker);

/* For a thread in user code that is not killable, that was terminated, and of
 * which nobody can tell whether it still runs. Its gate is opened and closed by
 * plain stores, so one that passes at this very moment may overwrite the word:
 * a call after that, when those stores must have been seen long ago, tells.
 * True if the gate was doomed before the call. The word has no turn: nobody may
 * become this worker after that. */
bool cw__gate_doom_open(cw__worker *worker);

/* Keeps the worker at its gate if that is open without being killable. Since
 * the worker passes by plain stores, it may have been just about to, and
 * overwrite this. True if the gate was held before the call: if the worker has
 * gone on since, or waits in the system, then it is out there in user code. */
bool cw__gate_hold_open(cw__worker *worker);
/* After that: what it runs is not to be killed. cw__gate_doom() is the other
 * way, and then nobody may become this worker. */
void cw__gate_let_go_open(cw__worker *worker);

#endif /* CW_KILL_GATE_H */
