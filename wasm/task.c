/* task.c: jobs that JavaScript launches, with bodies in JavaScript or in C.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include "alloc.h"
#include "booking.h"
#include "elements.h"
#include "error.h"
#include "launch.h"
#include "main_context.h"
#include "values.h"
#include "waits.h"

#include <string.h>

/* Room that a body of JavaScript has for a result without a block of its own.
 */
enum { INLINE_BYTES = 32 };

static uint32_t round_up(uint32_t bytes) { return (bytes + 7) & ~7u; }

/* Where a ticket stands, in bytes from the job: behind its frame. */
static uint32_t ticket_offset(const cw_coroutine *type)
{
    return round_up((uint32_t)sizeof(cw_job) + type->frame_size);
}

cwb_ticket *cwb_ticket_of(cw_job *job)
{
    return (cwb_ticket *)(void *)((char *)job +
                                  ticket_offset(cw__job_type(job)));
}

/* Where data stand, behind the ticket. */
static uint32_t data_offset(const cw_coroutine *type)
{
    return ticket_offset(type) + round_up((uint32_t)sizeof(cwb_ticket));
}

/* Bytes behind the frame, with `capacity` for data. */
static uint32_t extra_bytes(const cw_coroutine *type, uint32_t capacity)
{
    return data_offset(type) + capacity - (uint32_t)sizeof(cw_job) -
           type->frame_size;
}

/* ---- bodies in JavaScript */

/* The data are either in the room behind the ticket, `capacity` bytes, or in a
 * block of their own. */
static uint8_t *room_of(cwb_ticket *ticket)
{
    return (uint8_t *)ticket + round_up((uint32_t)sizeof *ticket);
}

static void free_data(cwb_ticket *ticket)
{
    if (ticket->refers) cwb_references_drop(ticket->data, ticket->length);
    ticket->refers = 0;
    if (ticket->data != room_of(ticket)) cw__free(ticket->data, ticket->length);
    ticket->data = room_of(ticket);
    ticket->length = 0;
}

static bool set_data(cwb_ticket *ticket, const void *data, uint32_t length,
                     bool refers)
{
    free_data(ticket);
    if (length > ticket->capacity) {
        uint8_t *block = cw__alloc(length);
        if (!block) return false;
        ticket->data = block;
    }
    if (length) memcpy(ticket->data, data, length);
    ticket->length = length;
    ticket->refers = refers;
    if (refers) cwb_references_keep(ticket->data, length);
    return true;
}

/* How long the data are without what C alone reads. */
static uint32_t values_length(const cwb_ticket *ticket)
{
    if (!ticket->refers) return ticket->length;
    return cwb_references_at(ticket->data, ticket->length);
}

cw_error *cwb_take_error(cw_job *job, uint32_t code)
{
    cw_error *error = NULL;
    if ((code & 7) == CWB_CANCELLED)
        error = cw__job_cancellation(job);
    else if ((code & 7) == CWB_ERROR)
        memcpy(&error, cwb_scratch(0), sizeof error);
    return error;
}

cw_error *cwb_take_outcome(cw_job *job, uint32_t code)
{
    cwb_ticket *ticket = cwb_ticket_of(job);
    ticket->outcome = code & 7;
    cw_error *error = cwb_take_error(job, code);
    /* A value of a function of the same realm never leaves it. */
    if (error || ticket->local) return error;
    /* Of a message it is the parcel's number. */
    bool refers = (code & CWB_REFERS) != 0;
    uint32_t length = (code & ~CWB_REFERS) >> 3;
    if (set_data(ticket, cwb_scratch(0), length, refers)) return NULL;
    return cw_error_new(CW_ENOMEM, NULL, NULL);
}

