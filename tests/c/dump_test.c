/* dump_test.c: pictures of the jobs there are.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "coworker_test.h"
#include "helpers.h"

CW_CHANNEL_TYPE(ints, int)

/* ---- what was told */

enum { MOST = 64, LINE = 256 };

struct seen {
    cw_dump_entry entries[MOST];
    char names[MOST][32], contexts[MOST][32], ats[MOST][32];
    uint32_t count;
};

static void note(void *arg, const cw_dump_entry *entry)
{
    struct seen *seen = arg;
    ASSERT(seen->count < MOST);
    uint32_t i = seen->count++;
    seen->entries[i] = *entry;
    ASSERT_EQ(entry->number, seen->count);
    ASSERT(entry->parent < entry->number); /* those above come first */
    snprintf(seen->names[i], sizeof seen->names[i], "%s", entry->name);
    snprintf(seen->contexts[i], sizeof seen->contexts[i], "%s", entry->context);
    snprintf(seen->ats[i], sizeof seen->ats[i], "%s", entry->at);
}

static struct seen look_at(cw_job *root)
{
    struct seen seen = {.count = 0};
    ASSERT_EQ(cw_dump_visit(root, note, &seen), CW_OK);
    return seen;
}

/* The only one with this name. */
static const cw_dump_entry *find(const struct seen *seen, const char *name)
{
    const cw_dump_entry *found = NULL;
    for (uint32_t i = 0; i < seen->count; i++) {
        if (strcmp(seen->names[i], name) != 0) continue;
        ASSERT(!found);
        found = &seen->entries[i];
    }
    if (!found) test_failed(__FILE__, __LINE__, name, "is not told of");
    return found;
}

#define ASSERT_DOING(seen, name, what) ASSERT_EQ(find(seen, name)->doing, what)

/* ---- jobs that wait */

CW_COROUTINE(joins, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, self->arg);
    CW_END(self);
}

CW_COROUTINE(awaits_two, cw_job *const *, cw_none, int results[2];)
{
    CW_BEGIN(self);
    CW_AWAIT_ALL(self, give, self->arg, 2, self->results);
    CW_END(self);
}

CW_COROUTINE(sends, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (;;)
        CW_SEND(self, ints, self->arg, 1);
    CW_END(self);
}

CW_COROUTINE(receives, ints, cw_none, int element;)
{
    CW_BEGIN(self);
    CW_RECEIVE(self, ints, self->arg, &self->element);
    CW_END(self);
}

CW_COROUTINE(selects, ints, cw_none, cw_clause clauses[2]; int element;
             int which;)
{
    CW_BEGIN(self);
    self->clauses[0] = ints_on_receive(self->arg, &self->element);
    self->clauses[1] = cw_on_timeout(INT64_MAX);
    CW_SELECT(self, self->clauses, 2, &self->which);
    CW_END(self);
}

CW_COROUTINE(produces, cw_channel *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_AWAIT_CLOSE(self, self->arg);
    CW_END(self);
}

/* Holds the mutex while it waits. */
CW_COROUTINE(holds, cw_mutex *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_LOCK(self, self->arg, self);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

CW_COROUTINE(locks, cw_mutex *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_LOCK(self, self->arg, NULL);
    CW_END(self);
}

CW_COROUTINE(acquires, cw_semaphore *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_ACQUIRE(self, self->arg);
    CW_END(self);
}

static void keep(cw_continuation *continuation, void *arg)
{
    *(cw_continuation **)arg = continuation;
}

CW_COROUTINE(is_called_back, cw_continuation **, cw_none, int value;)
{
    CW_BEGIN(self);
    CW_SUSPEND_WITH(self, keep, self->arg, &self->value);
    CW_END(self);
}

/* Its body is over, its child is not. */
CW_COROUTINE(has_a_child, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, wait_for_ever, CW_NONE), CW_OK);
    CW_END(self);
}

CW_COROUTINE(waits_in_a_scope, cw_none, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, wait_for_ever, CW_NONE, &self->none);
    CW_END(self);
}

