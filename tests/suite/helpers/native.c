/* native.c: what the suite calls in C: every type of argument and result, and
 * every way to end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "coworker.h"

#include <emscripten.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- types: each gives back what it got, or something made from it */

CW_FUNCTION(echo_int, int, int)
{
    *result = *arg;
    return 0;
}
CW_EXPORT(echo_int)

CW_FUNCTION(echo_unsigned, unsigned, unsigned)
{
    *result = *arg;
    return 0;
}
CW_EXPORT(echo_unsigned)

CW_FUNCTION(echo_short, short, short)
{
    *result = *arg;
    return 0;
}
CW_EXPORT(echo_short)

CW_FUNCTION(echo_byte, unsigned char, unsigned char)
{
    *result = *arg;
    return 0;
}
CW_EXPORT(echo_byte)

CW_FUNCTION(echo_int64, int64_t, int64_t)
{
    *result = *arg;
    return 0;
}
CW_EXPORT(echo_int64)

CW_FUNCTION(echo_uint64, uint64_t, uint64_t)
{
    *result = *arg;
    return 0;
}
CW_EXPORT(echo_uint64)

CW_FUNCTION(echo_double, double, double)
{
    *result = *arg;
    return 0;
}
CW_EXPORT(echo_double)

CW_FUNCTION(echo_float, float, float)
{
    *result = *arg;
    return 0;
}
CW_EXPORT(echo_float)

CW_FUNCTION(negate, bool, bool)
{
    *result = !*arg;
    return 0;
}
CW_EXPORT(negate)

typedef const char *text;

CW_FUNCTION(text_length, text, unsigned)
{
    *result = (unsigned)strlen(*arg);
    return 0;
}
CW_EXPORT(text_length)

/* The argument lives as long as the job, so it may be the result. */
CW_FUNCTION(echo_text, text, text)
{
    *result = *arg;
    return 0;
}
CW_EXPORT(echo_text)

CW_FUNCTION(no_text, cw_none, text)
{
    *result = NULL;
    return 0;
}
CW_EXPORT(no_text)

typedef void *pointer;

/* Doubles ten integers in place. */
CW_FUNCTION(double_ten, pointer, pointer)
{
    int *numbers = *arg;
    for (int i = 0; i < 10; i++)
        numbers[i] *= 2;
    *result = *arg;
    return 0;
}
CW_EXPORT(double_ten)

typedef struct pair {
    int left, right;
} pair;

CW_FUNCTION(swap, pair, pair)
{
    result->left = arg->right;
    result->right = arg->left;
    return 0;
}
CW_EXPORT(swap)

CW_FUNCTION(nothing, cw_none, cw_none) { return 0; }
CW_EXPORT(nothing)

CW_FUNCTION(worker_name, cw_none, text)
{
    *result = cw_worker_name();
    return 0;
}
CW_EXPORT(worker_name)

/* ---- ends */

CW_FUNCTION(fail_with_code, int, int) { return *arg; }
CW_EXPORT(fail_with_code)

CW_FUNCTION(fail_with_text, text, int) { return cw_fail(CW_EINVAL, *arg); }
CW_EXPORT(fail_with_text)

CW_COROUTINE(fail_with_cause, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    {
        cw_error *cause = cw_error_new(CW_EBUSY, "the cause", NULL);
        cw_error *error = cw_error_new(CW_EFAILED, "the failure", cause);
        cw_error_release(cause);
        CW_RAISE(self, error);
    }
    CW_END(self);
}
CW_EXPORT(fail_with_cause)

/* Spins until it is told to stop; counts in the array meanwhile. */
CW_FUNCTION(spin, pointer, int)
{
    _Atomic int *turns = *arg;
    while (!cw_is_stopped())
        ++*turns;
    *result = 1;
    return CW_ECANCELED;
}
CW_EXPORT(spin)

/* ---- coroutines */

CW_COROUTINE(wait_ms, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg);
    CW_RETURN(self, self->arg);
    CW_END(self);
}
CW_EXPORT(wait_ms)

/* Waits for ever; leaves 1 (and 2 if it could wait again) when cancelled. */
CW_COROUTINE(wait_and_mark, pointer, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ((_Atomic int *)self->arg)[1] = 1;
    CW_DELAY(self, INT64_MAX);
    CW_FINALLY(self);
    ((_Atomic int *)self->arg)[0] = 1;
    CW_END(self);
}
CW_EXPORT(wait_and_mark)

CW_COROUTINE(fib, int, int, cw_job *jobs[2]; int parts[2];)
{
    CW_BEGIN(self);
    if (self->arg < 2) CW_RETURN(self, self->arg);
    self->jobs[0] = cw_async(NULL, fib, self->arg - 1);
    self->jobs[1] = cw_async(NULL, fib, self->arg - 2);
    CW_AWAIT_ALL(self, fib, self->jobs, 2, self->parts);
    CW_RETURN(self, self->parts[0] + self->parts[1]);
    CW_FINALLY(self);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    CW_END(self);
}
CW_EXPORT(fib)

