/* elements.c: immutable sets of what a job's surroundings consist of.
 *
 * SPDX-License-Identifier: MIT
 *
 * Few programs use them and those that do use few, so a set is one block that
 * is copied when something is added. Jobs without a set of their own find
 * their parent's by walking up, which costs a launch nothing.
 */
#include "elements.h"

#include "alloc.h"
#include "check.h"
#include "context.h"
#include "kill_gate.h"

#include <string.h>

static const cw__terms no_terms = {.timeout_ms = CW__NO_LIMIT,
                                   .deadline_ms = CW__NO_LIMIT};

static bool has_terms(const cw_elements *set)
{
    const cw__terms *terms = &set->terms;
    return terms->timeout_ms >= 0 || terms->deadline_ms >= 0 ||
           terms->has_priority || terms->has_when_full;
}

static size_t bytes_of(uint32_t count)
{
    return sizeof(cw_elements) + count * sizeof(struct cw__value);
}

static char *copy_name(const char *name)
{
    size_t bytes = strlen(name) + 1;
    char *copy = cw__alloc(bytes);
    return copy ? memcpy(copy, name, bytes) : NULL;
}

cw__shared *cw__shared_keep(cw__shared *shared)
{
    if (shared) cw_add_relaxed(&shared->refs, 1); /* the caller holds one */
    return shared;
}

void cw__shared_drop(cw__shared *shared)
{
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (shared && cw_sub_acq_rel(&shared->refs, 1) == 1) shared->free(shared);
}

/* Puts a value in place of one that there may have been. */
static void put(struct cw__value *place, struct cw__value value)
{
    cw__shared_keep(value.shared);
    cw__shared_drop(place->shared);
    *place = value;
}

static void put_handler(cw_elements *set, cw__handler_element handler)
{
    cw__shared_keep(handler.shared);
    cw__shared_drop(set->handler.shared);
    set->handler = handler;
}

/* A copy of `base` (NULL: the empty set) with room for one more value. */
static cw_elements *copy(const cw_elements *base, uint32_t more)
{
    uint32_t count = base ? base->count : 0;
    cw_elements *set = cw__alloc(bytes_of(count + more));
    if (!set) return NULL;
    memset(set, 0, bytes_of(count + more));
    CW__MARK(set, ELEMENTS);
    if (base) {
        /* Field by field: the count of references is not copied. */
        set->context = base->context;
        set->has_job = base->has_job;
        set->killable = base->killable;
        set->grace_ms = base->grace_ms;
        put_handler(set, base->handler);
        for (uint32_t i = 0; i < count; i++)
            put(&set->values[i], base->values[i]);
        set->name = base->name ? copy_name(base->name) : NULL;
    }
    set->terms = base ? base->terms : no_terms;
    atomic_init(&set->refs, 1);
    set->count = count + more;
    if (base && base->name && !set->name) {
        set->context = NULL; /* not held yet */
        cw_elements_release(set);
        return NULL;
    }
    if (base) set->job = cw_job_retain(base->job);
    if (set->context) cw__context_hold(set->context);
    return set;
}

const cw_elements *cw_elements_retain(const cw_elements *elements)
{
    CW__CHECK_IF_ANY(ELEMENTS, elements);
    /* The caller holds a reference. */
    if (elements) cw_add_relaxed(&((cw_elements *)elements)->refs, 1);
    return elements;
}

void cw_elements_release(const cw_elements *elements)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, elements);
    cw_elements *set = (cw_elements *)elements;
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (!set || cw_sub_acq_rel(&set->refs, 1) != 1) return;
    if (set->name) cw__free(set->name, strlen(set->name) + 1);
    cw_job_release(set->job);
    if (set->context) cw__context_drop(set->context);
    cw__shared_drop(set->handler.shared);
    for (uint32_t i = 0; i < set->count; i++)
        cw__shared_drop(set->values[i].shared);
    cw__free(set, bytes_of(set->count));
}

/* ---- adding */