static cw_step run_in_javascript(cw_frame *frame)
{
    cw__worker *self = cwb_realm;
    cw_job *job = frame->job;
    cwb_ticket *ticket = cwb_ticket_of(job);
    if (ticket->local && cw_unlikely(ticket->home != cwb_here)) {
        frame->error = cwb_homeless_error(job, ticket->home);
        return CW_STEP_DONE;
    }
    bool called = self->host_called;
    self->host_ran = self->host_called = true;
    if (cw_unlikely(job->flags & CW__JOB_KILLABLE)) cwb_become_killable();
    uint32_t code = (uint32_t)cw_js_run(job, ticket->task, ticket->outcome,
                                        ticket->data, values_length(ticket));
    if (code == (CWB_PENDING | CWB_KEEPS_PLACE)) {
        self->keeps_place = true;
        self->host_called = called; /* it waits for nothing on this thread */
        return CW_STEP_FOREIGN;
    }
    if ((code & 7) == CWB_PENDING) {
        self->foreign++;
        cwb_open_add(&ticket->open, job);
        /* What stands in line waits until the function has come to where it
         * waits. Tasks, which are independent, gain from running in batches. */
        if (ticket->local && self->running) self->host_goes_on = true;
        return CW_STEP_FOREIGN;
    }
    frame->error = cwb_take_outcome(job, code);
    return CW_STEP_DONE;
}

static const cw_coroutine javascript = {
    .name = "javascript",
    .step = run_in_javascript,
    .frame_size = sizeof(cw_frame),
};

void cwb_complete(cw_job *job, uint32_t code)
{
    cwb_realm->foreign--;
    cwb_open_remove(&cwb_ticket_of(job)->open);
    cw__job_finish(cw__self, job, cwb_take_outcome(job, code));
}

/* ---- launching */

static cw_job *fail(int code)
{
    cw__set_last_error(code);
    return NULL;
}

/* What is launched outside of any job ends with its context; on test
 * dispatchers nothing has to be told apart. */
static cw_job *parent_or_root(cw_context *context, cw_job *parent)
{
    const cwb_context *data = context->host_data;
    return parent || !data ? parent : data->root;
}

/* Finds where a job runs that is launched in `scope` on `*context`: if that is
 * NULL, where the scope runs, or on the main context. CW_OK, or an error. */
static int place(cw_context **context, const cw_job *scope, bool local,
                 cw_job **foster)
{
    cw__worker *self = cw__self;
    /* The scope's body may go on in its event loop, and others' worker is at
     * work. */
    if (scope && scope->context->clock) self = &scope->context->workers[0];
    if (!*context) *context = scope ? scope->context : cw_main_context();
    cw_context *inherited = scope ? scope->context : NULL;
    bool in_view = inherited && inherited->home->count > 1 &&
                   inherited->home == (*context)->home;
    /* A function of a worker runs there; tasks stay in their parent's view. */
    if (in_view && local)
        *context = inherited->home;
    else if (in_view && *context == inherited->home)
        *context = inherited;
    return cw__context_may_launch(self, context, foster);
}

static cwb_ticket *make(cw_context *context, const cw_coroutine *type,
                        uint32_t flags, uint32_t inline_bytes, uint32_t token)
{
    uint32_t capacity = round_up(inline_bytes);
    unsigned kind = CW__JOB_NOTIFY;
    if (flags & CWB_LAUNCH_ASYNC) kind |= CW__JOB_ASYNC;
    if (flags & CWB_LAUNCH_LONELY) kind |= CW__JOB_LONELY;
    if (flags & (CWB_LAUNCH_ATOMIC | CWB_LAUNCH_UNDISPATCHED))
        kind |= CW__JOB_ATOMIC;
    if (flags & CWB_LAUNCH_LOCAL && !context->home->single)
        kind |= CW__JOB_PINNED;
    if (type == &javascript) kind |= CW__JOB_FOREIGN;
    cw_job *job =
        cw__job_new(context, type, kind, 1, extra_bytes(type, capacity));
    if (!job) return NULL;
    cwb_ticket *ticket = cwb_ticket_of(job);
    memset(ticket, 0, sizeof *ticket);
    ticket->job = job;
    ticket->home = cwb_here;
    ticket->token = token;
    ticket->capacity = capacity;
    ticket->data = room_of(ticket);
    return ticket;
}

/* Gives back a job that was not launched. */
static cw_job *forget(cw_job *job)
{
    cw__job_discard(job);
    return fail(CW_ENOMEM);
}

