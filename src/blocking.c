/* blocking.c: running a coroutine on the calling thread.
 *
 * SPDX-License-Identifier: MIT
 *
 * The thread becomes the only worker of a private context for as long as it
 * takes. A nested call on the same thread uses the same one, so that an inner
 * call may run jobs of the outer one's while it waits.
 */
#include "context.h"
#include "in_place.h"
#include "kill_gate.h"
#include "platform.h"

#include <string.h>

/* The private loop of this thread while a call is under way. */
static _Thread_local cw_context *loop;

static int run(cw_context *context, const cw_coroutine *type, const void *arg,
               void *out, cw_error **error)
{
    cw__worker *outer = cw__self, *self = &context->workers[0];
    cw_job *caller = outer ? outer->current : NULL;
    cw_job *job = cw__job_new(context, type, CW__JOB_LONELY, 1, 0);
    if (!job) return CW_ENOMEM;
    memcpy((char *)job->top + type->arg_offset, arg, type->arg_size);
    if (caller) cw__job_attach_own(caller->scope, job);

    /* A nested call interrupts a step. */
    bool paused = cw__in_place_pause();
    cw__interrupted before;
    cw__worker_interrupt(self, &before);
    cw__self = self;
    self->current = self->beneath = NULL;
    self->in_place = 0;
    cw__context_launch(self, job, CW__SPAWNED);
    cw__worker_run(self, 0, job);
    if (outer != self) {
        /* Others may have put jobs here: nothing is left behind, and nothing
         * is accepted any more. */
        cw_context_close(context);
        cw__worker_run(self, 0, NULL);
    }
    cw__worker_go_back(self, &before);
    cw__self = outer;
    cw__in_place_go_on(paused);

    int status = cw__result(job, type, out);
    if (error) *error = cw_error_retain(cw_job_error(job));
    cw_job_release(job);
    return status;
}

int cw__run_blocking(const cw_coroutine *type, const void *arg, void *out,
                     cw_error **error)
{
    CW__RUNTIME;
    if (error) *error = NULL;
    if (!cw__thread_may_block()) return CW_EDEADLK;
    if (loop && cw__self == &loop->workers[0])
        return run(loop, type, arg, out, error);

    cw_context *outer = loop;
    cw_context *context = cw__context_adopt("run-blocking");
    if (!context) return CW_ENOMEM;
    loop = context;
    context->workers[0].outer = cw__self;
    int status = run(context, type, arg, out, error);
    loop = outer;
    cw__context_disown(context);
    return status;
}
