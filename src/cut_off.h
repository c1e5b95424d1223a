/* cut_off.h: the end of jobs of a context that is lost.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_CUT_OFF_H
#define CW_CUT_OFF_H

#include "job.h"
#include "worker.h"

/* For a job of a context whose threads are all gone, or given up: whoever runs
 * outside of it and waits for the job's end, or is its parent, sees it end now,
 * with `error` (borrowed) unless it has one of its own. What the job itself was
 * in the middle of stays undone. Nothing happens that has happened before: the
 * job may have ended in part or in whole, and may still end late. Its memory is
 * leaked unless it has ended, since a thread may touch it.
 *
 * What only a dead thread knew of stays undone, too: a lock that it held, a
 * body that it had taken off a list and not queued yet, a parent that it was
 * ending. These are a few instructions each, all inside of the runtime. */
void cw__job_cut_off(cw__worker *self, cw_job *job, cw_error *error);

#endif /* CW_CUT_OFF_H */
