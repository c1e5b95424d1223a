/* await.c: waiting for results.
 *
 * SPDX-License-Identifier: MIT
 */
#include "alloc.h"
#include "check.h"
#include "error.h"
#include "frame.h"
#include "kill_gate.h"
#include "suspend.h"

#include <string.h>

int cw__await(cw_frame *frame, cw_job *target)
{
    CW__RUNTIME;
    CW__CHECK_AS(JOB, target, "CW_AWAIT", "job");
    if (cw_is_completed(target)) {
        frame->job->wait_mode = CW__WAIT_VALUE;
        return CW__DONE;
    }
    return cw__wait_for_job(frame->job, target, CW__WAIT_PROMPT);
}

/* Raises a failed job's own error, also if this job is cancelled, perhaps by
 * that very failure. */
static bool raise_failure_of(cw_frame *frame, const cw_job *target)
{
    cw_error *error = cw_job_error(target);
    if (!error) return false;
    cw__set_error(frame, cw_error_retain(error));
    frame->job->wait_mode = CW__WAIT_PROMPT;
    return true;
}

/* A body that waits for a job and is about to raise cancellation raises the
 * job's failure instead if there is one. The job need not be over: it tells its
 * parent, which may be this body's, before its own end. */
static void prefer_failure_of(cw_frame *frame, cw_job *target)
{
    if (!cw__error_is_cancel(frame->error)) return;
    cw_error *error = NULL;
    uint32_t state = cw__job_lock(target);
    if (state & CW__JOB_CANCELLING && !cw__error_is_cancel(target->error))
        error = cw_error_retain(target->error);
    cw__job_unlock(target, state);
    if (error) cw__set_error(frame, error);
}

static int result_of(const cw_job *job, const cw_coroutine *type, void *out)
{
    if (cw__job_type(job) != type) return CW_ETYPE;
    if (!cw_is_completed(job)) return CW_EBUSY;
    if (job->error) return cw_error_code(job->error);
    cw__copy(out, (const char *)(job + 1) + type->result_offset,
             type->result_size);
    return CW_OK;
}

int cw__result(const cw_job *job, const cw_coroutine *type, void *out)
{
    CW__RUNTIME;
    CW__CHECK_AS(JOB, job, "cw_result", "job");
    return result_of(job, type, out);
}

/* Copies one result or raises what went wrong. */
static bool take_result(cw_frame *frame, const cw_job *target,
                        const cw_coroutine *type, void *out)
{
    if (raise_failure_of(frame, target)) return true;
    int status = result_of(target, type, out);
    if (status == CW_OK) return false;
    cw__set_error(frame, cw_error_new(status, NULL, NULL));
    return true;
}

int cw__awaited_any(cw_frame *frame, cw_job *target)
{
    cw__end_wait(frame->job);
    if (raise_failure_of(frame, target)) return 1;
    if (!cw__resumed(frame)) return 0;
    prefer_failure_of(frame, target);
    return 1;
}

int cw__awaited(cw_frame *frame, cw_job *target, const cw_coroutine *type,
                void *out)
{
    CW__RUNTIME;
    if (cw__awaited_any(frame, target)) return 1;
    return take_result(frame, target, type, out);
}

int cw__await_all(cw_frame *frame, cw_job *const *jobs, size_t count)
{
    CW__RUNTIME;
    for (size_t i = 0; i < count; i++)
        CW__CHECK_AS(JOB, jobs[i], "CW_AWAIT_ALL", "jobs[]");
    cw_job *job = frame->job;
    if (count == 0) {
        job->wait_mode = CW__WAIT_VALUE;
        return CW__DONE;
    }
    if (cw__begin_wait(job, CW__WAIT_PROMPT)) return CW__DONE;
    cw__group *group;
    size_t bytes = sizeof *group + count * sizeof group->waiters[0];
    group = cw__alloc(bytes);
    if (!group) {
        cw__set_error(frame, cw_error_new(CW_ENOMEM, NULL, NULL));
        return CW__DONE;
    }
    memset(group, 0, bytes);
    group->task = job;
    group->count = count;
    atomic_init(&group->open, count + 1); /* one for this loop */
    job->waiter.owner.pointer = group;
    job->armed = CW__ARMED_GROUP;
    for (size_t i = 0; i < count; i++) /* also those that come too late */
        (void)cw_job_start(jobs[i]);
    bool failed = false;
    for (size_t i = 0; i < count && !failed; i++) {
        cw__waiter *waiter = &group->waiters[i];
        waiter->kind = CW__WAITER_GROUP;
        waiter->owner.pointer = group;
        if (cw__job_wait(jobs[i], waiter) == CW__PENDING) {
            waiter->armed = CW__ARMED_JOB;
        } else {
            size_t none = 0;
            failed = cw_job_error(jobs[i]) != NULL;
            /* One that was registered before may be faster. */
            if (failed) (void)cw_cas_acq_rel(&group->first, &none, i + 1);
            cw_sub_acq_rel(&group->open, 1);
        }
    }
    /* acq_rel: pairs with the waiters' own counting down */
    if (failed || cw_sub_acq_rel(&group->open, 1) == 1) {
        job->wait_mode = CW__WAIT_VALUE;
        return CW__DONE;
    }
    return CW__PENDING;
}

/* Which of a group's jobs ended badly first, counted from 1; 0: none. */
static size_t first_failed(const cw_job *job)
{
    if (job->armed != CW__ARMED_GROUP) return 0;
    const cw__group *group = job->waiter.owner.pointer;
    return cw_load_acquire(&group->first); /* pairs with the waiters' change */
}

int cw__awaited_all_any(cw_frame *frame, cw_job *const *jobs, size_t count)
{
    size_t first = first_failed(frame->job);
    cw__end_wait(frame->job);
    if ((first && raise_failure_of(frame, jobs[first - 1])) ||
        cw__resumed(frame)) {
        /* It may have been cancelled by another one's failure. */
        for (size_t i = 0; i < count; i++)
            prefer_failure_of(frame, jobs[i]);
        return 1;
    }
    return 0;
}

int cw__awaited_all(cw_frame *frame, cw_job *const *jobs, size_t count,
                    const cw_coroutine *type, void *outs)
{
    CW__RUNTIME;
    if (cw__awaited_all_any(frame, jobs, count)) return 1;
    for (size_t i = 0; i < count; i++)
        if (take_result(frame, jobs[i], type,
                        (char *)outs + i * type->result_size))
            return 1;
    return 0;
}
