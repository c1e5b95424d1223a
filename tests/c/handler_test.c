/* handler_test.c: in which order handlers are called, and what they are told.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

/* ---- handlers that pass marks */

struct note {
    int mark;
    cw_error *error; /* what it has to be told: the object, or its cause */
    cw_handler *handler;
};

static void pass(void *arg, cw_error *error)
{
    const struct note *note = arg;
    ASSERT(error == note->error || cw_error_cause(error) == note->error);
    MARK(note->mark);
}

enum { EARLY = CW_ON_CANCELLING };

static struct note notes[8];
static int note_count;

/* Has a handler pass a mark. */
static void expect(cw_job *job, unsigned flags, int mark, cw_error *error)
{
    struct note *note = &notes[note_count++];
    *note = (struct note){mark, error, NULL};
    note->handler = cw_on_completion(job, flags, pass, note);
    ASSERT(note->handler);
}

static void dispose_of_all(void)
{
    while (note_count > 0)
        cw_handler_dispose(notes[--note_count].handler);
}

/* ---- at the end */

SCENARIO(at_a_normal_end_handlers_come_in_order, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, give, 1);
    expect(self->job, 0, 1, NULL);
    expect(self->job, EARLY, 2, NULL);
    expect(self->job, 0, 3, NULL);
    expect(self->job, EARLY, 4, NULL);
    CW_JOIN(self, self->job);
    MARK(5);
    dispose_of_all();
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(a_bare_job_ends_in_order, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_job_new(NULL);
    expect(self->job, 0, 1, NULL);
    expect(self->job, EARLY, 2, NULL);
    expect(self->job, 0, 3, NULL);
    ASSERT_EQ(cw_job_complete(self->job), 1);
    MARK(4);
    dispose_of_all();
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- among children */

CW_COROUTINE(hangs, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(self->arg);
    CW_END(self);
}

/* A child without a body is cancelled, and ends, at once. */
SCENARIO(handlers_and_children_have_one_order, cw_job *job;
         cw_job * first, *second, *third; cw_error * cause;)
{
    CW_BEGIN(self);
    self->cause = failure("cause");
    self->job = cw_job_new(NULL);
    expect(self->job, 0, 8, self->cause);
    expect(self->job, EARLY, 1, self->cause);
    self->first = cw_job_new(self->job);
    expect(self->first, EARLY, 2, self->cause);
    expect(self->first, 0, 3, self->cause);
    expect(self->job, EARLY, 4, self->cause);
    self->second = cw_job_new(self->job);
    self->third = cw_job_new(self->job);
    expect(self->third, 0, 6, self->cause);
    expect(self->second, 0, 5, self->cause);
    expect(self->job, EARLY, 7, self->cause);
    cw_cancel(self->job, self->cause);
    MARK(9);
    ASSERT(cw_is_completed(self->job));
    dispose_of_all();
    cw_job_release(self->first);
    cw_job_release(self->second);
    cw_job_release(self->third);
    cw_job_release(self->job);
    cw_error_release(self->cause);
    CW_END(self);
}

/* When the child before a handler has gone, the one before that counts. */
SCENARIO(handlers_keep_their_places_when_children_end, cw_job *job;
         cw_job * first, *second, *third;)
{
    CW_BEGIN(self);
    self->job = cw_job_new(NULL);
    self->first = cw_job_new(self->job);
    expect(self->job, EARLY, 1, NULL); /* first of all, once that one is gone */
    self->second = cw_job_new(self->job);
    expect(self->second, 0, 2, NULL);
    self->third = cw_job_new(self->job);
    expect(self->job, EARLY, 3, NULL); /* behind the second */
    ASSERT_EQ(cw_job_complete(self->first), 1);
    ASSERT_EQ(cw_job_complete(self->third), 1);
    cw_job_release(self->first);
    self->first = cw_job_new(self->job);
    expect(self->first, 0, 4, NULL);
    cw_cancel(self->job, NULL);
    MARK(5);
    dispose_of_all();
    cw_job_release(self->first);
    cw_job_release(self->second);
    cw_job_release(self->third);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(the_only_child_before_a_handler_ends, cw_job *job; cw_job * child;)
{
    CW_BEGIN(self);
    self->job = cw_job_new(NULL);
    self->child = cw_job_new(self->job);
    expect(self->job, EARLY, 1, NULL);
    ASSERT_EQ(cw_job_complete(self->child), 1);
    cw_job_release(self->child);
    self->child = cw_job_new(self->job);
    expect(self->child, 0, 2, NULL);
    cw_cancel(self->job, NULL);
    MARK(3);
    dispose_of_all();
    cw_job_release(self->child);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- bodies */

CW_COROUTINE(launches_two, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, hangs, 3), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, hangs, 4), CW_OK);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(5); /* has suspended after launching them */
    CW_END(self);
}

