/* coroutine.h: running bodies, and waking suspended ones.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_COROUTINE_H
#define CW_COROUTINE_H

#include "job.h"
#include "worker.h"

/* Bits of a job's `park` word; coroutine.c explains them. */
enum { CW__PARKED = 1, CW__RESUME = 2, CW__KICK = 4 };

/* Runs the job's body until it ends or gives the worker back. */
void cw__task_run(cw__worker *self, cw_job *job);

/* What the body waited for has happened. True: the caller has to dispatch the
 * job; false: it is awake already, or somebody else does. */
bool cw__task_resume(cw_job *job);
/* The body's scope was cancelled. Same result. */
bool cw__task_kick(cw_job *job);

/* For a look at what a suspended body waits for: nobody runs it from here on up
 * to giving it back, which dispatches it if it was woken meanwhile. The caller
 * has a reference. False: it is not suspended. */
bool cw__task_borrow(cw_job *job);
void cw__task_give_back(cw_job *job);

/* Resumes a body; if it has to be dispatched, notes that in `woken`. With the
 * lock held under which the body would take its registration back. */
void cw__note_task(cw__woken *woken, cw_job *task);

/* Fires a waiter that was just taken off its target, with the target's lock
 * held: notes in `woken` what has to be dispatched. */
void cw__waiter_fire(cw__waiter *waiter, cw__woken *woken);

#endif /* CW_COROUTINE_H */
