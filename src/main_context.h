/* main_context.h: the context of the program's main thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_MAIN_CONTEXT_H
#define CW_MAIN_CONTEXT_H

#include "coworker.h"

/* Called by a host whose main thread is a worker; NULL takes it back. Keeps a
 * reference. */
void cw__set_main_context(cw_context *context);
/* Puts another one in its place, for tests; NULL ends that. */
void cw__replace_main_context(cw_context *context);

/* The context of jobs that begin in place on the main thread. NULL without
 * memory. */
cw_context *cw__immediate_new(cw_context *main);

#endif /* CW_MAIN_CONTEXT_H */
