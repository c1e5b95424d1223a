/* handlers.c: functions of JavaScript that the core calls.
 *
 * SPDX-License-Identifier: MIT
 *
 * A function can be called on its own realm only. Whoever has reason to call it
 * elsewhere puts a note into that realm's inbox.
 */
#include "handlers.h"

#include "alloc.h"
#include "atomic.h"
#include "context.h"
#include "elements.h"
#include "handler.h"
#include "suspend.h"
#include "tree.h"

struct cwb_note {
    struct cwb_note *next; /* first, for inbox.h */
    cwb_home *home;
    uint32_t token;
    enum cwb_news news;
    bool registering, fired; /* the first until `handler` is there */
    cw_handler *handler;     /* owned */
    cw_error *error;         /* owned, or NULL; or else ... */
    void *task;              /* ... what is to be executed */
    cwb_element element;     /* owned; CWB_NOTHING if there is none */
};

static cwb_note *note_new(cwb_home *home, uint32_t token, enum cwb_news news)
{
    cwb_note *note = cw__alloc(sizeof *note);
    if (note) *note = (cwb_note){.home = home, .token = token, .news = news};
    return note;
}

static void note_free(cwb_note *note)
{
    cw_error_release(note->error);
    cw__free(note, sizeof *note);
}

static void post(cwb_note *note, cw_error *error)
{
    note->error = cw_error_retain(error);
    cwb_home *home = note->home;
    cwb_post(home, (uintptr_t)note | CWB_MARK_NOTE);
}

/* Gives back the handle of one that was called. */
static void forget(cwb_note *note)
{
    if (note->handler) (void)cw__handler_take_back(note->handler);
    note_free(note);
}

void cwb_note_deliver(cwb_note *note)
{
    if (note->news == CWB_EXECUTE) {
        /* Too late to refuse: its job must not be lost. */
        if (cw_js_handled(note->token, CWB_EXECUTE, note->task, NULL))
            cwb_execute(note->task);
        forget(note);
        return;
    }
    cwb_element *element = &note->element;
    cw_error *thrown =
        cw_js_handled(note->token, (uint32_t)note->news, note->error,
                      element->head == CWB_NOTHING ? NULL : element);
    if (thrown && note->news == CWB_UNDELIVERED) {
        cw_error *cause = thrown;
        thrown = cw_error_new(CW_EUNDELIVERED, NULL, cause);
        cw_error_release(cause);
    }
    if (thrown) cw_js_report(thrown); /* who has lost it does not wait */
    cw_error_release(thrown);
    forget(note);
}

cwb_home *cwb_note_home(const cwb_note *note) { return note->home; }

void cwb_note_discard(cwb_note *note)
{
    cwb_element_drop(&note->element);
    forget(note);
}

/* ---- the ends of jobs */

static void job_ended(void *arg, cw_error *error)
{
    cwb_note *note = arg;
    if (note->home != cwb_here) {
        post(note, error); /* the rest of it is its realm's */
        return;
    }
    note->fired = true;
    cw_js_handled(note->token, CWB_FIRED, error, NULL);
    if (!note->registering) forget(note);
}

/* As cw_on_completion(); JavaScript is told by `token`. Returns what
 * cwb_handler_dispose() takes; 0 if it was called at once, or, with
 * CW_NOT_LATE, never will be; CW_ENOMEM. */
intptr_t cwb_on_completion(cw_job *job, uint32_t flags, uint32_t token)
{
    cwb_note *note = note_new(cwb_here, token, CWB_FIRED);
    if (!note) return CW_ENOMEM;
    note->registering = true;
    bool over = cw_is_completed(job) && flags & CW_NOT_LATE;
    cw_handler *handler = cw_on_completion(job, flags, job_ended, note);
    if (!handler) {
        note_free(note);
        return CW_ENOMEM;
    }
    note->handler = handler;
    note->registering = false;
    if (!note->fired && !over) return (intptr_t)note;
    forget(note);
    return 0;
}

/* The function of a note that has not called JavaScript yet is not called.
 * True: its token is free; otherwise the call is on its way and is to be
 * ignored. */
