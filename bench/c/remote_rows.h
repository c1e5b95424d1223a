/* remote_rows.h: from one context to another and back.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef REMOTE_ROWS_H
#define REMOTE_ROWS_H

#include "job_rows.h"

struct remote {
    cw_context *context;
    int turns;
};

CW_COROUTINE(remote_row, struct remote, double, double start; int i;
             cw_job * job; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    for (self->i = 0; self->i < self->arg.turns; self->i++) {
        self->job = cw_async(self->arg.context, empty, CW_NONE);
        CW_AWAIT(self, empty, self->job, &self->none);
        cw_job_release(self->job);
    }
    CW_RETURN(self, (now_ns() - self->start) / self->arg.turns);
    CW_END(self);
}

static _Alignas(64) _Atomic uint32_t ping, pong;

static void await_word(_Atomic uint32_t *word, uint32_t value)
{
    for (;;) {
        uint32_t seen = *word;
        if (seen == value) return;
        cw__futex_wait(word, seen, -1);
    }
}

static void answer_pings(void *arg)
{
    uint32_t turns = *(uint32_t *)arg;
    for (uint32_t i = 1; i <= turns; i++) {
        await_word(&ping, i);
        pong = i;
        cw__futex_wake(&pong);
    }
}

/* What two bare threads need that wake each other through futexes. */
CW_FUNCTION(futex_row, uint32_t, double)
{
    uint32_t turns = *arg;
    cw__thread thread;
    ping = pong = 0;
    if (cw__thread_start(&thread, answer_pings, &turns) != 0) return CW_ESTART;
    double start = now_ns();
    for (uint32_t i = 1; i <= turns; i++) {
        if (i == turns / 10) start = now_ns(); /* the thread runs by now */
        ping = i;
        cw__futex_wake(&ping);
        await_word(&pong, i);
    }
    *result = (now_ns() - start) / (turns - turns / 10);
    cw__thread_join(&thread);
    return CW_OK;
}

struct contexts {
    cw_context *one, *other, *two;
};

/* Back and forth between two contexts, and the same with bare futexes: in
 * turns, so that a noisy machine hits both. */
CW_COROUTINE(remote_rows, struct contexts, cw_none, cw_job *job; int i;
             double contexts[REPETITIONS]; double futexes[REPETITIONS];
             double ratios[REPETITIONS];)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < REPETITIONS; self->i++) {
        self->job = cw_async(self->arg.one, remote_row,
                             ((struct remote){self->arg.other, 20 * 1000}));
        CW_AWAIT(self, remote_row, self->job, &self->contexts[self->i]);
        cw_job_release(self->job);
        self->job = cw_async(self->arg.one, futex_row, 20 * 1000);
        CW_AWAIT(self, futex_row, self->job, &self->futexes[self->i]);
        cw_job_release(self->job);
        self->ratios[self->i] =
            self->contexts[self->i] / self->futexes[self->i];
    }
    row("ping-pong, 2 contexts", "ns", median(self->contexts, REPETITIONS));
    row("ping-pong, 2 threads", "ns", median(self->futexes, REPETITIONS));
    row("ping-pong, contexts to threads", "x",
        median(self->ratios, REPETITIONS));
    CW_END(self);
}

#endif /* REMOTE_ROWS_H */
