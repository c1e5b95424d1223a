/* coworker/select.h: waiting for the first of several things.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_SELECT_H
#define COWORKER_SELECT_H

#include "body.h"
#include "channel.h"
#include "sync.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Waits for the first of several things. The clauses are structs in an array,
 * filled by functions:
 *
 *     cw_clause clauses[2];                              in the frame
 *     ...
 *     self->clauses[0] = ints_on_receive(channel, &self->element);
 *     self->clauses[1] = cw_on_timeout(100);
 *     CW_SELECT(self, self->clauses, 2, &self->which);   an int
 *
 * Exactly one clause takes effect, the others have none. If several are ready,
 * CW_SELECT takes any of these with the same chance, CW_SELECT_BIASED the first
 * one. Then, or when it goes on after waiting, `*which` (evaluated afterwards)
 * is the clause's index.
 *
 * Raises what the clause that takes effect would raise on its own, with its
 * index in `*which`; CW_ECANCELED if the job is cancelled while it waits: then
 * the elements of all clauses that send go to the channels' hooks, unless one
 * was received; CW_EINVAL for no clause or more than CW_MAX_CLAUSES; CW_ESTATE
 * if two clauses are about the same channel, mutex or job, of which nothing has
 * changed then; CW_ENOMEM.
 *
 * The array and what the clauses point to are borrowed until the call is over.
 */
#define CW_MAX_CLAUSES 64
#define CW_SELECT(self, clauses, count, which)                                 \
    CW__SELECT(self, clauses, count, which, 1)
#define CW_SELECT_BIASED(self, clauses, count, which)                          \
    CW__SELECT(self, clauses, count, which, 0)

typedef struct cw_clause {
    int kind;   /* the rest belongs to the library */
    int status; /* afterwards; see below */
    void *object;
    void *value;
    const cw_coroutine *type;
    int64_t ms;
} cw_clause;

/* The job has ended, in whatever way. */
static inline cw_clause cw_on_join(cw_job *job);
/* The time is over; at once for ms <= 0. */
static inline cw_clause cw_on_timeout(int64_t ms);
/* The mutex is locked, for `owner`. */
static inline cw_clause cw_on_lock(cw_mutex *mutex, const void *owner);
/* A job of coroutine NAME has ended: its result is in `*out`, or its error is
 * raised. */
#define cw_on_await(NAME, job, out)                                            \
    ((void)sizeof(NAME##__result((job), (out))),                               \
     cw__clause(CW__ON_AWAIT, (job), (out), &NAME, 0))
/* NAME_on_send(channel, TYPE *value): the value is sent. It is read, and what
 * is there afterwards is unspecified, unless `status` of the clause is
 * CW_EAGAIN: then it is still the caller's, neither sent nor given to the hook.
 * NAME_on_receive(channel, TYPE *out): an element is in `*out`.
 * NAME_on_receive_catching(channel, TYPE *out): the same, or the channel is
 * closed: `status` of the clause tells. */

/* ------------------------------------------------- used by the macros only */

#define CW__SELECT(self, clauses, count, which, fair)                          \
    CW__SUSPEND(self,                                                          \
                cw__select_begin(&(self)->frame, (clauses), (count), (fair)),  \
                cw__select_end(&(self)->frame, (clauses), (which)))

enum {
    CW__ON_SEND = 1,
    CW__ON_RECEIVE,
    CW__ON_RECEIVE_CATCHING,
    CW__ON_LOCK,
    CW__ON_JOIN,
    CW__ON_AWAIT,
    CW__ON_TIMEOUT
};

CW__UNUSED static inline cw_clause cw__clause(int kind, void *object,
                                              void *value,
                                              const cw_coroutine *type,
                                              int64_t ms)
{
    cw_clause clause = {kind, CW_OK, object, value, type, ms};
    return clause;
}
CW__UNUSED static inline cw_clause cw_on_join(cw_job *job)
{
    return cw__clause(CW__ON_JOIN, job, 0, 0, 0);
}
CW__UNUSED static inline cw_clause cw_on_timeout(int64_t ms)
{
    return cw__clause(CW__ON_TIMEOUT, 0, 0, 0, ms);
}
CW__UNUSED static inline cw_clause cw_on_lock(cw_mutex *mutex,
                                              const void *owner)
{
    return cw__clause(CW__ON_LOCK, mutex, (void *)(uintptr_t)owner, 0, 0);
}

int cw__select_begin(cw_frame *, cw_clause *, size_t, int);
int cw__select_end(cw_frame *, cw_clause *, int *);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_SELECT_H */
