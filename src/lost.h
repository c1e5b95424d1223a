/* lost.h: what becomes of a worker whose thread is gone.
 *
 * SPDX-License-Identifier: MIT
 *
 * Only the steps that it was running are lost: their jobs end with CW_ELOST as
 * cause of their cancellation. What is queued stays queued, for the others or
 * for the thread that takes its place; what is suspended does not notice.
 *
 * The memory that those steps were using, the thread's stack above all, must
 * not be used again as long as the thread may still be running: that takes a
 * proof of its death. Until then it lies in the thread's `life`, which both
 * sides let go of: who declared the thread dead, and who proves it, mostly the
 * thread itself when it comes to the gate.
 */
#ifndef CW_LOST_H
#define CW_LOST_H

#include "worker.h"

/* One thread's time as a worker. */
typedef struct cw__life {
    cw__worker *worker;    /* its own no more once it is declared dead */
    cw_context *context;   /* a reference */
    void *blocks;          /* the thread's free memory, see alloc.h */
    void *host_data;       /* the host's; freed by it */
    void *locals;          /* the thread's own variables, if they are to be
                              freed after it */
    _Atomic uint32_t over; /* bits: declared dead, proved dead */
    bool again;            /* its memory was that of a dead thread */
    struct cw__lost *lost; /* jobs whose memory it may touch: references */
    cw_frame *frames;      /* and frames of theirs, linked by `callee` */
} cw__life;

/* A new one for a thread that is going to be started, with a reference to the
 * context; NULL without memory. */
cw__life *cw__life_new(cw__worker *worker);
/* The thread has ended as it should, or was never started. */
void cw__life_end(cw__life *life);
/* The thread is known not to run any more. For one that was declared dead, once
 * and by anybody. */
void cw__life_proved(cw__life *life);

/* Of the calling thread; NULL if it is none of a context's own. */
extern _Thread_local cw__life *cw__own_life;

/* The calling thread has come to the gate of a worker that is not its own any
 * more: it goes no further. */
_Noreturn void cw__thread_lost(void);

/* Why a worker was lost, as its jobs are told. */
typedef struct cw__loss {
    const char *how; /* "was killed ..." */
    cw_error *cause; /* borrowed, or NULL */
} cw__loss;

/* What a job ends with that a worker of this name has lost: owned. */
cw_error *cw__loss_error(const char *worker, cw_job *job, const cw__loss *loss);

/* What ends the worker's scope: owned. */
cw_error *cw__loss_of_scope(const cw__worker *worker, const cw__loss *loss);

/* The steps that a worker is running, all that are nested, end with an error:
 * with `failure` itself if there is one (a trap, which the thread survives),
 * else cancelled with CW_ELOST. By the thread itself, or for a dead one. */
void cw__worker_drop_steps(cw__worker *worker, const cw__loss *loss,
                           cw_error *failure);

/* Ends a body in the middle of a step, or one that is queued and waits for
 * nothing, with all scopes that it is in. Its clean-up does not run: nobody
 * knows what state its frame is in. A thread that goes on by itself may still
 * read there what was raised or caught. `worker`: who does it, may be for a
 * dead one; `life`: whose memory it is using, or NULL; `error` is borrowed. */
void cw__end_step(cw__worker *worker, cw__life *life, cw_job *job,
                  cw_error *error);

/* Declares a worker's thread dead whose gate is not closed, and which is doomed
 * or gone: ends what it was running, and makes the worker ready for another
 * thread. Its life, which the host may need, is given to the caller, who has to
 * call cw__life_proved() if he can. */
cw__life *cw__worker_lose(cw__worker *worker, const cw__loss *loss);

/* Starts another thread for a worker that was lost. CW_OK or an error: then the
 * worker is gone for good. */
int cw__worker_replace(cw__worker *worker);

#endif /* CW_LOST_H */
