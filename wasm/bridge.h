/* bridge.h: how JavaScript reaches the core.
 *
 * SPDX-License-Identifier: MIT
 *
 * Every export is a function of numbers and pointers named cwb_*, called on the
 * thread (the "realm") that JavaScript runs on: the page's or Node's main
 * thread, or a worker's. Results: >= 0, or a negative CW_E... code.
 *
 * These come to a realm through its worker's inbox:
 *   a ticket   a job that this realm launched has ended
 *   a note     one of its functions is to be called, see handlers.h
 *   an error   that it has thrown is not needed any more, see errors.c
 * The first two carry a token, a number that the realm chose. What a body waits
 * for is told to it directly, see waits.h.
 *
 * Larger data pass through the realm's scratch buffer: JavaScript writes there
 * before a call and reads there after one; each call may overwrite it.
 *
 * Ownership. cwb_launch*() gives the caller a handle to the job; it is given
 * back with cwb_job_drop() once the job's ticket has come. What an export
 * returns as owned is given back by the function that it names.
 */
#ifndef CW_BRIDGE_H
#define CW_BRIDGE_H

#include "context.h"
#include "host.h"
#include "job.h"
#include "lost.h"
#include "worker.h"

/* Grows with each change of what JavaScript and C expect of each other, so that
 * a module linked with another version is refused instead of failing later. */
enum { CWB_ABI = 12 };

/* How a body of JavaScript ended, and what its data are. The lowest three bits
 * of the number that says so; the rest is the length of the data. */
enum cwb_outcome {
    CWB_VALUE = 0,     /* encoded in the scratch buffer */
    CWB_MESSAGE = 1,   /* on its way as a message of its own */
    CWB_ERROR = 2,     /* its address, owned, in the scratch buffer */
    CWB_CANCELLED = 3, /* the body raised its own cancellation */
    CWB_LOCAL = 4,     /* only as the kind of argument: a function of the realm
                          that launched it */
    CWB_PENDING = 7    /* not yet: cwb_complete() will tell */
};

/* Besides CWB_PENDING: the body goes on elsewhere and keeps its place in its
 * context until cwb_place_back(). */
#define CWB_KEEPS_PLACE 8u

/* Marks the number that says so, if the data end with a list of references, see
 * values.h. */
#define CWB_REFERS 0x80000000u

/* Ways to launch; CW_START_DEFAULT without any. */
enum cwb_launch_flags {
    CWB_LAUNCH_ASYNC = 1,   /* as cw_async(), not cw_launch() */
    CWB_LAUNCH_MESSAGE = 2, /* the arguments travel as a message, a parcel */
    CWB_LAUNCH_QUEUED = 4,  /* wake nobody: cwb_context_wake() will follow */
    CWB_LAUNCH_HELD = 8,    /* begins with cwb_launch_held() */
    CWB_LAUNCH_LOCAL = 16,  /* the body is a function of the calling realm */
    CWB_LAUNCH_LAZY = 32,   /* begins with cw_job_start() */
    CWB_LAUNCH_ATOMIC = 64, /* see CW_START_ATOMIC, and ... */
    CWB_LAUNCH_UNDISPATCHED = 128, /* ... CW_START_UNDISPATCHED: only LOCAL */
    CWB_LAUNCH_LONELY = 256,       /* its failure is its caller's */
    CWB_LAUNCH_REFERS = 512,       /* the data end with a list, see values.h */
    CWB_LAUNCH_RESERVED = 1024,    /* it has a place, see cwb_reserve() */
    CWB_LAUNCH_TELLS = 2048,       /* its token is told when the body begins */
    CWB_LAUNCH_AGAIN = 4096, /* it may begin again, see cwb_away_host_lost() */
    CWB_LAUNCH_TELLS_LATE = 8192 /* with TELLS: that alone does not wake the
                                    realm, unless the body comes to wait */
};

/* Kinds of scopes inside of a body. */
enum cwb_scope {
    CWB_SCOPE,
    CWB_SCOPE_SUPERVISOR,
    CWB_SCOPE_NON_CANCELLABLE, /* no child: nothing above cancels it */
    CWB_SCOPE_LIMITED,         /* has a time limit of its own */
    CWB_SCOPE_CHANGED          /* goes on with other elements */
};

