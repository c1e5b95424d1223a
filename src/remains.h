/* remains.h: what is left in a closed context whose threads are all gone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_REMAINS_H
#define CW_REMAINS_H

#include "context.h"

/* Ends the jobs that are queued in the context or its views: nobody will run
 * them. Those that have begun end as if their worker had been lost, without
 * clean-up; those that have not, cancelled. Repeated until none comes any more,
 * since the end of one may be what another one has waited for. By a thread that
 * is a worker of another context, after the last one's was declared dead.
 * Returns how many. */
uint32_t cw__context_end_remains(cw_context *context);

/* A worker of a program without a host was lost, and gets no other thread: what
 * is pinned to it ends, cancelled with CW_ELOST, also what comes later: */
void cw__worker_nobody(cw__worker *worker);
/* Whoever has put something into the inbox of such a worker does this. */
void cw__worker_end_pinned(cw__worker *worker);

/* Ends what the body of a cancelled job waits for, as it would itself; what it
 * raises then stays in its frame. False if that takes the body. */
bool cw__end_wait_of(cw_job *job);

#endif /* CW_REMAINS_H */
