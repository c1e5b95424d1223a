/* current.c: who is running on the calling thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "context.h"
#include "kill_gate.h"
#include "worker.h"

const char *cw_worker_name(void)
{
    CW__RUNTIME;
    return cw__self ? cw__self->name : "";
}

cw_job *cw_current_job(void)
{
    CW__RUNTIME;
    return cw__self ? cw__self->current : NULL;
}

cw_job *cw_current_scope(void)
{
    CW__RUNTIME;
    cw_job *job = cw_current_job();
    return job ? job->scope : NULL;
}

cw_context *cw_current_context(void)
{
    CW__RUNTIME;
    const cw__worker *self = cw__self;
    return self ? cw__worker_place(self) : NULL;
}

bool cw_is_stopped(void)
{
    CW__RUNTIME;
    cw_job *job = cw_current_job();
    return job && !cw_is_active(job->scope);
}