CW_COROUTINE(waits_for_a_scope, cw_none, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    CW_SUPERVISOR_SCOPE(self, has_a_child, CW_NONE, &self->none);
    CW_END(self);
}

SCENARIO(each_way_to_wait_is_told, ints full, empty, produced; cw_mutex * mutex;
         cw_semaphore * semaphore; cw_continuation * continuation;
         cw_job * two[2]; struct seen seen; cw_none none;)
{
    CW_BEGIN(self);
    self->full = ints_new(2);
    self->empty = ints_new(CW_RENDEZVOUS);
    self->produced = ints_new(1);
    self->mutex = cw_mutex_new(false);
    self->semaphore = cw_semaphore_new(1, 1);
    self->two[0] = cw_async_with(NULL, CW_START_LAZY, give, 1);
    self->two[1] = cw_async_with(NULL, CW_START_LAZY, give, 2);
    cw_cancel(self->two[0], NULL);
    ASSERT_EQ(cw_spawn(NULL, joins, self->two[1]), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, sends, self->full), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, receives, self->empty), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, selects, self->empty), CW_OK);
    cw_job_release(cw_produce(NULL, produces, self->produced.channel,
                              self->produced.channel));
    ASSERT_EQ(cw_spawn(NULL, holds, self->mutex), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, locks, self->mutex), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, acquires, self->semaphore), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, is_called_back, &self->continuation), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, has_a_child, CW_NONE), CW_OK);
    self->seen = look_at(cw_current_job()); /* nobody has begun */
    ASSERT_DOING(&self->seen, "each_way_to_wait_is_told_main", CW_DUMP_RUNNING);
    ASSERT_EQ(find(&self->seen, "give")->state, CW_DUMP_NEW);
    ASSERT_DOING(&self->seen, "give", CW_DUMP_NOTHING);
    ASSERT_DOING(&self->seen, "joins", CW_DUMP_READY);
    ASSERT_DOING(&self->seen, "sends", CW_DUMP_READY);

    CW_YIELD(self);
    self->seen = look_at(cw_current_job());
    const struct seen *seen = &self->seen;
    const cw_dump_entry *main = &seen->entries[0], *entry;
    ASSERT_STR(seen->names[0], "each_way_to_wait_is_told_main");
    ASSERT_STR(seen->contexts[0], ""); /* it runs, so that is not known */
    ASSERT_EQ(main->parent, 0);
    ASSERT_EQ(main->depth, 0);
    ASSERT_EQ(main->for_ms, -1);

    entry = find(seen, "joins");
    ASSERT_EQ(entry->kind, CW_DUMP_LAUNCH);
    ASSERT_EQ(entry->state, CW_DUMP_ACTIVE);
    ASSERT_EQ(entry->doing, CW_DUMP_JOIN);
    ASSERT_EQ(entry->waits_for, find(seen, "give")->number);
    ASSERT_EQ(entry->parent, 1);
    ASSERT_EQ(entry->depth, 1);
    ASSERT_STR(seen->contexts[entry->number - 1], "run-blocking");
    ASSERT_STR(seen->ats[entry->number - 1], "joins");
    ASSERT(entry->line > 0 && entry->line < __LINE__);
    ASSERT_DOING(seen, "give", CW_DUMP_READY); /* the join has started it */

    entry = find(seen, "sends");
    ASSERT_EQ(entry->doing, CW_DUMP_SEND);
    ASSERT(entry->object == self->full.channel);
    ASSERT_EQ(entry->count, 2);
    ASSERT_EQ(entry->capacity, 2);
    ASSERT(!entry->closed);
    entry = find(seen, "receives");
    ASSERT_EQ(entry->doing, CW_DUMP_RECEIVE);
    ASSERT(entry->object == self->empty.channel);
    entry = find(seen, "selects");
    ASSERT_EQ(entry->doing, CW_DUMP_SELECT);
    ASSERT_EQ(entry->count, 2);
    entry = find(seen, "produces");
    ASSERT_EQ(entry->kind, CW_DUMP_ASYNC);
    ASSERT_EQ(entry->doing, CW_DUMP_CLOSE);
    ASSERT_DOING(seen, "holds", CW_DUMP_DELAY);
    entry = find(seen, "locks");
    ASSERT_EQ(entry->doing, CW_DUMP_LOCK);
    ASSERT(entry->object == self->mutex);
    ASSERT_EQ(entry->waits_for, find(seen, "holds")->number);
    entry = find(seen, "acquires");
    ASSERT_EQ(entry->doing, CW_DUMP_ACQUIRE);
    ASSERT(entry->object == self->semaphore);
    ASSERT_DOING(seen, "is_called_back", CW_DUMP_CALL);
    entry = find(seen, "has_a_child");
    ASSERT_EQ(entry->state, CW_DUMP_COMPLETING);
    ASSERT_EQ(entry->doing, CW_DUMP_CHILDREN);
    ASSERT_EQ(entry->count, 1);
    ASSERT_EQ(find(seen, "wait_for_ever")->parent, entry->number);
    ASSERT_EQ(find(seen, "wait_for_ever")->depth, 2);
    ASSERT_EQ(cw_cancel_children(cw_current_job(), NULL), CW_OK);
    ASSERT_EQ(look_at(cw_current_job()).entries[1].state, CW_DUMP_CANCELLING);
    CW_YIELD(self);
    ASSERT_EQ(look_at(cw_current_job()).count, 1);
    CW_FINALLY(self);
    cw_job_release(self->two[0]);
    cw_job_release(self->two[1]);
    cw_continuation_release(self->continuation);
    cw_channel_release(self->full.channel);
    cw_channel_release(self->empty.channel);
    cw_channel_release(self->produced.channel);
    cw_mutex_release(self->mutex);
    cw_semaphore_release(self->semaphore);
    CW_END(self);
}