/* How a job comes in that `scope` launches; see cw__entrance_ask(). */
static int ask(cw_context *context, const cw_job *scope, uint32_t flags,
               const cw_elements *given, enum cw__entry *entry)
{
    cw_start how = CW_START_DEFAULT;
    if (flags & CWB_LAUNCH_LAZY) how = CW_START_LAZY;
    if (flags & CWB_LAUNCH_UNDISPATCHED) how = CW_START_UNDISPATCHED;
    if (flags & CWB_LAUNCH_RESERVED) {
        *entry = CW__HAS_PLACE;
        return CW_OK;
    }
    return cw__entrance_ask(context, scope, cw__when_full(given), how, entry);
}

/* There is no memory for a job that was to come in so. */
static cw_job *refuse(cw_context *context, enum cw__entry entry)
{
    if (entry == CW__HAS_PLACE) cw__entrance_give_back(context);
    return fail(CW_ENOMEM);
}

/* Before something is given away for a launch with these flags, which might be
 * refused: CW_OK, 1 (then the launch has CWB_LAUNCH_RESERVED, or the place is
 * given back with cwb_give_place_back()), or CW_EQUEUEFULL. */
int cwb_reserve(cw_context *context, const cw_job *scope, uint32_t flags,
                const cw_elements *given)
{
    enum cw__entry entry;
    int status = ask(context, scope, flags, given, &entry);
    return status == CW_OK ? entry == CW__HAS_PLACE : status;
}

void cwb_give_place_back(cw_context *context)
{
    cw__entrance_give_back(context);
}

/* As cw_context_limit_queue(). */
int cwb_context_limit_queue(cw_context *context, double max, uint32_t waits)
{
    return cw_context_limit_queue(context, (int)max,
                                  waits ? CW_FULL_WAIT : CW_FULL_FAIL);
}

/* A job begins in its turn, or stands in line before. */
static void set_off(cw_job *job, enum cw__hint hint)
{
    if (cw__job_lines_up(job))
        cw__entrance_enter(job);
    else
        cw__context_launch(cw__self, job, hint);
}

static cw_job *go(cwb_ticket *ticket, cw_job *scope, cw_job *foster,
                  uint32_t flags, enum cw__entry entry,
                  const cw_elements *given)
{
    cw_job *job = ticket->job;
    cw_job *parent = given && given->has_job ? given->job : scope;
    if (foster && parent == scope) parent = foster;
    if (cw__job_book(job, given, entry, cwb_main) != CW_OK ||
        !cw__job_set_elements(job, scope, given, parent == scope)) {
        cw_context *context = job->context;
        (void)forget(job);
        return refuse(context, entry);
    }
    if (flags & CWB_LAUNCH_LAZY) cw__job_make_lazy(job);
    parent = parent_or_root(job->context, parent);
    if (parent) cw__job_attach(parent, job);
    if (job->flags & CW__JOB_BOOKED) cw__job_submitted(job);
    if (flags & CWB_LAUNCH_UNDISPATCHED)
        cw__job_run_in_place(cw__self, job);
    else if (!(flags & (CWB_LAUNCH_HELD | CWB_LAUNCH_LAZY)))
        set_off(job, flags & CWB_LAUNCH_QUEUED ? CW__QUEUED : CW__SPAWNED);
    return job;
}

/* Lets a job begin that was launched with CWB_LAUNCH_HELD: what was done to it
 * in between, such as cancelling, comes before its body for sure. */
void cwb_launch_held(cw_job *job) { set_off(job, CW__SPAWNED); }

/* Launches function number `task` of the task module with the argument list
 * (CWB_LAUNCH_MESSAGE: the number of the parcel with it) that is encoded in the
 * scratch buffer; or, CWB_LAUNCH_LOCAL, function number `task` of the calling
 * realm. `context` NULL: where `parent` runs, or the main context. `given`
 * (borrowed) is NULL or what it is launched with, a job among it in place of
 * `parent`. Returns a handle; or 0, and cw_last_error() is CW_ENOMEM,
 * CW_EQUEUEFULL, or CW_ESTATE if the context is a test dispatcher of another
 * scheduler. */
