/* threads.h: the threads of a context's workers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_THREADS_H
#define CW_THREADS_H

#include "context.h"

/* Starts the threads of the first `count` workers, each after `setup`, unless
 * NULL, was called for it, which may refuse. CW_OK; CW_ENOMEM or what the
 * system says: then those that run end at once, and the context is released. */
int cw__context_start(cw_context *context, uint32_t count,
                      bool (*setup)(cw__worker *, void *), void *arg);

/* Lets all workers look whether there is something to do, or to end for. */
void cw__context_wake_all(cw_context *context);

#endif /* CW_THREADS_H */
