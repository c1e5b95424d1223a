/* losses.h: how many workers a context may lose, and in what time.
 *
 * SPDX-License-Identifier: MIT
 *
 * One that loses more has a reason for it that another thread does not cure: it
 * fails instead of starting threads for ever.
 */
#ifndef CW_LOSSES_H
#define CW_LOSSES_H

#include "context.h"
#include "lost.h"

/* As cw_context_limit_losses(), for any context. CW_OK or CW_ENOMEM. */
int cw__losses_limit(cw_context *context, uint32_t count, int64_t period_ms);

/* Counts a loss. True: it is one too many, or there is no memory to count it.
 */
bool cw__losses_note(cw_context *context);

/* A context that stands for another one has lost what that had lost. Both have
 * limits; nobody else counts meanwhile. */
void cw__losses_inherit(cw_context *context, cw_context *from);

/* It has left behind what that has: all that it leaked, and if it is not `over`
 * but given up, its threads and its own memory. */
void cw__losses_inherit_leaks(cw_context *context, const cw_context *from,
                              bool over);

/* The last loss was one too many: the context fails. */
void cw__losses_fail(const cw__worker *worker, const cw__loss *loss);

/* Nobody uses the context any more. */
void cw__losses_free(cw_context *context);

#endif /* CW_LOSSES_H */