/* Ways to advance virtual time, and what tests are told. */
enum cwb_advance {
    CWB_ADVANCE_CURRENT, /* not at all: what is due now */
    CWB_ADVANCE_BY,
    CWB_ADVANCE_UNTIL_IDLE
};
enum cwb_test_flags {
    CWB_TEST_BLOCKING = 1, /* by the rules of cw_run_blocking_test() */
    CWB_TEST_OWN = 2       /* the scheduler ends with the test */
};

/* With the outcome of a scope's body: it never let anybody else run. */
enum { CWB_AT_ONCE = 8 };

/* With the outcome of a job that has failed: there is nobody else to tell; the
 * error is a crash, see cw__error_is_crash(). */
enum { CWB_UNHANDLED = 8, CWB_CRASH = 16 };

/* What cwb_run() returns besides enum cw__run: as CW__RUN_SLEEP, for ever. */
enum { CWB_RUN_REST = 16 };

/* What cwb_enter() found. */
enum { CWB_GATE_WAS_CLOSED, CWB_GATE_WAS_OPEN, CWB_GATE_GONE };

/* What a job is at the moment, as bits. */
enum cwb_job_state {
    CWB_IS_CANCELLED = 1,
    CWB_HAS_ENDED = 2,
    CWB_IS_ACTIVE = 4
};

/* What is to be known about a body that is sent away, as bits. */
enum cwb_away_what {
    CWB_AWAY_KILLABLE = 1,
    CWB_AWAY_LIMITED = 2,
    CWB_AWAY_HEARD = 4,  /* somebody listens to its progress */
    CWB_AWAY_AGAIN = 8,  /* it may begin again elsewhere */
    CWB_AWAY_VALUES = 16 /* it has elements, so perhaps values */
};

/* What one that is not away any more still has, as bits. */
enum cwb_away_has {
    CWB_AWAY_PLACE = 1,
    CWB_AWAY_HEARS = 2 /* who hears of its cancelling has not been told */
};

/* What becomes of a scope whose body is over. */
enum cwb_scope_state {
    CWB_SCOPE_OPEN,   /* it waits for what is below */
    CWB_SCOPE_OVER,   /* cwb_scope_error() tells its outcome */
    CWB_SCOPE_IN_TIME /* its time ran out, but its value counts all the same */
};

/* Ways to wait for a job's end. */
enum cwb_how {
    CWB_JOIN,
    CWB_AWAIT,
    CWB_END,          /* of a job that is a part of the body: not cut short by
                         cancelling, which is raised afterwards */
    CWB_END_UNCHECKED /* ... and not even that */
};

/* What JavaScript is told of a function's token. */
enum cwb_news {
    CWB_FIRED,       /* the job has ended, or was cancelled */
    CWB_FAILED,      /* a failure has nobody else to take it */
    CWB_DROPPED,     /* the token will not be used any more */
    CWB_UNDELIVERED, /* what a wait was resumed with, or an element, has nobody
                        to take it */
    CWB_TAKEN,       /* another realm has taken an element of this one */
    CWB_BEGINS,      /* a job of CWB_LAUNCH_TELLS begins */
    CWB_EXECUTE,     /* an executor is given a task; not 0: it refuses */
    CWB_IS_DISPATCH_NEEDED /* an executor says where a job begins */
};

/* What a new error looks like in the scratch buffer. */
typedef struct cwb_error_record {
    uint32_t message_bytes; /* with its final zero; stands behind this */
    uint32_t payload_bytes; /* behind the message, aligned to 8 */
} cwb_error_record;

/* In the ring of what has begun on a realm and is not over: bodies that wait,
 * and scopes in them. Only their own realm sees it, or who has killed it. */
typedef struct cwb_open {
    struct cwb_open *next, *before;
    cw_job *job;
} cwb_open;

/* A realm: JavaScript's world on one thread. A worker whose thread is lost gets
 * another one, so what belongs to a realm names that, not the worker. Lives as
 * long as the worker's context. */
typedef struct cwb_home {
    cw__worker *worker;
    struct cwb_home *older; /* the worker's one before */
    _Atomic uint32_t gone;  /* its thread is lost: nobody is told any more */
    uint8_t *scratch;
    uint32_t scratch_bytes;
    cwb_open open;
    cwb_open abandoned; /* jobs that are over, and their bodies perhaps not */
} cwb_home;

