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

/* An error that also carries a host's own form of it, copied. */
cw_error *cw__error_carrying(int code, const char *message, cw_error *cause,
                             const void *payload, uint32_t bytes);
/* What it carries: borrowed, NULL if nothing. */
const void *cw__error_payload(const cw_error *error, uint32_t *bytes);

/* Notes that nothing threw the error to whoever was to get it: a trap, or what
 * an event loop met outside of any body. Reports of such errors are not to stop
 * the program. */
void cw__error_mark_crash(cw_error *error);
bool cw__error_is_crash(const cw_error *error);

/* Where the host keeps its own form of an error, as long as that lives. */
typedef struct cw__error_origin {
    void *home; /* NULL: nowhere. A host's error is given to its error_free() */
    uint32_t slot;
} cw__error_origin;
/* To be set by who has made the error; NULL for one that has no owner. */
cw__error_origin *cw__error_origin_of(cw_error *error);
/* One more reference to an error that the host may still have the memory of.
 * False: it was released for good. */
bool cw__error_revive(cw_error *error);
/* Frees what the host's error_free() was given. */
void cw__error_free(cw_error *error);

static inline bool cw__error_is_cancel(const cw_error *error)
{
    return cw_error_code(error) == CW_ECANCELED;
}

static inline bool cw__error_is_timeout(const cw_error *error)
{
    int code = cw_error_code(cw_error_cause(error));
    return cw__error_is_cancel(error) &&
           (code == CW_ETIMEDOUT || code == CW_EOVERDUE);
}

/* True if it tells that the worker was lost which ran the body. */
static inline bool cw__error_is_lost(const cw_error *error)
{
    return cw__error_is_cancel(error) &&
           cw_error_code(cw_error_cause(error)) == CW_ELOST;
}

/* Adds `other` to what was met on top of `error`: once, and never a
 * cancellation, itself, or one that carries it. */
void cw__error_suppress(cw_error *error, cw_error *other);

#endif /* CW_ERROR_H */
