/* children.c: the children that a job waits for.
 *
 * SPDX-License-Identifier: MIT
 *
 * They stand in a ring, in order of launch, under the job's lock. Children of
 * the body that runs come without it: they wait on a stack, `fresh`, until
 * somebody looks at the ring, or until there are many.
 */
#include "tree.h"

#include "error.h"
#include "handler.h"

/* How many children may be fresh, and how many while others use the list. */
enum { FRESH = 32, FRESH_MOST = 4 * FRESH };

static bool try_lock(cw_job *job, uint32_t *state)
{
    *state = cw_load_relaxed(&job->state);
    /* acquire: pairs with cw__job_unlock */
    return !(*state & CW__JOB_LOCKED) &&
           cw_cas_acq_rel(&job->state, state, *state | CW__JOB_LOCKED);
}

/* Puts a chain of children, linked through `before`, at the list's end. */
static void link_children(cw_job *parent, cw_job *newest, uint32_t state)
{
    cw_job *first = state & CW__JOB_CHILDREN ? parent->children : NULL;
    cw_job *last = first ? first->before : newest;
    cw_job *after = first ? first : NULL, *oldest = newest;
    for (cw_job *child = newest; child; child = child->before) {
        child->after = after;
        after = oldest = child;
    }
    if (!first) parent->children = first = oldest;
    oldest->before = last;
    last->after = oldest;
    newest->after = first;
    first->before = newest;
}

uint32_t cw__adopt_fresh(cw_job *parent, uint32_t state)
{
    /* seq_cst: comes after the CANCELLING bit, if that is set. acquire: pairs
     * with cw__job_attach_own(). */
    if (!cw_load_seq_cst(&parent->fresh)) return state;
    link_children(parent, cw_swap_acquire(&parent->fresh, NULL), state);
    return state | CW__JOB_CHILDREN;
}

/* False if it was the only one. */
static bool unlink_child(cw_job *parent, cw_job *child)
{
    bool alone = child->after == child;
    if (cw_unlikely(child->visited & CW__FOLLOWED)) {
        /* Its place in the order is taken by the one before it, if there is
         * one: before the first, which need not be `children` while they are
         * visited, the ring goes on with the last. */
        cw_job *before = alone ? NULL : child->before;
        if (before && !(before->visited & CW__VISITED) &&
            (child == parent->children || child->visited & CW__VISITED))
            before = NULL;
        cw__handlers_follow(parent, child, before);
    }
    if (alone) return false;
    child->before->after = child->after;
    child->after->before = child->before;
    if (parent->children == child) parent->children = child->after;
    return true;
}

static inline uint32_t unlink_one(cw_job *parent, cw_job *child, uint32_t state)
{
    /* Only if need be: the fresh ones are in another worker's cache. */
    if (!child->after) state = cw__adopt_fresh(parent, state);
    if (!unlink_child(parent, child)) state &= ~(uint32_t)CW__JOB_CHILDREN;
    return state;
}

uint32_t cw__unlink_one(cw_job *parent, cw_job *child, uint32_t state)
{
    return unlink_one(parent, child, state);
}

uint32_t cw__unlink_chain(cw_job *parent, cw_job *child, uint32_t state)
{
    for (; child; child = child->next)
        state = unlink_one(parent, child, state);
    return state;
}

/* What may be killed, may be with all below it. The child has not begun. */
static void inherit(const cw_job *parent, cw_job *child)
{
    if (cw_unlikely(parent->flags & ~child->flags & CW__JOB_KILLABLE))
        child->flags |= CW__JOB_KILLABLE;
}

void cw__job_attach(cw_job *parent, cw_job *child)
{
    if (cw_unlikely(cw_load_acquire(&parent->state) & CW__JOB_NEW))
        cw_job_start(parent);
    uint32_t state = cw__job_lock(parent);
    bool listed = !(state & CW__JOB_SEALED);
    if (listed) {
        child->parent = parent;
        inherit(parent, child);
        /* A cancelled parent's walk over its children may be over already. */
        child->visited = state & CW__JOB_CANCELLING ? CW__VISITED : 0;
        state = cw__adopt_fresh(parent, state);
        child->before = NULL;
        link_children(parent, child, state);
        state |= CW__JOB_CHILDREN;
    }
    cw_error *cause = NULL;
    bool cancel = (state & (CW__JOB_CANCELLING | CW__JOB_SEALED)) != 0;
    if (cancel) cause = cw_error_retain(parent->error);
    cw__job_unlock(parent, state);
    if (cancel) {
        cw_cancel(child, cause);
        cw_error_release(cause);
    }
}

void cw__job_attach_own(cw_job *parent, cw_job *child)
{
    if (cw_unlikely(parent->flags & CW__JOB_FOREIGN)) {
        cw__job_attach(parent, child); /* its body may be over already */
        return;
    }
    child->parent = parent;
    inherit(parent, child);
    child->after = NULL; /* not in the list yet */
    cw_job *newest = cw_load_relaxed(&parent->fresh);
    do {
        child->before = newest;
        /* seq_cst: release for the child; and comes before the look at the
         * state, so either we see CANCELLING or the canceller sees the child */
    } while (!cw_cas_weak_seq_cst(&parent->fresh, &newest, child));
    /* Its walk over the children may be over already, or meet this one. */
    if (cw_unlikely(cw__job_cancelling(parent))) {
        uint32_t state = cw__job_lock(parent);
        cw_error *cause = cw_error_retain(parent->error);
        cw__job_unlock(parent, state);
        cw_cancel(child, cause);
        cw_error_release(cause);
    }
    /* Not too many at once for those who hold the lock. A worker that takes
     * ended children off the list need not be waited for, except at last. */
    if (cw_unlikely(++parent->fresh_count % FRESH == 0)) {
        uint32_t state;
        if (parent->fresh_count == FRESH_MOST) {
            state = cw__job_lock(parent);
        } else if (!try_lock(parent, &state)) {
            return;
        }
        parent->fresh_count = 0;
        cw__job_unlock(parent, cw__adopt_fresh(parent, state));
    }
}