/* What is kept for a job that JavaScript launched: stands behind its frame. */
typedef struct cwb_ticket {
    struct cwb_ticket *next; /* first, for inbox.h */
    cw_job *job;
    cwb_home *home; /* the realm that launched it */
    cwb_open open;  /* of a body in JavaScript that waits, where it runs */
    uint32_t token;
    uint32_t unhandled; /* it failed and there is nobody else to tell */
    /* Argument, then result, of a body in JavaScript. */
    uint8_t *data;
    uint32_t length;
    uint32_t capacity; /* of the room for small data behind this */
    uint32_t refers;   /* the data end with a list of references */
    uint32_t outcome;  /* enum cwb_outcome */
    uint32_t task;     /* which function of the task module, or, ... */
    bool local;        /* ... of the realm that launched it */
    bool abandoned;    /* the job has ended without its body; see strays.c */
    bool begun;        /* of one that was sent away, see away.c, and ... */
    bool again;        /* ... that does no harm if it runs twice */
    bool tells;        /* its realm is to hear that it begins, ... */
    bool tells_late;   /* ... but need not be woken for that */
    uint32_t sent;     /* of one that was sent away: its token there, ... */
    struct cwb_note *note; /* ... by which is told that it is cancelled */
    const char *worker; /* name of who ended it, if it failed, or has lost it;
                           lives as its context, which is freed after all
                           tickets */
} cwb_ticket;

/* What is kept for a context that JavaScript opened. */
typedef struct cwb_context {
    cw_job *root; /* parent of what is launched outside of any job */
    cw__lock lock;
    uint32_t names_count;
    uint32_t names_capacity;
    char **names;          /* task names; the index is the task's number */
    struct cwb_away *away; /* its workers that have cores of their own */
} cwb_context;

/* Marks in the lowest bits of what lies in an inbox. */
enum {
    CWB_MARK_NOTE = 0,
    CWB_MARK_TICKET = 1,
    CWB_MARK_JOB = CW__INBOX_JOB,
    CWB_MARK_ERROR = 3
};

/* The worker whose thread the calling realm is; NULL once the thread is over.
 * Not always cw__self, which is the worker of the context that is at work on
 * this thread. */
extern _Thread_local cw__worker *cwb_realm;
/* The realm itself. */
extern _Thread_local cwb_home *cwb_here;

/* A realm for a worker's next thread: false without memory. */
bool cwb_home_new(cw__worker *worker);
/* Frees those of all workers. */
void cwb_homes_free(cw_context *context);
/* A job that was to go on in a realm that is lost: a body of its own ends, with
 * an error (owned); a wait goes on elsewhere. */
cw_error *cwb_homeless_error(cw_job *job, const cwb_home *home);
void cwb_leave_behind(cw_job *job, const cwb_home *home);
void cwb_become_killable(void);
/* See cw__host. */
void cwb_thread_gone(void);
/* Puts a body or scope into a ring, the calling realm's for one, or takes it
 * off. */
void cwb_open_put(cwb_open *ring, cwb_open *open, cw_job *job);
void cwb_open_add(cwb_open *open, cw_job *job);
void cwb_open_remove(cwb_open *open);
/* The realm's ring, empty; and the end of what has been abandoned on it. */
void cwb_open_init(cwb_open *ring);
void cwb_forget_abandoned(cwb_home *home);
/* True if that realm still hears what it is told. */
static inline bool cwb_hears(const cwb_home *home)
{
    /* acquire: pairs with who has killed it */
    return !cw_load_acquire(&home->gone);
}

/* See listeners.c. */
cw_channel *cwb_progress_next(cw_job *job, cw_channel *before);

/* The page's or main thread's own context, which runs on its event loop. */
extern cw_context *cwb_main;

/* Milliseconds as JavaScript counts them, INFINITY among them. */
static inline int64_t cwb_whole_ms(double ms)
{
    return ms < 9e15 ? (int64_t)ms : INT64_MAX;
}

