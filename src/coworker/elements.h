/* coworker/elements.h: what surrounds a job.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_ELEMENTS_H
#define COWORKER_ELEMENTS_H

#include "base.h"
#include "context.h"
#include "error.h"
#include "job.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A set of elements says what surrounds a job: where it runs, what job it is a
 * child of, its name, who hears of its failures, and values of the program's
 * own. Sets are immutable and reference-counted. Jobs inherit the elements of
 * the job that launches them. */
typedef struct cw_elements cw_elements;

/* Tells values of different kinds apart, by its address. */
typedef struct cw_key {
    const char *name;
} cw_key;

/* Called with a failure that has no owner: that of a job launched (not async)
 * outside of any other job or right below a supervisor. After all its children
 * have ended and before anybody sees that it has. `name` and `error` are
 * borrowed. Must not block. */
typedef void cw_failure_fn(void *arg, const char *name, cw_error *error);

/* Each makes a new set: `base` (NULL: the empty set) with one element replaced.
 * Owned; NULL without memory. Contexts and jobs are kept by reference; the name
 * is copied; `arg` and `value` are the caller's and must outlive the set. With
 * job NULL what is launched has no parent. */
const cw_elements *cw_elements_with_context(const cw_elements *base,
                                            cw_context *context);
const cw_elements *cw_elements_with_job(const cw_elements *base, cw_job *job);
const cw_elements *cw_elements_with_name(const cw_elements *base,
                                         const char *name);
const cw_elements *cw_elements_with_handler(const cw_elements *base,
                                            cw_failure_fn *call, void *arg);
const cw_elements *cw_elements_with_value(const cw_elements *base,
                                          const cw_key *key, void *value);
/* The elements of both; where both have one, that of `right`. */
const cw_elements *cw_elements_plus(const cw_elements *left,
                                    const cw_elements *right);
const cw_elements *cw_elements_retain(const cw_elements *elements);
void cw_elements_release(const cw_elements *elements); /* NULL is allowed */

/* Looking into a set, which may be NULL: borrowed, NULL if there is none. */
cw_context *cw_elements_context(const cw_elements *elements);
cw_job *cw_elements_job(const cw_elements *elements);
const char *cw_elements_name(const cw_elements *elements);
void *cw_elements_value(const cw_elements *elements, const cw_key *key);

/* The elements of the calling job, borrowed until it suspends; NULL if there
 * are none. No job is among them: what is launched with them is its child. */
const cw_elements *cw_current_elements(void);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_ELEMENTS_H */
