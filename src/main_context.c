/* main_context.c: the context of the program's main thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "main_context.h"

#include "error.h"
#include "lock.h"

static cw__lock lock;           /* guards both */
static cw_context *own;         /* the host's, or NULL */
static cw_context *replacement; /* a test's, or NULL */

static void set(cw_context **place, cw_context *context)
{
    if (context) cw_context_retain(context);
    cw__lock_acquire(&lock);
    cw_context *before = *place;
    *place = context;
    cw__lock_release(&lock);
    cw_context_release(before);
}

void cw__set_main_context(cw_context *context) { set(&own, context); }

void cw__replace_main_context(cw_context *context)
{
    set(&replacement, context);
}

cw_context *cw_main_context(void)
{
    cw__lock_acquire(&lock);
    cw_context *context = replacement ? replacement : own;
    cw__lock_release(&lock);
    if (!context) cw__set_last_error(CW_ENOTSUP);
    return context;
}