uint32_t cwb_handler_dispose(cwb_note *note)
{
    cw_handler *handler = note->handler;
    note->handler = NULL;
    if (!cw__handler_take_back(handler)) return 0;
    note_free(note);
    return 1;
}

/* ---- functions that something of the core's owns */

cw_error *cwb_tell(cwb_home *home, uint32_t token, enum cwb_news news,
                   cw_error *error, cwb_element *element)
{
    if (home == cwb_here) return cw_js_handled(token, news, error, element);
    cwb_note *note = note_new(home, token, news);
    if (note) {
        if (element) note->element = *element;
        post(note, error);
    } else if (element) {
        cwb_element_drop(element);
    }
    return NULL;
}

void cwb_tell_begins(cwb_home *home, uint32_t token, bool wakes)
{
    bool at_once = wakes || home == cwb_here;
    cwb_note *note = at_once ? NULL : note_new(home, token, CWB_BEGINS);
    if (note)
        cwb_post_quietly(home, (uintptr_t)note | CWB_MARK_NOTE);
    else
        cwb_tell(home, token, CWB_BEGINS, NULL, NULL);
}

cw_error *cwb_function_call(const cwb_function *self, enum cwb_news news,
                            cw_error *error, cwb_element *element)
{
    return cwb_tell(self->home, self->token, news, error, element);
}

int cwb_ask(cwb_home *home, uint32_t token, enum cwb_news news, void *task)
{
    if (home == cwb_here)
        return (int)(intptr_t)cw_js_handled(token, news, task, NULL);
    cwb_note *note = note_new(home, token, news);
    if (!note) return CW_ENOMEM;
    note->task = task;
    post(note, NULL);
    return 0;
}

static void free_function(cw__shared *shared)
{
    cwb_function *self = (cwb_function *)(void *)shared;
    cw_context *context = self->home->worker->context;
    cwb_function_call(self, CWB_DROPPED, NULL, NULL);
    cw__free(self, sizeof *self);
    cw__context_drop(context);
}

cwb_function *cwb_function_new(uint32_t token)
{
    cwb_function *self = cw__alloc(sizeof *self);
    if (!self) return NULL;
    *self = (cwb_function){
        .shared.free = free_function, .home = cwb_here, .token = token};
    atomic_init(&self->shared.refs, 1);
    cw__context_hold(self->home->worker->context);
    return self;
}

/* ---- continuations */

static void tell_cancelled(void *arg, cw_error *error)
{
    cwb_function_call(arg, CWB_FIRED, error, NULL);
}

/* As cw_on_cancel(). */
int cwb_on_cancel(cw_continuation *continuation, uint32_t token)
{
    cwb_function *self = cwb_function_new(token);
    if (!self) return CW_ENOMEM;
    int status =
        cw__on_cancel_shared(continuation, tell_cancelled, &self->shared);
    cw__shared_drop(&self->shared);
    return status;
}

static void tell_undelivered(void *arg, void *value)
{
    (void)value;
    cw_js_handled((uint32_t)(uintptr_t)arg, CWB_UNDELIVERED, NULL, NULL);
}

/* As cw_resume(). The value stays in JavaScript, which is told by the leaf's
 * `token` if it was not delivered. */
int cwb_resume(cw_continuation *continuation, uint32_t token)
{
    cw_none none = CW_NONE;
    return cw_resume_with(continuation, &none, tell_undelivered,
                          (void *)(uintptr_t)token);
}

/* ---- failures without an owner */

static void tell_failure(void *arg, const char *name, cw_error *error)
{
    (void)name;
    cwb_function_call(arg, CWB_FAILED, error, NULL);
}

/* A failure in `scope` that cannot be raised there. True: its handler, or its
 * context, has taken it. */
uint32_t cwb_report(cw_job *scope, cw_error *error)
{
    return cw__job_handle_failure(scope, error);
}

/* Elements like `base` (or NULL) with a handler of failures. Owned; NULL
 * without memory. */
const cw_elements *cwb_elements_handler(const cw_elements *base, uint32_t token)
{
    cwb_function *self = cwb_function_new(token);
    if (!self) return NULL;
    const cw_elements *set =
        cw__elements_with_shared_handler(base, tell_failure, &self->shared);
    cw__shared_drop(&self->shared);
    return set;
}
