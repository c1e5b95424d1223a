/* away.c: jobs whose bodies run on workers that have cores of their own.
 *
 * SPDX-License-Identifier: MIT
 *
 * To this core such a worker is a name, and a ring of jobs that were sent to
 * it. It shares nothing, so it may be ended at any moment: what has begun there
 * is lost with it, and what has not goes to another.
 *
 * All of this is about contexts of the main realm, and happens on its thread.
 */
#include "away.h"

#include "alloc.h"
#include "booking.h"
#include "elements.h"
#include "error.h"
#include "handlers.h"
#include "kill.h"
#include "limit.h"
#include "platform.h"
#include "text.h"
#include "view.h"

#include <string.h>

struct cwb_away {
    cwb_away *next; /* of the same context */
    cw_context *context;
    cwb_open sent;
    int64_t looked_ns; /* when somebody has begun to want it dead */
    char name[48];
};

static cwb_context *data_of(const cw_context *context)
{
    return context->host_data;
}

/* A worker of a context of cwb_context_lodge(), with the name in the scratch
 * buffer; lives as long as the context. NULL without memory. */
cwb_away *cwb_away_new(cw_context *context)
{
    cwb_away *away = cw__alloc(sizeof *away);
    if (!away) return NULL;
    *away = (cwb_away){.next = data_of(context)->away, .context = context};
    away->sent.next = away->sent.before = &away->sent;
    cw__text name = cw__text_begin(away->name, sizeof away->name);
    cw__text_add(&name, (const char *)cwb_scratch(0));
    data_of(context)->away = away;
    context->away = true;
    return away;
}

void cwb_away_free(cw_context *context)
{
    cwb_away *away = data_of(context)->away;
    while (away) {
        cwb_away *next = away->next;
        cw__free(away, sizeof *away);
        away = next;
    }
}

/* ---- what is there */

/* In how many milliseconds the deadline runs out; -1: there is none. */
static double deadline_of(cw_job *job)
{
    uint32_t state = cw__job_lock(job);
    const cw__limit *limit = job->extra->limits[CW__DEADLINE];
    int64_t at_ns = limit ? limit->at_ns : CW__NEVER;
    cw__job_unlock(job, state);
    return cwb_ms_until(at_ns);
}

/* What there is to know of a job for sending it. */
static uint32_t what_of(cw_job *job)
{
    uint32_t what = job->flags & CW__JOB_KILLABLE ? CWB_AWAY_KILLABLE : 0;
    if (cwb_ticket_of(job)->again) what |= CWB_AWAY_AGAIN;
    const cw_elements *set = cw__job_elements(job);
    if (set && set->count) what |= CWB_AWAY_VALUES;
    const cw__extra *extra = cw__job_has_extra(job);
    if (cw_likely(!extra)) return what;
    cw_channel *listener = cwb_progress_next(job, NULL);
    if (listener) what |= CWB_AWAY_HEARD;
    cw_channel_release(listener);
    if (!(job->flags & CW__JOB_BOOKED)) return what;
    const cw__booking *booking = &extra->booking;
    double timeout = booking->timeout ? (double)booking->timeout_ms : -1;
    const double left[] = {timeout, deadline_of(job)};
    if (left[0] < 0 && left[1] < 0) return what;
    memcpy(cwb_scratch(0), left, sizeof left);
    return what | CWB_AWAY_LIMITED;
}

/* It may have begun there, for all that is known. */
void cwb_away_begun(cw_job *job)
{
    cwb_ticket_of(job)->begun = true;
    if (job->flags & CW__JOB_BOOKED) cw__job_counts(job);
}

/* It had counted as begun, and is known not to have. */
void cwb_away_waits(cw_job *job) { cwb_ticket_of(job)->begun = false; }

/* A body is sent there: it goes on, and keeps its place. When its job is
 * cancelled, which may be at once, JavaScript is told by `token`. When it
 * begins is told if `tells`, or if it is limited or may be killed; else it
 * counts as begun. Returns bits of enum cwb_away_what. If it is limited, its
 * timeout, and in how many milliseconds its deadline runs out, are in the
 * scratch buffer; -1: there is none. */
uint32_t cwb_away_send(cwb_away *away, cw_job *job, uint32_t token,
                       uint32_t tells)
{
    cwb_ticket *ticket = cwb_ticket_of(job);
    ticket->begun = false;
    ticket->sent = token;
    cwb_open_put(&away->sent, &ticket->open, job);
    intptr_t note = cwb_on_completion(job, CW_ON_CANCELLING, token);
    ticket->note = note > 0 ? (cwb_note *)note : NULL;
    uint32_t what = what_of(job);
    if (!tells && !(what & (CWB_AWAY_KILLABLE | CWB_AWAY_LIMITED)))
        cwb_away_begun(job);
    return what;
}