SCENARIO(several_jobs_that_are_awaited_are_told, ints never; cw_job * two[2];
         cw_job * job; struct seen seen;)
{
    CW_BEGIN(self);
    self->two[0] = cw_async_with(NULL, CW_START_LAZY, give, 1);
    self->two[1] = cw_async(NULL, give, 2);
    CW_JOIN(self, self->two[1]);
    self->never = ints_new(CW_RENDEZVOUS);
    cw_job_release(self->two[0]);
    self->two[0] = cw_launch(NULL, receives, self->never);
    self->job = cw_launch(NULL, awaits_two, self->two);
    CW_YIELD(self);
    self->seen = look_at(cw_current_job());
    const cw_dump_entry *entry = find(&self->seen, "awaits_two");
    ASSERT_EQ(entry->doing, CW_DUMP_JOIN_ALL);
    ASSERT_EQ(entry->count, 2);
    ASSERT_EQ(entry->waits_for, find(&self->seen, "receives")->number);
    ASSERT_EQ(cw_cancel_children(cw_current_job(), NULL), CW_OK);
    CW_YIELD(self); /* what they use is given back when they have ended */
    ASSERT_EQ(look_at(cw_current_job()).count, 1);
    CW_FINALLY(self);
    cw_job_release(self->two[0]);
    cw_job_release(self->two[1]);
    cw_job_release(self->job);
    cw_channel_release(self->never.channel);
    CW_END(self);
}

