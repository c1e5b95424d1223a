/* unconfined.c: the context whose jobs run on whatever thread is at hand.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"
#include "in_place.h"
#include "kill_gate.h"

static void dispatch(cw_context *context, cw__worker *self, cw_job *job,
                     enum cw__hint hint)
{
    (void)context, (void)self;
    if (hint == CW__YIELDED)
        cw__in_place_yield(job);
    else
        cw__in_place(job);
}

static const cw__route route = {.dispatch = dispatch};

/* Exists from the start, so that there is no error in asking for it. Jobs count
 * references to it, of which the first never goes. */
static cw_context unconfined = {
#ifdef CW_DEBUG
    .magic = CW__MAGIC_CONTEXT,
#endif
    .name = "unconfined",
    .route = &route,
    .home = &unconfined,
    .permanent = true,
    .refs = 1,
    .handles = 1,
};

cw_context *cw_unconfined_context(void)
{
    CW__RUNTIME;
    return &unconfined;
}
