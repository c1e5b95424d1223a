/* bare.c: jobs without a body, which anybody can complete.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"
#include "error.h"
#include "kill_gate.h"
#include "tree.h"
#include "watch.h"

#include <string.h>

static cw_job *bare_new(const cw_coroutine *type, unsigned flags,
                        cw_job *parent)
{
    if (!type && !cw__parent_answers(parent)) flags |= CW__JOB_OWNERLESS;
    cw_job *job = cw__job_new(NULL, type, CW__JOB_BARE | flags, 1, 0);
    cw__set_last_error(job ? CW_OK : CW_ENOMEM);
    if (job && parent) cw__job_attach(parent, job);
    if (job && cw__is_watched(job)) cw__watching->launched(job);
    return job;
}

cw_job *cw_job_new(cw_job *parent)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(JOB, parent);
    return bare_new(NULL, 0, parent);
}

cw_job *cw_supervisor_job_new(cw_job *parent)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(JOB, parent);
    return bare_new(NULL, CW__JOB_SUPERVISOR, parent);
}

cw_job *cw__deferred_new(const cw_coroutine *type, cw_job *parent)
{
    CW__RUNTIME;
    if (parent) CW__CHECK_AS(JOB, parent, "cw_deferred_new", "parent");
    return bare_new(type, 0, parent);
}

static int complete(cw_job *job, cw_error *error)
{
    if (!(job->flags & CW__JOB_BARE)) return CW_EINVAL;
    cw_job_retain(job);
    bool first = cw__job_finish(cw__self, job, cw_error_retain(error));
    cw__job_drop(job);
    return first;
}

int cw_job_complete(cw_job *job)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(JOB, job);
    return complete(job, NULL);
}

int cw_job_complete_exceptionally(cw_job *job, cw_error *error)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(JOB, job);
    return error ? complete(job, error) : CW_EINVAL;
}

int cw__deferred_complete(cw_job *job, const cw_coroutine *type,
                          const void *value)
{
    CW__RUNTIME;
    CW__CHECK_AS(JOB, job, "cw_deferred_complete", "job");
    if (!(job->flags & CW__JOB_BARE) || !job->top) return CW_EINVAL;
    if (cw__job_type(job) != type) return CW_ETYPE;
    /* One value gets through: it is written before anybody can see the job
     * complete, under the lock that decides who is first. */
    uint32_t state = cw__job_lock(job);
    bool first = !(state & (CW__JOB_BODY_DONE | CW__JOB_VALUED));
    if (first) {
        memcpy((char *)job->top + type->result_offset, value,
               type->result_size);
        state |= CW__JOB_VALUED;
    }
    cw__job_unlock(job, state);
    return first ? complete(job, NULL) : 0;
}