SCENARIO(scopes_are_told, cw_job *bare, *supervisor; struct seen seen;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, waits_in_a_scope, CW_NONE), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, waits_for_a_scope, CW_NONE), CW_OK);
    self->bare = cw_job_new(cw_current_job());
    self->supervisor = cw_supervisor_job_new(self->bare);
    ASSERT_EQ(cw_job_complete(self->bare), 1);
    CW_YIELD(self);
    self->seen = look_at(cw_current_job());
    const struct seen *seen = &self->seen;
    ASSERT_EQ(seen->count, 8);
    const cw_dump_entry *task = find(seen, "waits_in_a_scope"),
                        *scope = task + 1;
    ASSERT_EQ(task->doing, CW_DUMP_DELAY);
    ASSERT_STR(seen->ats[task->number - 1], "wait_for_ever");
    ASSERT_EQ(scope->parent, task->number);
    ASSERT_EQ(scope->kind, CW_DUMP_SCOPE);
    ASSERT_EQ(scope->doing, CW_DUMP_IN_SCOPE);
    ASSERT_EQ(scope->body, task->number);
    task = find(seen, "waits_for_a_scope");
    scope = find(seen, "has_a_child");
    ASSERT_EQ(task->doing, CW_DUMP_JOIN);
    ASSERT_EQ(task->waits_for, scope->number);
    ASSERT_EQ(scope->kind, CW_DUMP_SUPERVISOR);
    ASSERT_EQ(scope->state, CW_DUMP_COMPLETING);
    const cw_dump_entry *bare = &seen->entries[6];
    ASSERT_EQ(bare->kind, CW_DUMP_BARE);
    ASSERT_EQ(bare->doing, CW_DUMP_CHILDREN);
    ASSERT_EQ(bare[1].kind, CW_DUMP_BARE_SUPERVISOR);
    ASSERT_EQ(bare[1].doing, CW_DUMP_NOTHING);
    ASSERT_EQ(bare[1].parent, bare->number);
    ASSERT_EQ(cw_cancel_children(cw_current_job(), NULL), CW_OK);
    CW_YIELD(self); /* what they use is given back when they have ended */
    ASSERT_EQ(look_at(cw_current_job()).count, 1);
    CW_FINALLY(self);
    cw_job_release(self->bare);
    cw_job_release(self->supervisor);
    CW_END(self);
}

/* ---- all jobs */

TEST(all_jobs_are_known_only_when_asked_for)
{
    struct seen seen = {.count = 0};
    ASSERT_EQ(cw_dump_visit(NULL, note, &seen), CW_ESTATE);
    cw_debug_set(CW_DEBUG_JOBS, NULL, NULL);
    ASSERT_EQ(cw_dump_visit(NULL, note, &seen), CW_OK);
    ASSERT_EQ(seen.count, 0);
    cw_debug_set(0, NULL, NULL);
    ASSERT_EQ(cw_dump_visit(NULL, note, &seen), CW_ESTATE);
}

CW_COROUTINE(looks_at_all, cw_none, cw_none, struct seen seen; cw_job * lazy;
             cw_job * root;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, wait_for_ever, CW_NONE), CW_OK);
    self->root = cw_job_new(NULL);
    const cw_elements *alone = cw_elements_with_job(NULL, NULL);
    self->lazy = cw_launch_with(alone, CW_START_LAZY, give, 1);
    cw_elements_release(alone);
    CW_YIELD(self);
    self->seen = look_at(NULL);
    ASSERT_EQ(self->seen.count, 5);
    ASSERT_EQ(find(&self->seen, "wait_for_ever")->parent,
              find(&self->seen, "looks_at_all")->number);
    ASSERT_EQ(find(&self->seen, "give")->parent, 0);
    ASSERT_EQ(find(&self->seen, "")->kind, CW_DUMP_BARE);
    ASSERT_EQ(find(&self->seen, "hold_worker")->doing, CW_DUMP_RUNNING);
    ASSERT_EQ(find(&self->seen, "hold_worker")->worker, 1);
    ASSERT_STR(
        self->seen.contexts[find(&self->seen, "hold_worker")->number - 1],
        "test");
    cw_cancel(self->lazy, NULL);
    ASSERT_EQ(cw_job_complete(self->root), 1);
    ASSERT_EQ(look_at(NULL).count, 3);
    ASSERT_EQ(cw_cancel_children(cw_current_job(), NULL), CW_OK);
    CW_YIELD(self); /* what they use is given back when they have ended */
    ASSERT_EQ(look_at(cw_current_job()).count, 1);
    CW_FINALLY(self);
    cw_job_release(self->lazy);
    cw_job_release(self->root);
    CW_END(self);
}

TEST(all_jobs_are_told_of)
{
    cw_debug_set(CW_DEBUG_JOBS, NULL, NULL);
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    RUN(looks_at_all);
    ASSERT_EQ(look_at(NULL).count, 1);
    let_go(context, hold);
    shut_down(context);
    ASSERT_EQ(look_at(NULL).count, 0);
    hold_free(hold);
}

