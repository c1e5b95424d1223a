/* host.h: what an embedding language may hook into the core.
 *
 * SPDX-License-Identifier: MIT
 *
 * A host (JavaScript, by way of wasm/bridge.c) runs job bodies of its own and
 * wants to hear of ends and wake-ups on its own threads. The core works without
 * one; then every pointer is NULL.
 */
#ifndef CW_HOST_H
#define CW_HOST_H

#include "job.h"

struct cw__worker;
struct cw__life;
struct cw__loss;

typedef struct cw__host {
    /* A job with CW__JOB_NOTIFY is final. Called by whoever ended it, once,
     * before its waiters are woken; the job is valid during the call. */
    void (*job_final)(cw_job *job, bool unhandled);
    /* The worker's inbox has something: called on that worker. `chain` is what
     * cw__inbox_take() gave. Returns what is left of it for another turn. */
    uintptr_t (*deliver)(struct cw__worker *self, uintptr_t chain);
    /* A job with CW__JOB_NOTIFY is about to be freed. Returns how many bytes
     * stand behind its frame: what was asked for as `extra`. */
    size_t (*job_free)(cw_job *job);
    /* A worker's thread has started, and is about to end. The first is the
     * whole life of the thread if it returns false. */
    bool (*worker_start)(struct cw__worker *self);
    void (*worker_end)(struct cw__worker *self);
    /* The name of a job with CW__JOB_NOTIFY that was launched without one: NULL
     * if it is that of its coroutine. */
    const char *(*name_of)(const cw_job *job);
    /* The worker of the job's context that a job with CW__JOB_PINNED belongs
     * to; NULL: what it needs was lost with that worker's thread. */
    struct cw__worker *(*home_of)(const cw_job *job);
    /* Such a job was to be queued: it ends, or goes on anywhere. */
    void (*homeless)(cw_job *job);
    /* True if that worker is the calling thread. */
    bool (*runs_here)(const cw_job *job);
    /* The last reference to an error that the host marked is gone; it belongs
     * to the host, to be freed with cw__error_free(). */
    void (*error_free)(cw_error *error);
    /* Where no user code can hold up what has to be done in time; NULL: the
     * core starts a thread for it. */
    cw_context *keeper;
    /* True if code of the host that belongs to a job below `above` has begun on
     * the worker, which is held at its gate, and is not over. */
    bool (*runs_below)(const struct cw__worker *worker, const cw_job *above);
    /* Ends what runs a body of a job below `above` elsewhere, of a context that
     * has no workers here; or does at the next call, if there may be news. */
    void (*kill_away)(cw_context *context, const cw_job *above);
    /* The worker's thread is lost: the host's code that has begun there ends
     * with it. Called as that worker. */
    void (*worker_lost)(struct cw__worker *worker, struct cw__life *life,
                        const struct cw__loss *loss);
    /* Ends the worker's thread, unless that is over, and starts another. */
    void (*replace_worker)(struct cw__worker *worker, struct cw__life *life);
    /* The calling thread was declared dead: it waits for whoever ends it, and
     * calls the core no more. Does not return. NULL: it ends by itself. */
    void (*thread_gone)(void);
    /* Starts a thread in the memory of one that is known to be dead, if there
     * is such a one: `argument` is cw__thread_argument()'s. */
    bool (*start_again)(void *argument);
    /* Ends the threads of a closed context, or what runs its jobs elsewhere,
     * and what is left in it. Called by the keeper; NULL: the core does it. */
    void (*end_context)(cw_context *context);
    /* Frees what the host kept with a context's workers. */
    void (*context_free)(cw_context *context);
    /* Frees what the host kept with a thread that is over. */
    void (*life_over)(void *host_data);
    /* Wakes a worker that has its host's event loop by other means than its
     * futex word, where there are any; true if the word need not. Or NULL. */
    bool (*wake)(struct cw__worker *worker);
} cw__host;

/* Set once, before the first context is made. */
extern cw__host cw__the_host;

#endif /* CW_HOST_H */
