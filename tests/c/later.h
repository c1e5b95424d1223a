/* later.h: bodies that end or fail after some turns.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after helpers.h.
 */
#ifndef LATER_H
#define LATER_H

#include "coworker.h"

CW_COROUTINE(give_later, int, int, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_YIELD(self);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

/* Fails with the error that it is given after `turns` turns. */
struct fault {
    int turns;
    cw_error *error;
};

CW_COROUTINE(fail_later, struct fault, int, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.turns; self->i++)
        CW_YIELD(self);
    CW_RAISE(self, cw_error_retain(self->arg.error));
    CW_END(self);
}

/* A job that is nobody's child and fails. */
MAYBE_UNUSED static cw_job *start_failing(cw_context *context, cw_error *error)
{
    return cw_async(context, fail_later, ((struct fault){0, error}));
}

#endif /* LATER_H */
