/* handlers.h: functions of JavaScript that the core calls.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CWB_HANDLERS_H
#define CWB_HANDLERS_H

#include "bridge.h"

#include "elements.h"
#include "values.h"

/* A call on its way to a function's own realm. */
typedef struct cwb_note cwb_note;

intptr_t cwb_on_completion(cw_job *job, uint32_t flags, uint32_t token);
uint32_t cwb_handler_dispose(cwb_note *note);

/* A function that something of the core's owns. Its realm's context is held. */
typedef struct cwb_function {
    cw__shared shared; /* first */
    cwb_home *home;
    uint32_t token;
} cwb_function;

/* One reference; JavaScript hears by CWB_DROPPED that the last one is gone.
 * NULL without memory. */
cwb_function *cwb_function_new(uint32_t token);

/* Calls it: on its own realm now, and gives the error that it throws, owned; on
 * others soon, and gives NULL. `error` is borrowed; `element` (or NULL) becomes
 * the function's. */
cw_error *cwb_function_call(const cwb_function *self, enum cwb_news news,
                            cw_error *error, cwb_element *element);

/* The same for a token that is known to `home` otherwise. */
cw_error *cwb_tell(cwb_home *home, uint32_t token, enum cwb_news news,
                   cw_error *error, cwb_element *element);

/* A job of CWB_LAUNCH_TELLS begins. Without `wakes`, its realm hears of it with
 * what comes next; cwb_rouse(). */
void cwb_tell_begins(cwb_home *home, uint32_t token, bool wakes);

/* As cwb_tell() for an executor: what it answers, 0 from elsewhere; CW_ENOMEM.
 */
int cwb_ask(cwb_home *home, uint32_t token, enum cwb_news news, void *task);

/* Runs a task that an executor has taken. */
void cwb_execute(void *task);

/* On that realm: makes the call. */
void cwb_note_deliver(cwb_note *note);
/* The realm that it is for. */
cwb_home *cwb_note_home(const cwb_note *note);
/* The realm is gone. */
void cwb_note_discard(cwb_note *note);

#endif /* CWB_HANDLERS_H */
