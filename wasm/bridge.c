/* bridge.c: the runtime, its contexts and its turns, as JavaScript sees them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include "alloc.h"
#include "away.h"
#include "closing.h"
#include "kill_gate.h"
#include "main_context.h"
#include "roster.h"
#include "shared_context.h"
#include "sleep.h"
#include "text.h"
#include "view.h"
#include "withdraw.h"

#include <emscripten.h>
#include <emscripten/eventloop.h>
#include <string.h>

cw_context *cwb_main;
_Thread_local cw__worker *cwb_realm;

uint8_t *cwb_scratch(uint32_t bytes)
{
    cwb_home *here = cwb_here;
    if (bytes > here->scratch_bytes || !here->scratch) {
        if (bytes < 16 * 1024) bytes = 16 * 1024;
        uint8_t *at = cw__system_alloc(bytes);
        if (!at) return NULL;
        cw__system_free(here->scratch);
        here->scratch = at;
        here->scratch_bytes = bytes;
    }
    return here->scratch;
}

const char *cwb_scratch_string(uint32_t length)
{
    char *string = (char *)cwb_scratch(length + 1);
    string[length] = 0;
    return string;
}

/* ---- the runtime */

static bool worker_start(cw__worker *self)
{
    cwb_realm = self;
    cwb_here = self->host_data;
    if (!cw_js_worker_start(self, self->name)) return false;
    self->has_loop = true;
    emscripten_exit_with_live_runtime(); /* on to the event loop, for good */
}

static void worker_end(cw__worker *self)
{
    cwb_forget_abandoned(cwb_here);
    cw__system_free(cwb_here->scratch);
    cwb_here->scratch = NULL;
    cwb_here->scratch_bytes = 0;
    cwb_inbox_close(self);
    cw_js_worker_end(self);
}

static bool start_again(void *argument)
{
    return cw_js_start_again(argument) != 0;
}

static cwb_context *host_data_new(cw_context *context)
{
    cwb_context *data = cw__system_alloc(sizeof *data);
    if (!data) return NULL;
    memset(data, 0, sizeof *data);
    unsigned top = cw__roster_flag(context, NULL, false);
    data->root = cw__job_new(context, NULL,
                             CW__JOB_BARE | CW__JOB_SUPERVISOR | top, 1, 0);
    if (!data->root) {
        cw__system_free(data);
        return NULL;
    }
    if (top) cw__roster_enter(data->root);
    return data;
}

/* A failure that nobody answers for. */
static void report(const char *name, cw_error *error)
{
    (void)name;
    cw_js_report(error);
}

static bool by_message;

/* A thread that wakes itself comes to that as soon as what runs is over: to be
 * woken by its futex word takes a turn of the event loop, and another wait. */
static bool wake(cw__worker *worker)
{
    bool is_here = worker == cwb_realm;
    if (is_here || by_message) cw_js_wake(worker);
    return is_here;
}

/* What JavaScript looks at first. */
uint32_t cwb_abi(void) { return CWB_ABI; }

/* Makes the calling thread the main realm. Once per module. Returns its worker,
 * 0 without memory. `wake_by_message`: realms cannot wait for the futex word
 * asynchronously here and are woken by messages. */
cw__worker *cwb_init(uint32_t wake_by_message)
{
    cwb_imports();
    cw__the_host = (cw__host){.job_final = cwb_job_final,
                              .job_free = cwb_job_free,
                              .name_of = cwb_name_of,
                              .home_of = cwb_home_of,
                              .runs_here = cwb_runs_here,
                              .homeless = cwb_homeless,
                              .error_free = cwb_error_free,
                              .runs_below = cwb_runs_below,
                              .kill_away = cwb_kill_away,
                              .worker_lost = cwb_worker_lost,
                              .replace_worker = cw_js_worker_lost,
                              .thread_gone = cwb_thread_gone,
                              .life_over = cwb_life_over,
                              .start_again = start_again,
                              .end_context = cw_js_end_context,
                              .context_free = cwb_homes_free,
                              .deliver = cwb_deliver,
                              .worker_start = worker_start,
                              .worker_end = worker_end,
                              .wake = wake};
    by_message = wake_by_message != 0;
    cw_set_unhandled_handler(report);
    /* Otherwise Emscripten takes the end of any thread for the program's and
     * ends all others. */
    emscripten_runtime_keepalive_push();
    cwb_main = cw__context_adopt("main");
    if (!cwb_main) return NULL;
    cwb_main->host_data = host_data_new(cwb_main);
    if (!cwb_main->host_data) return NULL;
    cw__worker *self = &cwb_main->workers[0];
    if (!cwb_home_new(self)) return NULL;
    cwb_here = self->host_data;
    cw__the_host.keeper = cwb_main;
    self->has_loop = true;
    self->may_futex = false;
    cw__self = cwb_realm = self;
    cw__set_main_context(cwb_main);
    /* Threads are started by JavaScript, with what it knows of its workers. */
    cw__set_default_context(cw_context_retain(cwb_main));
    return self;
}

