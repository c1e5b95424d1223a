/* job_rows.h: jobs that begin, end, and take turns.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef JOB_ROWS_H
#define JOB_ROWS_H

#include "measure.h"

enum { CUTOFF = 12 };

/* ---- launching: a scope with many children that do nothing */

CW_COROUTINE(empty, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_END(self);
}

CW_COROUTINE(launcher, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < self->arg; i++)
        cw_spawn(NULL, empty, CW_NONE);
    CW_END(self);
}

/* A million of them, `arg` at a time; ns each. */
CW_COROUTINE(launch_row, int, double, double start; int done; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    for (self->done = 0; self->done < MILLION; self->done += self->arg)
        CW_SCOPE(self, launcher, self->arg, &self->none);
    CW_RETURN(self, (now_ns() - self->start) / MILLION);
    CW_END(self);
}

/* ---- scopes */

CW_COROUTINE(two_asyncs, cw_none, cw_none, cw_job *jobs[2]; cw_none none;)
{
    CW_BEGIN(self);
    self->jobs[0] = cw_async(NULL, empty, CW_NONE);
    self->jobs[1] = cw_async(NULL, empty, CW_NONE);
    CW_AWAIT(self, empty, self->jobs[0], &self->none);
    CW_AWAIT(self, empty, self->jobs[1], &self->none);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    CW_END(self);
}

/* `arg` scopes, one after the other, in each of which two jobs are awaited; ns
 * each. */
CW_COROUTINE(scope_row, int, double, double start; int i; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_SCOPE(self, two_asyncs, CW_NONE, &self->none);
    CW_RETURN(self, (now_ns() - self->start) / self->arg);
    CW_END(self);
}

/* ---- fork and join */

static int plain_fib(int n)
{
    return n < 2 ? n : plain_fib(n - 1) + plain_fib(n - 2);
}

CW_COROUTINE(fib, int, int, cw_job *jobs[2]; int results[2];)
{
    CW_BEGIN(self);
    if (self->arg < CUTOFF) CW_RETURN(self, plain_fib(self->arg));
    self->jobs[0] = cw_async(NULL, fib, self->arg - 1);
    self->jobs[1] = cw_async(NULL, fib, self->arg - 2);
    CW_AWAIT(self, fib, self->jobs[0], &self->results[0]);
    CW_AWAIT(self, fib, self->jobs[1], &self->results[1]);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    CW_RETURN(self, self->results[0] + self->results[1]);
    CW_END(self);
}

CW_COROUTINE(fib_row, int, double, double start; int sum;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    CW_CALL(self, fib, self->arg, &self->sum);
    CW_RETURN(self, now_ns() - self->start);
    CW_END(self);
}

CW_FUNCTION(plain_fib_row, int, double)
{
    double start = now_ns();
    volatile int n = *arg;
    if (plain_fib(n) < 0) return CW_EFAILED;
    *result = now_ns() - start;
    return CW_OK;
}

/* ---- taking turns */

CW_COROUTINE(yielder, int, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_YIELD(self);
    CW_END(self);
}

struct crowd {
    int members, turns;
};

CW_COROUTINE(yielders, struct crowd, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < self->arg.members; i++)
        cw_spawn(NULL, yielder, self->arg.turns);
    CW_END(self);
}

/* The time in which each member has one turn. */
CW_COROUTINE(yield_row, struct crowd, double, double start; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    CW_SCOPE(self, yielders, self->arg, &self->none);
    CW_RETURN(self, (now_ns() - self->start) / self->arg.turns);
    CW_END(self);
}

/* ---- tiny tasks */

CW_COROUTINE(tiny, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_RETURN(self, plain_fib(self->arg));
    CW_END(self);
}

CW_COROUTINE(fan, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < self->arg; i++)
        cw_spawn(NULL, tiny, 12);
    CW_END(self);
}

CW_COROUTINE(fan_row, int, double, double start; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    CW_SCOPE(self, fan, self->arg, &self->none);
    CW_RETURN(self, (now_ns() - self->start) / self->arg);
    CW_END(self);
}

#endif /* JOB_ROWS_H */
