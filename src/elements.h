/* elements.h: what a job's surroundings consist of.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_ELEMENTS_H
#define CW_ELEMENTS_H

#include "job.h"

/* Who hears of failures that have no owner. */
typedef struct cw__handler_element {
    cw_failure_fn *call; /* NULL: nobody in particular */
    void *arg;
} cw__handler_element;

struct cw_elements {
#ifdef CW_DEBUG
    uint32_t magic; /* see check.h */
#endif
    _Atomic uint32_t refs;
    uint32_t count; /* of `values` */
    cw_context *context;
    cw_job *job; /* owned, if has_job; NULL: no parent */
    bool has_job;
    char *name; /* owned, or NULL */
    cw__handler_element handler;
    struct cw__value {
        const cw_key *key;
        void *value;
    } values[];
};

/* The handler in a set, which may be NULL; NULL if there is none. */
static inline const cw__handler_element *
cw__elements_handler(const cw_elements *elements)
{
    return elements && elements->handler.call ? &elements->handler : NULL;
}

/* What a job gets as its own: both, but no job. Owned; NULL without memory. */
const cw_elements *cw__elements_of_job(const cw_elements *base,
                                       const cw_elements *given);
/* The set that is in force for a job: its own, or that of the nearest job above
 * with one. Borrowed, NULL if there is none. Only while the job has not ended,
 * or for whoever ends it. */
const cw_elements *cw__job_elements(const cw_job *job);

#endif /* CW_ELEMENTS_H */
