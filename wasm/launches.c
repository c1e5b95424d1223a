/* launches.c: launching jobs from JavaScript, with bodies there or in C.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ticket.h"

#include "booking.h"
#include "elements.h"
#include "error.h"
#include "launch.h"
#include "losses.h"
#include "main_context.h"
#include "roster.h"

#include <string.h>

/* Room that a body of JavaScript has for a result without a block of its own.
 */
enum { INLINE_BYTES = 32 };

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
                        uint32_t flags, unsigned top, uint32_t inline_bytes,
                        uint32_t token)
{
    uint32_t capacity = (inline_bytes + 7) & ~7u;
    unsigned kind = CW__JOB_NOTIFY | top;
    if (flags & CWB_LAUNCH_ASYNC) kind |= CW__JOB_ASYNC;
    if (flags & CWB_LAUNCH_LONELY) kind |= CW__JOB_LONELY;
    if (flags & (CWB_LAUNCH_ATOMIC | CWB_LAUNCH_UNDISPATCHED))
        kind |= CW__JOB_ATOMIC;
    if (flags & CWB_LAUNCH_LOCAL && !context->home->single)
        kind |= CW__JOB_PINNED;
    if (type == &cwb_javascript) kind |= CW__JOB_FOREIGN;
    cw_job *job =
        cw__job_new(context, type, kind, 1, cwb_ticket_bytes(type, capacity));
    if (!job) return NULL;
    cwb_ticket *ticket = cwb_ticket_init(job, capacity);
    ticket->token = token;
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

static double at_most(double number, double most)
{
    return number < most ? number : most;
}

/* As cw_context_limit_losses(), also where others than its own workers run what
 * is in a context. */
int cwb_context_limit_losses(cw_context *context, double count, double period)
{
    return cw__losses_limit(context, (uint32_t)at_most(count, UINT32_MAX),
                            (int64_t)at_most(period, 0x1p62));
}

/* Counts a loss that JavaScript has found out; 1: it is one too many. */
uint32_t cwb_context_note_loss(cw_context *context)
{
    return cw__losses_note(context);
}

/* A context takes the place of another one, and has lost what that had lost. */
void cwb_context_inherit_losses(cw_context *context, cw_context *from)
{
    cw__losses_inherit(context, from);
}

void cwb_context_inherit_leaks(cw_context *context, const cw_context *from,
                               uint32_t over)
{
    cw__losses_inherit_leaks(context, from, over != 0);
}

/* A job begins in its turn, or stands in line before. */
static void set_off(cw_job *job, enum cw__hint hint)
{
    if (cw__job_lines_up(job))
        cw__entrance_enter(job);
    else
        cw__context_launch(cw__self, job, hint);
}

/* Whose child it becomes, but for a root. */
static cw_job *parent_of(cw_job *scope, cw_job *foster,
                         const cw_elements *given)
{
    cw_job *parent = given && given->has_job ? given->job : scope;
    return foster && parent == scope ? foster : parent;
}

/* See cw__roster_flag(). */
static unsigned top_flag(cw_context *context, cw_job *scope, cw_job *foster,
                         const cw_elements *given)
{
    cw_job *parent = parent_of(scope, foster, given);
    return cw__roster_flag(context, parent_or_root(context, parent), false);
}

static cw_job *go(cwb_ticket *ticket, cw_job *scope, cw_job *foster,
                  uint32_t flags, enum cw__entry entry,
                  const cw_elements *given)
{
    cw_job *job = ticket->job;
    cw_job *parent = parent_of(scope, foster, given);
    if (cw__job_book(job, given, entry, cwb_main) != CW_OK ||
        !cw__job_set_elements(job, scope, given, parent == scope)) {
        cw_context *context = job->context;
        (void)forget(job);
        return refuse(context, entry);
    }
    if (flags & CWB_LAUNCH_LAZY) cw__job_make_lazy(job);
    parent = parent_or_root(job->context, parent);
    if (parent) cw__job_attach(parent, job);
    /* relaxed: for good */
    if (cw_load_relaxed(&job->state) & CW__JOB_LISTED) cw__roster_enter(job);
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
    unsigned top = top_flag(context, parent, foster, given);
    cwb_ticket *ticket =
        make(context, &cwb_javascript, flags, top, room, token);
    if (!ticket) return refuse(context, entry);
    ticket->task = task;
    if (flags & CWB_LAUNCH_MESSAGE) ticket->outcome = CWB_MESSAGE;
    ticket->local = local;
    ticket->tells = (flags & CWB_LAUNCH_TELLS) != 0;
    ticket->tells_late = (flags & CWB_LAUNCH_TELLS_LATE) != 0;
    ticket->again = (flags & CWB_LAUNCH_AGAIN) != 0;
    if (local) ticket->outcome = CWB_LOCAL;
    bool refers = (flags & CWB_LAUNCH_REFERS) != 0;
    if (!cwb_ticket_set(ticket, cwb_scratch(0), length, refers)) {
        (void)forget(ticket->job);
        return refuse(context, entry);
    }
    return go(ticket, parent, foster, flags, entry, given);
}

cw_job *cwb_body_new(cw_context *context, uint32_t task, uint32_t token,
                     const cw_elements *given)
{
    uint32_t flags = CWB_LAUNCH_LOCAL | CWB_LAUNCH_LONELY;
    cwb_ticket *ticket = make(context, &cwb_javascript, flags, 0, 0, token);
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
    unsigned top = top_flag(context, parent, foster, given);
    cwb_ticket *ticket =
        make(context, type, flags, top, string ? length : 0, token);
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
