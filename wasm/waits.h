/* waits.h: what a body in JavaScript waits for, as coroutines.
 *
 * SPDX-License-Identifier: MIT
 *
 * A body in JavaScript is no coroutine of the core's: it runs on in its event
 * loop, and may wait for several things at once. So each of its suspending
 * calls is a small coroutine of its own, a *leaf*: a child of the scope that
 * the call was made in, which begins in place and is finished there if it need
 * not wait. Otherwise it stands in the lines of the core like every coroutine,
 * resumes on its realm, in order with all else there, and is cancelled with its
 * scope; so all rules of waiting are those of the core.
 *
 * A leaf tells its outcome to JavaScript by the token it was made with, exactly
 * once, before it ends.
 */
#ifndef CWB_WAITS_H
#define CWB_WAITS_H

#include "bridge.h"

/* Begins the argument of every leaf. */
typedef struct cwb_wait {
    uint32_t token;
    cwb_home *home; /* set by cwb_leaf_begin() */
} cwb_wait;

typedef struct cwb_leaf {
    cw_coroutine type; /* its step is cwb_leaf_step() */
    cw_step (*body)(cw_frame *frame);
} cwb_leaf;

cw_step cwb_leaf_step(cw_frame *frame);

/* Behind the body of CW_COROUTINE(NAME, ARG, RESULT, ...): NAME##_leaf. */
#define CWB_LEAF(NAME, LABEL, ARG, RESULT)                                     \
    static const cwb_leaf NAME##_leaf = {                                      \
        {LABEL, cwb_leaf_step, (uint32_t)sizeof(struct NAME),                  \
         (uint32_t)offsetof(struct NAME, arg), (uint32_t)sizeof(ARG),          \
         (uint32_t)offsetof(struct NAME, result), (uint32_t)sizeof(RESULT),    \
         '*', '*'},                                                            \
        NAME##__step}

/* The realm that a leaf belongs to. */
cwb_home *cwb_leaf_home(const cw_job *job);

/* Begins a leaf in `scope`, with a copy of `arg`. CW_OK: its outcome has been
 * or will be told; CW_ENOMEM: it will not. */
int cwb_leaf_begin(cw_job *scope, const cwb_leaf *leaf, const void *arg);

#endif /* CWB_WAITS_H */
