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

/* Disposes of a handle. True: the handler was not called and will not be;
 * false: it was, or will be soon. */
bool cw__handler_take_back(cw_handler *handler);

#endif /* CW_HANDLER_H */
