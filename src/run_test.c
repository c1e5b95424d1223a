/* run_test.c: coroutines as tests, in virtual time.
 *
 * SPDX-License-Identifier: MIT
 *
 * The body is a job without parent. What is launched in the background has a
 * parent of its own, a job that only waits, takes no failures, and is cancelled
 * when the body and all its children have ended.
 *
 * A test goes from phase to phase, a step at a time, so that a host whose
 * bodies need its event loop can drive one as well.
 */
#include "run_test.h"

#include "dump.h"
#include "error.h"
#include "main_context.h"
#include "text.h"
#include "tree.h"
#include "watch.h"

#include <string.h>

enum { MINUTE_MS = 60 * 1000 };

CW_COROUTINE(background, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

/* ---- jobs that hang */

/* Appends what a job waits for. For a body of the host's, its waits tell. */
static void add_wait(cw__text *text, const cw__dump *dump, const cw__node *node)
{
    const cw__node *telling = node, *child = &dump->nodes[node->children];
    for (uint32_t i = 0; i < node->count; i++, child++) {
        bool tells = child->entry.kind == CW_DUMP_WAIT && !child->over;
        if (node->entry.doing == CW_DUMP_OUTSIDE && tells) telling = child;
    }
    cw__dump_print_wait(&telling->entry, text);
}

/* Appends the children of the first job that are not being cancelled, and what
 * they wait for. */
static void add_children(cw__text *text, const cw__dump *dump)
{
    const char *before = "; active: ";
    for (uint32_t i = 0; i < dump->nodes[0].count; i++) {
        const cw__node *child = &dump->nodes[dump->nodes[0].children + i];
        if (child->over || child->entry.kind == CW_DUMP_WAIT ||
            child->entry.state == CW_DUMP_CANCELLING)
            continue;
        cw__text_add(text, before);
        cw__text_add(text, child->entry.name);
        cw__text_add(text, " (");
        add_wait(text, dump, child);
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
            add_wait(&text, &dump, &dump.nodes[0]);
        }
        add_children(&text, &dump);
    }
    cw__dump_drop(&dump);
    return cw_error_new(code, buffer, NULL);
}

