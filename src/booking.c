/* booking.c: what matters until the body of a job begins.
 *
 * SPDX-License-Identifier: MIT
 */
#include "booking.h"

#include "context.h"
#include "error.h"
#include "launch.h"
#include "limit.h"
#include "text.h"

/* The cause that a limit cancels with. */
static cw_error *cause_of(unsigned which, int64_t ms)
{
    bool is_timeout = which == CW__TIMEOUT;
    char buffer[96];
    cw__text text = cw__text_begin(buffer, sizeof buffer);
    cw__text_add(&text, is_timeout ? "the timeout, " : "the deadline, ");
    cw__text_add_number(&text, ms < UINT32_MAX ? (unsigned)ms : UINT32_MAX);
    cw__text_add(&text, is_timeout ? " ms after the job began, has run out"
                                   : " ms after the launch, has passed");
    return cw_error_new(is_timeout ? CW_ETIMEDOUT : CW_EOVERDUE, buffer, NULL);
}

static cw__limit *limit_new(cw_context *keeper, unsigned which, int64_t ms)
{
    cw_error *cause = cause_of(which, ms);
    cw__limit *limit = cw__limit_new(keeper, which, cause);
    cw_error_release(cause);
    return limit;
}

/* Makes the limits before they are needed, when it is too late to fail. */
static int make_limits(cw__booking *booking, cw_context *keeper)
{
    if (booking->timeout_ms < 0 && booking->deadline_ms < 0) return CW_OK;
    if (!keeper) keeper = cw_default_context();
    if (!keeper) return cw_last_error();
    if (booking->timeout_ms >= 0) {
        booking->timeout = limit_new(keeper, CW__TIMEOUT, booking->timeout_ms);
        if (!booking->timeout) return CW_ENOMEM;
    }
    if (booking->deadline_ms >= 0) {
        booking->deadline =
            limit_new(keeper, CW__DEADLINE, booking->deadline_ms);
        if (!booking->deadline) return CW_ENOMEM;
    }
    return CW_OK;
}

int cw__job_book(cw_job *job, const cw_elements *given, enum cw__entry entry,
                 cw_context *keeper)
{
    const cw__terms *terms = given ? &given->terms : NULL;
    bool limited = terms && (terms->timeout_ms >= 0 || terms->deadline_ms >= 0);
    bool ranked = terms && terms->priority != CW_PRIORITY_NORMAL;
    if (entry == CW__FREE_ENTRY && !limited && !ranked) return CW_OK;
    cw__extra *extra = cw__job_extra(job);
    if (!extra) return CW_ENOMEM;
    job->flags |= CW__JOB_BOOKED;
    cw__booking *booking = &extra->booking;
    *booking = (cw__booking){
        .priority = terms ? terms->priority : (int8_t)CW_PRIORITY_NORMAL,
        .counts = entry == CW__IN_LINE || entry == CW__LATER,
        .has_place = entry == CW__HAS_PLACE,
        .held = entry == CW__IN_LINE,
        .timeout_ms = terms ? terms->timeout_ms : CW__NO_LIMIT,
        .deadline_ms = terms ? terms->deadline_ms : CW__NO_LIMIT};
    /* One that has to begin is not new: cancelling would end that. */
    if (entry == CW__IN_LINE && !(job->flags & CW__JOB_ATOMIC))
        cw__job_make_lazy(job);
    if (job->context->clock) keeper = job->context;
    return make_limits(booking, keeper);
}

static void arm(cw_job *job, cw__limit **limit, int64_t ms)
{
    cw__limit *armed = *limit;
    if (!armed) return;
    *limit = NULL;
    cw_context *keeper = armed->keeper;
    int added = cw__limit_arm(armed, job, ms);
    if (added < 0) {
        cw_error *error = cw_error_new(CW_ENOMEM, NULL, NULL);
        cw_cancel(job, error);
        cw_error_release(error);
    } else {
        cw__context_timer_added(cw__self, keeper, added == 1);
    }
}

void cw__job_submitted(cw_job *job)
{
    cw__booking *booking = &job->extra->booking;
    arm(job, &booking->deadline, booking->deadline_ms);
}

void cw__job_gives_place_back(cw_job *job)
{
    cw__booking *booking = &job->extra->booking;
    if (!booking->has_place) return;
    booking->has_place = false;
    cw__entrance_give_back(job->context);
}

void cw__job_begins(cw_job *job)
{
    cw__job_gives_place_back(job);
    if (!job->context->home->away) cw__job_counts(job);
}

void cw__job_counts(cw_job *job)
{
    cw__booking *booking = &job->extra->booking;
    arm(job, &booking->timeout, booking->timeout_ms);
}
