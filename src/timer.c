/* timer.c: moments in time that somebody waits for.
 *
 * SPDX-License-Identifier: MIT
 *
 * A 4-ary heap: half as deep as a binary one, and the four children of an entry
 * lie next to each other. Sifting moves entries of 16 bytes; each waiter knows
 * its place, so taking one off costs no search.
 */
#include "timer.h"

#include "context.h"
#include "coroutine.h"
#include "limit.h"

enum { ARITY = 4 };

static cw__timer_entry *entry_at(cw__timers *timers, uint32_t i)
{
    return &timers->segments[i / CW__TIMER_SEGMENT][i % CW__TIMER_SEGMENT];
}

static bool before(const cw__timer_entry *a, const cw__timer_entry *b)
{
    if (a->deadline_ns != b->deadline_ns)
        return a->deadline_ns < b->deadline_ns;
    return (int32_t)(a->order - b->order) < 0; /* the counter may wrap */
}

static void put(cw__timers *timers, uint32_t i, cw__timer_entry entry)
{
    *entry_at(timers, i) = entry;
    entry.waiter->target.index = i;
}

static void sift_up(cw__timers *timers, uint32_t i, cw__timer_entry entry)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / ARITY;
        if (!before(&entry, entry_at(timers, parent))) break;
        put(timers, i, *entry_at(timers, parent));
        i = parent;
    }
    put(timers, i, entry);
}

static void sift_down(cw__timers *timers, uint32_t i, cw__timer_entry entry)
{
    for (;;) {
        uint32_t first = i * ARITY + 1;
        if (first >= timers->count) break;
        uint32_t end =
            first + ARITY < timers->count ? first + ARITY : timers->count;
        uint32_t least = first;
        for (uint32_t child = first + 1; child < end; child++)
            if (before(entry_at(timers, child), entry_at(timers, least)))
                least = child;
        if (!before(entry_at(timers, least), &entry)) break;
        put(timers, i, *entry_at(timers, least));
        i = least;
    }
    put(timers, i, entry);
}

static void publish_next(cw__timers *timers)
{
    int64_t next = timers->count ? entry_at(timers, 0)->deadline_ns : CW__NEVER;
    /* seq_cst: who goes to sleep after this sees it, see worker.c */
    cw_store_seq_cst(&timers->next_ns, next);
}

static void take_off(cw__timers *timers, uint32_t i)
{
    entry_at(timers, i)->waiter->linked = 0;
    cw__timer_entry last = *entry_at(timers, --timers->count);
    if (i == timers->count) return;
    if (i > 0 && before(&last, entry_at(timers, (i - 1) / ARITY))) {
        sift_up(timers, i, last);
    } else {
        sift_down(timers, i, last);
    }
}

void cw__timers_init(cw__timers *timers)
{
    *timers = (cw__timers){0};
    timers->counter = &timers->order;
    atomic_init(&timers->next_ns, CW__NEVER);
}

void cw__timers_free(cw__timers *timers)
{
    for (uint32_t i = 0; i < timers->capacity / CW__TIMER_SEGMENT; i++)
        cw__system_free(timers->segments[i]);
    cw__system_free(timers->segments);
}

/* Makes room for one more entry. Called and returns with the lock held, but
 * lets go of it while it allocates. */
static bool grow(cw__timers *timers)
{
    while (timers->count == timers->capacity) {
        uint32_t index = timers->capacity / CW__TIMER_SEGMENT;
        if (index == CW__TIMER_SEGMENTS) return false;
        bool first = !timers->segments;
        cw__lock_release(&timers->lock);
        cw__timer_entry **table = NULL;
        if (first) table = cw__system_alloc(CW__TIMER_SEGMENTS * sizeof *table);
        cw__timer_entry *segment =
            cw__system_alloc(CW__TIMER_SEGMENT * sizeof *segment);
        cw__lock_acquire(&timers->lock);
        /* Somebody else may have grown it meanwhile. */
        if (table && !timers->segments) {
            timers->segments = table;
            table = NULL;
        }
        bool used = segment && timers->segments &&
                    timers->capacity / CW__TIMER_SEGMENT == index;
        if (used) {
            timers->segments[index] = segment;
            timers->capacity += CW__TIMER_SEGMENT;
        }
        bool failed = !segment || !timers->segments;
        if (table || (segment && !used)) {
            cw__lock_release(&timers->lock);
            cw__system_free(table);
            if (!used) cw__system_free(segment);
            cw__lock_acquire(&timers->lock);
        }
        if (failed) return false;
    }
    return true;
}

