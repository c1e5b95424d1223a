/* shared_context.h: the contexts that a whole program shares.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_SHARED_CONTEXT_H
#define CW_SHARED_CONTEXT_H

#include "context.h"

/* Called by a host that starts workers in a way of its own, before anybody asks
 * for them: the context that is Default from now on, and the one whose workers
 * are IO's; without the latter IO is a view of Default. Both become permanent;
 * their references are taken over. */
void cw__set_default_context(cw_context *context);
void cw__set_io_workers(cw_context *context);

/* What is below IO, which parts of IO are parts of, too; NULL if `context` is
 * not IO. */
cw_context *cw__io_base(const cw_context *context);

/* Runs a job, which its context has refused, for as long as it takes to clean
 * up. */
void cw__dispatch_refused(cw__worker *self, cw_job *job);

#endif /* CW_SHARED_CONTEXT_H */
