/* scheduler.c: test schedulers, as tests see them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "virtual.h"

#include "alloc.h"
#include "error.h"

#include <string.h>

/* ---- failures */

struct cw__failure {
    struct cw__failure *next;
    cw_error *error; /* owned */
};

bool cw__collect_failure(cw__clock *clock, cw_error *error)
{
    cw_test_scheduler *scheduler = cw__of_clock(clock);
    struct cw__failure *failure = cw__alloc(sizeof *failure);
    if (failure) *failure = (struct cw__failure){NULL, error};
    cw__lock_acquire(&scheduler->lock);
    bool taken = scheduler->collects;
    if (taken && failure) {
        cw_error_retain(error);
        *scheduler->failures_end = failure;
        scheduler->failures_end = &failure->next;
    } else if (taken) {
        scheduler->lost_failure = true;
    }
    cw__lock_release(&scheduler->lock);
    if (!taken && failure) cw__free(failure, sizeof *failure);
    return taken;
}

void cw__collect_failures(cw_test_scheduler *scheduler)
{
    cw__lock_acquire(&scheduler->lock);
    scheduler->collects = true;
    cw__lock_release(&scheduler->lock);
}

cw_error *cw__put_behind(cw_error *first, cw_error *other)
{
    if (!first || !other) return first ? first : other;
    cw__error_suppress(first, other);
    cw_error_release(other);
    return first;
}

cw_error *cw__take_failures(cw_test_scheduler *scheduler, cw_error *error)
{
    cw__lock_acquire(&scheduler->lock);
    struct cw__failure *failure = scheduler->failures;
    bool lost = scheduler->lost_failure;
    scheduler->collects = scheduler->lost_failure = false;
    scheduler->failures = NULL;
    scheduler->failures_end = &scheduler->failures;
    cw__lock_release(&scheduler->lock);
    while (failure) {
        struct cw__failure *next = failure->next;
        error = cw__put_behind(error, failure->error);
        cw__free(failure, sizeof *failure);
        failure = next;
    }
    if (lost && !error) error = cw_error_new(CW_ENOMEM, NULL, NULL);
    return error;
}

/* ---- making and ending */

void cw__scheduler_drop(cw__clock *clock)
{
    cw_test_scheduler *scheduler = cw__of_clock(clock);
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (cw_sub_acq_rel(&scheduler->refs, 1) == 1) cw__system_free(scheduler);
}

cw_test_scheduler *cw_test_scheduler_new(void)
{
    static const char *const names[CW__ROLES] = {"test", "test-unconfined",
                                                 "test-background",
                                                 "test-background-unconfined"};
    cw_test_scheduler *scheduler = cw__system_alloc(sizeof *scheduler);
    if (!scheduler) {
        cw__set_last_error(CW_ENOMEM);
        return NULL;
    }
    memset(scheduler, 0, sizeof *scheduler);
    scheduler->clock.calls = &cw__virtual_calls;
    scheduler->failures_end = &scheduler->failures;
    scheduler->real_limit_ns = CW__NEVER;
    atomic_init(&scheduler->refs, 1);
    for (unsigned role = 0; role < CW__ROLES; role++) {
        cw_context *context = cw__context_adopt(names[role]);
        if (!context) {
            while (role-- > 0)
                cw__context_disown(scheduler->contexts[role]);
            cw__scheduler_drop(&scheduler->clock);
            cw__set_last_error(CW_ENOMEM);
            return NULL;
        }
        context->route = &cw__virtual_route;
        context->clock = &scheduler->clock;
        context->role = (uint8_t)role;
        context->timers.counter = &scheduler->clock.order;
        cw_add_relaxed(&scheduler->refs, 1);
        scheduler->contexts[role] = context;
    }
    return scheduler;
}

int cw_test_scheduler_free(cw_test_scheduler *scheduler)
{
    bool nested;
    if (!scheduler) return CW_OK;
    int status = cw__drive(scheduler, &nested);
    if (status != CW_OK) return status;
    cw__close(scheduler);
    for (;;) {
        cw__expect_change(scheduler);
        if (cw__run_event(scheduler, CW__LAST_MOMENT)) continue;
        if (cw__quiet(scheduler)) break;
        cw__await_change(scheduler);
    }
    /* Somebody may still hold one of its contexts. */
    cw__drive_last(scheduler);
    for (unsigned role = 0; role < CW__ROLES; role++)
        cw__context_disown(scheduler->contexts[role]);
    cw__scheduler_drop(&scheduler->clock);
    return CW_OK;
}

cw_context *cw_test_context(cw_test_scheduler *scheduler,
                            enum cw_test_dispatcher which)
{
    if (!scheduler) scheduler = cw__driving();
    if (!scheduler || (unsigned)which >= CW__ROLES) {
        cw__set_last_error(scheduler ? CW_EINVAL : CW_ESTATE);
        return NULL;
    }
    return scheduler->contexts[which];
}

/* ---- time */

int64_t cw_test_current_time(cw_test_scheduler *scheduler)
{
    if (!scheduler) scheduler = cw__driving();
    return scheduler ? cw__virtual_now(scheduler) / CW__NS_PER_MS : CW_ESTATE;
}

/* Begins to drive the scheduler, unless the thread does already. */
static int begin(cw_test_scheduler **scheduler, bool *nested)
{
    if (!*scheduler) *scheduler = cw__driving();
    if (!*scheduler) return CW_ESTATE;
    int status = cw__drive(*scheduler, nested);
    return *nested ? CW_OK : status;
}

static void end(cw_test_scheduler *scheduler, bool nested)
{
    if (!nested) cw__drive_end(scheduler);
}

static void advance(cw__advance how, bool nested)
{
    while (cw__advance_go_on(&how)) {
    }
    end(how.scheduler, nested);
}

int cw_test_run_current(cw_test_scheduler *scheduler)
{
    bool nested;
    int status = begin(&scheduler, &nested);
    if (status == CW_OK) advance(cw__advance_current(scheduler), nested);
    return status;
}

int cw_test_advance_time_by(cw_test_scheduler *scheduler, int64_t ms)
{
    bool nested;
    if (ms < 0) return CW_EINVAL;
    int status = begin(&scheduler, &nested);
    if (status == CW_OK) advance(cw__advance_by(scheduler, ms), nested);
    return status;
}

int cw_test_advance_until_idle(cw_test_scheduler *scheduler)
{
    bool nested;
    int status = begin(&scheduler, &nested);
    if (status == CW_OK) advance(cw__advance_until_idle(scheduler), nested);
    return status;
}
