/* blocking_test.c: plain functions that run to their end on a worker.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

struct division {
    int a, b;
};

CW_FUNCTION(divide, struct division, int)
{
    if (arg->b == 0) return cw_fail(CW_EINVAL, "division by zero");
    *result = arg->a / arg->b;
    return CW_OK;
}

SCENARIO(a_function_gives_a_result, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, divide, ((struct division){42, 6}));
    ASSERT_STR(cw_job_name(self->job), "divide");
    CW_AWAIT(self, divide, self->job, &self->out);
    ASSERT_EQ(self->out, 7);
    cw_job_release(self->job);
    CW_END(self);
}

TEST(a_function_fails_with_a_code_and_a_message)
{
    cw_context *context = new_context(1);
    cw_job *job = cw_async(context, divide, ((struct division){1, 0}));
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_EINVAL);
    ASSERT_STR(cw_error_message(cw_job_error(job)), "division by zero");
    int out = 3;
    ASSERT_EQ(cw_result(divide, job, &out), CW_EINVAL);
    ASSERT_EQ(out, 3);
    cw_job_release(job);
    shut_down(context);
}

CW_FUNCTION(return_code, int, cw_none) { return *arg; }

TEST(without_a_message_the_code_speaks)
{
    cw_context *context = new_context(1);
    cw_job *job = cw_async(context, return_code, CW_EBUSY);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_EBUSY);
    ASSERT_STR(cw_error_message(cw_job_error(job)), cw_status_text(CW_EBUSY));
    cw_job_release(job);
    shut_down(context);
}

TEST(a_failing_function_is_told_to_the_handler)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_context *context = new_context(1);
    cw_spawn(context, return_code, CW_EBUSY);
    cw_spawn(context, return_code, CW_ECANCELED); /* that is none */
    shut_down(context);
    ASSERT_EQ(unhandled_count, 1);
    ASSERT_EQ(unhandled_code, CW_EBUSY);
}

/* What one function left behind does not stick to the next one. */
CW_FUNCTION(change_its_mind, int, cw_none)
{
    char message[] = "copied";
    ASSERT_EQ(cw_fail(CW_EINVAL, "first"), CW_EINVAL);
    ASSERT_EQ(cw_fail(CW_EBUSY, message), CW_EBUSY);
    message[0] = 'x';
    return *arg;
}

TEST(a_message_goes_with_its_code)
{
    cw_context *context = new_context(1);
    const int codes[] = {CW_EBUSY, CW_EINVAL, CW_OK, CW_EBUSY};
    cw_job *jobs[4];
    for (int i = 0; i < 3; i++)
        jobs[i] = cw_async(context, change_its_mind, codes[i]);
    jobs[3] = cw_async(context, return_code, CW_EBUSY);
    for (int i = 0; i < 4; i++) {
        wait_for(jobs[i]);
        ASSERT_EQ(cw_error_code(cw_job_error(jobs[i])), codes[i]);
    }
    ASSERT_STR(cw_error_message(cw_job_error(jobs[0])), "copied");
    ASSERT_STR(cw_error_message(cw_job_error(jobs[1])),
               cw_status_text(CW_EINVAL));
    ASSERT_STR(cw_error_message(cw_job_error(jobs[3])),
               cw_status_text(CW_EBUSY));
    for (int i = 0; i < 4; i++)
        cw_job_release(jobs[i]);
    shut_down(context);
}

TEST(failing_outside_of_a_worker_just_returns_the_code)
{
    ASSERT_EQ(cw_fail(CW_EBUSY, "nobody listens"), CW_EBUSY);
}

CW_FUNCTION(launch_children, cw_none, cw_none)
{
    for (int i = 1; i <= 3; i++)
        cw_spawn(NULL, divide, ((struct division){i, i}));
    return CW_OK;
}

SCENARIO(a_function_can_have_children, cw_job *job; cw_stats stats;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, launch_children, CW_NONE);
    CW_JOIN(self, self->job);
    cw_context_stats(cw_current_context(), &self->stats);
    ASSERT_EQ(self->stats.completed, 4); /* with all of them */
    cw_job_release(self->job);
    CW_END(self);
}

/* Cancelled while it runs, a function that ends well is cancelled all the
 * same. */
CW_FUNCTION(hold_and_return, struct hold *, int)
{
    event_set((*arg)->entered);
    event_await((*arg)->release);
    ASSERT(cw_is_stopped());
    *result = 42;
    return CW_OK;
}

TEST(a_function_that_does_not_ask_is_cancelled_at_its_end)
{
    cw_context *context = new_context(1);
    struct hold hold = {event_new(), event_new()};
    cw_job *job = cw_async(context, hold_and_return, &hold);
    event_await(hold.entered);
    cw_cancel(job, NULL);
    ASSERT(!cw_is_completed(job));
    event_set(hold.release);
    wait_for(job);
    int out;
    ASSERT_EQ(cw_result(hold_and_return, job, &out), CW_ECANCELED);
    cw_job_release(job);
    shut_down(context);
    event_free(hold.entered);
    event_free(hold.release);
}

/* ---- types as JavaScript sees them */

CW_FUNCTION(typed, const char *, double)
{
    *result = atof(*arg);
    return CW_OK;
}

CW_EXPORT(typed)

TEST(descriptions_name_types_and_sizes)
{
    const cw_coroutine *type = cw_export_typed();
    ASSERT_STR(type->name, "typed");
    ASSERT_EQ(type->arg_type, 's');
    ASSERT_EQ(type->result_type, 'd');
    ASSERT_EQ(type->arg_size, sizeof(char *));
    ASSERT_EQ(type->result_size, sizeof(double));
    ASSERT_EQ(type->frame_size, sizeof(struct typed));
    ASSERT_EQ(CW_TYPE_CODE(int), 'i');
    ASSERT_EQ(CW_TYPE_CODE(unsigned), 'u');
    ASSERT_EQ(CW_TYPE_CODE(int64_t), 'l');
    ASSERT_EQ(CW_TYPE_CODE(uint64_t), 'L');
    ASSERT_EQ(CW_TYPE_CODE(float), 'f');
    ASSERT_EQ(CW_TYPE_CODE(bool), 'b');
    ASSERT_EQ(CW_TYPE_CODE(void *), 'p');
    ASSERT_EQ(CW_TYPE_CODE(cw_none), '0');
    ASSERT_EQ(CW_TYPE_CODE(struct division), '*');
}
