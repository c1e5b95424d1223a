/* module.c: a module of a user's own, whose coroutine JavaScript starts.
 *
 * SPDX-License-Identifier: MIT
 */
#include <coworker.h>

CW_COROUTINE(twice, int, int, cw_none none;)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    CW_RETURN(self, 2 * self->arg);
    CW_END(self);
}
CW_EXPORT(twice)