const cw_elements *cw_elements_with_context(const cw_elements *base,
                                            cw_context *context)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, base);
    CW__CHECK_IF_ANY(CONTEXT, context);
    cw_elements *set = copy(base, 0);
    if (!set) return NULL;
    if (context) cw__context_hold(context);
    if (set->context) cw__context_drop(set->context);
    set->context = context;
    return set;
}

const cw_elements *cw_elements_with_job(const cw_elements *base, cw_job *job)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, base);
    CW__CHECK_IF_ANY(JOB, job);
    cw_elements *set = copy(base, 0);
    if (!set) return NULL;
    cw_job_retain(job);
    cw_job_release(set->job);
    set->job = job;
    set->has_job = true;
    return set;
}

const cw_elements *cw_elements_with_name(const cw_elements *base,
                                         const char *name)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, base);
    char *own = name ? copy_name(name) : NULL;
    cw_elements *set = name && !own ? NULL : copy(base, 0);
    if (!set) {
        if (own) cw__free(own, strlen(own) + 1);
        return NULL;
    }
    if (set->name) cw__free(set->name, strlen(set->name) + 1);
    set->name = own;
    return set;
}

const cw_elements *cw_elements_with_grace(const cw_elements *base,
                                          int64_t grace_ms)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, base);
    cw_elements *set = copy(base, 0);
    if (!set) return NULL;
    set->killable = true;
    set->grace_ms = grace_ms < 0 ? 0 : grace_ms;
    return set;
}

static const cw_elements *with_handler(const cw_elements *base,
                                       cw__handler_element handler)
{
    cw_elements *set = copy(base, 0);
    if (set) put_handler(set, handler);
    return set;
}

const cw_elements *cw_elements_with_handler(const cw_elements *base,
                                            cw_failure_fn *call, void *arg)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, base);
    return with_handler(base, (cw__handler_element){.call = call, .arg = arg});
}

const cw_elements *cw__elements_with_shared_handler(const cw_elements *base,
                                                    cw_failure_fn *call,
                                                    cw__shared *arg)
{
    return with_handler(base, (cw__handler_element){call, arg, arg});
}

static struct cw__value *find(const cw_elements *set, const cw_key *key)
{
    for (uint32_t i = 0; set && i < set->count; i++)
        if (set->values[i].key == key) return &((cw_elements *)set)->values[i];
    return NULL;
}

static const cw_elements *with_value(const cw_elements *base,
                                     struct cw__value value)
{
    cw_elements *set = copy(base, find(base, value.key) ? 0 : 1);
    if (!set) return NULL;
    struct cw__value *place = find(set, value.key);
    put(place ? place : &set->values[set->count - 1], value);
    return set;
}

const cw_elements *cw_elements_with_value(const cw_elements *base,
                                          const cw_key *key, void *value)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, base);
    return with_value(base, (struct cw__value){.key = key, .value = value});
}

const cw_elements *cw__elements_with_shared_value(const cw_elements *base,
                                                  const cw_key *key,
                                                  cw__shared *value)
{
    return with_value(base, (struct cw__value){key, value, value});
}

const cw_elements *cw_elements_with_timeout(const cw_elements *base, int64_t ms)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, base);
    cw_elements *set = copy(base, 0);
    if (set) set->terms.timeout_ms = ms < 0 ? 0 : ms;
    return set;
}

const cw_elements *cw_elements_with_deadline(const cw_elements *base,
                                             int64_t ms)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, base);
    cw_elements *set = copy(base, 0);
    if (set) set->terms.deadline_ms = ms < 0 ? 0 : ms;
    return set;
}

const cw_elements *cw_elements_with_priority(const cw_elements *base,
                                             cw_priority priority)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, base);
    cw_elements *set = copy(base, 0);
    if (!set) return NULL;
    set->terms.has_priority = true;
    set->terms.priority = (int8_t)priority;
    return set;
}

