/* booking.h: what matters until the body of a job begins.
 *
 * SPDX-License-Identifier: MIT
 *
 * Its priority, its place at the entrance of a context whose queue is limited,
 * and its time limits: the deadline, which counts from the launch, and the
 * timeout, which does from when the body begins. Few jobs have any of these;
 * the others know by one bit that they do not.
 */
#ifndef CW_BOOKING_H
#define CW_BOOKING_H

#include "elements.h"
#include "entrance.h"

/* What a launch says is to be done when there is no room; -1: nothing. */
static inline int cw__when_full(const cw_elements *given)
{
    return given && given->terms.has_when_full ? given->terms.when_full : -1;
}

/* Books a new job, if there is anything to book, before it is attached.
 * `keeper` keeps the time; NULL: Default. CW_OK; an error: then the place that
 * comes with CW__HAS_PLACE is the caller's to give back. */
int cw__job_book(cw_job *job, const cw_elements *given, enum cw__entry entry,
                 cw_context *keeper);
/* It is attached and about to be launched: the deadline counts from now on. */
void cw__job_submitted(cw_job *job);
/* The place that it has at its context's entrance is free again. */
void cw__job_gives_place_back(cw_job *job);
/* Its body is about to begin, or it ends without that. By who runs it. */
void cw__job_begins(cw_job *job);
/* The timeout counts from now on, unless it does already: where bodies run in
 * other cores, else that is done by the former. */
void cw__job_counts(cw_job *job);

/* True if a job, whose lock is held, waits for a place, or has to ask for one
 * when it is started; then who asked goes on with cw__entrance_enter(). */
static inline bool cw__job_lines_up(cw_job *job)
{
    if (cw_likely(!(job->flags & CW__JOB_BOOKED))) return false;
    return job->extra->booking.counts;
}

#endif /* CW_BOOKING_H */
