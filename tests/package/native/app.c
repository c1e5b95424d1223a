/* app.c: a program in C alone, linked against the installed package.
 *
 * SPDX-License-Identifier: MIT
 */
#include <coworker.h>

#include <stdio.h>

CW_COROUTINE(square, int, int, cw_none none;)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    CW_RETURN(self, self->arg * self->arg);
    CW_END(self);
}

CW_COROUTINE(sum_of_squares, cw_context *, int, int i; cw_job * jobs[10];
             int squares[10];)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 10; self->i++)
        self->jobs[self->i] = cw_async(self->arg, square, self->i);
    CW_AWAIT_ALL(self, square, self->jobs, 10, self->squares);
    for (self->i = 0; self->i < 10; self->i++)
        self->result += self->squares[self->i];
    CW_FINALLY(self);
    for (self->i = 0; self->i < 10; self->i++)
        cw_job_release(self->jobs[self->i]);
    CW_END(self);
}

int main(void)
{
    cw_context *context = cw_new_fixed_worker_context(2, "squares");
    int sum = 0;
    int status = cw_run_blocking(sum_of_squares, context, &sum, NULL);
    cw_context_close(context);
    cw_context_join(context);
    cw_context_release(context);
    printf("status %d, sum %d\n", status, sum);
    return status;
}