/* The token that a job was sent with that is still there; -1 for others. */
int32_t cwb_away_token(cw_job *job)
{
    if (!(job->flags & CW__JOB_NOTIFY)) return -1;
    const cwb_ticket *ticket = cwb_ticket_of(job);
    return ticket->open.next ? (int32_t)ticket->sent : -1;
}

/* It gives its place back; it has not been completed yet. */
void cwb_place_back(cw_job *job)
{
    cw__view_place_back(cw__self, job->context);
}

/* It is not there any more. `has`: bits of enum cwb_away_has. True: its token
 * is free; otherwise a call is on its way and is to be ignored. */
uint32_t cwb_away_leave(cw_job *job, uint32_t has)
{
    if (has & CWB_AWAY_PLACE) cwb_place_back(job);
    cwb_note *note = cwb_ticket_of(job)->note;
    if (has & CWB_AWAY_HEARS && note) return cwb_handler_dispose(note);
    return true;
}

/* The same, and as cwb_complete() for its body. */
uint32_t cwb_complete_away(cw_job *job, uint32_t code, uint32_t has)
{
    uint32_t is_free = cwb_away_leave(job, has);
    cwb_open_remove(&cwb_ticket_of(job)->open);
    cw__job_finish(cw__self, job, cwb_take_outcome(job, code));
    return is_free;
}

/* ---- losing a worker */

/* A body that has not begun stands in line once more, as if it had never been
 * sent. */
static void take_back(cw_job *job)
{
    job->last = 0;
    cw__dispatch(cw__self, job, CW__SPAWNED);
}

/* What a job ends with that had begun on a page that is gone: cancelled, since
 * it has not failed by itself. */
static cw_error *host_error(cw_job *job, const char *how)
{
    char buffer[240];
    cw__text text = cw__text_begin(buffer, sizeof buffer);
    cw__text_add(&text, how);
    cw__text_add(&text, " while it ran '");
    cw__text_add(&text, cw_job_name(job));
    cw__text_add(&text, "'");
    cw_error *lost = cw_error_new(CW_EHOSTLOST, buffer, NULL);
    cw_error *error = cw__error_cancelled(lost);
    cw_error_release(lost);
    return error;
}

static void lose(cwb_away *away, const cw__loss *loss, bool is_host)
{
    cw_context *context = away->context;
    cw_add_relaxed(&context->lost, 1);
    cw__context_hold(context);
    while (away->sent.next != &away->sent) {
        cwb_open *open = away->sent.before; /* the first that was sent */
        cw_job *job = open->job;
        cwb_open_remove(open);
        cwb_ticket *ticket = cwb_ticket_of(job);
        if (!ticket->begun || (is_host && ticket->again)) {
            ticket->begun = false;
            take_back(job);
            continue;
        }
        ticket->worker = away->name;
        cw_error *error = is_host ? host_error(job, loss->how)
                                  : cw__loss_error(away->name, job, loss);
        cw__job_finish(cw__self, job, error);
    }
    cw__context_drop(context);
}

/* The worker is no more; why stands in the scratch buffer, `length` bytes. All
 * that was sent to it has given its place back. */
void cwb_away_lost(cwb_away *away, uint32_t length)
{
    const cw__loss loss = {cwb_scratch_string(length), NULL};
    lose(away, &loss, false);
}

/* The same where it stands for another page, which ran what was sent there:
 * what is marked by CWB_LAUNCH_AGAIN is sent to the next one, begun or not. */
void cwb_away_host_lost(cwb_away *away, uint32_t length)
{
    const cw__loss loss = {cwb_scratch_string(length), NULL};
    lose(away, &loss, true);
}

static bool has_begun_below(const cwb_away *away, const cw_job *above)
{
    const cwb_open *open = away->sent.next;
    for (; open != &away->sent; open = open->next)
        if (cwb_ticket_of(open->job)->begun &&
            cw__job_is_below(open->job, above))
            return true;
    return false;
}

/* The first look, whoever wants it, is for messages that may be here already,
 * by which it is over; the next one, some turns later, is for the host to have
 * the worker end, and to call cwb_away_lost(). One that is long past was for
 * something that has ended since. */
static bool is_second_look(cwb_away *away)
{
    const int64_t a_turn_ns = 2 * 1000 * 1000, long_ns = 500 * a_turn_ns;
    int64_t now = cw__now_ns(), passed = now - away->looked_ns;
    if (away->looked_ns == 0 || passed > long_ns) away->looked_ns = now;
    bool second = away->looked_ns != now && passed >= a_turn_ns;
    if (second) away->looked_ns = 0;
    return second;
}

void cwb_kill_away(cw_context *context, const cw_job *above)
{
    if (!data_of(context)) return;
    cwb_away *away = data_of(context)->away;
    for (; away; away = away->next)
        if (has_begun_below(away, above) && is_second_look(away))
            cw_js_worker_lost((cw__worker *)(void *)away, NULL);
}
