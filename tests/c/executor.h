/* executor.h: what tests of executors share.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after helpers.h.
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include "coworker.h"

struct turn {
    void (*run)(void *task);
    void *task;
};

/* Runs tasks with the workers of `context`, or, if that is NULL, within
 * execute(). */
struct executor {
    cw_context *context;
    _Atomic int submitted;   /* calls of execute() */
    _Atomic int refuse_from; /* the first one that is refused; 0: none is */
    _Atomic int needed;      /* what is_dispatch_needed() says */
    _Atomic int closed, released;
    sem_t *over; /* set when it is released */
};

CW_FUNCTION(take_turn, struct turn, cw_none)
{
    arg->run(arg->task);
    return CW_OK;
}

MAYBE_UNUSED static int executor_execute(void *arg, void (*run)(void *task),
                                         void *task)
{
    struct executor *executor = arg;
    int number = atomic_fetch_add(&executor->submitted, 1) + 1;
    int refuse_from = atomic_load(&executor->refuse_from);
    ASSERT(!atomic_load(&executor->released));
    if (refuse_from && number >= refuse_from) return CW_EAGAIN;
    if (!executor->context) {
        run(task);
        return CW_OK;
    }
    struct turn turn = {run, task};
    const cw_elements *place =
        cw_elements_with_context(NULL, executor->context);
    const cw_elements *elements = cw_elements_with_job(place, NULL);
    cw_job *job = cw_launch_with(elements, CW_START_DEFAULT, take_turn, turn);
    ASSERT(job);
    cw_job_release(job);
    cw_elements_release(elements);
    cw_elements_release(place);
    return CW_OK;
}

MAYBE_UNUSED static int executor_needs_dispatch(void *arg)
{
    return atomic_load(&((struct executor *)arg)->needed);
}

MAYBE_UNUSED static void executor_close(void *arg)
{
    atomic_fetch_add(&((struct executor *)arg)->closed, 1);
}

MAYBE_UNUSED static void executor_release(void *arg)
{
    struct executor *executor = arg;
    atomic_fetch_add(&executor->released, 1);
    event_set(executor->over);
}

/* After that nobody uses it any more. */
MAYBE_UNUSED static void executor_await_release(struct executor *executor)
{
    event_await(executor->over);
    event_free(executor->over);
    ASSERT_EQ(atomic_load(&executor->released), 1);
    ASSERT_EQ(atomic_load(&executor->closed), 1);
}

/* A context of an executor that always wants to dispatch. */
MAYBE_UNUSED static cw_context *executor_start(struct executor *executor,
                                               cw_context *context)
{
    static const cw_executor calls = {
        .execute = executor_execute,
        .is_dispatch_needed = executor_needs_dispatch,
        .close = executor_close,
        .release = executor_release,
    };
    memset(executor, 0, sizeof *executor);
    executor->context = context;
    executor->over = event_new();
    atomic_store(&executor->needed, 1);
    cw_context *made = cw_executor_context(&calls, executor, "executor");
    ASSERT(made);
    return made;
}

#endif /* EXECUTOR_H */
