/* view.h: parts of a context that run a limited number of jobs at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_VIEW_H
#define CW_VIEW_H

#include "context.h"

/* A view of `base` with one handle. NULL without memory. */
cw_context *cw__view_new(cw_context *base, uint32_t limit, const char *name);

#endif /* CW_VIEW_H */