SCENARIO(bodies_are_woken_in_the_order_in_which_they_came, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, launches_two, CW_NONE);
    CW_YIELD(self);
    CW_YIELD(self);
    expect(self->job, EARLY, 1, NULL);
    cw_cancel(self->job, NULL);
    MARK(2);
    CW_JOIN(self, self->job);
    MARK(6);
    dispose_of_all();
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- failures */

static cw_error *a;
static struct failures told;

static void told_at_3(void *arg, const char *name, cw_error *error)
{
    (void)arg, (void)name;
    ASSERT(error == a);
    MARK(3);
}

/* Early ones hear of it before anybody else, the others when it is over. */
SCENARIO(early_handlers_hear_of_a_failure_first, cw_job *job;
         const cw_elements *alone;)
{
    CW_BEGIN(self);
    a = failure("a");
    self->alone = DETACHED;
    self->job = LAUNCH(cw_elements_with_handler(self->alone, told_at_3, NULL),
                       CW_START_DEFAULT, raises, a);
    cw_elements_release(self->alone);
    expect(self->job, 0, 4, a);
    expect(self->job, EARLY, 2, a);
    MARK(1);
    CW_JOIN(self, self->job);
    MARK(5);
    dispose_of_all();
    cw_job_release(self->job);
    cw_error_release(a);
    CW_END(self);
}

CW_COROUTINE(fails_with_children, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, hangs, 4), CW_OK);
    CW_YIELD(self);
    MARK(1);
    CW_RAISE(self, cw_error_retain(a));
    CW_END(self);
}

SCENARIO(early_handlers_do_not_wait_for_the_children_of_a_failed_body,
         cw_job *job;)
{
    CW_BEGIN(self);
    a = failure("a");
    self->job = LAUNCH(noting(DETACHED, &told), CW_START_DEFAULT,
                       fails_with_children, CW_NONE);
    expect(self->job, 0, 5, a);
    expect(self->job, EARLY, 2, a);
    CW_YIELD(self);
    CW_YIELD(self);
    MARK(3);
    ASSERT(!cw_is_completed(self->job));
    ASSERT_EQ(told.count, 0);
    CW_JOIN(self, self->job);
    MARK(6);
    ASSERT_EQ(told.count, 1);
    forget_failures(&told);
    dispose_of_all();
    cw_job_release(self->job);
    cw_error_release(a);
    CW_END(self);
}

SCENARIO(a_bare_job_that_fails_tells_in_order, cw_job *job; cw_job * child;)
{
    CW_BEGIN(self);
    a = failure("a");
    self->job = cw_job_new(NULL);
    expect(self->job, 0, 4, a);
    expect(self->job, EARLY, 1, a);
    self->child = cw_job_new(self->job);
    expect(self->child, 0, 2, a);
    expect(self->job, EARLY, 3, a);
    ASSERT_EQ(cw_job_complete_exceptionally(self->job, a), 1);
    MARK(5);
    ASSERT(cw_job_error(self->job) == a);
    ASSERT_EQ(cw_job_complete_exceptionally(self->job, a), 0);
    dispose_of_all();
    cw_job_release(self->child);
    cw_job_release(self->job);
    cw_error_release(a);
    CW_END(self);
}
