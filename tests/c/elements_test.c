/* elements_test.c: what jobs and bodies inherit: values, names, handlers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

/* ---- values */

static cw_key key_one = {"one"}, key_two = {"two"};

TEST(elements_are_merged)
{
    int one, two, other;
    const cw_elements *left = cw_elements_with_value(NULL, &key_one, &one);
    const cw_elements *right = cw_elements_with_value(NULL, &key_one, &other);
    const cw_elements *more = cw_elements_with_value(right, &key_two, &two);
    const cw_elements *named = cw_elements_with_name(more, "right");
    const cw_elements *both = cw_elements_plus(left, named);
    ASSERT(cw_elements_value(both, &key_one) == &other);
    ASSERT(cw_elements_value(both, &key_two) == &two);
    ASSERT_STR(cw_elements_name(both), "right");
    const cw_elements *back = cw_elements_plus(both, left);
    ASSERT(cw_elements_value(back, &key_one) == &one);
    ASSERT_STR(cw_elements_name(back), "right");
    ASSERT(cw_elements_value(left, &key_two) == NULL);
    ASSERT(cw_elements_value(NULL, &key_two) == NULL);
    ASSERT(cw_elements_job(both) == NULL);
    ASSERT(cw_elements_context(both) == NULL);
    const cw_elements *all[] = {left, right, more, named, both, back};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cw_elements_release(all[i]);
}

/* Looks for the value at key_one in its own elements. */
CW_COROUTINE(looks_up, void *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_elements_value(cw_current_elements(), &key_one) == self->arg);
    CW_YIELD(self);
    ASSERT(cw_elements_value(cw_current_elements(), &key_one) == self->arg);
    CW_RETURN(self, 1);
    CW_END(self);
}

struct values {
    void *mine, *other;
};

CW_COROUTINE(hands_down, struct values, int, int out; const cw_elements *set;)
{
    CW_BEGIN(self);
    ASSERT(cw_elements_value(cw_current_elements(), &key_one) ==
           self->arg.mine);
    cw_spawn(NULL, looks_up, self->arg.mine);
    SPAWN(cw_elements_with_value(NULL, &key_one, self->arg.other),
          CW_START_UNDISPATCHED, looks_up, self->arg.other);
    SPAWN(cw_elements_with_value(NULL, &key_two, NULL), CW_START_DEFAULT,
          looks_up, self->arg.mine);
    SPAWN(DETACHED, CW_START_DEFAULT, looks_up, self->arg.mine);
    CW_SCOPE(self, looks_up, self->arg.mine, &self->out);
    CW_NON_CANCELLABLE(self, looks_up, self->arg.mine, &self->out);
    self->set = cw_elements_with_value(NULL, &key_one, self->arg.other);
    CW_WITH_ELEMENTS(self, self->set, looks_up, self->arg.other, &self->out);
    cw_elements_release(self->set);
    ASSERT(cw_elements_value(cw_current_elements(), &key_one) ==
           self->arg.mine);
    CW_END(self);
}

