/* handler.h: functions that are called when a job ends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_HANDLER_H
#define CW_HANDLER_H

#include "job.h"

/* With the job's lock held: the handler was taken off its list. */
void cw__handler_note(cw__woken *woken, cw_handler *handler);
/* Without it: calls all that were noted. */
void cw__handlers_call(cw_handler *first);

/* Early handlers and children of a job have one order: that in which they came.
 * All with the job's lock held. */

/* The handler is being registered: it comes after the children there are. */
void cw__handler_follow_last(cw_job *job, cw__waiter *waiter, uint32_t state);
/* Those that come after `child` come after `before` (NULL: before all). */
void cw__handlers_follow(cw_job *job, const cw_job *child, cw_job *before);
/* True if the children before it have been visited. */
bool cw__handler_is_next(const cw__waiter *waiter);

/* Disposes of a handle. True: the handler was not called and will not be;
 * false: it was, or will be soon. */
bool cw__handler_take_back(cw_handler *handler);

#endif /* CW_HANDLER_H */
