/* view.h: parts of a context that run a limited number of jobs at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_VIEW_H
#define CW_VIEW_H

#include "context.h"
#include "lock.h"

/* What stands behind a view's context. */
typedef struct cw__view {
    cw_context *base;   /* keeps a handle */
    cw__lock lock;      /* guards what follows */
    uint32_t busy;      /* places that are taken */
    cw__ranked waiting; /* for one */
} cw__view;

static inline cw__view *cw__view_of(cw_context *context)
{
    return cw__context_data(context);
}

/* A view of `base` with one handle. NULL without memory. */
cw_context *cw__view_new(cw_context *base, uint32_t limit, const char *name);

/* Gives the places back where a worker that is lost was running something. */
void cw__view_give_up(cw__worker *worker);

#endif /* CW_VIEW_H */