cw_context *cwb_main_context(void) { return cwb_main; }

/* The main realm's worker is called by the name in the scratch buffer. */
void cwb_name_main(void)
{
    cw__text name = cw__text_begin(cwb_realm->name, sizeof cwb_realm->name);
    cw__text_add(&name, (const char *)cwb_scratch(0));
}

/* Runs what there is to do on this realm, at most `budget` jobs (0: no limit).
 * Returns enum cw__run, or CWB_RUN_REST; for CW__RUN_SLEEP see cwb_sleep_ms().
 */
int cwb_run(uint32_t budget)
{
    if (cw_unlikely(!cwb_realm)) cw_js_gone();
    cw__worker *before = cw__self; /* an event in virtual time, perhaps */
    cw__self = cwb_realm;
    cw__user_end(cw__self);
    int why = (int)cw__worker_run(cw__self, budget, NULL);
    if (why != CW__RUN_END) cw__user_begin(cw__self);
    cw__self = before;
    bool rests = why == CW__RUN_SLEEP && cwb_realm->wake_at_ns == CW__NEVER;
    return rests ? CWB_RUN_REST : why;
}

/* Jobs were just handed to workers that have nothing else to do. */
void cwb_expect(void) { cw__worker_expect(cwb_realm); }

/* One of them has ended: whoever launched it is to hear of that now. */
void cwb_expected(void) { cw__worker_expected(cwb_realm); }

/* How long the realm may sleep: milliseconds, -1 for ever. */
double cwb_sleep_ms(void) { return cwb_ms_until(cwb_realm->wake_at_ns); }

/* ---- contexts */

static bool set_up(cw__worker *worker, void *tracing)
{
    if (!cwb_home_new(worker)) return false;
    if (!tracing) return true;
    size_t bytes = CW__TRACE_EVENTS * sizeof(cw__trace_event);
    worker->trace.events = cw__system_alloc(bytes);
    if (worker->trace.events) memset(worker->trace.events, 0, bytes);
    return true;
}

/* Opens a context. Its threads are started during the call. `name` stands in
 * the scratch buffer, with a final zero. Returns its address or an error. */
intptr_t cwb_context_open(uint32_t workers, uint32_t tracing)
{
    cw_context *context;
    int status = cw__context_open(workers, (const char *)cwb_scratch(0), set_up,
                                  tracing ? &cwb_main : NULL, &context);
    if (status != CW_OK) return status;
    /* Nobody joins them here: JavaScript hears of each one's end by the message
     * that Emscripten sends when a detached thread is over. */
    cw__context_never_join(context);
    context->host_data = host_data_new(context);
    if (!context->host_data) {
        cw_context_release(context);
        return CW_ENOMEM;
    }
    return (intptr_t)context;
}

/* Opens a context whose jobs run on the main realm, at so many places. `name`
 * stands in the scratch buffer, with a final zero. Returns its address or an
 * error. */
intptr_t cwb_context_lodge(uint32_t places)
{
    cw_context *context =
        cw__view_apart_new(cwb_main, places, (const char *)cwb_scratch(0));
    if (!context) return CW_ENOMEM;
    context->host_data = host_data_new(context);
    if (context->host_data) return (intptr_t)context;
    cw_context_release(context);
    return CW_ENOMEM;
}

/* Such a context has so many places from now on. */
void cwb_places(cw_context *context, uint32_t places)
{
    cw__view_set_places(cw__self, context, places);
}

/* True if a closed context is empty. */
uint32_t cwb_context_over(cw_context *context)
{
    return cw__context_quiet(context);
}

cw__worker *cwb_context_worker(cw_context *context, uint32_t index)
{
    return &context->workers[index];
}

/* The job above all that was launched on the context outside of any job:
 * borrowed. */
cw_job *cwb_context_root(cw_context *context)
{
    return ((cwb_context *)context->host_data)->root;
}

