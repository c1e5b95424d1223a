/* job.c: one job, its place in the tree, its state.
 *
 * SPDX-License-Identifier: MIT
 *
 * Lock order: a job's LOCKED bit is a leaf. Nobody holds two of them, and what
 * a change sets off in other jobs (children, parent, waiters) happens after it
 * was released. Nothing here recurses: trees and waiter lists may be as deep
 * and as long as memory allows.
 */
#include "job.h"

#include "alloc.h"
#include "base.h"
#include "context.h"
#include "coroutine.h"
#include "error.h"
#include "host.h"
#include "limit.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* How many children or waiters are handled per turn with the lock held. */
enum { SLICE = 32 };

static void print_and_abort(const char *name, cw_error *error)
{
    char buffer[512];
    cw__text text = cw__text_begin(buffer, sizeof buffer);
    cw__text_add(&text, "coworker: job '");
    cw__text_add(&text, name);
    cw__text_add(&text, "' failed and nobody awaits it: ");
    cw__text_add(&text, cw_error_message(error));
    cw__text_add(&text, " (");
    cw__text_add(&text, cw_status_name(cw_error_code(error)));
    cw__text_add(&text, ")");
    cw__log_line(buffer);
    abort();
}

static _Atomic(cw_unhandled_fn *) unhandled_handler = print_and_abort;

void cw_set_unhandled_handler(cw_unhandled_fn *handler)
{
    cw_store_release(&unhandled_handler, handler ? handler : print_and_abort);
}

/* ---- making and freeing */

cw_job *cw__job_new(cw_context *context, const cw_coroutine *type,
                    unsigned flags, uint32_t handles, uint32_t extra)
{
    uint32_t frame_size = type ? type->frame_size : 0;
    size_t bytes = sizeof(cw_job) + frame_size + extra;
    cw_job *job = cw__alloc(bytes);
    if (cw_unlikely(!job)) return NULL;
    /* Field by field, since this is what launching costs. What is not set here
     * is written before it is read. */
    atomic_init(&job->state, 0);
    atomic_init(&job->refs, 1 + handles);
    atomic_init(&job->park, 0);
    job->flags = (uint8_t)flags;
    job->visited = 0;
    job->last = 0;
    job->wait_mode = CW__WAIT_PROMPT;
    job->armed = CW__UNARMED;
    job->fresh_count = 0;
    job->context = context;
    job->parent = NULL;
    atomic_init(&job->fresh, NULL);
    job->waiters = NULL;
    job->error = NULL;
    job->scope = job;
    job->top = NULL;
    if (frame_size) {
        cw_frame *frame = cw__job_frame(job);
        cw__frame_init(frame, type);
        frame->job = job;
        job->top = frame;
    }
    return job;
}

static void destroy(cw_job *job)
{
    size_t bytes = sizeof *job;
    if (job->top) bytes += cw__job_type(job)->frame_size;
    if (job->flags & CW__JOB_NOTIFY) bytes += cw__the_host.job_free(job);
    cw_error_release(job->error);
    cw__free(job, bytes);
}

void cw__job_drop(cw_job *job)
{
    /* The last owner needs no atomic change: nobody else can come by. acquire:
     * pairs with the others' drops. */
    if (cw_load_acquire(&job->refs) == 1 || cw_sub_acq_rel(&job->refs, 1) == 1)
        destroy(job);
}

cw_job *cw_job_retain(cw_job *job)
{
    if (job) cw_add_relaxed(&job->refs, 1); /* the caller holds a reference */
    return job;
}

void cw_job_release(cw_job *job)
{
    if (job) cw__job_drop(job);
}

/* ---- the word */

uint32_t cw__job_lock(cw_job *job)
{
    uint32_t state = cw_load_relaxed(&job->state);
    for (unsigned spins = 0;;) {
        if (state & CW__JOB_LOCKED) {
            if (++spins > CW__SPINS) cw__thread_pause();
            state = cw_load_acquire(&job->state);
        } else if (cw_cas_weak_acquire(&job->state, &state,
                                       state | CW__JOB_LOCKED)) {
            return state; /* acquire: pairs with cw__job_unlock */
        }
    }
}

bool cw_is_active(const cw_job *job)
{
    uint32_t state = cw_load_acquire(&job->state);
    return !(state & (CW__JOB_CANCELLING | CW__JOB_FINAL));
}

bool cw_is_completed(const cw_job *job)
{
    return (cw_load_acquire(&job->state) & CW__JOB_FINAL) != 0;
}

