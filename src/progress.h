/* progress.h: who hears of a job's progress.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each listener has a channel of its own, so that a slow one keeps up neither
 * the job nor the others, and what becomes of values it has not taken is that
 * channel's matter. A job keeps a reference to each, and closes them at its
 * end. Without listeners there is nothing.
 */
#ifndef CW_PROGRESS_H
#define CW_PROGRESS_H

#include "job.h"

typedef struct cw__listener {
    struct cw__listener *next;
    cw_channel *channel; /* owned */
} cw__listener;

/* One more channel that hears of it, from now on; closed at once if the job has
 * ended. CW_OK or CW_ENOMEM. To stop, cancel the channel. */
int cw__listen(cw_job *job, cw_channel *channel);

/* The first listener's channel, or that of the one after this: owned. NULL:
 * there is none. By the job's body. */
cw_channel *cw__next_listener(cw_job *job, const cw_channel *after);

/* The job has ended: closes all channels. */
void cw__listeners_end(cw_job *job);

#endif /* CW_PROGRESS_H */
