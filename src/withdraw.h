/* withdraw.h: ending killable jobs that stand in a queue.
 *
 * SPDX-License-Identifier: MIT
 *
 * A killable job ends in time, whatever the workers are busy with. Nobody can
 * take it out of the middle of a queue; so it ends where it is, and whoever
 * comes upon it in the queue passes it over. That one holds a reference, and
 * counts the job out of its context: up to then the queue is not empty.
 *
 * Only bodies that have not begun end like that, and waits of the host's whose
 * thread is lost. One that has begun is owed its clean-up.
 */
#ifndef CW_WITHDRAW_H
#define CW_WITHDRAW_H

#include "job.h"
#include "worker.h"

/* A killable job is about to be queued in a context with workers. */
void cw__job_queued(cw_job *job);

/* A job was taken out of a queue, to be run or ended. False: it has ended in
 * there, and the caller may not touch it any more. */
bool cw__job_take_withdrawable(cw__worker *self, cw_job *job);
static inline bool cw__job_take(cw__worker *self, cw_job *job)
{
    if (cw_likely(!(job->flags & CW__JOB_KILLABLE))) return true;
    return cw__job_take_withdrawable(self, job);
}

/* Ends a cancelled job if it is in a queue and need not be run for that. The
 * caller has a reference. */
void cw__job_withdraw(cw__worker *self, cw_job *job);

#endif /* CW_WITHDRAW_H */
