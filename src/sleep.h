/* sleep.h: how workers fall asleep, are woken, and are given jobs meanwhile.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_SLEEP_H
#define CW_SLEEP_H

#include "worker.h"

/* The parts of a context's `idle` word. */
enum { CW__ONE_SEARCHER = 1, CW__ONE_SLEEPER = 1 << 16 };

/* Takes the bit of a sleeper. True: the caller moves it from the sleepers to
 * the searchers and owes it a wake-up. */
bool cw__clear_idle_bit(cw_context *context, uint32_t index);
void cw__wake(cw__worker *worker);

/* Becomes a sleeper: returns false, a searcher again, if there is work, or if
 * `until` (unless NULL) is over: whoever ended it wakes those who sleep by
 * then. `in_futex`: it is going to call cw__sleep_in_futex(). */
bool cw__fall_asleep(cw__worker *self, bool searching, bool in_futex,
                     const cw_job *until);
/* Sleeps on the futex word until woken, the deadline, or `at_most_ns`; or it
 * was only a nap, and there may be work. */
void cw__sleep_in_futex(cw__worker *self, int64_t at_most_ns);
/* Awake again, as a searcher. */
void cw__get_up(cw__worker *self);

/* What the worker has just handed to others will mostly be back sooner than it
 * could fall asleep and be woken: so it looks around for a moment before it
 * sleeps. The more often in a row that was in vain, the more of these calls do
 * nothing. */
void cw__worker_expect(cw__worker *self);
/* It is back: the worker looks for nothing any more. */
void cw__worker_expected(cw__worker *self);
/* Looks around for what is left of that moment, if it expects something. True:
 * there is work. */
bool cw__await_expected(cw__worker *self);

/* False if there are enough searchers. */
bool cw__start_searching(cw__worker *self);
void cw__stop_searching(cw__worker *self);

/* Puts a job at the end of the worker's own line. */
void cw__push(cw__worker *self, cw_job *job);
/* Gives a job straight to a worker that is free; dispatch.c says to which.
 * False if there is no such worker. */
bool cw__hand_over(cw__worker *self, cw_job *job);

#endif /* CW_SLEEP_H */
