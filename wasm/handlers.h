/* handlers.h: functions of JavaScript that the core calls.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CWB_HANDLERS_H
#define CWB_HANDLERS_H

#include "bridge.h"

/* A call on its way to a function's own realm. */
typedef struct cwb_note cwb_note;

/* Calls a function by its token: here, or, with a note, where it belongs. What
 * it returns, 0 from elsewhere; CW_ENOMEM. */
int cwb_call(cw__worker *home, uint32_t token, enum cwb_news news, void *data);

/* Runs a task that an executor has taken. */
void cwb_execute(void *task);

/* On that realm: makes the call. */
void cwb_note_deliver(cwb_note *note);
/* The realm is gone. */
void cwb_note_discard(cwb_note *note);

#endif /* CWB_HANDLERS_H */
