/* error.h: error objects, shared by reference count.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_ERROR_H
#define CW_ERROR_H

#include "coworker.h"

/* Sets what cw_last_error() tells this thread; returns `code`. */
int cw__set_last_error(int code);

/* The CW_ECANCELED error that a job cancelled because of `cause` raises:
 * `cause` itself (retained) if it is one, else a new one around it. `cause`
 * may be NULL. Returns an owned error. */
cw_error *cw__error_cancelled(cw_error *cause);

static inline bool cw__error_is_cancel(const cw_error *error)
{
    return cw_error_code(error) == CW_ECANCELED;
}

#endif /* CW_ERROR_H */