bool cw_is_cancelled(const cw_job *job)
{
    return (cw_load_acquire(&job->state) & CW__JOB_CANCELLING) != 0;
}

cw_error *cw_job_error(const cw_job *job)
{
    return cw_is_completed(job) ? job->error : NULL;
}

const char *cw_job_name(const cw_job *job)
{
    return job->flags & CW__JOB_BARE ? "" : cw__job_type(job)->name;
}

cw_error *cw__job_cancellation(cw_job *job)
{
    uint32_t state = cw__job_lock(job);
    cw_error *cause = cw_error_retain(job->error);
    cw__job_unlock(job, state);
    cw_error *error = cw__error_cancelled(cause);
    cw_error_release(cause);
    return error;
}

/* ---- children */

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

/* Moves the fresh children to the list. With the lock held, before it is looked
 * at; returns the state with the bit for it. */
static uint32_t adopt_fresh(cw_job *parent, uint32_t state)
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
    if (child->after == child) return false;
    child->before->after = child->after;
    child->after->before = child->before;
    if (parent->children == child) parent->children = child->after;
    return true;
}

/* Takes a chain of ended children off the list; returns the new state. */
static uint32_t unlink_chain(cw_job *parent, cw_job *child, uint32_t state)
{
    for (; child; child = child->next)
        if (!unlink_child(parent, child)) state &= ~(uint32_t)CW__JOB_CHILDREN;
    return state;
}

