/* run_test.h: tests in virtual time, step by step.
 *
 * SPDX-License-Identifier: MIT
 *
 * What cw_run_test() does in one go, for hosts whose thread has to return to an
 * event loop between events. All of it by one thread, which drives the
 * scheduler meanwhile.
 */
#ifndef CW_RUN_TEST_H
#define CW_RUN_TEST_H

#include "virtual.h"

enum cw__test_phase {
    CW__TEST_BODY,            /* the body and its children */
    CW__TEST_UNTIL_IDLE,      /* in its place if `blocking`: only events */
    CW__TEST_CANCELLED,       /* the body is cancelled, if it is active */
    CW__TEST_BACKGROUND_ENDS, /* then the background is */
    CW__TEST_REST,            /* events that are left */
    CW__TEST_CLOSING,         /* an own scheduler is wound up */
    CW__TEST_ENDED
};

typedef struct cw__test {
    /* Set before cw__test_prepare(); zeros will do: */
    bool blocking;       /* by the rules of cw_run_blocking_test() */
    int64_t patience_ms; /* how long a body that was cancelled because its time
                            ran out may take; 0: for ever */
    /* Set by that, or after it: */
    bool own; /* the scheduler ends with the test */
    cw_test_scheduler *scheduler;

    cw_job *body; /* a handle */
    enum cw__test_phase phase;
    bool given_up;         /* it has not ended in time even so: what is left
                              stays behind, with the scheduler */
    cw_error *out_of_time; /* owned: what is to be told about that, or NULL */
    cw_error *left;        /* owned: what the body has left behind, or NULL */
} cw__test;

typedef enum cw__test_step {
    CW__TEST_RAN,   /* an event */
    CW__TEST_WAITS, /* there is none: for a change, see cw__expect_change() */
    CW__TEST_OVER
} cw__test_step;

/* Finds or makes the scheduler, drives it, and finds a place for the body if
 * `*context` is NULL. CW_OK; CW_ESTATE, CW_EINVAL or CW_ENOMEM, as
 * cw_run_test(). */
int cw__test_prepare(cw__test *test, cw_context **context);
/* Begins with a body that was made for that place, with one handle, which is
 * the test's until the caller drops it; NULL is CW_ENOMEM. Takes it back if it
 * fails. */
int cw__test_begin(cw__test *test, cw_job *body, int64_t timeout_ms);
/* Runs the next event. */
cw__test_step cw__test_go_on(cw__test *test);
/* The error of a test that is over: owned, NULL if there is none. Once. */
cw_error *cw__test_outcome(const cw__test *test);
/* After that, and after cw__test_prepare() if it did not begin: ends driving,
 * and the scheduler if that is its own. */
void cw__test_leave(const cw__test *test);

#endif /* CW_RUN_TEST_H */