SCENARIO(jobs_from_before_are_told_of_if_they_have_children, cw_job *before;)
{
    CW_BEGIN(self);
    self->before = cw_launch(NULL, wait_for_ever, CW_NONE);
    cw_debug_set(CW_DEBUG_JOBS, NULL, NULL);
    ASSERT_EQ(look_at(NULL).count, 0);
    ASSERT_EQ(cw_spawn(NULL, wait_for_ever, CW_NONE), CW_OK);
    /* By way of the new one all that it is related to was found. */
    ASSERT_EQ(look_at(NULL).count, 3);
    ASSERT_EQ(cw_cancel_children(cw_current_job(), NULL), CW_OK);
    CW_YIELD(self); /* what they use is given back when they have ended */
    ASSERT_EQ(look_at(cw_current_job()).count, 1);
    CW_FINALLY(self);
    cw_job_release(self->before);
    CW_END(self);
}

/* ---- as text, with times */

struct lines {
    char text[MOST][LINE];
    int count;
};

static void note_line(void *arg, const char *line)
{
    struct lines *lines = arg;
    ASSERT(lines->count < MOST);
    snprintf(lines->text[lines->count++], LINE, "%s", line);
}

/* The line without what differs between programs: addresses and places. */
static const char *plain(char *line)
{
    char *to = line;
    for (const char *from = line; *from;) {
        if (strncmp(from, " 0x", 3) == 0) {
            from += 3;
            from += strspn(from, "0123456789abcdef");
        } else if (*from == ':' && from[1] >= '0' && from[1] <= '9') {
            from++;
            from += strspn(from, "0123456789");
        } else {
            *to++ = *from++;
        }
    }
    *to = 0;
    return line;
}

CW_COROUTINE(writes_all, cw_none, cw_none, struct lines lines; ints channel;
             cw_mutex * mutex; cw_job * lazy;)
{
    CW_BEGIN(self);
    self->channel = ints_new(3);
    self->mutex = cw_mutex_new(false);
    ASSERT_EQ(cw_spawn(NULL, holds, self->mutex), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, locks, self->mutex), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, receives, self->channel), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, waits_in_a_scope, CW_NONE), CW_OK);
    CW_DELAY(self, 30);
    ASSERT_EQ(cw_spawn(NULL, has_a_child, CW_NONE), CW_OK);
    self->lazy = cw_launch_with(NULL, CW_START_LAZY, give, 1);
    CW_DELAY(self, 12);
    ASSERT_EQ(cw_dump_job(cw_current_job(), note_line, &self->lines), CW_OK);
    char(*text)[LINE] = self->lines.text;
    ASSERT_STR(plain(text[0]), "#1 writes_all: launch, active; runs, "
                               "on test worker 1, for 0 ms");
    ASSERT_STR(plain(text[1]), "  #2 holds: launch, active; waits for time to "
                               "pass, at holds, on test, for 42 ms");
    ASSERT_STR(plain(text[2]), "  #3 locks: launch, active; locks mutex, held "
                               "by #2, at locks, on test, for 42 ms");
    ASSERT_STR(plain(text[3]),
               "  #4 receives: launch, active; receives from channel "
               "(0 of 3), at receives, on test, for 42 ms");
    ASSERT_STR(plain(text[4]),
               "  #5 waits_in_a_scope: launch, active; waits for time to pass, "
               "at wait_for_ever, on test, for 42 ms");
    ASSERT_STR(plain(text[5]),
               "    #6 wait_for_ever: scope, active; its body runs in #5, "
               "on test");
    ASSERT_STR(plain(text[6]), "  #7 has_a_child: launch, completing; waits "
                               "for 1 child, on test");
    ASSERT_STR(plain(text[7]),
               "    #8 wait_for_ever: launch, active; waits for "
               "time to pass, at wait_for_ever, on test, "
               "for 12 ms");
    ASSERT_STR(plain(text[8]), "  #9 give: launch, new; not started");
    ASSERT_EQ(self->lines.count, 9);
    ASSERT_EQ(cw_cancel_children(cw_current_job(), NULL), CW_OK);
    CW_YIELD(self); /* what they use is given back when they have ended */
    ASSERT_EQ(look_at(cw_current_job()).count, 1);
    CW_FINALLY(self);
    cw_job_release(self->lazy);
    cw_channel_release(self->channel.channel);
    cw_mutex_release(self->mutex);
    CW_END(self);
}