static void out_of_time(cw_test_scheduler *scheduler)
{
    cw__test *test = scheduler->test;
    if (test->out_of_time) {
        test->given_up = true;
        return;
    }
    test->out_of_time = describe(
        CW_ETIMEDOUT, "the time limit of the test ran out",
        cw_is_completed(test->body) ? scheduler->background : test->body);
    if (test->patience_ms)
        scheduler->real_limit_ns =
            cw__deadline(cw__now_ns(), test->patience_ms);
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

static void admit(cw_job *job)
{
    if (cw__is_watched(job)) cw__watching->launched(job);
    if (!cw__context_admit(&job->context->workers[0], job->context))
        cw__cancel_closed(job);
}

int cw__test_begin(cw__test *test, cw_job *body, int64_t timeout_ms)
{
    cw_test_scheduler *scheduler = test->scheduler;
    cw_none none = CW_NONE;
    cw_job *parent = make(scheduler->contexts[CW_TEST_BACKGROUND], &background,
                          CW__JOB_SUPERVISOR, &none);
    if (!parent || !body) {
        if (parent) cw__job_discard(parent);
        if (body) cw__job_discard(body);
        return CW_ENOMEM;
    }
    test->body = body;
    scheduler->test = test;
    scheduler->out_of_time = out_of_time;
    scheduler->real_limit_ns =
        cw__deadline(cw__now_ns(), timeout_ms ? timeout_ms : MINUTE_MS);
    scheduler->background = parent;
    cw__collect_failures(scheduler);
    admit(parent);
    cw__run_in_place(scheduler, parent);
    admit(body);
    if (test->blocking) {
        test->phase = CW__TEST_UNTIL_IDLE;
        cw__run_in_place(scheduler, body);
    } else {
        cw__schedule(scheduler, body);
    }
    return CW_OK;
}

/* What the body has left behind: an owned error, or NULL. */
static cw_error *leftover(const cw__test *test)
{
    if (!cw_is_completed(test->body))
        return describe(CW_EBUSY, "the test is not over", test->body);
    if (cw__has_events(test->scheduler, true))
        return cw_error_new(CW_EBUSY, "events of the test are left", NULL);
    return NULL;
}

/* What it waits for in this phase has happened. */
static bool phase_over(const cw__test *test)
{
    cw_test_scheduler *scheduler = test->scheduler;
    switch (test->phase) {
    case CW__TEST_BODY:
    case CW__TEST_CANCELLED:
        return test->given_up || cw_is_completed(test->body);
    case CW__TEST_UNTIL_IDLE:
        return !cw__has_events(scheduler, false);
    case CW__TEST_BACKGROUND_ENDS:
        return test->given_up || cw_is_completed(scheduler->background);
    case CW__TEST_REST: /* others may share the scheduler, and go on for ever */
        return test->blocking || test->out_of_time ||
               !cw__has_events(scheduler, true);
    case CW__TEST_CLOSING: /* is over when no event is left, too */
        return test->given_up || !test->own ||
               (!cw__has_events(scheduler, true) && cw__quiet(scheduler));
    case CW__TEST_ENDED:
        break;
    }
    return false;
}

static void next_phase(cw__test *test)
{
    cw_test_scheduler *scheduler = test->scheduler;
    switch (test->phase) {
    case CW__TEST_UNTIL_IDLE:
        test->left = leftover(test);
        /* fallthrough */
    case CW__TEST_BODY:
        cw_cancel(test->body, NULL);
        test->phase = CW__TEST_CANCELLED;
        return;
    case CW__TEST_CANCELLED:
        cw_cancel(scheduler->background, NULL);
        test->phase = CW__TEST_BACKGROUND_ENDS;
        return;
    case CW__TEST_BACKGROUND_ENDS:
        test->phase = CW__TEST_REST;
        return;
    case CW__TEST_REST:
        cw_job_release(scheduler->background);
        scheduler->background = NULL;
        if (test->own) cw__close(scheduler);
        test->phase = CW__TEST_CLOSING;
        return;
    case CW__TEST_CLOSING:
        scheduler->real_limit_ns = CW__NEVER;
        scheduler->test = NULL;
        test->phase = CW__TEST_ENDED;
        return;
    case CW__TEST_ENDED:
        return;
    }
}

cw__test_step cw__test_go_on(cw__test *test)
{
    while (phase_over(test))
        next_phase(test);
    if (test->phase == CW__TEST_ENDED) return CW__TEST_OVER;
    return cw__run_event(test->scheduler, CW__LAST_MOMENT) ? CW__TEST_RAN
                                                           : CW__TEST_WAITS;
}

static void run(cw__test *test)
{
    for (;;) {
        cw__expect_change(test->scheduler);
        cw__test_step step = cw__test_go_on(test);
        if (step == CW__TEST_OVER) return;
        if (step == CW__TEST_WAITS) cw__await_change(test->scheduler);
    }
}

cw_error *cw__test_outcome(const cw__test *test)
{
    cw_error *failure = cw_is_completed(test->body)
                            ? cw_error_retain(cw_job_error(test->body))
                            : NULL;
    if ((test->out_of_time || test->left) && cw__error_is_cancel(failure)) {
        cw_error_release(failure); /* that is why it was cancelled */
        failure = NULL;
    }
    if (test->out_of_time) failure = cw__put_behind(test->out_of_time, failure);
    failure = cw__take_failures(test->scheduler, failure);
    if (!failure) return test->left;
    cw_error_release(test->left);
    return failure;
}

/* ---- the two forms */

/* A refusal, told as an error as well. */
static int refuse(int code, const char *why, cw_error **error)
{
    if (error) *error = cw_error_new(code, why, NULL);
    return code;
}

int cw__test_prepare(cw__test *test, cw_context **context)
{
    bool nested;
    if (cw__driving()) return CW_ESTATE;
    if (!*context) {
        cw_context *main = test->blocking ? NULL : cw_main_context();
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
    int status = cw__drive(test->scheduler, &nested);
    if (status != CW_OK) return status;
    if (test->blocking)
        test->scheduler->recursive = test->scheduler->inclusive = true;
    if (!*context)
        *context = test->scheduler->contexts[test->blocking ? CW_TEST_UNCONFINED
                                                            : CW_TEST_STANDARD];
    return CW_OK;
}

void cw__test_leave(const cw__test *test)
{
    cw_test_scheduler *scheduler = test->scheduler;
    if (test->blocking) scheduler->recursive = scheduler->inclusive = false;
    cw__drive_end(scheduler);
    if (test->own && !test->given_up) (void)cw_test_scheduler_free(scheduler);
}

static int run_here(cw__test *test, cw_context *context,
                    const cw_coroutine *type, const void *arg,
                    int64_t timeout_ms, void *out, cw_error **error)
{
    if (!cw__thread_may_block())
        return refuse(CW_EDEADLK, "this thread must not block", error);
    if (timeout_ms < 0)
        return refuse(CW_EINVAL, "the test's time limit is negative", error);
    int status = cw__test_prepare(test, &context);
    if (status == CW_ESTATE)
        return refuse(status, "a test is running here already", error);
    if (status == CW_EINVAL)
        return refuse(status, "tests run on test dispatchers only", error);
    if (status != CW_OK) return refuse(status, NULL, error);
    status = cw__test_begin(test, make(context, type, 0, arg), timeout_ms);
    if (status != CW_OK) {
        cw__test_leave(test);
        return refuse(status, NULL, error);
    }
    run(test);
    cw_error *failure = cw__test_outcome(test);
    status =
        failure ? cw_error_code(failure) : cw__result(test->body, type, out);
    cw_job_release(test->body);
    cw__test_leave(test);
    if (error) {
        *error = failure;
    } else {
        cw_error_release(failure);
    }
    return status;
}

int cw__run_test(const cw_test_options *options, const cw_coroutine *type,
                 const void *arg, void *out, cw_error **error)
{
    cw__test test = {0};
    return run_here(&test, options ? options->context : NULL, type, arg,
                    options ? options->timeout_ms : 0, out, error);
}

int cw__run_blocking_test(const cw_coroutine *type, const void *arg, void *out,
                          cw_error **error)
{
    cw__test test = {.blocking = true};
    return run_here(&test, NULL, type, arg, 0, out, error);
}

/* ---- the main context */

int cw_test_set_main(cw_context *context)
{
    if (!context) return CW_EINVAL;
    cw__replace_main_context(context);
    return CW_OK;
}

void cw_test_reset_main(void) { cw__replace_main_context(NULL); }
