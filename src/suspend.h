/* suspend.h: the steps that all kinds of waiting share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_SUSPEND_H
#define CW_SUSPEND_H

#include "elements.h"
#include "job.h"

/* Several registrations of one body: for whichever job ends first badly, or
 * for all of them. */
typedef struct cw__group {
    cw_job *task;
    size_t count;
    _Atomic size_t open;  /* jobs that have not ended */
    _Atomic size_t first; /* the first that ended badly, counted from 1 */
    cw__waiter waiters[];
} cw__group;

/* Before a body registers with anything. True: it must not suspend, its scope
 * is cancelled. */
bool cw__begin_wait(cw_job *job, enum cw__wait_mode mode);

/* Registers the body for a job's end: CW__PENDING if it has to wait. */
int cw__wait_for_job(cw_job *job, cw_job *target, enum cw__wait_mode mode);

/* Takes back the registrations that have not fired. */
void cw__end_wait(cw_job *job);

/* Second halves of awaiting jobs of whatever type, without their results. */
int cw__awaited_any(cw_frame *frame, cw_job *target);
int cw__awaited_all_any(cw_frame *frame, cw_job *const *jobs, size_t count);

/* As cw_on_cancel(); the continuation owns `arg` with others. */
int cw__on_cancel_shared(cw_continuation *continuation, cw_completion_fn *call,
                         cw__shared *arg);

/* After a wait, or instead of one: true if the body has to raise. */
bool cw__raise_if_cancelled(cw_frame *frame);
/* The same for a body that may not have waited at all. */
int cw__resumed(cw_frame *frame);

#endif /* CW_SUSPEND_H */
