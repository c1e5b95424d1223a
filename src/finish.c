/* finish.c: how a job ends, and who hears of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tree.h"

#include "base.h"
#include "context.h"
#include "elements.h"
#include "error.h"
#include "host.h"
#include "limit.h"
#include "progress.h"
#include "roster.h"
#include "text.h"
#include "watch.h"

#include <stdlib.h>

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

void cw__report_unhandled(const char *name, cw_error *error)
{
    cw_load_acquire (&unhandled_handler)(name, error);
}

void cw__fire_waiters(cw__worker *self, cw_job *job)
{
    uint32_t state;
    do {
        cw__woken woken;
        cw__woken_init(&woken);
        state = cw__job_lock(job);
        if (state & CW__JOB_CANCELLING) /* that may not be over yet */
            state = cw__fire_early(job, state, true, &woken);
        for (unsigned n = 0; n < SLICE && job->waiters; n++)
            cw__fire(job, job->waiters, &woken);
        state = cw__waiters_bit(job, state);
        cw__job_unlock(job, state);
        cw__dispatch_woken(self, &woken);
    } while (state & CW__JOB_WAITERS);
}

static void count_out(cw__worker *self, cw_job *job, const cw_error *error)
{
    if (job->flags & (CW__JOB_SCOPE | CW__JOB_BARE | CW__JOB_INSIDE)) return;
    cw_context *home = job->context->home;
    bool cancelled = error && cw__error_is_cancel(error);
    if (error && self && self->context == home)
        cw__count(cancelled ? &self->cancelled : &self->failed, 1);
    else if (error && home->count == 0) /* relaxed: a count of its own */
        cw_add_relaxed(
            cancelled ? &home->outside_cancelled : &home->outside_failed, 1);
    cw__context_leave(self, job->context);
}

static void count_end(cw__worker *self, cw_job *job, const cw_error *error)
{
    if (cw__is_watched(job)) cw__watching->ended(job);
    /* relaxed: the caller has changed the word since these could be set */
    uint32_t state = cw_load_relaxed(&job->state);
    if (state & CW__JOB_LISTED) cw__roster_leave(job);
    if (cw_unlikely(state & CW__JOB_WITHDRAWN)) return;
    count_out(self, job, error);
}

void cw__job_count_out(cw__worker *self, cw_job *job)
{
    count_out(self, job, job->error);
}

/* The error that a sealed job ends with: of all that it has met, the first that
 * is no cancellation. The other failures are told along with it. */
static cw_error *aggregate(cw_job *job)
{
    cw__extra *extra = cw__job_has_extra(job);
    if (!extra || !extra->reports) return job->error;
    cw__report *oldest = NULL;
    while (extra->reports) { /* nobody adds any more */
        cw__report *report = extra->reports;
        extra->reports = report->next;
        report->next = oldest;
        oldest = report;
    }
    extra->reports = oldest;
    cw_error *root = job->error, *chosen = root;
    for (cw__report *r = oldest; r && cw__error_is_cancel(chosen); r = r->next)
        if (!cw__error_is_cancel(r->error)) chosen = r->error;
    for (cw__report *r = oldest; r && cw__error_is_cancel(chosen); r = r->next)
        if (cw__error_is_lost(r->error)) chosen = r->error;
    /* Which of several time limits it was is told by the innermost one. */
    if (cw__error_is_timeout(chosen) && chosen == root) chosen = oldest->error;
    if (!cw__error_is_cancel(root)) cw__error_suppress(chosen, root);
    for (cw__report *r = oldest; r; r = r->next)
        cw__error_suppress(chosen, r->error);
    if (chosen != root) {
        cw_error_retain(chosen);
        uint32_t state = cw__job_lock(job);
        job->error = chosen;
        cw__job_unlock(job, state);
        cw_error_release(root);
    }
    return chosen;
}

bool cw__job_handle_failure(cw_job *job, cw_error *error)
{
    const cw__handler_element *own =
        cw__elements_handler(cw__job_elements(job));
    if (own) {
        own->call(own->arg, cw_job_name(job), error);
        return true;
    }
    return cw__context_takes_failure(job->context, error);
}

/* The outcome of a sealed job is fixed: tells the parent, then everybody. */
static void settle(cw__worker *self, cw_job *job)
{
    cw_error *error = aggregate(job);
    bool unhandled = false;
    if (error && !cw__error_is_cancel(error)) {
        cw_job *above = cw__told_of_failure(job);
        unhandled = !cw__parent_answers(above) &&
                    !(job->flags & (CW__JOB_ASYNC | CW__JOB_SCOPE |
                                    CW__JOB_LONELY | CW__JOB_BARE));
        cw__tell_failure(self, above, error);
    }
    if (unhandled) unhandled = !cw__job_handle_failure(job, error);
    if (unhandled && !(job->flags & CW__JOB_NOTIFY))
        cw__report_unhandled(cw_job_name(job), error);
    cw__listeners_end(job);
    cw__extra *extra = cw__job_has_extra(job);
    cw__limit *limits[CW__LIMITS] = {NULL};
    uint32_t state = cw__job_lock(job);
    for (unsigned i = 0; extra && i < CW__LIMITS; i++) {
        limits[i] = extra->limits[i]; /* since SEALED it takes no new one */
        extra->limits[i] = NULL;
    }
    cw__job_unlock(job, state | CW__JOB_FINAL);
    cw__limits_clear(limits);
    if (job->flags & CW__JOB_NOTIFY) cw__the_host.job_final(job, unhandled);
    if (state & CW__JOB_WAITERS) cw__fire_waiters(self, job);
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
    uint32_t state = cw__unlink_chain(parent, first, cw__job_lock(parent));
    bool over = !(state & CW__JOB_CHILDREN) && (state & CW__JOB_BODY_DONE);
    if (over) state |= CW__JOB_SEALED;
    cw__job_unlock(parent, state);
    drop_children(first);
    return over ? parent : NULL;
}

