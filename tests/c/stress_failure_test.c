/* stress_failure_test.c: failures against each other and those who wait, again
 * and again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "races.h"

/* ---- failures */

struct failures {
    cw_error *errors[8];
    cw_job *jobs[8];
    uint32_t turns[8];
    bool fails[8];
};

struct failure {
    uint32_t turns;
    cw_error *error;
};

CW_COROUTINE(fail_after, struct failure, int, uint32_t i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.turns; self->i++)
        CW_YIELD(self);
    if (self->arg.error) CW_RAISE(self, cw_error_retain(self->arg.error));
    CW_RETURN(self, (int)self->arg.turns);
    CW_END(self);
}

CW_COROUTINE(join_failing, cw_error *, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    self->job =
        cw_launch(NULL, fail_after, ((struct failure){chance(3), self->arg}));
    if (chance(2)) CW_YIELD(self);
    CW_JOIN(self, self->job);
    ASSERT(false); /* cancelled before the end of the child is visible */
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(await_failing, cw_error *, cw_none, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job =
        cw_async(NULL, fail_after, ((struct failure){chance(3), self->arg}));
    CW_TRY(self, 1);
    CW_AWAIT(self, fail_after, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1) { ASSERT(cw_caught(self) == self->arg); }
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(join_and_await_failing, cw_error *, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_SCOPE(self, join_failing, self->arg, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1) { ASSERT(cw_caught(self) == self->arg); }
    CW_TRY(self, 2);
    CW_SCOPE(self, await_failing, self->arg, &self->none);
    ASSERT(false);
    CW_CATCH(self, 2) { ASSERT(cw_caught(self) == self->arg); }
    CW_ENSURE_ACTIVE(self);
    CW_END(self);
}

STRESS(a_childs_failure_against_its_parents_join)
{
    cw_error *error = cw_error_new(CW_EBUSY, NULL, NULL);
    for (int round = 0; round < round_count; round++) {
        cw_job *job = cw_async(context, join_and_await_failing, error);
        wait_for(job);
        ASSERT(cw_job_error(job) == NULL);
        cw_job_release(job);
    }
    cw_error_release(error);
}

CW_COROUTINE(launch_failing, struct failures *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < 8; i++) {
        struct failure failure = {self->arg->turns[i], self->arg->errors[i]};
        ASSERT_EQ(cw_spawn(NULL, fail_after, failure), CW_OK);
    }
    CW_END(self);
}

STRESS(many_failures_at_once)
{
    struct failures failures;
    for (int i = 0; i < 8; i++)
        failures.errors[i] = cw_error_new(CW_EBUSY, NULL, NULL);
    for (int round = 0; round < round_count; round++) {
        for (int i = 0; i < 8; i++)
            failures.turns[i] = chance(3);
        int told = atomic_load(&unhandled_count);
        cw_job *job = cw_launch(context, launch_failing, &failures);
        wait_for(job);
        int found = 0;
        for (int i = 0; i < 8; i++)
            found += cw_job_error(job) == failures.errors[i];
        ASSERT_EQ(found, 1);
        ASSERT_EQ(atomic_load(&unhandled_count), told + 1);
        cw_job_release(job);
    }
    for (int i = 0; i < 8; i++)
        cw_error_release(failures.errors[i]);
}

/* ---- await_all with random failures */

CW_COROUTINE(await_them, struct failures *, int, int outs[8];)
{
    CW_BEGIN(self);
    CW_AWAIT_ALL(self, fail_after, self->arg->jobs, 8, self->outs);
    for (int i = 0; i < 8; i++) {
        ASSERT(!self->arg->fails[i]);
        ASSERT_EQ(self->outs[i], self->arg->turns[i]);
    }
    CW_RETURN(self, 1);
    CW_END(self);
}

STRESS(await_all_against_failures_and_cancellation)
{
    cw_error *errors[8];
    for (int i = 0; i < 8; i++)
        errors[i] = cw_error_new(CW_EBUSY, NULL, NULL);
    for (int round = 0; round < round_count; round++) {
        struct failures failures;
        bool any = false;
        for (int i = 0; i < 8; i++) {
            failures.fails[i] = chance(10) == 0;
            any = any || failures.fails[i];
            failures.turns[i] = chance(6);
            struct failure failure = {failures.turns[i],
                                      failures.fails[i] ? errors[i] : NULL};
            failures.jobs[i] = cw_async(context, fail_after, failure);
        }
        cw_job *job = cw_async(context, await_them, &failures);
        bool cancelled = chance(4) == 0;
        if (cancelled) {
            dither();
            cw_cancel(job, NULL);
        }
        wait_for(job);
        cw_error *error = cw_job_error(job);
        if (!error) ASSERT(!any);
        if (error && cw_error_code(error) == CW_ECANCELED) ASSERT(cancelled);
        if (error && cw_error_code(error) != CW_ECANCELED) {
            int found = 0;
            for (int i = 0; i < 8; i++)
                found += failures.fails[i] && error == errors[i];
            ASSERT_EQ(found, 1);
        }
        for (int i = 0; i < 8; i++) {
            wait_for(failures.jobs[i]);
            ASSERT(cw_job_error(failures.jobs[i]) ==
                   (failures.fails[i] ? errors[i] : NULL));
            cw_job_release(failures.jobs[i]);
        }
        cw_job_release(job);
    }
    for (int i = 0; i < 8; i++)
        cw_error_release(errors[i]);
}
