/* withdraw.c: ending killable jobs that stand in a queue.
 *
 * SPDX-License-Identifier: MIT
 *
 * QUEUED is set before the job is visible in a queue, and cleared by who takes
 * it out, or by who withdraws it; both with the job's lock held. So between the
 * two the job's body is run by nobody else.
 */
#include "withdraw.h"

#include "booking.h"
#include "context.h"
#include "coroutine.h"
#include "host.h"
#include "in_place.h"
#include "tree.h"

void cw__job_queued(cw_job *job)
{
    const cw_context *home = job->context->home;
    /* The queues of others know nothing of this. */
    if (home->count == 0 || home->clock || job->flags & CW__JOB_PINNED) return;
    if (job->last != 0 && !(job->flags & CW__JOB_LEAF)) return;
    uint32_t state = cw__job_lock(job);
    if (!(state & CW__JOB_WITHDRAWN)) state |= CW__JOB_QUEUED;
    cw__job_unlock(job, state);
}

bool cw__job_take_withdrawable(cw__worker *self, cw_job *job)
{
    uint32_t state = cw__job_lock(job);
    bool withdrawn = (state & CW__JOB_WITHDRAWN) != 0;
    bool over = (state & CW__JOB_FINAL) != 0;
    /* One that is not over yet is counted out when it is. */
    uint32_t gone = CW__JOB_QUEUED;
    if (!over) gone |= CW__JOB_WITHDRAWN;
    cw__job_unlock(job, state & ~gone);
    if (!withdrawn) return true;
    if (job->flags & CW__JOB_BOOKED) cw__job_gives_place_back(job);
    if (over) cw__job_count_out(self, job);
    cw__job_drop(job);
    return false;
}

/* A wait of a thread that is lost: what is left of it is our own code, and soon
 * over if the wait is. */
static bool can_be_run_anywhere(const cw_job *job)
{
    if (!(job->flags & CW__JOB_LEAF) || cw__the_host.home_of(job)) return false;
    /* acquire: pairs with cw__task_resume() */
    return job->wait_mode == CW__WAIT_PROMPT ||
           cw_load_acquire(&job->park) & CW__RESUME;
}

void cw__job_withdraw(cw__worker *self, cw_job *job)
{
    const uint32_t wanted = CW__JOB_QUEUED | CW__JOB_CANCELLING;
    uint32_t state = cw__job_lock(job);
    bool stands = (state & (wanted | CW__JOB_BODY_DONE)) == wanted;
    bool begun = stands && job->last != 0;
    bool ends = begun ? can_be_run_anywhere(job)
                      : stands && !(job->flags & CW__JOB_ATOMIC);
    if (ends) {
        cw_job_retain(job); /* the queue's */
        state = (state & ~(uint32_t)CW__JOB_QUEUED) | CW__JOB_WITHDRAWN;
    }
    cw__job_unlock(job, state);
    if (!ends) return;
    if (begun)
        cw__in_place_step(self, job);
    else
        cw__job_finish(self, job, cw__job_cancellation(job));
}
