/* route.h: how jobs get to run in a context that has no workers of its own.
 *
 * SPDX-License-Identifier: MIT
 *
 * A context with a route gives away what becomes ready in it: a view to the
 * context below it, an executor to the application, an unconfined one to the
 * thread at hand, a test's to its scheduler. The core knows only these calls,
 * so a program links those that it uses.
 */
#ifndef CW_ROUTE_H
#define CW_ROUTE_H

#include "job.h"

struct cw__worker;

/* Why a job is dispatched. */
enum cw__hint {
    CW__SPAWNED, /* new: goes behind what is ready */
    CW__RESUMED, /* was waited for: goes first, its data are warm */
    CW__YIELDED, /* let all others go first */
    CW__QUEUED   /* new, from outside; the caller will wake somebody */
};

typedef struct cw__route {
    /* Takes a job that is ready to run: one of `context`, or of a view of it.
     * From any thread, without locks. Afterwards the caller may not touch the
     * job nor, unless it has a reference, the context. */
    void (*dispatch)(cw_context *context, struct cw__worker *self, cw_job *job,
                     enum cw__hint hint);
    /* The same for a new one that was admitted. Returns CW_OK, or an error code
     * that its launcher gets; then the job has ended with that. NULL: as
     * dispatch(). */
    int (*launch)(cw_context *context, struct cw__worker *self, cw_job *job);
    /* Runs one that a worker of another context has got. NULL: it is just
     * run. */
    void (*run)(struct cw__worker *self, cw_job *job);
    /* It was closed just now. NULL: nobody has to hear of it. */
    void (*close)(cw_context *context);
    /* Its memory is about to be freed. NULL: nothing to do. */
    void (*drop)(cw_context *context);
} cw__route;

#endif /* CW_ROUTE_H */
