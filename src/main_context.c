/* main_context.c: the context of the program's main thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "main_context.h"

#include "context.h"
#include "error.h"
#include "kill_gate.h"
#include "lock.h"

static cw__lock lock;           /* guards all three */
static cw_context *own;         /* the host's, or NULL */
static cw_context *immediate;   /* the same in place, or NULL: not made yet */
static cw_context *replacement; /* a test's, or NULL */

void cw__set_main_context(cw_context *context)
{
    if (context) cw_context_retain(context);
    cw__lock_acquire(&lock);
    cw_context *before = own, *made = immediate;
    own = context;
    immediate = NULL;
    cw__lock_release(&lock);
    cw_context_release(made);
    cw_context_release(before);
}

void cw__replace_main_context(cw_context *context)
{
    if (context) cw_context_retain(context);
    cw__lock_acquire(&lock);
    cw_context *before = replacement;
    replacement = context;
    cw__lock_release(&lock);
    cw_context_release(before);
}

cw_context *cw_main_context(void)
{
    CW__RUNTIME;
    cw__lock_acquire(&lock);
    cw_context *context = replacement ? replacement : own;
    cw__lock_release(&lock);
    if (!context) cw__set_last_error(CW_ENOTSUP);
    return context;
}

cw_context *cw_main_immediate_context(void)
{
    CW__RUNTIME;
    cw__lock_acquire(&lock);
    cw_context *main = own;
    cw_context *context = replacement ? replacement : immediate;
    if (!context && main) cw__context_hold(main);
    cw__lock_release(&lock);
    if (context) return context;
    cw__set_last_error(main ? CW_ENOMEM : CW_ENOTSUP);
    if (!main) return NULL;
    cw_context *made = cw__immediate_new(main);
    cw__lock_acquire(&lock);
    if (own != main) { /* somebody has replaced it */
        context = made;
        made = NULL;
    } else if (!immediate) {
        immediate = made;
    } else {
        context = made;
        made = immediate;
    }
    cw__lock_release(&lock);
    cw_context_release(context);
    cw__context_drop(main);
    return made;
}

bool cw_is_on_main(void)
{
    CW__RUNTIME;
    const cw__worker *self = cw__self;
    if (!self) return false;
    cw__lock_acquire(&lock);
    const cw_context *main = replacement ? replacement : own;
    cw__lock_release(&lock);
    return self->context == main;
}