/* As cw_context_close_within(). */
int cwb_context_close_within(cw_context *context, double drain, double grace)
{
    return cw_context_close_within(context, cwb_whole_ms(drain),
                                   cwb_whole_ms(grace));
}

/* Closes a context that has failed, and cancels all its jobs with that error
 * (borrowed); it keeps no deadlines any more. What comes in meanwhile is
 * cancelled with it, too. */
void cwb_context_cancel(cw_context *context, cw_error *error)
{
    cw__closing_over(context);
    cw__roster_cancel(context, error);
    cw_context_close(context);
    cw__roster_cancel(context, error);
}

/* Ends jobs of a closed context that has no workers to do it: for one whose
 * workers did not start. Returns how many. Jobs that have not begun end
 * cancelled; none can have begun. */
uint32_t cwb_context_drain(cw_context *context)
{
    uint32_t ended = 0;
    for (;;) {
        cw_job *job = NULL;
        cw__context_take(context, &job, 1);
        if (!job) job = cw__aside_take(&context->aside, CW__HIGH);
        if (!job) job = cw__aside_take(&context->aside, CW__LOW);
        for (uint32_t i = 0; !job && i < context->count; i++)
            job = cw__worker_take_handed(&context->workers[i]);
        if (!job) return ended;
        if (cw__job_take(cw__self, job))
            cw__job_finish(cw__self, job, cw__job_cancellation(job));
        ended++;
    }
}

/* Gives back what JavaScript held of a context; its jobs have ended. */
void cwb_context_free(cw_context *context)
{
    cwb_context *data = context->host_data;
    cw__closing_over(context);
    cw__job_finish(cw__self, data->root, NULL); /* unless cancelled before */
    cw__job_drop(data->root);
    cwb_away_free(context);
    for (uint32_t i = 0; i < data->names_count; i++)
        cw__system_free(data->names[i]);
    cw__system_free(data->names);
    cw__system_free(data);
    cw_context_release(context);
}

/* ---- task names */

static int find_name(const cwb_context *data, const char *name)
{
    for (uint32_t i = 0; i < data->names_count; i++)
        if (strcmp(data->names[i], name) == 0) return (int)i;
    return -1;
}

/* The number of the task whose name, `length` bytes, stands in the scratch
 * buffer: the same for the same name in all realms. */
int cwb_task_number(cw_context *context, uint32_t length)
{
    cwb_context *data = context->host_data;
    char *name = cw__system_alloc(length + 1);
    if (!name) return CW_ENOMEM;
    memcpy(name, cwb_scratch(0), length);
    name[length] = 0;
    for (;;) {
        cw__lock_acquire(&data->lock);
        int number = find_name(data, name);
        bool full = data->names_count == data->names_capacity;
        if (number < 0 && !full) {
            number = (int)data->names_count++;
            data->names[number] = name;
            name = NULL;
        }
        uint32_t capacity = data->names_capacity;
        cw__lock_release(&data->lock);
        if (number >= 0) {
            cw__system_free(name);
            return number;
        }
        uint32_t more = capacity ? capacity * 2 : 16;
        char **names = cw__system_alloc(more * sizeof *names);
        if (!names) {
            cw__system_free(name);
            return CW_ENOMEM;
        }
        cw__lock_acquire(&data->lock);
        char **old = names; /* to free: the new one if another was faster */
        if (data->names_capacity == capacity) {
            memcpy(names, data->names, capacity * sizeof *names);
            old = data->names;
            data->names = names;
            data->names_capacity = more;
        }
        cw__lock_release(&data->lock);
        cw__system_free(old);
    }
}

/* The name of a task: lives as the context. */
const char *cwb_task_name(cw_context *context, uint32_t number)
{
    cwb_context *data = context->host_data;
    cw__lock_acquire(&data->lock);
    const char *name = number < data->names_count ? data->names[number] : NULL;
    cw__lock_release(&data->lock);
    return name;
}

/* ---- looking */

/* The counters, in the scratch buffer. */
void cwb_stats(const cw_context *context)
{
    cw_stats stats;
    cw_context_stats(context, &stats);
    memcpy(cwb_scratch(0), &stats, sizeof stats);
}

/* Memory that JavaScript passes by reference, zeroed as its arrays are. */
void *cwb_alloc(uint32_t bytes)
{
    void *at = cw__system_alloc(bytes);
    if (at) memset(at, 0, bytes);
    return at;
}

void cwb_free(void *memory) { cw__system_free(memory); }