int cw__timer_add(cw__timers *timers, cw__waiter *waiter, int64_t deadline_ns)
{
    cw__lock_acquire(&timers->lock);
    if (timers->count == timers->capacity && !grow(timers)) {
        cw__lock_release(&timers->lock);
        return CW_ENOMEM;
    }
    waiter->linked = 1;
    sift_up(timers, timers->count++,
            (cw__timer_entry){deadline_ns, (*timers->counter)++, waiter});
    bool earliest = waiter->target.index == 0;
    if (earliest) publish_next(timers);
    cw__lock_release(&timers->lock);
    return earliest;
}

void cw__timer_remove(cw__timers *timers, cw__waiter *waiter)
{
    cw__lock_acquire(&timers->lock);
    if (waiter->linked) {
        bool earliest = waiter->target.index == 0;
        take_off(timers, waiter->target.index);
        if (earliest) publish_next(timers);
    }
    cw__lock_release(&timers->lock);
}

bool cw__timers_first(cw__timers *timers, int64_t *deadline_ns, uint32_t *order)
{
    cw__lock_acquire(&timers->lock);
    *deadline_ns = CW__NEVER;
    if (timers->count) {
        *deadline_ns = entry_at(timers, 0)->deadline_ns;
        *order = entry_at(timers, 0)->order;
    }
    cw__lock_release(&timers->lock);
    return *deadline_ns != CW__NEVER;
}

uint32_t cw__timers_due(cw__timers *timers, int64_t now_ns, uint32_t max,
                        cw__woken *woken, cw__limit **limits)
{
    uint32_t taken = 0;
    cw__woken_init(woken);
    *limits = NULL;
    cw__lock_acquire(&timers->lock);
    while (taken < max && timers->count &&
           entry_at(timers, 0)->deadline_ns <= now_ns) {
        cw__waiter *waiter = entry_at(timers, 0)->waiter;
        take_off(timers, 0);
        taken++;
        if (waiter->kind == CW__WAITER_LIMIT) {
            cw__limit *limit = waiter->owner.pointer;
            cw__limit_take(limit);
            limit->next = *limits;
            *limits = limit;
        } else {
            if (waiter->kind == CW__WAITER_TASK)
                waiter->early = now_ns == CW__NEVER;
            cw__waiter_fire(waiter, woken);
        }
    }
    if (taken) publish_next(timers);
    cw__lock_release(&timers->lock);
    return taken;
}

/* A body that waits for nothing but time. */
static const cw_job *waits_for_time(cw__waiter *waiter)
{
    return waiter->kind == CW__WAITER_TASK
               ? cw_container_of(waiter, cw_job, waiter)
               : NULL;
}

uint32_t cw__timers_cut(cw__timers *timers, const cw_context *home,
                        cw__woken *woken)
{
    uint32_t taken = 0;
    cw__woken_init(woken);
    cw__lock_acquire(&timers->lock);
    for (uint32_t i = 0; i < timers->count && taken < CW__TIMERS_AT_ONCE;) {
        cw__waiter *waiter = entry_at(timers, i)->waiter;
        const cw_job *job = waits_for_time(waiter);
        if (!job || job->context->home != home) {
            i++;
            continue;
        }
        take_off(timers, i); /* another entry is there now */
        taken++;
        waiter->early = true;
        cw__waiter_fire(waiter, woken);
    }
    if (taken) publish_next(timers);
    cw__lock_release(&timers->lock);
    return taken;
}