/* The same for one that stands in a queue, whose link is that one's. */
static cw_job *unlist_queued(cw_job *parent, cw_job *job)
{
    uint32_t state = cw__unlink_one(parent, job, cw__job_lock(parent));
    bool over = !(state & CW__JOB_CHILDREN) && (state & CW__JOB_BODY_DONE);
    if (over) state |= CW__JOB_SEALED;
    cw__job_unlock(parent, state);
    job->parent = NULL;
    cw__job_drop(job);
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
    if (cw_unlikely(cw_load_relaxed(&job->state) & CW__JOB_WITHDRAWN))
        return unlist_queued(parent, job);
    job->next = NULL;
    /* Whoever ends it from elsewhere, such as from another body, can tell. */
    cw_job *current = self ? self->current : NULL;
    if (!self || !self->running || self->in_place ||
        (current && cw__job_task(parent) != current))
        return unlist(parent, job);
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

static void settle_all(cw__worker *self, cw_job *ready)
{
    while (ready) {
        settle(self, ready);
        ready = retire(self, ready);
    }
}

void cw__worker_flush(cw__worker *self)
{
    while (self->done)
        settle_all(self, unlist_done(self));
}

enum {
    ENDED = CW__JOB_BODY_DONE | CW__JOB_SEALED | CW__JOB_FINAL,
    /* What is told of the end of others: see settle(). */
    EVENTFUL = CW__JOB_CANCELLING | CW__JOB_EXTRA
};

/* The end of a job with a value that has nobody to tell but its waiters. Called
 * with the lock held and FINAL visible, so that a waiter that was about to
 * suspend can go on at once; releases it. */
static void settle_quietly(cw__worker *self, cw_job *job, uint32_t state)
{
    cw__woken woken;
    cw__woken_init(&woken);
    for (unsigned n = 0; n < SLICE && job->waiters; n++)
        cw__fire(job, job->waiters, &woken);
    state = cw__waiters_bit(job, state);
    cw__job_unlock(job, state);
    cw__dispatch_woken(self, &woken);
    if (cw_unlikely(state & CW__JOB_WAITERS)) cw__fire_waiters(self, job);
    count_end(self, job, NULL);
}

/* What is left to do for a job whose body is over. */
enum rest { AWAIT_CHILDREN, SETTLE, RETIRE, ALREADY };

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
    uint32_t state = cw__adopt_fresh(job, cw__job_lock(job));
    state = cw__unlink_chain(job, ended, state);
    bool failed_first = error && !(state & CW__JOB_CANCELLING);
    bool told = failed_first && state & CW__JOB_EARLY;
    if (told) { /* before it ends */
        cw__job_unlock(job, state);
        failed_first = cw__fail_early(self, job, error);
        state = cw__job_lock(job);
    } else if (error && !failed_first) { /* one more; not under the lock */
        cw__job_unlock(job, state);
        cw__job_report(job, error);
        state = cw__job_lock(job);
    }
    if (state & CW__JOB_BODY_DONE) { /* a bare job: somebody was faster */
        cw__job_unlock(job, state);
        drop_children(ended);
        cw_error_release(error);
        return ALREADY;
    }
    cw_error *failure = NULL;
    if (failed_first && !told) {
        job->error = cw_error_retain(error);
        state |= CW__JOB_CANCELLING;
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
        if (!cw__error_is_cancel(error)) above = cw__told_of_failure(job);
    }
    cw__job_unlock_cancelling(job, state);
    cw_error_release(error);
    drop_children(ended);
    if (!over && failed_first) {
        cw__cancel_children(self, job);
        cw__tell_failure(self, above, failure);
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
    uint32_t listed = state & CW__JOB_LISTED;
    /* acq_rel: what the body wrote is visible to whoever sees FINAL */
    if (state == listed &&
        cw_cas_acq_rel(&job->state, &state, ENDED | listed)) {
        if (job->flags & CW__JOB_NOTIFY) cw__the_host.job_final(job, false);
        count_end(self, job, NULL);
        return true;
    }
    uint32_t ended = ENDED | CW__JOB_WAITERS | listed;
    if (state == (CW__JOB_WAITERS | listed) && !(job->flags & CW__JOB_NOTIFY) &&
        cw_cas_acq_rel(&job->state, &state, ended | CW__JOB_LOCKED)) {
        settle_quietly(self, job, ended);
        return true;
    }
    return false;
}

void cw__job_leave(cw__worker *self, cw_job *parent, cw_job *job)
{
    settle_all(self, unlist_queued(parent, job));
}

bool cw__job_finish(cw__worker *self, cw_job *job, cw_error *error)
{
    enum rest rest = RETIRE;
    if (cw_unlikely(error) || !finish_quickly(self, job))
        rest = end_body(self, job, error);
    if (rest == AWAIT_CHILDREN || rest == ALREADY) return rest != ALREADY;
    if (rest == SETTLE) settle(self, job);
    settle_all(self, retire(self, job));
    return true;
}
