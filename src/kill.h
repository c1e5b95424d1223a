/* kill.h: jobs that may be killed.
 *
 * SPDX-License-Identifier: MIT
 *
 * Cancelling asks; a body that never looks cannot hear. A job that was launched
 * as killable, with all that it launches, is given a time of grace after it was
 * cancelled. Whatever it still runs then is ended with the thread that runs it,
 * and the worker gets a new one.
 */
#ifndef CW_KILL_H
#define CW_KILL_H

#include "job.h"
#include "lost.h"

/* Makes a job killable that nobody has launched yet. CW_OK or CW_ENOMEM. */
int cw__job_make_killable(cw_job *job, int64_t grace_ms);

/* Ends the threads of all workers that run something of a cancelled job, as far
 * as their gates are open, and what of it stands in queues. By a worker that
 * runs nothing of it. True: the job is over. */
bool cw__kill(cw_job *job);

/* Where the time of grace is kept: what runs there is held up by nobody's code.
 * CW_OK, CW_ENOMEM or CW_ESTART. */
int cw__find_keeper(cw_context **out);

/* True if `job` is `above`, or anywhere below it. Only for a job that cannot
 * end meanwhile. */
bool cw__job_is_below(const cw_job *job, const cw_job *above);

#endif /* CW_KILL_H */
