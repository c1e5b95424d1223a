/* tree.h: the tree of jobs, as those see it who cancel and end them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_TREE_H
#define CW_TREE_H

#include "job.h"
#include "worker.h"

/* --- with the job's lock held ------------------------------------------- */

/* Moves the fresh children to the list, before it is looked at; returns the
 * state with the bit for it. */
uint32_t cw__adopt_fresh(cw_job *parent, uint32_t state);
/* Takes an ended child off the list; returns the new state. */
uint32_t cw__unlink_one(cw_job *parent, cw_job *child, uint32_t state);
/* The same for a chain of them, where fresh ones among them are put first. */
uint32_t cw__unlink_chain(cw_job *parent, cw_job *child, uint32_t state);
/* Unlinks and fires a waiter. */
void cw__fire(cw_job *job, cw__waiter *waiter, cw__woken *woken);
/* The same for those that want to hear of cancelling, in order of arrival:
 * those whose turn it is before the next child is visited, or `all`. Returns
 * the state with the bits for waiters. */
uint32_t cw__fire_early(cw_job *job, uint32_t state, bool all,
                        cw__woken *woken);
/* The state with the bit for waiters as it has to be. */
uint32_t cw__waiters_bit(const cw_job *job, uint32_t state);
/* The parent, with a reference, if a failure of this job goes there; else NULL.
 * The job is on its parent's list for as long as it is not sealed (so under its
 * lock), and for whoever settles it. */
cw_job *cw__told_of_failure(cw_job *job);

/* --- without it ---------------------------------------------------------- */

/* The children that a job has at the moment, in order of launch, with a
 * reference to each. `which` of them: an or of these. CW_OK or CW_ENOMEM. */
enum {
    CW__CHILDREN_LAUNCHED = 1,
    CW__CHILDREN_WAITS = 2,
    CW__CHILDREN_PARTS = 4 /* the waits, and others whose failures are its */
};
typedef struct cw__children {
    cw_job **jobs;
    size_t count, room;
} cw__children;
int cw__children_take(cw_job *job, unsigned which, cw__children *out);
void cw__children_drop(cw__children *children);

/* True if a failure that is handed on to `parent` (or NULL) ends up at
 * somebody's. A bare job cancels itself, too, but only passes the question on.
 */
static inline bool cw__parent_answers(const cw_job *parent)
{
    return parent &&
           !(parent->flags & (CW__JOB_SUPERVISOR | CW__JOB_OWNERLESS));
}

/* Takes all waiters of a final job, a slice at a time, and wakes them in order
 * of arrival. */
void cw__fire_waiters(cw__worker *self, cw_job *job);
/* Takes a job that has ended off its parent's list; ends the parent if that was
 * all it waited for. */
void cw__job_leave(cw__worker *self, cw_job *parent, cw_job *job);
/* Records one more error that a cancelling job has met (borrowed). */
void cw__job_report(cw_job *job, cw_error *error);
/* Makes a job cancelling whose body fails, for those who want to hear of that
 * before its end, and cancels all below it. False: it was that already. */
bool cw__fail_early(cw__worker *self, cw_job *job, cw_error *error);
/* Cancels all below a job that has just become cancelling. */
void cw__cancel_children(cw__worker *self, cw_job *root);
/* Cancels what belongs to the job's body, if that is the host's: what it waits
 * for, and what runs on its behalf. CW_OK, or CW_ENOMEM. */
int cw__cancel_parts(cw_job *job);
/* A child of `job` (a reference, taken over) has failed with `error`
 * (borrowed). All above hear of it now, so that they stop early, and once more
 * when what is between has ended. */
void cw__tell_failure(cw__worker *self, cw_job *job, cw_error *error);
/* Counts a job out of its context that has ended while it stood in a queue. */
void cw__job_count_out(cw__worker *self, cw_job *job);
/* Tells the handler in the job's elements, or else its context, of a failure
 * that has no owner. False: neither takes it. */
bool cw__job_handle_failure(cw_job *job, cw_error *error);
/* Tells the handler of failures that nobody takes. */
void cw__report_unhandled(const char *name, cw_error *error);

#endif /* CW_TREE_H */
