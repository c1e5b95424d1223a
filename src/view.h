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
    cw_context *base; /* keeps a handle */
    cw__lock lock;    /* guards what follows */
    uint32_t places;
    uint32_t busy;      /* places that are taken */
    bool apart;         /* the base knows nothing of its jobs' priorities */
    cw__ranked waiting; /* for one */
} cw__view;

static inline cw__view *cw__view_of(cw_context *context)
{
    return cw__context_data(context);
}

/* A view of `base` with one handle. NULL without memory. */
cw_context *cw__view_new(cw_context *base, uint32_t limit, const char *name);
/* The same for one that is a home of its own: it counts its jobs and can be
 * closed, which the base does not notice. */
cw_context *cw__view_apart_new(cw_context *base, uint32_t limit,
                               const char *name);

/* True if it was made by that. */
bool cw__view_is_apart(const cw_context *context);

/* So many places from now on; those that are taken stay so. */
void cw__view_set_places(cw__worker *self, cw_context *context,
                         uint32_t places);

/* A job of the host's that kept its place when its step was over, see
 * cw__worker, gives it back: that in its context and those in the ones below.
 */
void cw__view_place_back(cw__worker *self, cw_context *context);

/* Gives the places back where a worker that is lost was running something. */
void cw__view_give_up(cw__worker *worker);

#endif /* CW_VIEW_H */