void cw__job_attach(cw_job *parent, cw_job *child)
{
    uint32_t state = cw__job_lock(parent);
    bool listed = !(state & CW__JOB_SEALED);
    if (listed) {
        child->parent = parent;
        /* A cancelled parent's walk over its children may be over already. */
        child->visited = (state & CW__JOB_CANCELLING) != 0;
        state = adopt_fresh(parent, state);
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
    /* Not too many at once for those who hold the lock. */
    if (cw_unlikely(++parent->fresh_count == SLICE)) {
        parent->fresh_count = 0;
        uint32_t state = cw__job_lock(parent);
        cw__job_unlock(parent, adopt_fresh(parent, state));
    }
}

/* ---- waiters */

static void unlink_waiter(cw_job *job, cw__waiter *waiter)
{
    waiter->linked = 0;
    if (waiter->next == waiter) {
        job->waiters = NULL;
        return;
    }
    waiter->prev->next = waiter->next;
    waiter->next->prev = waiter->prev;
    if (job->waiters == waiter) job->waiters = waiter->next;
}

/* Unlinks and fires the first waiter, under the job's lock. */
static void fire_first(cw_job *job, cw__woken *woken)
{
    cw__waiter *waiter = job->waiters;
    unlink_waiter(job, waiter);
    cw__waiter_fire(waiter, woken);
}

static uint32_t waiters_bit(const cw_job *job, uint32_t state)
{
    return job->waiters ? state | CW__JOB_WAITERS
                        : state & ~(uint32_t)CW__JOB_WAITERS;
}

/* ---- cancelling */

/* A failure counts for more than cancellation. */
static bool outweighs(const cw_error *error, const cw_error *other)
{
    return !cw__error_is_cancel(error) && cw__error_is_cancel(other);
}

/* The parent, with a reference, if a failure of this job goes there; else NULL.
 * The job is on its parent's list for as long as it is not sealed (so under its
 * lock), and for whoever settles it. */
static cw_job *told_of_failure(cw_job *job)
{
    cw_job *parent = job->parent;
    if (!parent || job->flags & (CW__JOB_SCOPE | CW__JOB_LONELY) ||
        parent->flags & CW__JOB_SUPERVISOR)
        return NULL;
    return cw_job_retain(parent);
}

/* Makes the job cancelling, with `error` (taken over) as root cause. False if
 * it is that already or its outcome is fixed. Wakes its body and those who
 * want to hear of it early. `above`, unless NULL, gets told_of_failure(). */
static bool begin_cancelling(cw__worker *self, cw_job *job, cw_error *error,
                             cw_job **above)
{
    uint32_t state = cw__job_lock(job);
    if (state & (CW__JOB_CANCELLING | CW__JOB_SEALED)) {
        cw_error *unused = error;
        if (!(state & CW__JOB_SEALED) && outweighs(error, job->error)) {
            unused = job->error;
            job->error = error;
        }
        cw__job_unlock(job, state);
        cw_error_release(unused);
        return false;
    }
    if (above) *above = told_of_failure(job);
    job->error = error;
    state |= CW__JOB_CANCELLING;
    /* Those who want to hear of it early stand in front. */
    cw__woken woken;
    cw__woken_init(&woken);
    while (job->waiters && job->waiters->early)
        fire_first(job, &woken);
    state = waiters_bit(job, state);
    /* The body cannot end, and so not be freed, before the bit is set: up to
     * then it would have to take this lock. Its park word is ordered behind the
     * bit by the unlock (seq_cst); a body that is about to suspend looks at
     * both in the other order. */
    cw_job *task = job->flags & (CW__JOB_FOREIGN | CW__JOB_BARE)
                       ? NULL
                       : cw__job_task(job);
    if (task) cw_add_relaxed(&task->refs, 1);
    cw__job_unlock_cancelling(job, state);
    if (task) {
        if (!(state & CW__JOB_BODY_DONE) && cw__task_kick(task)) {
            task->next = NULL;
            cw__dispatch_resumed(self, task);
        }
        cw__job_drop(task);
    }
    cw__dispatch_woken(self, &woken);
    return true;
}

/* Takes the next child that no cancel has seen, with a reference, and the
 * error to cancel it with (owned). NULL if there is none. */
static cw_job *take_unvisited(cw_job *job, cw_error **cause)
{
    uint32_t state = adopt_fresh(job, cw__job_lock(job));
    cw_job *child = state & CW__JOB_CHILDREN ? job->children : NULL;
    if (child && !child->visited) {
        child->visited = 1;
        cw_add_relaxed(&child->refs, 1);
        job->children = child->after; /* rotate: the order stays */
        *cause = cw_error_retain(job->error);
    } else {
        child = NULL;
    }
    cw__job_unlock(job, state);
    return child;
}

/* Cancels all below a job that has just become cancelling: each child with
 * everything below it before its younger siblings. The way back up is kept in
 * `cancel_next` of the jobs on it; that field belongs to whoever took the job
 * from its parent's list, so walks that meet do not disturb each other. */
static void cancel_children(cw__worker *self, cw_job *root)
{
    cw_error *wrapped = cw__job_cancellation(root);
    cw_job *job = root;
    for (;;) {
        cw_error *cause;
        cw_job *child = take_unvisited(job, &cause);
        if (child) {
            if (!cw__error_is_cancel(cause)) { /* a failure: tell it as cause */
                cw_error *failure = cause;
                cause = job == root ? cw_error_retain(wrapped)
                                    : cw__error_cancelled(failure);
                cw_error_release(failure);
            }
            if (begin_cancelling(self, child, cause, NULL)) {
                child->cancel_next = job;
                job = child;
            } else {
                cw__job_drop(child);
            }
        } else {
            if (job == root) break;
            cw_job *up = job->cancel_next;
            cw__job_drop(job);
            job = up;
        }
    }
    cw_error_release(wrapped);
}

void cw_cancel(cw_job *job, cw_error *cause)
{
    cw__worker *self = cw__self;
    cw_job_retain(job);
    if (begin_cancelling(self, job, cw__error_cancelled(cause), NULL))
        cancel_children(self, job);
    cw__job_drop(job);
}

/* A child of `job` (a reference, taken over) has failed with `error`
 * (borrowed). All above hear of it now, so that they stop early, and once more
 * when what is between has ended. */
static void tell_failure(cw__worker *self, cw_job *job, cw_error *error)
{
    while (job) {
        cw_job *above = NULL;
        if (begin_cancelling(self, job, cw_error_retain(error), &above))
            cancel_children(self, job);
        cw__job_drop(job);
        job = above;
    }
}

/* ---- ending */

/* Takes all waiters of a final job, a slice at a time, and wakes them in order
 * of arrival. */
static void fire_waiters(cw__worker *self, cw_job *job)
{
    uint32_t state;
    do {
        cw__woken woken;
        cw__woken_init(&woken);
        state = cw__job_lock(job);
        for (unsigned n = 0; n < SLICE && job->waiters; n++)
            fire_first(job, &woken);
        state = waiters_bit(job, state);
        cw__job_unlock(job, state);
        cw__dispatch_woken(self, &woken);
    } while (state & CW__JOB_WAITERS);
}

static void count_end(cw__worker *self, cw_job *job, const cw_error *error)
{
    if (job->flags & (CW__JOB_SCOPE | CW__JOB_BARE)) return;
    if (error && self && self->context == job->context)
        cw__count(cw__error_is_cancel(error) ? &self->cancelled : &self->failed,
                  1);
    cw__context_leave(self, job->context);
}

/* The outcome of a sealed job is fixed: tells the parent, then everybody. */
static void settle(cw__worker *self, cw_job *job)
{
    cw_error *error = job->error; /* fixed since SEALED */
    bool unhandled = false;
    if (error && !cw__error_is_cancel(error)) {
        cw_job *above = told_of_failure(job);
        unhandled =
            !above &&
            !(job->flags & (CW__JOB_ASYNC | CW__JOB_SCOPE | CW__JOB_LONELY));
        tell_failure(self, above, error);
    }
    if (unhandled && !(job->flags & CW__JOB_NOTIFY))
        cw_load_acquire (&unhandled_handler)(cw_job_name(job), error);
    /* Since SEALED it takes no new one. */
    if (cw_load_acquire(&job->state) & CW__JOB_LIMITED)
        cw__limit_clear(job->limit);

    uint32_t state = cw__job_lock(job);
    cw__job_unlock(job, state | CW__JOB_FINAL);
    if (job->flags & CW__JOB_NOTIFY) cw__the_host.job_final(job, unhandled);
    if (state & CW__JOB_WAITERS) fire_waiters(self, job);
    count_end(self, job, error);
}

static void drop_children(cw_job *first)
{
    while (first) {
        cw_job *child = first;
        first = child->next;
        child->parent = NULL;
        cw__job_drop(child);
    }
}

/* Takes ended children off the list. Returns the parent if that was all it
 * waited for; then it is sealed and the caller has to settle it. */
static cw_job *unlist(cw_job *parent, cw_job *first)
{
    uint32_t state = adopt_fresh(parent, cw__job_lock(parent));
    state = unlink_chain(parent, first, state);
    bool over = !(state & CW__JOB_CHILDREN) && (state & CW__JOB_BODY_DONE);
    if (over) state |= CW__JOB_SEALED;
    cw__job_unlock(parent, state);
    drop_children(first);
    return over ? parent : NULL;
}

/* Takes off the list what the worker has collected. */
static cw_job *unlist_done(cw__worker *self)
{
    cw_job *first = self->done;
    self->done = NULL;
    self->done_count = 0;
    return first ? unlist(first->parent, first) : NULL;
}

/* Detaches a settled job from its parent. A worker collects the ended children
 * of one parent and takes them off the list together; since it goes on only
 * with further children of that parent or with the parent itself, nobody can
 * tell the difference. Returns another job that has to be settled because of
 * it, or NULL. */
static cw_job *retire(cw__worker *self, cw_job *job)
{
    cw_job *parent = job->parent;
    if (!parent) {
        cw__job_drop(job);
        return NULL;
    }
    job->next = NULL;
    if (!self || !self->running) return unlist(parent, job);
    cw_job *ready = NULL;
    if (self->done &&
        (self->done->parent != parent || self->done_count == SLICE))
        ready = unlist_done(self);
    if (self->done) {
        self->done_last->next = job;
    } else {
        self->done = job;
    }
    self->done_last = job;
    self->done_count++;
    return ready;
}

void cw__worker_flush(cw__worker *self)
{
    while (self->done) {
        cw_job *job = unlist_done(self);
        while (job) {
            settle(self, job);
            job = retire(self, job);
        }
    }
}

enum {
    ENDED = CW__JOB_BODY_DONE | CW__JOB_SEALED | CW__JOB_FINAL,
    /* What is told of the end of others: see settle(). */
    EVENTFUL = CW__JOB_CANCELLING | CW__JOB_LIMITED
};

/* The end of a job with a value that has nobody to tell but its waiters. Called
 * with the lock held and FINAL visible, so that a waiter that was about to
 * suspend can go on at once; releases it. */
static void settle_quietly(cw__worker *self, cw_job *job, uint32_t state)
{
    cw__woken woken;
    cw__woken_init(&woken);
    for (unsigned n = 0; n < SLICE && job->waiters; n++)
        fire_first(job, &woken);
    state = waiters_bit(job, state);
    cw__job_unlock(job, state);
    cw__dispatch_woken(self, &woken);
    if (cw_unlikely(state & CW__JOB_WAITERS)) fire_waiters(self, job);
    count_end(self, job, NULL);
}

/* What is left to do for a job whose body is over. */
enum rest { AWAIT_CHILDREN, SETTLE, RETIRE };

/* Records how the body ended. */
static enum rest end_body(cw__worker *self, cw_job *job, cw_error *error)
{
    /* Children of this job that the worker has collected do not count. */
    cw_job *ended = NULL;
    if (self && self->done && self->done->parent == job) {
        ended = self->done;
        self->done = NULL;
        self->done_count = 0;
    }
    uint32_t state = adopt_fresh(job, cw__job_lock(job));
    state = unlink_chain(job, ended, state);
    bool failed_first = error && !(state & CW__JOB_CANCELLING);
    cw_error *failure = NULL, *unused = NULL;
    if (failed_first) {
        job->error = error;
        state |= CW__JOB_CANCELLING;
    } else if (error && outweighs(error, job->error)) {
        unused = job->error;
        job->error = error;
    } else {
        unused = error;
    }
    state |= CW__JOB_BODY_DONE;
    bool over = !(state & CW__JOB_CHILDREN);
    if (over) state |= CW__JOB_SEALED;
    if (over && !(state & EVENTFUL) && !(job->flags & CW__JOB_NOTIFY)) {
        state |= CW__JOB_FINAL;
        /* release: what the body wrote is visible to whoever sees FINAL */
        if (state & CW__JOB_WAITERS)
            cw_store_release(&job->state, state | CW__JOB_LOCKED);
        settle_quietly(self, job, state);
        drop_children(ended);
        return RETIRE;
    }
    cw_job *above = NULL;
    if (!over && failed_first) { /* it may end as soon as it is unlocked */
        cw_add_relaxed(&job->refs, 1);
        failure = cw_error_retain(error);
        if (!cw__error_is_cancel(error)) above = told_of_failure(job);
    }
    cw__job_unlock_cancelling(job, state);
    cw_error_release(unused);
    drop_children(ended);
    if (!over && failed_first) {
        tell_failure(self, above, failure);
        cancel_children(self, job);
        cw_error_release(failure);
        cw__job_drop(job);
    }
    return over ? SETTLE : AWAIT_CHILDREN;
}

/* The usual ends, in one step: with a value, without children, and with nobody
 * to tell, or only waiters. */
static bool finish_quickly(cw__worker *self, cw_job *job)
{
    if (cw_load_relaxed(&job->fresh)) return false;
    uint32_t state = cw_load_relaxed(&job->state);
    /* acq_rel: what the body wrote is visible to whoever sees FINAL */
    if (state == 0 && cw_cas_acq_rel(&job->state, &state, ENDED)) {
        if (job->flags & CW__JOB_NOTIFY) cw__the_host.job_final(job, false);
        count_end(self, job, NULL);
        return true;
    }
    uint32_t ended = ENDED | CW__JOB_WAITERS;
    if (state == CW__JOB_WAITERS && !(job->flags & CW__JOB_NOTIFY) &&
        cw_cas_acq_rel(&job->state, &state, ended | CW__JOB_LOCKED)) {
        settle_quietly(self, job, ended);
        return true;
    }
    return false;
}

void cw__job_finish(cw__worker *self, cw_job *job, cw_error *error)
{
    enum rest rest = RETIRE;
    if (cw_unlikely(error) || !finish_quickly(self, job))
        rest = end_body(self, job, error);
    if (rest == AWAIT_CHILDREN) return;
    if (rest == SETTLE) settle(self, job);
    while ((job = retire(self, job)) != NULL)
        settle(self, job);
}

/* ---- waiting for the end */

int cw__job_wait(cw_job *job, cw__waiter *waiter)
{
    uint32_t over = CW__JOB_FINAL;
    if (waiter->early) over |= CW__JOB_CANCELLING | CW__JOB_SEALED;
    if (cw_load_acquire(&job->state) & over) return CW__DONE;
    uint32_t state = cw__job_lock(job);
    if (state & over) {
        cw__job_unlock(job, state);
        return CW__DONE;
    }
    waiter->target.job = job;
    waiter->linked = 1;
    cw__waiter *first = job->waiters;
    if (!first) {
        waiter->next = waiter->prev = waiter;
        job->waiters = waiter;
    } else {
        waiter->next = first;
        waiter->prev = first->prev;
        first->prev->next = waiter;
        first->prev = waiter;
        if (waiter->early) job->waiters = waiter; /* early ones in front */
    }
    cw__job_unlock(job, state | CW__JOB_WAITERS);
    return CW__PENDING;
}

void cw__job_unwait(cw__waiter *waiter)
{
    cw_job *job = waiter->target.job;
    uint32_t state = cw__job_lock(job);
    if (waiter->linked) unlink_waiter(job, waiter);
    cw__job_unlock(job, waiters_bit(job, state));
}
