/* queues_model.c: ring, inbox and backlog.
 *
 * SPDX-License-Identifier: MIT
 */
#include "model.h"

#include "alloc.h"
#include "backlog.h"
#include "inbox.h"
#include "job.h"
#include "ring.h"

#include <string.h>

/* Jobs that are only moved about. */
static cw_job jobs[8];
static unsigned seen[8]; /* how often each one came out */

static void got(const cw_job *job)
{
    if (job) seen[job - jobs]++;
}

static void forget(void)
{
    memset(jobs, 0, sizeof jobs);
    memset(seen, 0, sizeof seen);
}

static void check_seen(unsigned count)
{
    for (unsigned i = 0; i < 8; i++)
        CHECK(seen[i] == (i < count));
}

/* ---- ring against thieves */

static struct rings {
    cw__ring own, theirs[2];
    unsigned pushed; /* the jobs before this one */
} * rings;

static void push_more(unsigned count)
{
    for (; count; count--)
        if (cw__ring_push(&rings->own, &jobs[rings->pushed])) rings->pushed++;
}

static void rings_new(unsigned count)
{
    forget();
    rings = model_new(sizeof *rings);
    push_more(count);
}

/* What went in has come out once, or is left. */
static void rings_check(void)
{
    cw_job *job;
    while ((job = cw__ring_pop(&rings->own)))
        got(job);
    for (int i = 0; i < 2; i++)
        while ((job = cw__ring_pop(&rings->theirs[i])))
            got(job);
    check_seen(rings->pushed);
    model_delete(rings);
}

/* The ring is full and wraps while a thief copies. */
static void ring_owner(void *unused)
{
    (void)unused;
    push_more(1);
    got(cw__ring_pop(&rings->own));
    push_more(2);
    cw_job *taken[2];
    uint32_t count = cw__ring_take(&rings->own, 2, taken);
    for (uint32_t i = 0; i < count; i++)
        got(taken[i]);
    push_more(2);
}

static void ring_thief(void *arg)
{
    cw__ring *ring = arg;
    uint32_t moved = 0;
    got(cw__ring_steal(&rings->own, ring, &moved));
    for (; moved; moved--)
        got(cw__ring_pop(ring));
}

static void ring_thief_twice(void *arg)
{
    ring_thief(arg);
    ring_thief(arg);
}

SCENARIO(ring_steal, 4)
{
    rings_new(3);
    model_thread(ring_owner, NULL);
    model_thread(ring_thief_twice, &rings->theirs[0]);
    model_run();
    rings_check();
}

/* Its place keeps the owner from writing where it copies. */
MUTANT(ring_steal, "the thief does not hold its place")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_CAS, &rings->own.head))
        return MODEL_AS_IS;
    uint32_t real = cw__ring_real(op->value);
    op->value = cw__ring_head(real, real);
    return MODEL_CHANGED;
}

MUTANT(ring_steal, "the owner does not compare")
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_CAS, &rings->own.head))
        return MODEL_AS_IS;
    return MODEL_FORCE;
}

static void ring_thief_of_both(void *arg)
{
    ring_thief(arg);
    uint32_t moved = 0;
    got(cw__ring_steal(&rings->theirs[0], arg, &moved));
}

/* The second one steals from the first one, too. */
SCENARIO(ring_two_thieves, 3)
{
    rings_new(4);
    model_thread(ring_thief, &rings->theirs[0]);
    model_thread(ring_thief_of_both, &rings->theirs[1]);
    model_thread(ring_owner, NULL);
    model_run();
    rings_check();
}

MUTANT(ring_two_thieves, "a thief gives back without comparing")
{
    if (op->thread != 1 || !MODEL_IS(op, MODEL_CAS, &rings->own.head) ||
        cw__ring_real(op->value) != cw__ring_steal_mark(op->value))
        return MODEL_AS_IS;
    return MODEL_FORCE;
}

/* ---- inbox */

static struct inbox {
    cw__inbox inbox;
    struct item {
        struct item *next;
        int value;
    } items[4];
} * inboxed;

static void inbox_push_two(void *arg)
{
    struct item *first = arg;
    for (int i = 0; i < 2; i++) {
        first[i].value = 1;
        cw__inbox_push(&inboxed->inbox, (uintptr_t)&first[i]);
    }
}

static void inbox_take(void *arg)
{
    (void)arg;
    struct item *item = (struct item *)cw__inbox_take(&inboxed->inbox);
    for (; item; item = item->next) {
        CHECK(item->value == 1);
        seen[item - inboxed->items]++;
        /* Oldest first: of two from the same pusher the first. */
        int index = (int)(item - inboxed->items);
        if (index % 2) CHECK(seen[index - 1] == 1);
    }
}

static void inbox_take_twice(void *arg)
{
    inbox_take(arg);
    inbox_take(arg);
}

SCENARIO(inbox_push_take, 3)
{
    forget();
    inboxed = model_new(sizeof *inboxed);
    model_thread(inbox_push_two, &inboxed->items[0]);
    model_thread(inbox_push_two, &inboxed->items[2]);
    model_thread(inbox_take_twice, NULL);
    model_run();
    inbox_take(NULL);
    check_seen(4);
    model_delete(inboxed);
}

MUTANT(inbox_push_take, "pushing does not compare")
{
    return MODEL_IS(op, MODEL_CAS, &inboxed->inbox.newest) ? MODEL_FORCE
                                                           : MODEL_AS_IS;
}

MUTANT(inbox_push_take, "taking does not acquire")
{
    if (!MODEL_IS(op, MODEL_SWAP, &inboxed->inbox.newest)) return MODEL_AS_IS;
    op->order = __ATOMIC_RELAXED;
    return MODEL_CHANGED;
}

/* ---- backlog */

static cw__backlog *stock;

static void backlog_put(void *unused)
{
    (void)unused;
    cw_job *batch[3] = {&jobs[0], &jobs[1], &jobs[2]};
    cw__backlog_put(stock, batch, 3); /* two batches */
}

static void backlog_put_chain(void *unused)
{
    (void)unused;
    jobs[3].next = &jobs[4];
    cw__backlog_put_chain(stock, &jobs[3], &jobs[4], 2);
}

static void backlog_take(void *unused)
{
    (void)unused;
    for (int turn = 0; turn < 2; turn++) {
        cw_job *batch[3];
        uint32_t count = cw__backlog_take(stock, 2, batch, 3);
        for (uint32_t i = 0; i < count; i++)
            got(batch[i]);
    }
}

SCENARIO(backlog_put_take, 3)
{
    forget();
    stock = model_new(sizeof *stock);
    model_thread(backlog_put, NULL);
    model_thread(backlog_put_chain, NULL);
    model_thread(backlog_take, NULL);
    model_run();
    CHECK(cw_load_relaxed(&stock->count) + seen[0] + seen[1] + seen[2] +
              seen[3] + seen[4] ==
          5);
    while (cw_load_relaxed(&stock->count))
        backlog_take(NULL);
    check_seen(5);
    model_delete(stock);
}

MUTANT(backlog_put_take, "the lock does not compare")
{
    return MODEL_IS(op, MODEL_CAS, &stock->lock) ? MODEL_FORCE : MODEL_AS_IS;
}

MUTANT(backlog_put_take, "unlocking does not release")
{
    if (!MODEL_IS(op, MODEL_STORE, &stock->lock)) return MODEL_AS_IS;
    op->order = __ATOMIC_RELAXED;
    return MODEL_CHANGED;
}
