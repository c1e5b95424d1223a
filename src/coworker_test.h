/* coworker_test.h: tests of coroutines in virtual time.
 *
 * SPDX-License-Identifier: MIT
 *
 * A *test scheduler* stands in for the clock and for the workers of four
 * contexts, its test dispatchers. Everything that becomes ready there is an
 * event at a moment of virtual time; the thread that drives the scheduler runs
 * the events in order of time, those of one moment in the order in which they
 * were registered. Delays and time limits on test dispatchers take no real
 * time, and every run of a test is the same.
 *
 * What a test does on other contexts runs there in real time, as ever. So does
 * a blocking call in one of its jobs, which must not wait for the others.
 *
 * Threads: one thread at a time drives a scheduler. `scheduler` NULL means the
 * one that the calling thread drives, that is, the one whose test or job is
 * running. Times are in milliseconds.
 */
#ifndef COWORKER_TEST_H
#define COWORKER_TEST_H

#include "coworker.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------ running tests */

/* Runs coroutine or function NAME as a test, at time 0 of a scheduler of its
 * own, or of the one behind the main context if cw_test_set_main() has put a
 * test dispatcher there; see cw_test_options.
 *
 * Runs events, as far into the future as it takes, until the body and all its
 * children have ended; if there is none, it waits for what was sent to other
 * contexts. Then jobs on background dispatchers are cancelled, and what is left
 * to do is done.
 *
 * The outcome is, in this order: that the time limit ran out (CW_ETIMEDOUT,
 * with the jobs that hung and what they waited for); the body's own error; the
 * first failure that no other job took, such as that of a background job; those
 * that come after it are among its suppressed ones. `out` gets the result;
 * `error`, unless NULL, an owned error. Returns 0 or the error's code;
 * CW_ESTATE in a test, or if another thread drives the scheduler; CW_EINVAL for
 * wrong options; CW_EDEADLK on a browser's main thread; CW_ENOMEM. Blocks. */
#define cw_run_test(NAME, arg_, out, error)                                    \
    cw_run_test_with(NULL, NAME, arg_, out, error)

typedef struct cw_test_options {
    /* Where the body runs, and with which scheduler: its standard or unconfined
     * dispatcher; NULL: as said above. Another context is CW_EINVAL. */
    cw_context *context;
    /* Real time after which the test is cancelled; 0: a minute; INT64_MAX:
     * never. Noticed between events, so a body that never gives its thread back
     * is not interrupted. */
    int64_t timeout_ms;
} cw_test_options;

/* The same with options, const cw_test_options *. */
#define cw_run_test_with(options, NAME, arg_, out, error)                      \
    cw__run_test((options), &NAME, &(struct NAME){.arg = (arg_)}.arg,          \
                 CW__RESULT_OF(NAME, out), (error))

/* The older form of test, with three rules of its own. What is launched begins
 * in place, at once, at any depth. After the body's first suspension only
 * events are run, nothing is waited for: a body or another job that has not
 * ended then, or an event that is left, is CW_EBUSY, if nothing has failed; all
 * are cancelled. And advancing the time includes the moment it leads to.
 * Otherwise as cw_run_test(). */
#define cw_run_blocking_test(NAME, arg_, out, error)                           \
    cw__run_blocking_test(&NAME, &(struct NAME){.arg = (arg_)}.arg,            \
                          CW__RESULT_OF(NAME, out), (error))

/* --------------------------------------------------------------------- time */

typedef struct cw_test_scheduler cw_test_scheduler;

/* The end of virtual time: what would come later comes then. */
#define CW_TEST_TIME_MAX (INT64_MAX / 1000000)

/* Virtual time; CW_ESTATE (which is negative) if `scheduler` is NULL and the
 * thread drives none. */
int64_t cw_test_current_time(cw_test_scheduler *scheduler);

/* These run events, on the calling thread, and may be called by one. All return
 * 0, or CW_ESTATE if another thread drives the scheduler, this one drives
 * another one, or there is none. */

/* Runs what is due by now, also what that adds to the present moment. */
int cw_test_run_current(cw_test_scheduler *scheduler);
/* Runs what comes before `ms` from now, and moves the clock there. What is due
 * at that very moment has to wait. CW_EINVAL if `ms` is negative. */
int cw_test_advance_time_by(cw_test_scheduler *scheduler, int64_t ms);
/* Runs events in order as long as any is left that is not in the background.
 */
int cw_test_advance_until_idle(cw_test_scheduler *scheduler);

/* -------------------------------------------------------------- dispatchers */

/* The test dispatchers of a scheduler. */
enum cw_test_dispatcher {
    /* What becomes ready is queued: an event at the present moment. */
    CW_TEST_STANDARD,
    /* What is launched or resumed runs in place, until it suspends, if the
     * thread that does so drives the scheduler, or could. In a job that was
     * begun like that, further ones wait until it suspends. */
    CW_TEST_UNCONFINED,
    /* The same for jobs that do not keep a test alive: what is launched here is
     * no child of the body that launches it, and is cancelled at the end of the
     * test. A failure is reported by the test. Children are in the background,
     * too. */
    CW_TEST_BACKGROUND,
    CW_TEST_BACKGROUND_UNCONFINED
};

/* One of the scheduler's contexts, borrowed; to be launched on, for example:
 *
 *     cw_launch(cw_test_context(NULL, CW_TEST_BACKGROUND), poll, 100);
 *
 * NULL with cw_last_error() = CW_ESTATE (there is no scheduler) or CW_EINVAL.
 * Launching on a test dispatcher from a job of another scheduler is CW_ESTATE.
 */
cw_context *cw_test_context(cw_test_scheduler *scheduler,
                            enum cw_test_dispatcher which);

/* Makes a scheduler without a test, at time 0. NULL with cw_last_error() =
 * CW_ENOMEM. */
cw_test_scheduler *cw_test_scheduler_new(void);
/* Closes its contexts, so that what suspends there is cancelled, runs what is
 * left until all jobs have ended, and gives it back. May be NULL. Returns 0;
 * CW_ESTATE if a thread drives it. Blocks if its jobs are elsewhere. */
int cw_test_scheduler_free(cw_test_scheduler *scheduler);

/* Puts `context`, mostly a test dispatcher, in the place of the main context,
 * and keeps a reference. CW_EINVAL if it is NULL. */
int cw_test_set_main(cw_context *context);
/* Puts the real one back, if there is one. */
void cw_test_reset_main(void);

/* ------------------------------------------------- used by the macros only */

/* `out`, which has to be a pointer to NAME's result. */
#define CW__RESULT_OF(NAME, out) (1 ? (out) : &((struct NAME *)0)->result)

int cw__run_test(const cw_test_options *, const cw_coroutine *, const void *,
                 void *, cw_error **);
int cw__run_blocking_test(const cw_coroutine *, const void *, void *,
                          cw_error **);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_TEST_H */
