/* places.c: where else than on workers jobs of JavaScript run.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include "alloc.h"
#include "context.h"
#include "handlers.h"
#include "in_place.h"
#include "shared_context.h"

/* An executor of the application's: an object of JavaScript's. */
typedef struct executor {
    cwb_home *home;
    uint32_t token;
} executor;

static int execute(void *arg, void (*run)(void *), void *task)
{
    const executor *self = arg;
    (void)run; /* the same each time: cwb_execute() knows it */
    return cwb_ask(self->home, self->token, CWB_EXECUTE, task) ? CW_ECLOSED
                                                               : CW_OK;
}

static int is_dispatch_needed(void *arg)
{
    const executor *self = arg;
    /* Elsewhere the answer is clear, and nobody there to give it. */
    if (self->home != cwb_here) return 1;
    int answer = cwb_ask(self->home, self->token, CWB_IS_DISPATCH_NEEDED, NULL);
    return answer < 0 ? CW_EFAILED : answer;
}

static void release(void *arg)
{
    executor *self = arg;
    (void)cwb_tell(self->home, self->token, CWB_DROPPED, NULL, NULL);
    cw__free(self, sizeof *self);
}

/* A context whose jobs an object of this realm executes; its name, `length`
 * bytes, stands in the scratch buffer. An owned handle; NULL without memory. */
cw_context *cwb_executor_new(uint32_t token, uint32_t length)
{
    static const cw_executor calls = {.execute = execute,
                                      .is_dispatch_needed = is_dispatch_needed,
                                      .release = release};
    executor *self = cw__alloc(sizeof *self);
    if (!self) return NULL;
    *self = (executor){.home = cwb_here, .token = token};
    cw_context *context =
        cw_executor_context(&calls, self, cwb_scratch_string(length));
    if (!context) cw__free(self, sizeof *self);
    return context;
}

/* Runs a task that an executor was given. */
void cwb_execute(void *task) { cw__executor_run(task); }

/* A view of a context, whose name stands in the scratch buffer: an owned
 * handle, perhaps to the context itself; NULL with cw_last_error(). */
cw_context *cwb_view_new(cw_context *context, int limit, uint32_t length)
{
    cw_context *view =
        cw_limited_parallelism(context, limit, cwb_scratch_string(length));
    /* Its tasks have the names, and those without parent the root, of the
     * context's. */
    if (view) view->host_data = context->host_data;
    return view;
}

/* As cw_worker_scope(). */
const cw_elements *cwb_worker_scope(cw_context *context, int worker)
{
    const cw_elements *scope = cw_worker_scope(context, worker);
    /* Its tasks have the names of the context's. */
    if (scope) cw_elements_context(scope)->host_data = context->host_data;
    return scope;
}

/* C's Default, and what is below its IO, are this context from now on; it stays
 * open. */
void cwb_set_default(cw_context *context)
{
    cw__set_default_context(cw_context_retain(context));
}
void cwb_set_io(cw_context *context)
{
    cw__set_io_workers(cw_context_retain(context));
}