cw_job *cwb_launch(cw_context *context, cw_job *parent, uint32_t task,
                   uint32_t flags, uint32_t token, uint32_t length,
                   const cw_elements *given)
{
    bool local = (flags & CWB_LAUNCH_LOCAL) != 0;
    uint32_t room = local || length > INLINE_BYTES ? 0 : INLINE_BYTES;
    cw_job *foster = NULL;
    int status = place(&context, parent, local, &foster);
    if (status != CW_OK) return fail(status);
    enum cw__entry entry;
    status = ask(context, parent, flags, given, &entry);
    if (status != CW_OK) return fail(status);
    cwb_ticket *ticket = make(context, &javascript, flags, room, token);
    if (!ticket) return refuse(context, entry);
    ticket->task = task;
    if (flags & CWB_LAUNCH_MESSAGE) ticket->outcome = CWB_MESSAGE;
    ticket->local = local;
    if (local) ticket->outcome = CWB_LOCAL;
    bool refers = (flags & CWB_LAUNCH_REFERS) != 0;
    if (!set_data(ticket, cwb_scratch(0), length, refers)) {
        (void)forget(ticket->job);
        return refuse(context, entry);
    }
    return go(ticket, parent, foster, flags, entry, given);
}

cw_job *cwb_body_new(cw_context *context, uint32_t task, uint32_t token,
                     const cw_elements *given)
{
    uint32_t flags = CWB_LAUNCH_LOCAL | CWB_LAUNCH_LONELY;
    cwb_ticket *ticket = make(context, &javascript, flags, 0, token);
    if (!ticket) return fail(CW_ENOMEM);
    ticket->task = task;
    ticket->local = true;
    ticket->outcome = CWB_LOCAL;
    if (!cw__job_set_elements(ticket->job, NULL, given, false))
        return forget(ticket->job);
    return ticket->job;
}

/* Launches a coroutine or function of C. Its argument, `length` bytes, stands
 * in the scratch buffer; a string argument is copied and passed as pointer. */
cw_job *cwb_launch_native(cw_context *context, cw_job *parent,
                          const cw_coroutine *type, uint32_t flags,
                          uint32_t token, uint32_t length,
                          const cw_elements *given)
{
    bool string = type->arg_type == 's';
    cw_job *foster = NULL;
    int status = place(&context, parent, false, &foster);
    if (status != CW_OK) return fail(status);
    enum cw__entry entry;
    status = ask(context, parent, flags, given, &entry);
    if (status != CW_OK) return fail(status);
    cwb_ticket *ticket = make(context, type, flags, string ? length : 0, token);
    if (!ticket) return refuse(context, entry);
    char *arg = (char *)ticket->job->top + type->arg_offset;
    if (string) {
        memcpy(ticket->data, cwb_scratch(0), length);
        memcpy(arg, &ticket->data, sizeof ticket->data);
    } else {
        memcpy(arg, cwb_scratch(0), type->arg_size);
    }
    return go(ticket, parent, foster, flags, entry, given);
}

/* True if what is launched on a context by this scope would not move. */
uint32_t cwb_runs_on(const cw_job *scope, const cw_context *context)
{
    return scope->context == context;
}

/* Wakes a worker for what was launched with CWB_LAUNCH_QUEUED. */
void cwb_context_wake(cw_context *context) { cw__context_notify(context); }

/* ---- ends */

void cwb_job_final(cw_job *job, bool unhandled)
{
    cwb_ticket *ticket = cwb_ticket_of(job);
    ticket->unhandled = unhandled;
    if (job->error) {
        ticket->outcome = CWB_ERROR;
        if (!ticket->worker) ticket->worker = cw_worker_name();
    }
    /* The ticket is its realm's afterwards. */
    cw__worker *home = ticket->home->worker;
    cw__inbox_push(&home->inbox, (uintptr_t)ticket | CWB_MARK_TICKET);
    cw__worker_unpark(home);
}