/* ---- a plain function */

EMSCRIPTEN_KEEPALIVE int plain_add(int left, int right);
int plain_add(int left, int right) { return left + right; }

/* ---- what goes wrong */

/* Counts that it has begun, and does not come back for many seconds: WebKit
 * cannot end a thread in such a loop, and it must not keep a processor busy for
 * the rest of the tests. */
CW_FUNCTION(loop_for_ever, pointer, cw_none)
{
    ++*(_Atomic int *)*arg;
    for (volatile unsigned i = 1; i; i = i + 1) {
    }
    return 0;
}
CW_EXPORT(loop_for_ever)

/* The same, allocating and freeing all the time. */
CW_FUNCTION(allocate_for_ever, pointer, cw_none)
{
    ++*(_Atomic int *)*arg;
    for (unsigned i = 0;; i++) {
        void *volatile block = malloc(16 + i % 4096);
        free(block);
    }
}
CW_EXPORT(allocate_for_ever)

/* Calls the library all the time. */
CW_FUNCTION(launch_for_ever, pointer, cw_none)
{
    ++*(_Atomic int *)*arg;
    for (;;) {
        cw_error *error = cw_error_new(CW_EFAILED, "of no use", NULL);
        cw_error_release(error);
        cw_job *job = cw_job_new(NULL);
        cw_job_complete(job);
        cw_job_release(job);
    }
}
CW_EXPORT(launch_for_ever)

static int zero;

static int recurse(volatile int *depth)
{
    int deeper = *depth + 1;
    if (deeper < 0) return 0; /* it never comes so far */
    return recurse(&deeper) + deeper;
}

enum { TRAP_UNREACHABLE, TRAP_BOUNDS, TRAP_DIVISION, TRAP_STACK, TRAP_ABORT };

CW_FUNCTION(trap, int, int)
{
    int depth = 0;
    switch (*arg) {
    case TRAP_UNREACHABLE:
        __builtin_trap();
    case TRAP_BOUNDS:
        *result = *(volatile int *)0xfffffff0u;
        break;
    case TRAP_DIVISION:
        *result = 7 / *(volatile int *)&zero;
        break;
    case TRAP_STACK:
        *result = recurse(&depth);
        break;
    case TRAP_ABORT:
        abort();
    }
    return 0;
}
CW_EXPORT(trap)

/* Traps where only the library's own code is: its caller is not prepared. */
static void trap_when_told(void *arg, cw_error *error)
{
    (void)arg, (void)error;
    __builtin_trap();
}
CW_FUNCTION(trap_in_the_library, int, int)
{
    cw_job *job = cw_job_new(NULL);
    cw_on_completion(job, 0, trap_when_told, NULL);
    *result = *arg + cw_job_complete(job);
    return 0;
}
CW_EXPORT(trap_in_the_library)

/* Asks for more memory than there is, and says so. */
CW_FUNCTION(exhaust, cw_none, int)
{
    (void)arg;
    void *blocks[4096];
    int count = 0;
    while (count < 4096 && (blocks[count] = malloc(1 << 20)) != NULL)
        count++;
    *result = count;
    while (count > 0)
        free(blocks[--count]);
    return *result == 4096 ? CW_OK : CW_ENOMEM;
}
CW_EXPORT(exhaust)

/* Traps in a scope of a coroutine, above a child that waits. */
CW_COROUTINE(trap_inside, pointer, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_job_release(cw_launch(NULL, wait_and_mark, self->arg));
    __builtin_trap();
    CW_END(self);
}
CW_COROUTINE(trap_in_scope, pointer, int, int out;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, trap_inside, self->arg, &self->out);
    CW_END(self);
}
CW_EXPORT(trap_in_scope)

/* ---- what goes on meanwhile */

/* Counts that it has begun, and gives 7 after some turns. */
CW_COROUTINE(count_and_wait, pointer, int, int i;)
{
    CW_BEGIN(self);
    ++*(_Atomic int *)self->arg;
    for (self->i = 0; self->i < 3; self->i++)
        CW_YIELD(self);
    CW_DELAY(self, 1);
    CW_RETURN(self, 7);
    CW_END(self);
}
CW_EXPORT(count_and_wait)

CW_COROUTINE(count_children, pointer, int, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 3; self->i++)
        cw_job_release(cw_launch(NULL, count_and_wait, self->arg));
    CW_RETURN(self, 7);
    CW_END(self);
}

/* The same with three children, all in the same cell. */
CW_COROUTINE(count_family, pointer, int, int seven;)
{
    CW_BEGIN(self);
    ++*(_Atomic int *)self->arg;
    CW_SCOPE(self, count_children, self->arg, &self->seven);
    CW_RETURN(self, self->seven);
    CW_END(self);
}
CW_EXPORT(count_family)
