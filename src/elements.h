/* elements.h: what a job's surroundings consist of.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_ELEMENTS_H
#define CW_ELEMENTS_H

#include "job.h"

/* What sets own together, if it begins with this. */
typedef struct cw__shared {
    _Atomic uint32_t refs;
    void (*free)(struct cw__shared *shared);
} cw__shared;

/* Who hears of failures that have no owner. */
typedef struct cw__handler_element {
    cw_failure_fn *call; /* NULL: nobody in particular */
    void *arg;
    cw__shared *shared; /* owned: `arg`, or NULL */
} cw__handler_element;

/* What is for the one job that is launched with it, and not inherited. */
typedef struct cw__terms {
    int64_t timeout_ms, deadline_ms; /* CW__NO_LIMIT: none */
    int8_t priority;                 /* enum cw_priority */
    bool has_priority, has_when_full;
    uint8_t when_full; /* enum cw_when_full */
} cw__terms;
enum { CW__NO_LIMIT = -1 };

struct cw_elements {
#ifdef CW_DEBUG
    uint32_t magic; /* see check.h */
#endif
    _Atomic uint32_t refs;
    uint32_t count; /* of `values` */
    cw_context *context;
    cw_job *job; /* owned, if has_job; NULL: no parent */
    bool has_job;
    bool killable; /* for the job that is launched with it only */
    int64_t grace_ms;
    char *name; /* owned, or NULL */
    cw__handler_element handler;
    cw__terms terms;
    struct cw__value {
        const cw_key *key;
        void *value;
        cw__shared *shared; /* owned: `value`, or NULL */
    } values[];
};

/* The handler in a set, which may be NULL; NULL if there is none. */
static inline const cw__handler_element *
cw__elements_handler(const cw_elements *elements)
{
    return elements && elements->handler.call ? &elements->handler : NULL;
}

/* As cw_elements_with_handler() and cw_elements_with_value(), with an argument
 * or value that the set owns with others: one more reference is taken. */
const cw_elements *cw__elements_with_shared_handler(const cw_elements *base,
                                                    cw_failure_fn *call,
                                                    cw__shared *arg);
const cw_elements *cw__elements_with_shared_value(const cw_elements *base,
                                                  const cw_key *key,
                                                  cw__shared *value);
cw__shared *cw__shared_keep(cw__shared *shared); /* NULL is allowed */
void cw__shared_drop(cw__shared *shared);        /* NULL is allowed */

/* What a job gets as its own: both, but no job. Owned; NULL without memory. */
const cw_elements *cw__elements_of_job(const cw_elements *base,
                                       const cw_elements *given);
/* The set that is in force for a job: its own, or that of the nearest job above
 * with one. Borrowed, NULL if there is none. Only while the job has not ended,
 * or for whoever ends it. */
const cw_elements *cw__job_elements(const cw_job *job);

#endif /* CW_ELEMENTS_H */
