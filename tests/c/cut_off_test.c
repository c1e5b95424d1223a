/* cut_off_test.c: whoever waits for a job whose threads are gone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"
#include "cut_off.h"
#include "losses.h"
#include "tree.h"

static cw_job *never, *child;

CW_COROUTINE(waits_for_ever, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, never);
    CW_END(self);
}

/* Has a child elsewhere. */
CW_COROUTINE(parent_of, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    child = cw_async(self->arg, waits_for_ever, CW_NONE);
    CW_END(self);
}

CW_COROUTINE(joins_it, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, self->arg);
    CW_END(self);
}

static cw_context *here, *there;
static cw_job *parent, *joiner;

static void begin(void)
{
    here = new_context(1);
    there = new_context(1);
    never = cw_job_new(NULL);
    parent = cw_async(here, parent_of, there);
    await_doing(parent, CW_DUMP_CHILDREN);
    await_doing(child, CW_DUMP_JOIN);
    joiner = cw_launch(here, joins_it, child);
    await_doing(joiner, CW_DUMP_JOIN);
}

static uint64_t leaked_by(const cw_context *context)
{
    cw_stats stats;
    cw_context_stats(context, &stats);
    return stats.leaked;
}

static uint64_t leaked(void) { return leaked_by(there); }

static void cut_off_with(const char *message)
{
    cw_error *error = cw_error_new(CW_ELOST, message, NULL);
    cw__job_cut_off(NULL, child, error);
    cw_error_release(error);
}

/* All who wait elsewhere have heard; then the thread goes on nevertheless. */
static void end(const char *message)
{
    wait_for(parent);
    wait_for(joiner);
    ASSERT_EQ(cw_error_code(cw_job_error(parent)), CW_ELOST);
    ASSERT_STR(cw_error_message(cw_job_error(parent)), message);
    ASSERT(cw_job_error(joiner) == NULL);
    ASSERT(cw_is_completed(child));
    uint64_t bytes = leaked();
    ASSERT(bytes >= cw_job_overhead());
    cut_off_with("again");
    ASSERT_EQ(leaked(), bytes);
    ASSERT_STR(cw_error_message(cw_job_error(child)), message);
    ASSERT_EQ(cw_job_complete(never), 1);
    /* Its own context is lost, and does not count any more. */
    cw__job_count_out(NULL, child);
    shut_down(there);
    shut_down(here);
    cw_job_release(parent);
    cw_job_release(joiner);
    cw_job_release(never);
    cw_job_release(child);
    cw__job_drop(child); /* what it keeps, since a thread might touch it */
}

TEST(those_elsewhere_see_it_end)
{
    begin();
    ASSERT_EQ(leaked(), 0);
    cut_off_with("the other context is lost");
    end("the other context is lost");
}

TEST(what_is_half_ended_is_ended)
{
    begin();
    uint32_t state = cw__job_lock(child);
    child->error = cw_error_new(CW_ELOST, "told before it died", NULL);
    cw__job_unlock(child, state | CW__JOB_CANCELLING | CW__JOB_BODY_DONE |
                              CW__JOB_SEALED);
    cut_off_with("the other context is lost");
    end("told before it died");
}

TEST(what_a_dead_thread_has_locked_is_leaked)
{
    begin();
    uint32_t state = cw__job_lock(child);
    cut_off_with("nobody can tell what is behind the lock");
    ASSERT(!cw_is_completed(child));
    ASSERT(leaked() >= cw_job_overhead());
    cw__job_unlock(child, state); /* it was alive after all */
    cw__job_drop(child);
    cut_off_with("the other context is lost");
    end("the other context is lost");
}

TEST(what_stands_for_a_context_has_leaked_what_that_has)
{
    begin();
    cut_off_with("the other context is lost");
    cw_context *next = new_context(1), *after = new_context(1);
    cw__losses_inherit_leaks(next, there, true);
    ASSERT_EQ(leaked_by(next), leaked());
    cw__losses_inherit_leaks(after, next, false); /* with its own memory */
    ASSERT(leaked_by(after) > leaked_by(next) + sizeof(cw_context));
    shut_down(next);
    shut_down(after);
    end("the other context is lost");
}
