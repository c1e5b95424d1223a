/* immediate.c: the main thread's context for jobs that need not wait for their
 * turn if they are there already.
 *
 * SPDX-License-Identifier: MIT
 */
#include "main_context.h"

#include "in_place.h"

/* Also in a blocking call of one of its jobs. */
static bool is_there(const cw_context *main)
{
    for (const cw__worker *self = cw__self; self; self = self->outer)
        if (self->context == main) return true;
    return false;
}

static void dispatch(cw_context *context, cw__worker *self, cw_job *job,
                     enum cw__hint hint)
{
    cw_context *main = context->home;
    if (hint != CW__YIELDED && is_there(main))
        cw__in_place(job);
    else
        cw__dispatch_to(main, self, job, hint);
}

static void drop(cw_context *context) { cw__context_drop(context->home); }

static const cw__route route = {.dispatch = dispatch, .drop = drop};

cw_context *cw__immediate_new(cw_context *main)
{
    cw_context *context = cw__context_routed(&route, main->name, 0);
    if (!context) return NULL;
    cw__context_hold(main);
    context->home = context->timekeeper = main;
    context->limit = 1;
    context->permanent = true;
    return context;
}