TEST(a_dump_is_text_with_times)
{
    cw_debug_set(CW_DEBUG_JOBS, NULL, NULL);
    cw_none none;
    ASSERT_EQ(cw_run_test(writes_all, CW_NONE, &none, NULL), CW_OK);
}

/* ---- without memory, and while everything runs */

SCENARIO(without_memory_nothing_is_told, cw_job *jobs[200]; int i;
         struct seen seen;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 200; self->i++)
        self->jobs[self->i] = cw_launch(NULL, wait_for_ever, CW_NONE);
    CW_YIELD(self);
    fail_allocs_from(1);
    ASSERT_EQ(cw_dump_visit(cw_current_job(), note, &self->seen), CW_ENOMEM);
    ASSERT(alloc_has_failed());
    fail_alloc_at(0);
    ASSERT_EQ(self->seen.count, 0);
    ASSERT_EQ(cw_cancel_children(cw_current_job(), NULL), CW_OK);
    CW_YIELD(self); /* what they use is given back when they have ended */
    ASSERT_EQ(look_at(cw_current_job()).count, 1);
    CW_FINALLY(self);
    for (self->i = 0; self->i < 200; self->i++)
        cw_job_release(self->jobs[self->i]);
    CW_END(self);
}

CW_COROUTINE(plays, ints, int, int i; int element; cw_none none; int out;
             cw_job * job;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 50; self->i++) {
        self->job = cw_async(NULL, give, self->i);
        CW_SEND(self, ints, self->arg, self->i);
        CW_YIELD(self);
        CW_RECEIVE(self, ints, self->arg, &self->element);
        CW_AWAIT(self, give, self->job, &self->out);
        cw_job_release(self->job);
        CW_SCOPE(self, give, 1, &self->out);
        CW_DELAY(self, 1);
    }
    CW_RETURN(self, self->i);
    CW_END(self);
}

CW_COROUTINE(plays_all, ints, int, cw_job *jobs[8]; int outs[8]; int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 8; self->i++)
        self->jobs[self->i] = cw_async(NULL, plays, self->arg);
    CW_AWAIT_ALL(self, plays, self->jobs, 8, self->outs);
    CW_RETURN(self, self->outs[7]);
    CW_FINALLY(self);
    for (self->i = 0; self->i < 8; self->i++)
        cw_job_release(self->jobs[self->i]);
    CW_END(self);
}

static void ignore_line(void *arg, const char *line)
{
    (void)arg;
    ASSERT(*line);
}

/* Looks on, and dispatches who is woken while it is looked at. */
static void watch_jobs_play(unsigned options)
{
    cw_debug_set(options, ignore_line, NULL);
    cw_context *context = new_context(3);
    ints channel = ints_new(4);
    cw_job *job = cw_async(context, plays_all, channel);
    while (!cw_is_completed(job)) {
        ASSERT_EQ(cw_dump_job(job, ignore_line, NULL), CW_OK);
        if (options) ASSERT_EQ(cw_dump_coroutines(ignore_line, NULL), CW_OK);
    }
    int out;
    ASSERT_EQ(cw_result(plays_all, job, &out), CW_OK);
    ASSERT_EQ(out, 50);
    cw_job_release(job);
    shut_down(context);
    cw_channel_release(channel.channel);
}

TEST(looking_at_jobs_does_not_disturb_them) { watch_jobs_play(0); }

TEST(looking_at_all_jobs_does_not_disturb_them)
{
    watch_jobs_play(CW_DEBUG_DEADLOCKS);
}