const char *cwb_name_of(const cw_job *job)
{
    const cwb_ticket *ticket = cwb_ticket_of((cw_job *)job);
    bool task = cw__job_type(job) == &javascript && !ticket->local;
    return task ? cwb_task_name(job->context, ticket->task) : NULL;
}

static cwb_home *home_of(const cw_job *job)
{
    if (job->flags & CW__JOB_LEAF) return cwb_leaf_home(job);
    return cwb_ticket_of((cw_job *)job)->home;
}

cw__worker *cwb_home_of(const cw_job *job)
{
    const cwb_home *home = home_of(job);
    return cwb_hears(home) ? home->worker : NULL;
}

bool cwb_runs_here(const cw_job *job) { return home_of(job) == cwb_here; }

void cwb_homeless(cw_job *job) { cwb_leave_behind(job, home_of(job)); }

size_t cwb_job_free(cw_job *job)
{
    cwb_ticket *ticket = cwb_ticket_of(job);
    free_data(ticket);
    return extra_bytes(cw__job_type(job), ticket->capacity);
}

void cwb_ticket_deliver(cwb_ticket *ticket)
{
    cw_job *job = ticket->job;
    uint32_t token = ticket->token;
    cw_error *error = cw_job_error(job);
    if (error) {
        uint32_t outcome =
            cw__error_is_cancel(error) ? CWB_CANCELLED : CWB_ERROR;
        cw_js_job_ended(token,
                        outcome | (ticket->unhandled ? CWB_UNHANDLED : 0),
                        error, 0, ticket->worker);
    } else if (job->flags & CW__JOB_FOREIGN) {
        cw_js_job_ended(token, ticket->outcome, ticket->data,
                        values_length(ticket), NULL);
    } else {
        cw_js_job_ended(token, CWB_VALUE,
                        (char *)cw__job_frame(job) +
                            cw__job_type(job)->result_offset,
                        cw__job_type(job)->result_size, NULL);
    }
}

/* ---- handles */

void cwb_job_drop(cw_job *job) { cw__job_drop(job); }

/* The job above one that has not ended: owned. NULL if there is none; what is
 * launched outside of any job has none, though its context looks after it. */
cw_job *cwb_job_parent(cw_job *job)
{
    cw_job *parent = cw_job_parent(job);
    if (!parent) return NULL;
    const cw_context *context = parent->context;
    const cwb_context *data = context ? context->host_data : NULL;
    if (!data || data->root != parent) return parent;
    cw__job_drop(parent);
    return NULL;
}

/* The token that this realm has launched a job with; -1 for other jobs. */
int32_t cwb_job_token(cw_job *job)
{
    if (!(job->flags & CW__JOB_NOTIFY)) return -1;
    const cwb_ticket *ticket = cwb_ticket_of(job);
    return ticket->home == cwb_here ? (int32_t)ticket->token : -1;
}

/* How a job that this realm has launched has ended well, before its ticket
 * comes: as the number that cwb_complete() takes. The address of the data is in
 * the scratch buffer, where they live as long as the job. */
uint32_t cwb_job_outcome(cw_job *job)
{
    const cwb_ticket *ticket = cwb_ticket_of(job);
    const void *data = ticket->data;
    uint32_t outcome = ticket->outcome | ticket->length << 3;
    if (!(job->flags & CW__JOB_FOREIGN)) {
        const cw_coroutine *type = cw__job_type(job);
        data = (char *)cw__job_frame(job) + type->result_offset;
        outcome = CWB_VALUE | type->result_size << 3;
    }
    memcpy(cwb_scratch(0), &data, sizeof data);
    return outcome;
}

/* Bits of enum cwb_job_state. */
uint32_t cwb_job_state(const cw_job *job)
{
#ifndef __EMSCRIPTEN_SHARED_MEMORY__
    /* A body that asks again and again may be busy, and keep the only thread
     * that looks at the clock. */
    cw__worker_fire_timers(cwb_realm);
#endif
    return (uint32_t)((cw_is_cancelled(job) ? CWB_IS_CANCELLED : 0) |
                      (cw_is_completed(job) ? CWB_HAS_ENDED : 0) |
                      (cw_is_active(job) ? CWB_IS_ACTIVE : 0));
}
