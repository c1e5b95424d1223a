/* watch.c: what is kept of jobs while the program is debugged.
 *
 * SPDX-License-Identifier: MIT
 */
#include "watch.h"

#include "deadlock.h"

#include "context.h"

/* Jobs that have begun and not ended, without a watched job above. Oldest
 * first; the head is no record of a job. */
static cw__lock list_lock;
static cw__watch head = {.next = &head, .prev = &head};

static cw_job *job_of(cw__watch *watch)
{
    return (cw_job *)(void *)((char *)watch + CW__WATCH_BYTES);
}

static void made(cw_job *job)
{
    cw__watch *watch = cw__watch_of(job);
    *watch = (cw__watch){.context = job->context};
    /* relaxed, as everywhere here: numbers to be looked at by themselves */
    if (job->context)
        cw_store_relaxed(&watch->since_ns, cw__context_now(job->context));
}

static void put_on_list(cw_job *job)
{
    cw__watch *watch = cw__watch_of(job);
    cw__lock_acquire(&list_lock);
    /* Once it is final, whoever ends it takes it off the list. */
    if (!watch->listed && !cw_is_completed(job)) {
        watch->listed = true;
        watch->next = &head;
        watch->prev = head.prev;
        head.prev->next = watch;
        head.prev = watch;
    }
    cw__lock_release(&list_lock);
}

static void launched(cw_job *job)
{
    cw_job *parent = cw_job_parent(job);
    if (!parent || !cw__is_watched(parent)) {
        put_on_list(job);
    } else {
        cw_job *above = cw_job_parent(parent);
        if (!above)
            put_on_list(parent); /* perhaps nobody has launched that one */
        cw_job_release(above);
    }
    cw_job_release(parent);
}

static void ended(cw_job *job)
{
    cw__watch *watch = cw__watch_of(job);
    cw__lock_acquire(&list_lock);
    if (watch->listed) {
        watch->listed = false;
        watch->next->prev = watch->prev;
        watch->prev->next = watch->next;
    }
    cw__lock_release(&list_lock);
    cw__lock_acquire(&watch->lock);
    watch->context = NULL; /* it may end before the job is freed */
    cw__lock_release(&watch->lock);
}

static void moved(cw_job *job)
{
    cw__watch *watch = cw__watch_of(job);
    cw__lock_acquire(&watch->lock);
    watch->context = job->context;
    cw__lock_release(&watch->lock);
}

static void note_time(cw_job *job)
{
    cw_store_relaxed(&cw__watch_of(job)->since_ns,
                     cw__context_now(job->context));
}

static void runs(const cw__worker *self, cw_job *job)
{
    cw__watch *watch = cw__watch_of(job);
    note_time(job);
    cw_store_relaxed(&watch->worker, self->index + 1);
    /* release: pairs with the look for deadlocks, which has to see the count
     * of whoever has woken another job if it sees that job wait */
    cw_store_release(&watch->turns, cw_load_relaxed(&watch->turns) + 1);
}

static void pauses(cw_job *job)
{
    note_time(job);
    cw_store_relaxed(&cw__watch_of(job)->worker, 0);
}

static bool take_list(cw_job **jobs, size_t *count)
{
    size_t room = *count, found = 0;
    cw__lock_acquire(&list_lock);
    for (cw__watch *watch = head.next; watch != &head; watch = watch->next)
        if (found++ < room) jobs[found - 1] = job_of(watch);
    /* What is listed has not ended, so the tree's reference is there. */
    for (size_t i = 0; found <= room && i < found; i++)
        cw_job_retain(jobs[i]);
    cw__lock_release(&list_lock);
    *count = found;
    return found <= room;
}

const cw__watch_calls cw__watch_table = {
    .made = made,
    .launched = launched,
    .runs = runs,
    .pauses = pauses,
    .moved = moved,
    .ended = ended,
    .list = take_list,
    .idle = cw__look_for_deadlock,
};
