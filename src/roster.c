/* roster.c: the jobs of a context to which no other job of it leads.
 *
 * SPDX-License-Identifier: MIT
 *
 * In parts with a lock each, so that a thread that launches many jobs and the
 * workers that end them seldom meet. Which part is a job's follows from its
 * address.
 */
#include "roster.h"

#include "alloc.h"
#include "context.h"
#include "lock.h"

#include <string.h>

enum {
    PARTS = 16,
    /* Others keep their context until they leave the roster. */
    NOT_COUNTED = CW__JOB_SCOPE | CW__JOB_INSIDE
};

/* Guarded by its lock, with the entries of the jobs in it. */
typedef struct part {
    _Alignas(CW_CACHE_LINE) cw__lock lock;
    cw_job *jobs;      /* newest first */
    cw_job *cancelled; /* and those that cw__roster_cancel() has been at */
} part;

struct cw__roster {
    void *memory; /* what was allocated; this struct is aligned in it */
    part parts[PARTS];
};

enum { BYTES = sizeof(cw__roster) + CW_CACHE_LINE };

bool cw__roster_make(cw_context *context)
{
    void *memory = cw__alloc(BYTES);
    if (!memory) return false;
    uintptr_t aligned =
        ((uintptr_t)memory + CW_CACHE_LINE) & ~(uintptr_t)(CW_CACHE_LINE - 1);
    context->roster = (cw__roster *)aligned;
    memset(context->roster, 0, sizeof *context->roster);
    context->roster->memory = memory;
    return true;
}

void cw__roster_free(cw_context *context)
{
    if (context->roster) cw__free(context->roster->memory, BYTES);
    context->roster = NULL;
}

unsigned cw__roster_flag(const cw_context *context, const cw_job *parent,
                         bool own)
{
    if (!context->home->roster) return 0;
    /* Others may just be on their way to another context. */
    const unsigned stays = CW__JOB_BARE | CW__JOB_FOREIGN | CW__JOB_INSIDE;
    bool leads = parent && (own || parent->flags & stays) && parent->context &&
                 parent->context->home == context->home;
    return leads ? 0 : CW__JOB_TOP;
}

static part *part_of(const cw_context *context, const cw_job *job)
{
    /* The low bits are those of a size class. */
    uint32_t mixed = (uint32_t)((uintptr_t)job >> 4) * 2654435761u;
    return &context->home->roster->parts[mixed >> 28];
}

static void link_first(cw_job **list, cw_job *job)
{
    cw__listed *entry = cw__listed_of(job);
    entry->next = *list;
    entry->at = list;
    if (entry->next) cw__listed_of(entry->next)->at = &entry->next;
    *list = job;
}

static void unlink(cw_job *job)
{
    cw__listed *entry = cw__listed_of(job);
    *entry->at = entry->next;
    if (entry->next) cw__listed_of(entry->next)->at = entry->at;
    entry->at = NULL;
}

void cw__roster_enter(cw_job *job)
{
    cw_context *context = job->context;
    if (job->flags & NOT_COUNTED) cw__context_hold(context);
    part *its = part_of(context, job);
    cw__lock_acquire(&its->lock);
    link_first(&its->jobs, job);
    cw__lock_release(&its->lock);
}

void cw__roster_leave(cw_job *job)
{
    cw_context *context = job->context;
    part *its = part_of(context, job);
    cw__lock_acquire(&its->lock);
    bool listed = cw__listed_of(job)->at != NULL; /* it has come so far */
    if (listed) unlink(job);
    cw__lock_release(&its->lock);
    if (listed && job->flags & NOT_COUNTED) cw__context_drop(context);
}

/* The next one that is to be cancelled, with a reference; NULL: there is none.
 */
static cw_job *take(part *from)
{
    cw__lock_acquire(&from->lock);
    cw_job *job = from->jobs;
    if (job) {
        unlink(job);
        link_first(&from->cancelled, job);
        cw_job_retain(job);
    }
    cw__lock_release(&from->lock);
    return job;
}

void cw__roster_cancel(cw_context *context, cw_error *cause)
{
    for (unsigned i = 0; i < PARTS; i++) {
        part *from = &context->roster->parts[i];
        for (cw_job *job; (job = take(from)) != NULL;) {
            cw_cancel(job, cause);
            cw__job_drop(job);
        }
    }
}