const cw_elements *cw_elements_with_when_full(const cw_elements *base,
                                              cw_when_full when_full)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, base);
    cw_elements *set = copy(base, 0);
    if (!set) return NULL;
    set->terms.has_when_full = true;
    set->terms.when_full = (uint8_t)when_full;
    return set;
}

/* What is in `right` goes before what was there. */
static void put_terms(cw__terms *terms, const cw__terms *right)
{
    if (right->timeout_ms >= 0) terms->timeout_ms = right->timeout_ms;
    if (right->deadline_ms >= 0) terms->deadline_ms = right->deadline_ms;
    if (right->has_priority) {
        terms->has_priority = true;
        terms->priority = right->priority;
    }
    if (right->has_when_full) {
        terms->has_when_full = true;
        terms->when_full = right->when_full;
    }
}

const cw_elements *cw_elements_plus(const cw_elements *left,
                                    const cw_elements *right)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ELEMENTS, left);
    CW__CHECK_IF_ANY(ELEMENTS, right);
    if (!right) return left ? cw_elements_retain(left) : copy(NULL, 0);
    if (!left) return cw_elements_retain(right);
    uint32_t more = 0;
    for (uint32_t i = 0; i < right->count; i++)
        if (!find(left, right->values[i].key)) more++;
    cw_elements *set = copy(left, more);
    char *name = set && right->name ? copy_name(right->name) : NULL;
    if (!set || (right->name && !name)) {
        cw_elements_release(set);
        return NULL;
    }
    if (name) {
        if (set->name) cw__free(set->name, strlen(set->name) + 1);
        set->name = name;
    }
    if (right->context) {
        cw__context_hold(right->context);
        if (set->context) cw__context_drop(set->context);
        set->context = right->context;
    }
    if (right->has_job) {
        cw_job_release(set->job);
        set->job = cw_job_retain(right->job);
        set->has_job = true;
    }
    if (right->killable) {
        set->killable = true;
        set->grace_ms = right->grace_ms;
    }
    if (right->handler.call) put_handler(set, right->handler);
    put_terms(&set->terms, &right->terms);
    uint32_t at = left->count;
    for (uint32_t i = 0; i < right->count; i++) {
        struct cw__value *place = find(left, right->values[i].key);
        if (place)
            put(&set->values[place - left->values], right->values[i]);
        else
            put(&set->values[at++], right->values[i]);
    }
    return set;
}

const cw_elements *cw__elements_of_job(const cw_elements *base,
                                       const cw_elements *given)
{
    const cw_elements *both = cw_elements_plus(base, given);
    if (!both || !(both->has_job || both->killable || has_terms(both)))
        return both;
    cw_elements *set = copy(both, 0);
    cw_elements_release(both);
    if (!set) return NULL;
    cw_job_release(set->job);
    set->job = NULL;
    set->has_job = set->killable = false;
    set->terms = no_terms;
    return set;
}

/* ---- looking */

cw_context *cw_elements_context(const cw_elements *elements)
{
    CW__CHECK_IF_ANY(ELEMENTS, elements);
    return elements ? elements->context : NULL;
}

cw_job *cw_elements_job(const cw_elements *elements)
{
    CW__CHECK_IF_ANY(ELEMENTS, elements);
    return elements ? elements->job : NULL;
}

const char *cw_elements_name(const cw_elements *elements)
{
    CW__CHECK_IF_ANY(ELEMENTS, elements);
    return elements ? elements->name : NULL;
}

void *cw_elements_value(const cw_elements *elements, const cw_key *key)
{
    CW__CHECK_IF_ANY(ELEMENTS, elements);
    const struct cw__value *found = find(elements, key);
    return found ? found->value : NULL;
}

const cw_elements *cw__job_elements(const cw_job *job)
{
    for (; job; job = job->parent) {
        const cw__extra *extra = cw__job_has_extra(job);
        if (extra && extra->elements) return extra->elements;
    }
    return NULL;
}

const cw_elements *cw_current_elements(void)
{
    CW__RUNTIME;
    const cw_job *job = cw_current_job();
    return job ? cw__job_elements(job->scope) : NULL;
}
