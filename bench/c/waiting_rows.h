/* waiting_rows.h: many that wait: for a time, for a job, in memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WAITING_ROWS_H
#define WAITING_ROWS_H

#include "job_rows.h"

/* ---- time */

CW_COROUTINE(sleeper, struct crowd, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.turns; self->i++)
        CW_DELAY(self, self->arg.turns == 1 ? 1000 : 1);
    CW_END(self);
}

CW_COROUTINE(sleepers, struct crowd, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < self->arg.members; i++)
        cw_spawn(NULL, sleeper, self->arg);
    CW_END(self);
}

/* Delays of 1 s if there is one turn, of 1 ms if there are more; ns for all. */
CW_COROUTINE(delay_row, struct crowd, double, double start; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    CW_SCOPE(self, sleepers, self->arg, &self->none);
    CW_RETURN(self, now_ns() - self->start);
    CW_END(self);
}

/* ---- a million that wait */

CW_COROUTINE(waiter, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, self->arg);
    CW_END(self);
}

struct tree {
    cw_job *gate;         /* what the leaves wait for */
    int branches, leaves; /* of the root, of each branch */
};

CW_COROUTINE(branch, struct tree, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.leaves; self->i++)
        cw_spawn(NULL, waiter, self->arg.gate);
    CW_END(self);
}

CW_COROUTINE(tree_root, struct tree, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.branches; self->i++) {
        cw_spawn(NULL, branch, self->arg);
        CW_YIELD(self);
    }
    CW_END(self);
}

/* From the cancelling of a tree of suspended jobs to its end; ns. */
CW_COROUTINE(cancel_row, struct tree, double, double start; cw_job * root;)
{
    CW_BEGIN(self);
    self->arg.gate = cw_job_new(NULL);
    self->root = cw_launch(NULL, tree_root, self->arg);
    CW_DELAY(self, 1000); /* all of them are there and wait */
    self->start = now_ns();
    cw_cancel(self->root, NULL);
    CW_JOIN(self, self->root);
    self->start = now_ns() - self->start;
    cw_job_complete(self->arg.gate);
    cw_job_release(self->root);
    cw_job_release(self->arg.gate);
    CW_RETURN(self, self->start);
    CW_END(self);
}

/* From the end of a job that all wait for to the last one's own; ns. */
CW_COROUTINE(wake_row, struct tree, double, double start; cw_job * root;)
{
    CW_BEGIN(self);
    self->arg.gate = cw_job_new(NULL);
    self->root = cw_launch(NULL, tree_root, self->arg);
    CW_DELAY(self, 1000);
    self->start = now_ns();
    cw_job_complete(self->arg.gate);
    CW_JOIN(self, self->root);
    self->start = now_ns() - self->start;
    cw_job_release(self->root);
    cw_job_release(self->arg.gate);
    CW_RETURN(self, self->start);
    CW_END(self);
}

/* ---- memory */

CW_COROUTINE(for_ever, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

/* Bytes that `arg` suspended coroutines take, each. */
CW_COROUTINE(memory_row, int, double, size_t before; double each; cw_job * gate;
             int i;)
{
    CW_BEGIN(self);
    self->gate = cw_async(NULL, for_ever, CW_NONE);
    self->before = cw_memory_used();
    for (self->i = 0; self->i < self->arg; self->i++) {
        cw_spawn(NULL, waiter, self->gate);
        if (self->i % 100 == 0) CW_YIELD(self);
    }
    CW_YIELD(self);
    self->each = (double)(cw_memory_used() - self->before) / self->arg;
    cw_cancel(self->gate, NULL);
    cw_job_release(self->gate);
    CW_RETURN(self, self->each);
    CW_END(self);
}

#endif /* WAITING_ROWS_H */
