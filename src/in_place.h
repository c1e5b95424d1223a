/* in_place.h: running jobs on top of what the calling thread does.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_IN_PLACE_H
#define CW_IN_PLACE_H

#include "context.h"

/* Runs a job on the calling thread: now, or, if it runs one in this way
 * already, when the outermost one of these has suspended or ended, in order. */
void cw__in_place(cw_job *job);
/* The same for one that yields: to those that wait for the outermost one to
 * suspend, and to nothing else. */
void cw__in_place_yield(cw_job *job);

/* Runs a job now, on top of what the worker does. */
void cw__in_place_step(cw__worker *self, cw_job *job);
/* Runs a job that a thread or loop of the application's has got. */
void cw__in_place_turn(cw_job *job);
/* The same for what an execute() was given, as it is called back; see
 * executor.c. */
void cw__executor_run(void *task);

/* Around an event loop that runs inside of a job: first runs those that wait,
 * since what the loop waits for may be among them, and lets the loop run its
 * own at once. */
bool cw__in_place_pause(void);
void cw__in_place_go_on(bool paused);

/* The worker's thread has lost what it was running: what stands in line behind
 * that is queued. */
void cw__in_place_give_up(cw__worker *worker);

#endif /* CW_IN_PLACE_H */