SCENARIO(elements_are_inherited, struct values values; cw_job * job; int a;
         int b;)
{
    CW_BEGIN(self);
    self->values = (struct values){&self->a, &self->b};
    self->job = LAUNCH(cw_elements_with_value(NULL, &key_one, &self->a),
                       CW_START_DEFAULT, hands_down, self->values);
    CW_JOIN(self, self->job);
    ASSERT(cw_job_error(self->job) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* A job's own elements say nothing of a parent: what is launched with them is
 * a child of the job itself. */
CW_COROUTINE(launches_with_own, cw_none, cw_none, cw_job *child;
             cw_job * parent;)
{
    CW_BEGIN(self);
    self->child =
        LAUNCH(cw_elements_with_name(cw_current_elements(), "grandchild"),
               CW_START_DEFAULT, marks, 1);
    self->parent = cw_job_parent(self->child);
    ASSERT(self->parent == cw_current_job());
    ASSERT_STR(cw_job_name(self->child), "grandchild");
    cw_job_release(self->parent);
    cw_job_release(self->child);
    CW_END(self);
}

SCENARIO(own_elements_make_children, cw_job *job; cw_job * bare;
         const cw_elements *under;)
{
    CW_BEGIN(self);
    self->bare = cw_job_new(NULL);
    self->under = UNDER(self->bare);
    self->job = LAUNCH(cw_elements_with_name(self->under, "child"),
                       CW_START_DEFAULT, launches_with_own, CW_NONE);
    cw_elements_release(self->under);
    ASSERT_STR(cw_job_name(self->job), "child");
    CW_JOIN(self, self->job);
    ASSERT(cw_job_error(self->job) == NULL);
    ASSERT_EQ(cw_job_complete(self->bare), 1);
    cw_job_release(self->job);
    cw_job_release(self->bare);
    CW_END(self);
}

/* ---- names */

static void expect_name(void *arg, const char *name, cw_error *error)
{
    ASSERT_STR(name, arg);
    ASSERT_EQ(cw_error_code(error), CW_EFAILED);
    MARK(1);
}

static char somebody[] = "somebody";

/* DETACHED, with a name and a handler that expects it. */
static const cw_elements *named(void)
{
    const cw_elements *alone = DETACHED;
    const cw_elements *name = cw_elements_with_name(alone, somebody);
    const cw_elements *all =
        cw_elements_with_handler(name, expect_name, somebody);
    cw_elements_release(alone);
    cw_elements_release(name);
    return all;
}

SCENARIO(a_handler_is_told_the_name, cw_job *job; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    self->job = LAUNCH(named(), CW_START_DEFAULT, raises, self->a);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT_STR(cw_job_name(self->job), somebody);
    cw_job_release(self->job);
    cw_error_release(self->a);
    CW_END(self);
}

CW_COROUTINE(has_plain_and_valued_children, cw_none, cw_none,
             cw_job *children[2];)
{
    CW_BEGIN(self);
    self->children[0] = cw_launch(NULL, give, 1);
    self->children[1] = LAUNCH(cw_elements_with_value(NULL, &key_one, NULL),
                               CW_START_DEFAULT, give, 1);
    ASSERT_STR(cw_job_name(self->children[0]), "give");
    ASSERT_STR(cw_job_name(self->children[1]), "give");
    cw_job_release(self->children[0]);
    cw_job_release(self->children[1]);
    CW_END(self);
}

SCENARIO(a_name_is_one_jobs_alone, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(cw_elements_with_name(NULL, somebody), CW_START_DEFAULT,
                       has_plain_and_valued_children, CW_NONE);
    ASSERT_STR(cw_job_name(self->job), somebody);
    CW_JOIN(self, self->job);
    ASSERT(cw_job_error(self->job) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- handlers only hear of what has no owner */

static cw_error *grandchild_failure;

CW_COROUTINE(has_child_with_handler, struct failures *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    SPAWN(noting(PLAIN, self->arg), CW_START_DEFAULT, raises,
          grandchild_failure);
    CW_END(self);
}

SCENARIO(a_handler_hears_of_no_owned_failure, cw_job *outer; cw_error * a;
         struct failures inner;)
{
    static struct failures outer;
    CW_BEGIN(self);
    grandchild_failure = self->a = failure("A");
    self->outer = LAUNCH(noting(DETACHED, &outer), CW_START_DEFAULT,
                         has_child_with_handler, &self->inner);
    CW_JOIN(self, self->outer);
    ASSERT_EQ(self->inner.count, 0);
    ASSERT_EQ(outer.count, 1);
    ASSERT(outer.errors[0] == self->a);
    forget_failures(&outer);
    cw_job_release(self->outer);
    cw_error_release(self->a);
    CW_END(self);
}

/* A supervisor's children inherit the handler. */
CW_COROUTINE(has_failing_children, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, raises, self->arg);
    cw_job_release(cw_async(NULL, raises, self->arg));
    CW_RETURN(self, 1);
    CW_END(self);
}

CW_COROUTINE(has_supervisor_scope, cw_error *, int, int out;)
{
    CW_BEGIN(self);
    CW_SUPERVISOR_SCOPE(self, has_failing_children, self->arg, &self->out);
    CW_RETURN(self, self->out);
    CW_END(self);
}

SCENARIO(children_inherit_the_handler, cw_job *job; cw_error * a;
         struct failures failures;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    self->job = LAUNCH(noting(DETACHED, &self->failures), CW_START_DEFAULT,
                       has_supervisor_scope, self->a);
    CW_JOIN(self, self->job);
    ASSERT(cw_job_error(self->job) == NULL);
    ASSERT_EQ(self->failures.count, 1);
    ASSERT(self->failures.errors[0] == self->a);
    forget_failures(&self->failures);
    cw_job_release(self->job);
    cw_error_release(self->a);
    CW_END(self);
}