/* How long it is until then: milliseconds, -1 for ever. */
static inline double cwb_ms_until(int64_t at_ns)
{
    if (at_ns == CW__NEVER) return -1;
    int64_t left = at_ns - cw__now_ns();
    return left > 0 ? (double)left / 1e6 : 0;
}

cwb_ticket *cwb_ticket_of(cw_job *job);
const char *cwb_task_name(cw_context *context, uint32_t number);
uint8_t *cwb_scratch(uint32_t bytes);
/* What stands there, `length` bytes, as a string of C's. */
const char *cwb_scratch_string(uint32_t length);
cw_error *cwb_error_new(int code, int32_t slot);
/* The error that a body ended with, by its outcome: owned, NULL for a value. */
cw_error *cwb_take_error(cw_job *job, uint32_t code);
/* The same, and the value is kept. */
cw_error *cwb_take_outcome(cw_job *job, uint32_t code);
/* On the error's own realm: it can forget the thrown object. */
void cwb_error_freed(cw_error *error);
/* The same for an error whose realm is gone. */
void cwb_error_discard(cw_error *error);

/* A new job without parent whose body is function number `task` of the calling
 * realm; whoever runs it is told its failure. One handle; NULL without memory.
 */
cw_job *cwb_body_new(cw_context *context, uint32_t task, uint32_t token,
                     const cw_elements *given);

/* Puts something into a realm's inbox, and lets it look there soon, or when it
 * happens to. */
void cwb_post(cwb_home *home, uintptr_t item);
void cwb_post_quietly(cwb_home *home, uintptr_t item);
/* Has a realm look there that was not woken for what lies in it. */
void cwb_rouse(const cwb_home *home);
/* The calling realm ends: what is in its inbox is thrown away, and what comes
 * later, too. */
void cwb_inbox_close(cw__worker *self);
/* Throws away what is or was in an inbox, unread. Not for jobs. */
void cwb_discard(uintptr_t item);
/* Tells JavaScript of a job's end. */
void cwb_ticket_deliver(cwb_ticket *ticket);
void cwb_job_drop(cw_job *job);

/* Hooks of cw__host, see there. */
void cwb_job_final(cw_job *job, bool unhandled);
size_t cwb_job_free(cw_job *job);
const char *cwb_name_of(const cw_job *job);
cw__worker *cwb_home_of(const cw_job *job);
bool cwb_runs_below(const cw__worker *worker, const cw_job *above);
void cwb_worker_lost(cw__worker *worker, cw__life *life, const cw__loss *loss);
void cwb_life_over(void *host_data);
void cwb_homeless(cw_job *job);
bool cwb_runs_here(const cw_job *job);
void cwb_error_free(cw_error *error);
uintptr_t cwb_deliver(cw__worker *self, uintptr_t chain);

/* A value of JavaScript: see values.h. */
typedef struct cwb_element cwb_element;
/* A worker that has a core of its own: see away.c. */
typedef struct cwb_away cwb_away;

/* Makes the linker take up imports.c. */
void cwb_imports(void);
/* Implemented in JavaScript, see imports.c. */
int cw_js_run(cw_job *job, uint32_t task, uint32_t outcome, const void *data,
              uint32_t length, const cw_context *context);
void cw_js_job_ended(uint32_t token, uint32_t outcome, const void *data,
                     uint32_t length, const char *worker);
void cw_js_settled(uint32_t token, cw_error *error, const void *data,
                   uint32_t length);
void cw_js_suspended(uint32_t token, cw_continuation *continuation);
/* What the function returns: an error, owned, or NULL; of an executor, a
 * number.
 */
void *cw_js_handled(uint32_t token, uint32_t news, void *data,
                    cwb_element *element);
void cw_js_report(cw_error *error);
void cw_js_discard(cwb_element *element);
void cw_js_error_freed(uint32_t slot);
int cw_js_worker_start(cw__worker *worker, const char *name);
void cw_js_worker_end(cw__worker *worker);
void cw_js_wake(cw__worker *worker);
void cw_js_worker_lost(cw__worker *worker, cw__life *life);
void cw_js_end_context(cw_context *context);
int cw_js_start_again(void *argument);
/* Throws what the realm throws from now on when it calls the core. */
void cw_js_gone(void);

#endif /* CW_BRIDGE_H */
