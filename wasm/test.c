/* test.c: tests in virtual time, as JavaScript sees them.
 *
 * SPDX-License-Identifier: MIT
 *
 * JavaScript runs events one at a time, and gives the bodies that went on a
 * turn of the event loop in between. So its thread drives the scheduler for as
 * long as a test, or advancing, takes. No other thread ever does: bodies in
 * JavaScript run on their own only.
 */
#include "bridge.h"

#include "alloc.h"
#include "error.h"
#include "main_context.h"
#include "run_test.h"

/* How long a body that was told that its time is up may take. */
enum { PATIENCE_MS = 1000 };

/* ---- schedulers */

static void changed(cw_test_scheduler *scheduler)
{
    cw__worker_unpark(scheduler->host);
}

/* A scheduler of the calling realm's; NULL without memory. It is given back
 * with cw_test_scheduler_free(), which blocks unless it was closed. */
cw_test_scheduler *cwb_test_scheduler(void)
{
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    if (!scheduler) return NULL;
    cw__bind(scheduler);
    scheduler->changed = changed;
    scheduler->host = cwb_realm;
    return scheduler;
}

/* The one that the thread drives, or the one behind the main context; or NULL.
 */
cw_test_scheduler *cwb_test_default(void)
{
    if (cw__driving()) return cw__driving();
    cw_context *main = cw_main_context();
    return main ? cw__scheduler_of(main) : NULL;
}

double cwb_test_time(cw_test_scheduler *scheduler)
{
    return (double)cw_test_current_time(scheduler);
}

/* Begins to drive it, if the thread does not. CW_OK or CW_ESTATE. */
int cwb_test_drive(cw_test_scheduler *scheduler)
{
    bool nested;
    int status = cw__drive(scheduler, &nested);
    return nested ? CW_OK : status;
}

void cwb_test_drive_end(cw_test_scheduler *scheduler)
{
    cw__drive_end(scheduler);
}

/* Closes it, to be followed by ... */
void cwb_test_close(cw_test_scheduler *scheduler) { cw__close(scheduler); }

/* ... this until it gives CW__TEST_OVER. */
int cwb_test_close_go_on(cw_test_scheduler *scheduler)
{
    if (cw__run_event(scheduler, CW__LAST_MOMENT)) return CW__TEST_RAN;
    return cw__quiet(scheduler) ? CW__TEST_OVER : CW__TEST_WAITS;
}

/* ---- advancing */

/* Begins to advance as enum cwb_advance says. Returns what
 * cwb_test_advance_go_on() takes, NULL without memory. */
cw__advance *cwb_test_advance(cw_test_scheduler *scheduler, uint32_t how,
                              double ms)
{
    cw__advance *advance = cw__alloc(sizeof *advance);
    if (!advance) return NULL;
    switch ((enum cwb_advance)how) {
    case CWB_ADVANCE_CURRENT:
        *advance = cw__advance_current(scheduler);
        break;
    case CWB_ADVANCE_BY:
        *advance = cw__advance_by(scheduler, cwb_whole_ms(ms));
        break;
    case CWB_ADVANCE_UNTIL_IDLE:
        *advance = cw__advance_until_idle(scheduler);
        break;
    }
    return advance;
}

/* Runs one event: CW__TEST_RAN, or CW__TEST_OVER; then it is gone. */
int cwb_test_advance_go_on(cw__advance *advance)
{
    if (cw__advance_go_on(advance)) return CW__TEST_RAN;
    cw__free(advance, sizeof *advance);
    return CW__TEST_OVER;
}

/* ---- tests */

static cw__test *discard(cw__test *test, int code)
{
    if (test) cw__free(test, sizeof *test);
    cw__set_last_error(code);
    return NULL;
}

/* Begins a test whose body is function number `task` of the calling realm, on
 * `context`. `flags`: enum cwb_test_flags. Returns what the others take; NULL
 * with cw_last_error() as cw_run_test(). */
cw__test *cwb_test_begin(cw_context *context, uint32_t task, uint32_t token,
                         uint32_t flags, double timeout_ms,
                         const cw_elements *given)
{
    cw__test *test = cw__alloc(sizeof *test);
    if (!test) return discard(NULL, CW_ENOMEM);
    *test = (cw__test){.blocking = (flags & CWB_TEST_BLOCKING) != 0,
                       .patience_ms = PATIENCE_MS};
    int status = cw__test_prepare(test, &context);
    if (status != CW_OK) return discard(test, status);
    cw_job *body = cwb_body_new(context, task, token, given);
    status = cw__test_begin(test, body, cwb_whole_ms(timeout_ms));
    if (status != CW_OK) {
        cw__test_leave(test);
        return discard(test, status);
    }
    test->own = (flags & CWB_TEST_OWN) != 0; /* by JavaScript */
    cw_job_retain(body);                     /* the handle is JavaScript's */
    return test;
}

int cwb_test_go_on(cw__test *test) { return (int)cw__test_go_on(test); }

/* The handle of the body: borrowed. */
cw_job *cwb_test_body(const cw__test *test) { return test->body; }

/* Real time that is left: milliseconds, -1 for ever. */
double cwb_test_left_ms(const cw_test_scheduler *scheduler)
{
    return cwb_ms_until(scheduler->real_limit_ns);
}

void cwb_test_check_time(cw_test_scheduler *scheduler)
{
    cw__check_time(scheduler);
}

/* True if it is over although jobs are left. */
uint32_t cwb_test_given_up(const cw__test *test) { return test->given_up; }

/* Ends a test that is over, and with CWB_TEST_OWN its scheduler. Its error:
 * owned, NULL if there is none. */
cw_error *cwb_test_outcome(cw__test *test)
{
    cw_error *error = cw__test_outcome(test);
    cw_job_release(test->body);
    cw__test_leave(test);
    cw__free(test, sizeof *test);
    return error;
}
