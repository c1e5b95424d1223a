/* run_test.c: coroutines as tests, in virtual time.
 *
 * SPDX-License-Identifier: MIT
 *
 * The body is a job without parent. What is launched in the background has a
 * parent of its own, a job that only waits, takes no failures, and is cancelled
 * when the body and all its children have ended.
 */
#include "virtual.h"

#include "dump.h"
#include "error.h"
#include "main_context.h"
#include "text.h"
#include "tree.h"
#include "watch.h"

#include <string.h>

enum { MINUTE_MS = 60 * 1000 };

struct test {
    cw_test_scheduler *scheduler;
    bool own;     /* the scheduler was made for it */
    bool one_run; /* what is left after one run is not run any more */
    cw_job *body;
    cw_error *out_of_time; /* what is to be told about that, or NULL */
};

CW_COROUTINE(background, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

/* ---- jobs that hang */

/* Appends the children of the first job that are not being cancelled, and what
 * they wait for. */
static void add_children(cw__text *text, const cw__dump *dump)
{
    const char *before = "; active: ";
    for (uint32_t i = 0; i < dump->nodes[0].count; i++) {
        const cw__node *child = &dump->nodes[dump->nodes[0].children + i];
        if (child->over || child->entry.state == CW_DUMP_CANCELLING) continue;
        cw__text_add(text, before);
        cw__text_add(text, child->entry.name);
        cw__text_add(text, " (");
        cw__dump_print_wait(&child->entry, text);
        cw__text_add(text, ")");
        before = ", ";
    }
}

/* Says what has not ended. */
static cw_error *describe(int code, const char *what, cw_job *body)
{
    char buffer[512];
    cw__text text = cw__text_begin(buffer, sizeof buffer);
    cw__text_add(&text, what);
    bool body_over = cw_load_acquire(&body->state) & CW__JOB_BODY_DONE;
    if (!body_over) cw__text_add(&text, "; its body is not over");
    cw__dump dump;
    if (cw__dump_take(&dump, body) == CW_OK && !dump.nodes[0].over) {
        if (!body_over) {
            cw__text_add(&text, ": ");
            cw__dump_print_wait(&dump.nodes[0].entry, &text);
        }
        add_children(&text, &dump);
    }
    cw__dump_drop(&dump);
    return cw_error_new(code, buffer, NULL);
}

static void out_of_time(cw_test_scheduler *scheduler)
{
    struct test *test = scheduler->test;
    test->out_of_time = describe(
        CW_ETIMEDOUT, "the time limit of the test ran out",
        cw_is_completed(test->body) ? scheduler->background : test->body);
    cw_cancel(test->body, test->out_of_time);
}

/* ---- before and after */

/* Makes a job that is to be run by hand. */
static cw_job *make(cw_context *context, const cw_coroutine *type,
                    unsigned flags, const void *arg)
{
    cw_job *job = cw__job_new(context, type, flags | CW__JOB_LONELY, 1, 0);
    if (job) memcpy((char *)job->top + type->arg_offset, arg, type->arg_size);
    return job;
}

static void discard(cw_job *job)
{
    if (!job) return;
    cw__job_drop(job); /* the handle's reference ... */
    cw__job_drop(job); /* ... and the job's own */
}

static void admit(cw_job *job)
{
    if (cw__is_watched(job)) cw__watching->launched(job);
    if (!cw__context_admit(&job->context->workers[0], job->context))
        cw__cancel_closed(job);
}

static int64_t limit_from_now(int64_t ms)
{
    int64_t now = cw__now_ns();
    if (ms == 0) ms = MINUTE_MS;
    return ms > (CW__NEVER - now) / CW__NS_PER_MS ? CW__NEVER
                                                  : now + ms * CW__NS_PER_MS;
}

/* Makes the body, ready to be begun, and what stands behind it. */
static int begin(struct test *test, cw_context *context,
                 const cw_coroutine *type, const void *arg, int64_t timeout_ms)
{
    cw_test_scheduler *scheduler = test->scheduler;
    cw_context *behind = scheduler->contexts[CW_TEST_BACKGROUND];
    cw_none none = CW_NONE;
    cw_job *parent = make(behind, &background, CW__JOB_SUPERVISOR, &none);
    test->body = make(context, type, 0, arg);
    if (!parent || !test->body) {
        discard(parent);
        discard(test->body);
        return CW_ENOMEM;
    }
    scheduler->test = test;
    scheduler->out_of_time = out_of_time;
    scheduler->real_limit_ns = limit_from_now(timeout_ms);
    scheduler->background = parent;
    cw__collect_failures(scheduler);
    admit(parent);
    cw__run_in_place(scheduler, parent);
    admit(test->body);
    return CW_OK;
}

/* Runs events until the job has ended, waiting for others if need be. */
static void run_until_over(cw_test_scheduler *scheduler, const cw_job *job)
{
    for (;;) {
        cw__expect_change(scheduler);
        if (cw_is_completed(job)) return;
        if (!cw__run_event(scheduler, CW__LAST_MOMENT))
            cw__await_change(scheduler);
    }
}

/* Ends what is left: the body if it is active, then the background. */
static void finish(struct test *test)
{
    cw_test_scheduler *scheduler = test->scheduler;
    cw_job *parent = scheduler->background;
    cw_cancel(test->body, NULL);
    run_until_over(scheduler, test->body);
    cw_cancel(parent, NULL);
    run_until_over(scheduler, parent);
    /* Others may share the scheduler, and go on for ever. */
    while (!test->one_run && !test->out_of_time &&
           cw__run_event(scheduler, CW__LAST_MOMENT)) {
    }
    scheduler->background = NULL;
    cw_job_release(parent);
    if (test->own) cw__wind_up(scheduler);
    scheduler->real_limit_ns = CW__NEVER;
    scheduler->test = NULL;
}

/* The test's outcome. `left` (owned, or NULL) counts if there is no other. */
static int outcome(const struct test *test, const cw_coroutine *type, void *out,
                   cw_error *left, cw_error **error)
{
    cw_error *failure = cw_error_retain(cw_job_error(test->body));
    if ((test->out_of_time || left) && cw__error_is_cancel(failure)) {
        cw_error_release(failure); /* that is why it was cancelled */
        failure = NULL;
    }
    if (test->out_of_time) failure = cw__put_behind(test->out_of_time, failure);
    failure = cw__take_failures(test->scheduler, failure);
    if (failure) {
        cw_error_release(left);
    } else {
        failure = left;
    }
    int status =
        failure ? cw_error_code(failure) : cw__result(test->body, type, out);
    cw_job_release(test->body);
    if (error) {
        *error = failure;
    } else {
        cw_error_release(failure);
    }
    return status;
}

/* ---- the two forms */

/* A refusal, told as an error as well. */
static int refuse(int code, const char *why, cw_error **error)
{
    if (error) *error = cw_error_new(code, why, NULL);
    return code;
}

/* Finds or makes the scheduler, and drives it. */
static int prepare(struct test *test, cw_context **context)
{
    bool nested;
    if (cw__driving()) return CW_ESTATE;
    if (!*context) {
        cw_context *main = cw_main_context();
        test->scheduler = main ? cw__scheduler_of(main) : NULL;
    } else {
        test->scheduler = cw__scheduler_of(*context);
        if (!test->scheduler || (*context)->role & CW__BACKGROUND)
            return CW_EINVAL;
    }
    if (!test->scheduler) {
        test->own = true;
        test->scheduler = cw_test_scheduler_new();
        if (!test->scheduler) return CW_ENOMEM;
    }
    if (!*context) *context = test->scheduler->contexts[CW_TEST_STANDARD];
    return cw__drive(test->scheduler, &nested);
}

static void leave(const struct test *test)
{
    cw__drive_end(test->scheduler);
    if (test->own) (void)cw_test_scheduler_free(test->scheduler);
}

int cw__run_test(const cw_test_options *options, const cw_coroutine *type,
                 const void *arg, void *out, cw_error **error)
{
    cw_context *context = options ? options->context : NULL;
    int64_t timeout_ms = options ? options->timeout_ms : 0;
    struct test test = {0};
    if (!cw__thread_may_block())
        return refuse(CW_EDEADLK, "this thread must not block", error);
    if (timeout_ms < 0)
        return refuse(CW_EINVAL, "the test's time limit is negative", error);
    int status = prepare(&test, &context);
    if (status == CW_ESTATE)
        return refuse(status, "a test is running here already", error);
    if (status == CW_EINVAL)
        return refuse(status, "tests run on test dispatchers only", error);
    if (status == CW_OK) {
        status = begin(&test, context, type, arg, timeout_ms);
        if (status == CW_OK) {
            cw__schedule(test.scheduler, test.body);
            run_until_over(test.scheduler, test.body);
            finish(&test);
            status = outcome(&test, type, out, NULL, error);
            leave(&test);
            return status;
        }
        leave(&test);
    }
    return refuse(status, NULL, error);
}

/* What the body has left behind: an owned error, or NULL. */
static cw_error *leftover(const struct test *test)
{
    cw_test_scheduler *scheduler = test->scheduler;
    if (!cw_is_completed(test->body))
        return describe(CW_EBUSY, "the test is not over", test->body);
    if (cw__has_events(scheduler, true))
        return cw_error_new(CW_EBUSY, "events of the test are left", NULL);
    return NULL;
}

int cw__run_blocking_test(const cw_coroutine *type, const void *arg, void *out,
                          cw_error **error)
{
    struct test test = {.own = true, .one_run = true};
    if (!cw__thread_may_block())
        return refuse(CW_EDEADLK, "this thread must not block", error);
    if (cw__driving())
        return refuse(CW_ESTATE, "a test is running here already", error);
    test.scheduler = cw_test_scheduler_new();
    if (!test.scheduler) return refuse(CW_ENOMEM, NULL, error);
    test.scheduler->recursive = test.scheduler->inclusive = true;
    bool nested;
    (void)cw__drive(test.scheduler, &nested); /* nobody else has it */
    cw_context *context = test.scheduler->contexts[CW_TEST_UNCONFINED];
    int status = begin(&test, context, type, arg, 0);
    if (status != CW_OK) {
        leave(&test);
        return refuse(status, NULL, error);
    }
    cw__run_in_place(test.scheduler, test.body);
    (void)cw_test_advance_until_idle(test.scheduler);
    cw_error *left = leftover(&test);
    finish(&test);
    status = outcome(&test, type, out, left, error);
    leave(&test);
    return status;
}

/* ---- the main context */

int cw_test_set_main(cw_context *context)
{
    if (!context) return CW_EINVAL;
    cw__replace_main_context(context);
    return CW_OK;
}

void cw_test_reset_main(void) { cw__replace_main_context(NULL); }
