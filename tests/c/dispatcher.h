/* dispatcher.h: what tests of contexts share whose jobs run on others' workers
 * or threads.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after helpers.h.
 */
#ifndef DISPATCHER_H
#define DISPATCHER_H

#include "coworker.h"

MAYBE_UNUSED static bool runs_on(const char *workers)
{
    return strncmp(cw_worker_name(), workers, strlen(workers)) == 0;
}

/* Waits for a job that somebody else runs, and asserts that it succeeded. */
MAYBE_UNUSED static void succeeds(cw_job *job)
{
    ASSERT(job);
    wait_for(job);
    if (cw_job_error(job))
        test_failed(__FILE__, __LINE__, cw_job_name(job),
                    cw_error_message(cw_job_error(job)));
    cw_job_release(job);
}

MAYBE_UNUSED static void is_refused(cw_job *job)
{
    ASSERT(job);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
    cw_job_release(job);
}

/* ---- a thread that is no worker of ours */

struct call {
    void (*function)(void *arg);
    void *arg;
};

MAYBE_UNUSED static void *call_it(void *raw)
{
    struct call *call = raw;
    call->function(call->arg);
    return NULL;
}

MAYBE_UNUSED static pthread_t on_thread(struct call *call)
{
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, call_it, call), 0);
    return thread;
}

MAYBE_UNUSED static void join_thread(pthread_t thread)
{
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}

/* ---- bodies */

/* Bodies that have been run count themselves here. */
MAYBE_UNUSED static _Atomic int done_count;

CW_COROUTINE(is_on_default, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == cw_default_context());
    ASSERT(runs_on("default-"));
    CW_END(self);
}

/* Waits until it is cancelled, and counts that. */
CW_COROUTINE(cleans_up, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT_EQ(cw_error_code(self->frame.leaving), CW_ECANCELED);
    atomic_fetch_add(&done_count, 1);
    CW_END(self);
}

/* Launches until it is refused. */
MAYBE_UNUSED static void launch_until_closed(void *arg)
{
    cw_context *context = arg;
    for (;;) {
        cw_job *job = cw_async(context, give, 1);
        bool refused = cw_is_cancelled(job);
        cw_job_release(job);
        if (refused) return;
    }
}

#endif /* DISPATCHER_H */
