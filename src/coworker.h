/* coworker.h: coroutines with structured concurrency on a fixed set of workers.
 *
 * SPDX-License-Identifier: MIT
 *
 * This is the public header; coworker_test.h is a second one, for tests. Its
 * parts: errors, contexts, jobs, elements,
 * coroutines, blocking functions, channels, mutexes and semaphores, select,
 * counters, debugging.
 *
 * A *context* is a fixed set of workers (threads; in a browser each one is a
 * Web Worker). A *job* is one running thing with a place in a tree: it ends
 * only after all its children have ended, a failing child cancels its parent
 * and its siblings, and cancelling a job cancels everything below it. A
 * *coroutine* is a job whose body can suspend without holding a worker.
 *
 * Threads: every function may be called from every thread unless its comment
 * says otherwise. Status codes: 0 (CW_OK) is success, errors are negative.
 * Ownership: "owned" means that the caller must give the reference back with
 * the matching release function; "borrowed" means that it must not.
 */
#ifndef COWORKER_H
#define COWORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CW_VERSION_MAJOR 0
#define CW_VERSION_MINOR 1
#define CW_VERSION_PATCH 0

#if defined(__GNUC__) || defined(__clang__)
#    define CW__UNUSED __attribute__((unused))
#    define CW__KEEP   __attribute__((used, visibility("default")))
#else
#    define CW__UNUSED
#    define CW__KEEP
#endif
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 7)
#    define CW__FALLTHROUGH __attribute__((fallthrough))
#else
#    define CW__FALLTHROUGH ((void)0)
#endif

/* For clang -Wthread-safety; see CW_ON_MAIN. */
#if defined(__clang__)
#    define CW__ROLE(name)        __attribute__((capability(name)))
#    define CW__NEEDS(role)       __attribute__((requires_capability(role)))
#    define CW__ESTABLISHES(role) __attribute__((assert_capability(role)))
#else
#    define CW__ROLE(name)
#    define CW__NEEDS(role)
#    define CW__ESTABLISHES(role)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ errors */

/* Every code that a function of this library returns, with its message. */
#define CW_ERROR_MAP(X)                                                        \
    X(EINVAL, -1, "invalid argument")                                          \
    X(ENOMEM, -2, "out of memory")                                             \
    X(ECANCELED, -3, "the job was cancelled")                                  \
    X(ECLOSED, -4, "the context is closed")                                    \
    X(EDEADLK, -5, "this thread must not block")                               \
    X(EFAILED, -6, "the job failed")                                           \
    X(ESTART, -7, "a worker could not be started")                             \
    X(EBUSY, -8, "the job has not completed")                                  \
    X(ETYPE, -9, "the job is of another coroutine")                            \
    X(ENOTSUP, -10, "not supported here")                                      \
    X(ETIMEDOUT, -11, "the time limit ran out")                                \
    X(ESTATE, -12, "not allowed in this state")                                \
    X(EAGAIN, -13, "it would have to wait")                                    \
    X(ESENDCLOSED, -14, "the channel is closed: nothing can be sent")          \
    X(ERECVCLOSED, -15, "the channel is closed: nothing is left to receive")   \
    X(EUNDELIVERED, -16, "the hook for an undelivered element failed")         \
    X(EOWNER, -17, "the mutex is locked by another owner")

enum cw_status {
    CW_OK = 0,
#define CW__ERROR_ENUM(name, value, text) CW_##name = value,
    CW_ERROR_MAP(CW__ERROR_ENUM)
#undef CW__ERROR_ENUM
};

/* The text that belongs to a code; "unknown error" for a number that is none.
 */
const char *cw_status_text(int code);
/* The name of a code, such as "CW_ECANCELED"; "CW_E?" for an unknown one. */
const char *cw_status_name(int code);

/* An error: a code, a message and what caused it. Reference-counted and, but
 * for what is added to its suppressed ones, immutable, so it may be shared
 * between threads. Its address is its identity: everyone who awaits a failed
 * job gets the same object. */
typedef struct cw_error cw_error;

/* Makes an error. `message` is copied; NULL takes the code's own text. `cause`
 * may be NULL; the error takes its own reference to it. Returns an owned
 * error. Never fails: without memory it returns a static CW_ENOMEM error. */
cw_error *cw_error_new(int code, const char *message, cw_error *cause);
cw_error *cw_error_retain(cw_error *error);
void cw_error_release(cw_error *error); /* NULL is allowed */
int cw_error_code(const cw_error *error);
const char *cw_error_message(const cw_error *error); /* lives as the error */
cw_error *cw_error_cause(const cw_error *error);     /* borrowed, or NULL */
/* Other failures that were met while this one ended a job, such as those of its
 * children, in order of arrival: number `index`, borrowed as long as the error
 * is held, or NULL if there are not so many. No cancellations are among them,
 * and none twice. */
cw_error *cw_error_suppressed(cw_error *error, size_t index);

/* Why the last failing call on this thread that returns a pointer failed. */
int cw_last_error(void);

/* Called with the error of a job that failed and has nobody to tell: a job
 * started with cw_launch() outside of any other job. `error` and `name` are
 * borrowed for the call. It runs on the worker that ran the job, must not
 * block and must not throw. The default prints the error and aborts. */
typedef void cw_unhandled_fn(const char *name, cw_error *error);
void cw_set_unhandled_handler(cw_unhandled_fn *handler); /* NULL: default */

/* ---------------------------------------------------------------- contexts */

/* A fixed set of workers that run jobs. Reference-counted; jobs keep the
 * context they run on. */
typedef struct cw_context cw_context;

/* Starts `workers` workers, called `name` if there is one and `name-1` ..
 * `name-N` otherwise, and returns an owned context. Does not wait for them.
 * `name` is copied. Returns NULL with cw_last_error() = CW_EINVAL (workers < 1
 * or > CW_MAX_WORKERS, name NULL or empty), CW_ENOMEM, CW_ESTART. */
cw_context *cw_new_fixed_worker_context(int workers, const char *name);

#define CW_MAX_WORKERS 1024

/* Refuses new work. What was accepted before still runs; a coroutine that
 * suspends or is resumed afterwards, and a job launched afterwards, is
 * cancelled with CW_ECLOSED as cause and still runs its clean-up there; of one
 * that runs there only in CW_WITH_ELEMENTS, that part is cancelled. The workers
 * end when the last job has ended. Idempotent; never blocks. Without effect on
 * the contexts that are shared or part of another one: Default, IO, Unconfined,
 * those of the main thread and views. */
void cw_context_close(cw_context *context);

/* Waits until every worker of a closed context has ended; an executor's has
 * none. Returns 0; CW_EINVAL if it is not closed; CW_EDEADLK at once on a
 * browser's main thread and on one of the context's own workers. */
int cw_context_join(cw_context *context);

/* Gives the reference back; the last one also closes the context. */
void cw_context_release(cw_context *context);
cw_context *cw_context_retain(cw_context *context);

/* Borrowed from the context. */
const char *cw_context_name(const cw_context *context);
/* How many of its jobs can run at the same time: its workers, a view's limit.
 * 0 for one that does not limit them: Unconfined and executors. */
int cw_context_workers(const cw_context *context);

/* The context of the calling job; outside of jobs, that whose worker calls
 * this. Borrowed; NULL on other threads. */
cw_context *cw_current_context(void);
/* The context of the program's main thread, borrowed until somebody replaces
 * it; NULL with cw_last_error() = CW_ENOTSUP if the program has none. Tests put
 * one of theirs in its place, see coworker_test.h. */
cw_context *cw_main_context(void);
/* The same for jobs that need not wait for their turn: launched or resumed by a
 * job on the main thread, they run in place, as in cw_unconfined_context(),
 * with which they share the line; otherwise, and when they yield, they are
 * queued there. A test's main context is given as it is. Borrowed; NULL with
 * cw_last_error() = CW_ENOTSUP or CW_ENOMEM. */
cw_context *cw_main_immediate_context(void);
/* True on the main thread, that is, on the worker of cw_main_context(). */
bool cw_is_on_main(void);
/* The calling worker's name, "" on other threads; lives as the context. */
const char *cw_worker_name(void);

/* ---- contexts that the program shares
 *
 * Borrowed: they are there until the program ends, and need neither be closed
 * nor given back. */

/* "default": for computations, and for what is launched by nobody who runs
 * anywhere. As many workers as processors, but two at least, which start when
 * it is first asked for. NULL with cw_last_error() = CW_ENOMEM or CW_ESTART,
 * also where it is used without asking; asking again tries again. */
cw_context *cw_default_context(void);

/* "io": for functions that block. At most as many of its jobs run at the same
 * time as cw_set_io_limit() says, or there are processors, but 64 at least. Its
 * threads are others than Default's and start when there is work for them: what
 * blocks there never keeps Default from running. They all stay. NULL as above.
 *
 * Where threads cannot be started when they are needed, as in JavaScript, the
 * host lends it workers, or those of Default. */
cw_context *cw_io_context(void);
/* Before IO is first used. CW_OK; CW_EINVAL (< 1 or > CW_MAX_WORKERS);
 * CW_ESTATE if it is too late. */
int cw_set_io_limit(int limit);

/* "unconfined": its jobs run on whatever thread is at hand, inside of the call
 * that launches or resumes them, up to where they first wait. If that call is
 * made by a job that runs so itself, the new one runs when the outermost of
 * them waits or ends, and others after it in order, so that the stack does not
 * grow. To yield lets those go first, if there are any. Threads that are no
 * workers run them, too. Delays are counted by Default. */
cw_context *cw_unconfined_context(void);

/* ---- views
 *
 * A context that runs at most `limit` jobs of its own at a time on the workers
 * of another one, which it keeps open. What is more waits, first in, first out,
 * in the view and not with the workers. Owned: to be given back with
 * cw_context_release(); it cannot be closed, but refuses when `context` does.
 *
 * `name` is copied; NULL takes the context's. A limit that is no less than
 * `context` has itself gives the context back, retained, under its own name; so
 * does a context with one worker, such as Main. Of IO it gives a part of its
 * own, of any size, which takes nothing from IO: all of these together run at
 * most four times as many jobs as IO, and 256 at least. Of an executor or of
 * another view it is as of a context with workers.
 *
 * NULL with cw_last_error() = CW_EINVAL (limit < 1, context NULL), CW_ENOTSUP
 * (Unconfined), CW_ENOMEM. */
cw_context *cw_limited_parallelism(cw_context *context, int limit,
                                   const char *name);

/* ---- executors
 *
 * A context whose jobs run on threads, or on an event loop, of the
 * application's. */
typedef struct cw_executor {
    /* Sees to it that run(task) is called once, on a thread of its choice, soon
     * or from within this call, and returns 0. run() runs a job up to where it
     * next waits; then it comes here again when it goes on. Called from any
     * thread, by whoever makes the job ready, without locks. Must not block.
     *
     * Returns another code than 0, and does not call run(), to refuse: the job
     * is cancelled with CW_ECLOSED as cause, which has that code as cause. If
     * it has not begun its body never runs; what is left of one that has, its
     * CW_CATCH and CW_FINALLY, runs on IO. */
    int (*execute)(void *arg, void (*run)(void *task), void *task);
    /* 1: execute() it; 0: the job may run here and now, in place as in
     * cw_unconfined_context(). Not asked about those that yield. A negative
     * code is an error: who launches the job gets it, and the job fails with
     * it, too; one that has begun is refused. NULL: always 1. */
    int (*is_dispatch_needed)(void *arg);
    /* The context was closed: execute() is not called any more, except that it
     * may be running on another thread at the moment. NULL: nothing to do. */
    void (*close)(void *arg);
    /* Nobody uses `arg` any more: all jobs have ended and all handles are
     * back. The last call, from any thread. NULL: nothing to do. */
    void (*release)(void *arg);
} cw_executor;

/* Makes one; `calls` and `name` are copied. Returns an owned context; NULL with
 * cw_last_error() = CW_EINVAL (no execute, name NULL or empty) or CW_ENOMEM.
 * Delays are counted by Default. */
cw_context *cw_executor_context(const cw_executor *calls, void *arg,
                                const char *name);

/* -------------------------------------------------------------------- jobs */

/* A handle to a launched coroutine or function. Reference-counted; releasing a
 * handle does not affect the job itself. */
typedef struct cw_job cw_job;

cw_job *cw_job_retain(cw_job *job);
void cw_job_release(cw_job *job); /* NULL is allowed */

/* Cancels the job and its children. `cause` (may be NULL; the job takes its
 * own reference) becomes the cause of the CW_ECANCELED error that the job's
 * suspension points raise. No effect on a job that has ended or is being
 * cancelled already. Never blocks. */
void cw_cancel(cw_job *job, cw_error *cause);

bool cw_is_active(const cw_job *job); /* neither cancelled nor ended */
bool cw_is_completed(
    const cw_job *job); /* ended: value, failure or cancelled */
bool cw_is_cancelled(const cw_job *job); /* cancelled or failed, ended or not */

/* The error that a completed job ended with: borrowed as long as the handle is
 * held, NULL if it ended with a value or has not completed. */
cw_error *cw_job_error(const cw_job *job);
/* The name that it was launched with, or its coroutine's or deferred's; "" if
 * it has neither. */
const char *cw_job_name(const cw_job *job);

/* The job that the calling thread runs at the moment, borrowed; or NULL. */
cw_job *cw_current_job(void);
/* The innermost scope of that job, which is what it launches children of: a
 * job, too, borrowed until the scope ends. The job itself if it is in none. */
cw_job *cw_current_scope(void);

/* The job above: owned, or NULL if it never had one or has ended. */
cw_job *cw_job_parent(cw_job *job);

/* Why the job is or was cancelled: its CW_ECANCELED error itself, or one with
 * its failure as cause. Owned; NULL if it is neither cancelled nor failed. */
cw_error *cw_job_cancellation(cw_job *job);

/* Starts a job that was launched with CW_START_LAZY. True for the call that did
 * it; false if it was started before, in whatever way, or is cancelled. Joining
 * or awaiting a lazy job, and launching a child under it, start it, too. A lazy
 * job that nobody ever starts has to be cancelled: its parent waits for it. */
bool cw_job_start(cw_job *job);

/* Cancels all jobs right below this one and what is below them; the job itself
 * goes on. Returns 0 or CW_ENOMEM, then nothing was cancelled. Never blocks. */
int cw_cancel_children(cw_job *job, cw_error *cause);

/* A job without a body: it holds others together and ends when it is told to
 * and all below it have ended. `parent` may be NULL. A failing child cancels
 * it, and it hands the failure on to its own parent. Cancelling completes it,
 * too. Returns an owned handle; NULL with cw_last_error() = CW_ENOMEM. */
cw_job *cw_job_new(cw_job *parent);
/* The same, but its children fail alone: a failure neither cancels it nor the
 * other children, and has no owner unless the child is an async one. */
cw_job *cw_supervisor_job_new(cw_job *parent);

/* Completes a job without a body. Returns 1 for the call that did it, 0 if that
 * was done before, CW_EINVAL for a job with a body. It takes children until the
 * last one has ended. */
int cw_job_complete(cw_job *job);
/* The same with a failure (the job takes its own reference), which cancels the
 * children. `error` must not be NULL. */
int cw_job_complete_exceptionally(cw_job *job, cw_error *error);

/* Calls `call` when the job has ended, once, on the thread that ended it, with
 * its error (borrowed; NULL if it ended with a value); if it has ended already,
 * at once. With CW_ON_CANCELLING already when it is cancelled or fails, with
 * what set that off, or at its end if it never is. With CW_NOT_LATE a handler
 * that comes too late is not called at all. `call` must be quick and must not
 * block. Returns a handle to be given back with cw_handler_dispose(); NULL with
 * cw_last_error() = CW_ENOMEM. */
typedef struct cw_handler cw_handler;
typedef void cw_completion_fn(void *arg, cw_error *error);
enum { CW_ON_CANCELLING = 1, CW_NOT_LATE = 2 };
cw_handler *cw_on_completion(cw_job *job, unsigned flags,
                             cw_completion_fn *call, void *arg);
/* Takes the handler back. It is not called any more after this, except that it
 * may be running on another thread at the moment. NULL is allowed. */
void cw_handler_dispose(cw_handler *handler);

/* ---------------------------------------------------------------- elements */

/* A set of elements says what surrounds a job: where it runs, what job it is a
 * child of, its name, who hears of its failures, and values of the program's
 * own. Sets are immutable and reference-counted. Jobs inherit the elements of
 * the job that launches them. */
typedef struct cw_elements cw_elements;

/* Tells values of different kinds apart, by its address. */
typedef struct cw_key {
    const char *name;
} cw_key;

/* Called with a failure that has no owner: that of a job launched (not async)
 * outside of any other job or right below a supervisor. After all its children
 * have ended and before anybody sees that it has. `name` and `error` are
 * borrowed. Must not block. */
typedef void cw_failure_fn(void *arg, const char *name, cw_error *error);

/* Each makes a new set: `base` (NULL: the empty set) with one element replaced.
 * Owned; NULL without memory. Contexts and jobs are kept by reference; the name
 * is copied; `arg` and `value` are the caller's and must outlive the set. With
 * job NULL what is launched has no parent. */
const cw_elements *cw_elements_with_context(const cw_elements *base,
                                            cw_context *context);
const cw_elements *cw_elements_with_job(const cw_elements *base, cw_job *job);
const cw_elements *cw_elements_with_name(const cw_elements *base,
                                         const char *name);
const cw_elements *cw_elements_with_handler(const cw_elements *base,
                                            cw_failure_fn *call, void *arg);
const cw_elements *cw_elements_with_value(const cw_elements *base,
                                          const cw_key *key, void *value);
/* The elements of both; where both have one, that of `right`. */
const cw_elements *cw_elements_plus(const cw_elements *left,
                                    const cw_elements *right);
const cw_elements *cw_elements_retain(const cw_elements *elements);
void cw_elements_release(const cw_elements *elements); /* NULL is allowed */

/* Looking into a set, which may be NULL: borrowed, NULL if there is none. */
cw_context *cw_elements_context(const cw_elements *elements);
cw_job *cw_elements_job(const cw_elements *elements);
const char *cw_elements_name(const cw_elements *elements);
void *cw_elements_value(const cw_elements *elements, const cw_key *key);

/* The elements of the calling job, borrowed until it suspends; NULL if there
 * are none. No job is among them: what is launched with them is its child. */
const cw_elements *cw_current_elements(void);

/* -------------------------------------------------------------- coroutines */

/* What the step function of a coroutine tells its worker. */
typedef enum cw_step {
    CW_STEP_DONE,      /* ended: value or error are in the frame */
    CW_STEP_SUSPENDED, /* waits; the worker is free for others */
    CW_STEP_YIELDED,   /* wants to go on after the others */
    CW_STEP_CALLED,    /* waits for the frame it pushed */
    CW_STEP_MOVED,     /* the same, and that runs in another context */
    CW_STEP_FOREIGN    /* an outside party will complete the job */
} cw_step;

typedef struct cw_frame cw_frame;

/* Which thread: clang -Wthread-safety checks these at compile time; other
 * compilers take them for nothing.
 *
 * CW_ON_MAIN and CW_ON_WORKER, before the declaration of a function, say that
 * it may be called only on the main thread (it touches the page, say), or only
 * on others (it blocks):
 *
 *     CW_ON_MAIN void set_title(const char *title);
 *
 * Only a coroutine or function of the same role may call it, which is one that
 * is defined with CW_COROUTINE_ON(MAIN, ...) or ..._ON(WORKER, ...), or another
 * function that says the same. CW_CALL and the scopes, but not
 * CW_WITH_ELEMENTS, are such calls, too. A coroutine of the main thread is
 * launched by one of its kind or with cw_launch_on_main(), and one of the
 * workers never with that.
 *
 * Which context a coroutine is sent to is not known at compile time. So one
 * with a role looks where it is each time that it goes on, unless NDEBUG is
 * defined, and aborts with its name if that is wrong. */
typedef struct CW__ROLE("main thread") cw__main_role {
    char unused;
} cw__main_role;
typedef struct CW__ROLE("worker") cw__worker_role {
    char unused;
} cw__worker_role;
typedef struct CW__ROLE("no") cw__no_role {
    char unused;
} cw__no_role;
extern cw__main_role cw__the_main_thread; /* only for the compiler: */
extern cw__worker_role cw__a_worker;      /* none of these is defined */
extern cw__no_role cw__anywhere_but_main; /* and nobody ever has this one */
#define CW_ON_MAIN   CW__NEEDS(cw__the_main_thread)
#define CW_ON_WORKER CW__NEEDS(cw__a_worker)

/* Describes a coroutine or a blocking function. Made by the macros below. */
typedef struct cw_coroutine {
    const char *name;
    cw_step (*step)(cw_frame *frame);
    uint32_t frame_size;
    uint32_t arg_offset, arg_size;
    uint32_t result_offset, result_size;
    char arg_type, result_type; /* see CW_TYPE_CODE */
} cw_coroutine;

/* The head of every coroutine's frame. Its fields belong to the library. */
struct cw_frame {
    cw_job *job;
    const cw_coroutine *type;
    cw_frame *caller;       /* the frame that CW_CALLs this one */
    cw_frame *callee;       /* the frame that this one CW_CALLs */
    cw_error *error;        /* raised or caught */
    cw_error *leaving;      /* raised before CW_FINALLY; goes on after it */
    int at;                 /* where the step function goes on */
    uint32_t handlers : 30; /* open CW_TRYs, the innermost one lowest */
    uint32_t caught : 1;    /* `error` is not raised any more */
    uint32_t ending : 1;    /* in CW_FINALLY */
};

/* For a coroutine or function without argument, result or locals. */
typedef struct cw_none {
    char unused;
} cw_none;
#define CW_NONE      ((cw_none){0})
#define CW_NO_LOCALS char cw__no_locals;

/* CW_COROUTINE(name, ARGUMENT, RESULT, locals...) { body }
 *
 * Defines the coroutine `name`: its frame, `struct name`, with the argument in
 * `self->arg`, the result in `self->result` and one field for each of the
 * `locals`; and its body, which reads top to bottom:
 *
 *     CW_COROUTINE(greet, const char *, int, int i;)
 *     {
 *         CW_BEGIN(self);
 *         for (self->i = 0; self->i < 3; self->i++) {
 *             CW_DELAY(self, 1000);
 *             puts(self->arg);
 *         }
 *         CW_RETURN(self, self->i);
 *         CW_END(self);
 *     }
 *
 * Rules. What must survive a suspension lives in `self`: a plain local is lost
 * there (compilers warn of its use as uninitialized). No suspension inside a
 * `switch` of your own, and one suspension per source line. A body that breaks
 * the first rule of these two aborts with the coroutine's name.
 *
 * The argument is copied on launch, the result on await. `locals` start zeroed.
 * CW_DECLARE_COROUTINE goes in a header and CW_DEFINE_COROUTINE in one source
 * file if a coroutine is used from several. */
#define CW_COROUTINE(NAME, ARG, RESULT, ...)                                   \
    CW__COROUTINE(CW__ANY, NAME, ARG, RESULT, __VA_ARGS__)
#define CW_DECLARE_COROUTINE(NAME, ARG, RESULT, ...)                           \
    CW__DECLARE_COROUTINE(CW__ANY, NAME, ARG, RESULT, __VA_ARGS__)
#define CW_DEFINE_COROUTINE(NAME, ARG, RESULT)                                 \
    CW__BODY(CW__ANY, , NAME, ARG, RESULT)

/* The same for one that runs only on the main thread (ROLE is MAIN), or only on
 * others (WORKER). */
#define CW_COROUTINE_ON(ROLE, NAME, ARG, RESULT, ...)                          \
    CW__COROUTINE(CW__##ROLE, NAME, ARG, RESULT, __VA_ARGS__)
#define CW_DECLARE_COROUTINE_ON(ROLE, NAME, ARG, RESULT, ...)                  \
    CW__DECLARE_COROUTINE(CW__##ROLE, NAME, ARG, RESULT, __VA_ARGS__)
#define CW_DEFINE_COROUTINE_ON(ROLE, NAME, ARG, RESULT)                        \
    CW__BODY(CW__##ROLE, , NAME, ARG, RESULT)

/* CW_FUNCTION(name, ARGUMENT, RESULT) { body }
 *
 * Defines a plain, blocking function that runs to its end on a worker. The
 * body sees `ARGUMENT const *arg` and `RESULT *result` and returns 0 or a
 * negative code; cw_fail() gives the code a message. A long one asks
 * cw_is_stopped() now and then and returns CW_ECANCELED. */
#define CW_FUNCTION(NAME, ARG, RESULT) CW__FUNCTION(CW__ANY, NAME, ARG, RESULT)
#define CW_FUNCTION_ON(ROLE, NAME, ARG, RESULT)                                \
    CW__FUNCTION(CW__##ROLE, NAME, ARG, RESULT)
#define CW__FUNCTION(ROLE, NAME, ARG, RESULT)                                  \
    CW__FRAME(NAME, ARG, RESULT, CW_NO_LOCALS)                                 \
    static const cw_coroutine NAME;                                            \
    CW__TYPED(ROLE, NAME, ARG, RESULT)                                         \
    ROLE##_CALLS static int NAME##__body(ARG const *arg, RESULT *result);      \
    CW__UNUSED static cw_step NAME##__step(cw_frame *frame)                    \
    {                                                                          \
        struct NAME *self = (struct NAME *)(void *)frame;                      \
        ROLE##_ENTER(frame);                                                   \
        return cw__function_done(frame,                                        \
                                 NAME##__body(&self->arg, &self->result));     \
    }                                                                          \
    CW__DESCRIPTOR(static, NAME, ARG, RESULT)                                  \
    static int NAME##__body(CW__UNUSED ARG const *arg,                         \
                            CW__UNUSED RESULT *result)

/* CW_EXPORT(name): lets JavaScript start the coroutine or function by name. */
#define CW_EXPORT(NAME)                                                        \
    CW__KEEP const cw_coroutine *cw_export_##NAME(void);                       \
    CW__KEEP const cw_coroutine *cw_export_##NAME(void) { return &NAME; }

/* Starting. `context` NULL means the calling job's or worker's, and elsewhere
 * cw_default_context(). Called inside a job, these make a child of that job;
 * elsewhere the new job has no parent. Returns an owned handle; NULL with
 * cw_last_error() = CW_ENOMEM, that of cw_default_context(), or what an
 * executor says. On a closed context the job is returned cancelled.
 *
 * cw_launch: a failure that no parent takes goes to the unhandled handler.
 * cw_async: the same, but the failure waits for whoever awaits the job.
 * cw_spawn: cw_launch without a handle; returns 0 or the error code. */
#define cw_launch(context, NAME, ...)                                          \
    NAME##__start(context, CW__START_HANDLE, __VA_ARGS__)
#define cw_async(context, NAME, ...)                                           \
    NAME##__start(context, CW__START_HANDLE | CW__START_ASYNC, __VA_ARGS__)
#define cw_spawn(context, NAME, ...) NAME##__spawn(context, __VA_ARGS__)

/* cw_launch() in cw_main_context(); CW_ENOTSUP without a main thread. */
#define cw_launch_on_main(NAME, ...) NAME##__start_on_main(__VA_ARGS__)

/* How a job begins. */
typedef enum cw_start {
    CW_START_DEFAULT,     /* queued; not at all if it is cancelled before */
    CW_START_LAZY,        /* see cw_job_start() */
    CW_START_ATOMIC,      /* queued; if it is cancelled before, its body runs up
                             to where it first waits */
    CW_START_UNDISPATCHED /* in place: its body runs up to where it first waits
                             within this call, cancelled or not. Only on
                             workers: elsewhere it is refused with CW_ENOTSUP.
                           */
} cw_start;

/* The same with a way to begin, and with elements (NULL: none) that go before
 * the caller's. A job among the elements is the new job's parent instead of the
 * caller. Errors as above, and CW_ENOTSUP. */
#define cw_launch_with(elements, start, NAME, ...)                             \
    NAME##__launch(elements, start, CW__START_HANDLE, __VA_ARGS__)
#define cw_async_with(elements, start, NAME, ...)                              \
    NAME##__launch(elements, start, CW__START_HANDLE | CW__START_ASYNC,        \
                   __VA_ARGS__)

/* CW_DEFERRED(NAME, TYPE) defines a kind of job without a body that ends with a
 * value of TYPE, to be awaited as the coroutine NAME. cw_deferred_new(NAME,
 * parent) makes one (owned; NULL with CW_ENOMEM); it fails, is cancelled and
 * waits for its children as a cw_job_new() does. cw_deferred_complete(NAME,
 * job, value) returns as cw_job_complete() does, and CW_ETYPE for a job of
 * another kind. */
#define CW_DEFERRED(NAME, TYPE)                                                \
    CW__FRAME(NAME, cw_none, TYPE, CW_NO_LOCALS)                               \
    static const cw_coroutine NAME;                                            \
    CW__TYPED(CW__ANY, NAME, cw_none, TYPE)                                    \
    CW__UNUSED static inline cw_job *NAME##__deferred(cw_job *parent)          \
    {                                                                          \
        return cw__deferred_new(&NAME, parent);                                \
    }                                                                          \
    CW__UNUSED static inline int NAME##__complete(cw_job *job, TYPE value)     \
    {                                                                          \
        return cw__deferred_complete(job, &NAME, &value);                      \
    }                                                                          \
    CW__UNUSED static cw_step NAME##__step(cw_frame *frame)                    \
    {                                                                          \
        (void)frame;                                                           \
        return CW_STEP_DONE;                                                   \
    }                                                                          \
    CW__DESCRIPTOR(static, NAME, cw_none, TYPE)
#define cw_deferred_new(NAME, parent)          NAME##__deferred(parent)
#define cw_deferred_complete(NAME, job, value) NAME##__complete(job, value)

/* Copies the result of a completed job of coroutine NAME. Returns 0; the code
 * of the error it ended with; CW_EBUSY if it has not completed; CW_ETYPE if
 * it belongs to another coroutine. */
#define cw_result(NAME, job, out) NAME##__result(job, out)

/* Runs coroutine NAME to its end on the calling thread, which serves as the
 * only worker of a private event loop meanwhile; nested calls on one thread
 * share the loop. It is a child of the calling job, if any, but its failure is
 * only returned here. `out` gets the result; `error`, unless NULL, an owned
 * error. Returns 0 or the error's code; CW_EDEADLK at once on a browser's main
 * thread; CW_ENOMEM. */
#define cw_run_blocking(NAME, arg, out, error)                                 \
    NAME##__run_blocking(arg, out, error)

/* --- inside a body -------------------------------------------------------
 * All take `self` first. Where one waits, the coroutine gives its worker free.
 * "Raises" means: the body goes on at the innermost CW_CATCH, else at
 * CW_FINALLY, else it ends, with that error. Every waiting call raises
 * CW_ECANCELED if the job is cancelled before or while it waits. */

#define CW_BEGIN(self)                                                         \
cw__again:                                                                     \
    CW__UNUSED;                                                                \
    switch ((self)->frame.at) {                                                \
    case 0:

/* Ends the body. The result is zeroed unless CW_RETURN set it. */
#define CW_END(self)                                                           \
    CW__FALLTHROUGH;                                                           \
case CW__AT_END:                                                               \
    break;                                                                     \
default:                                                                       \
    if (cw__lost(&(self)->frame)) goto cw__again;                              \
    }                                                                          \
    return cw__leave(&(self)->frame)

/* What follows, up to CW_END, runs however the body ends: by its last line, by
 * CW_RETURN, by an error or by cancellation. An error goes on afterwards,
 * unless another one is raised in there. Waiting in there raises CW_ECANCELED
 * at once if the job is cancelled. */
#define CW_FINALLY(self)                                                       \
    CW__FALLTHROUGH;                                                           \
case CW__AT_FINALLY:                                                           \
    cw__finally(&(self)->frame)

/* Ends the body with a value (by way of CW_FINALLY). */
#define CW_RETURN(self, value)                                                 \
    do {                                                                       \
        (self)->result = (value);                                              \
        cw__return(&(self)->frame);                                            \
        goto cw__again;                                                        \
    } while (0)

/* Raises an error. CW_RAISE takes over one owned reference to `error_`. */
#define CW_RAISE(self, error_)                                                 \
    do {                                                                       \
        cw__raise(&(self)->frame, (error_));                                   \
        goto cw__again;                                                        \
    } while (0)
#define CW_FAIL(self, code, message)                                           \
    CW_RAISE(self, cw_error_new((code), (message), NULL))

/* CW_TRY(self, 1); ... CW_CATCH(self, 1) { ... }
 * An error raised between the two runs the block, with the error in
 * cw_caught(self) (borrowed until the next raise); without one the block is
 * passed over. The number tells apart several in one body (1..1000). They may
 * be nested, three deep. */
#define CW_TRY(self, id)                                                       \
    ((void)sizeof(char[(id) >= 1 && (id) <= 1000 ? 1 : -1]),                   \
     cw__try(&(self)->frame, (id)))
#define CW_CATCH(self, id)                                                     \
    cw__end_try(&(self)->frame, (id));                                         \
    if (0) case -(id):                                                         \
        if (cw__catch(&(self)->frame))
#define cw_caught(self) ((self)->frame.error)

/* Waits `ms` milliseconds; returns at once, without a look at cancellation,
 * for ms <= 0. INT64_MAX waits for ever. */
#define CW_DELAY(self, ms)                                                     \
    CW__SUSPEND(self, cw__delay(&(self)->frame, (ms)),                         \
                cw__delayed(&(self)->frame))

/* Lets every other coroutine that is ready on this worker go first. */
#define CW_YIELD(self)                                                         \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        return CW_STEP_YIELDED;                                                \
    case __LINE__:                                                             \
        CW__CHECK(self, cw__ensure_active(&(self)->frame));                    \
    } while (0)

/* Raises CW_ECANCELED if the job is cancelled; never waits. */
#define CW_ENSURE_ACTIVE(self)                                                 \
    CW__CHECK(self, cw__ensure_active(&(self)->frame))

/* Waits until the job has ended; does not raise its error. */
#define CW_JOIN(self, job_)                                                    \
    CW__SUSPEND(self, cw__join(&(self)->frame, (job_)),                        \
                cw__joined(&(self)->frame))
#define CW_CANCEL_AND_JOIN(self, job_)                                         \
    CW__SUSPEND(self, cw__cancel_and_join(&(self)->frame, (job_)),             \
                cw__joined(&(self)->frame))
/* Waits for `count` jobs, one after another. The array is borrowed until the
 * call is over. */
#define CW_JOIN_ALL(self, jobs, count)                                         \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        if (cw__join_all(&(self)->frame, (jobs), (count)) == CW__PENDING)      \
            return CW_STEP_SUSPENDED;                                          \
        CW__CHECK(self, cw__joined(&(self)->frame));                           \
    } while (0)

/* Waits for a job of coroutine NAME and copies its result to `out`, which is
 * a RESULT *; raises the job's own error if it failed. */
#define CW_AWAIT(self, NAME, job_, out)                                        \
    CW__SUSPEND(self, cw__await(&(self)->frame, (job_)),                       \
                NAME##__awaited(&(self)->frame, (job_), (out)))
/* Waits for all of `count` jobs and copies their results to `outs[]`, or
 * raises the error of the first one that fails, without waiting for the
 * others. The arrays are borrowed until the call is over. */
#define CW_AWAIT_ALL(self, NAME, jobs, count, outs)                            \
    CW__SUSPEND(self, cw__await_all(&(self)->frame, (jobs), (count)),          \
                NAME##__awaited_all(&(self)->frame, (jobs), (count), (outs)))

/* Calls another coroutine as a part of this one: same job, no new one. `arg`
 * is copied, `out` gets the result; raises what the callee raised. */
#define CW_CALL(self, NAME, arg_, out)                                         \
    CW__CALL(self, NAME##__call(&(self)->frame, 0, arg_), NAME, out)
/* The same inside a scope of its own: jobs that the callee launches are
 * children of that scope. Goes on when the callee and all of them have ended;
 * the first failure cancels the others and is raised here. */
#define CW_SCOPE(self, NAME, arg_, out)                                        \
    CW__CALL(self, NAME##__call(&(self)->frame, 1, arg_), NAME, out)

/* The same, but the jobs in it fail alone: a child's failure does not cancel
 * the others and is not raised here, but goes to the handler for failures that
 * have no owner. A failure of the callee itself cancels them all. */
#define CW_SUPERVISOR_SCOPE(self, NAME, arg_, out)                             \
    CW__CALL(self, NAME##__call(&(self)->frame, 2, arg_), NAME, out)
/* The same as CW_SCOPE, but cancelling this job does not reach into it: for
 * clean-up that has to wait. */
#define CW_NON_CANCELLABLE(self, NAME, arg_, out)                              \
    CW__CALL(self, NAME##__call(&(self)->frame, 3, arg_), NAME, out)
/* The same as CW_SCOPE with a time limit in milliseconds, which cancels the
 * scope. Then, and at once for ms <= 0, raises a CW_ECANCELED error whose cause
 * has the code CW_ETIMEDOUT. A callee that never waited is not interrupted, and
 * its result counts however long it took. */
#define CW_WITH_TIMEOUT(self, ms, NAME, arg_, out)                             \
    CW__CALL(self, NAME##__call_limited(&(self)->frame, (ms), arg_), NAME, out)
/* The same, but instead of raising sets *in_time (a bool *) to whether the
 * callee was in time. Other time limits than this one raise. */
#define CW_WITH_TIMEOUT_OR_NULL(self, ms, NAME, arg_, out, in_time)            \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if (NAME##__call_limited(&(self)->frame, (ms), arg_) == CW__PENDING)   \
            return CW_STEP_CALLED;                                             \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self,                                                        \
                  NAME##__returned_in_time(&(self)->frame, (out), (in_time))); \
    } while (0)
/* Calls another coroutine with other elements, and goes on with the present
 * ones: the callee runs in a scope of its own, on the elements' context if
 * there is one. Raises CW_ECANCELED without calling if the job is cancelled.
 * After a change of contexts a result is dropped if the job was cancelled
 * meanwhile. A job among the elements takes the scope over: cancelling that one
 * cancels the scope, and cancelling this job does not. The elements are
 * retained. */
#define CW_WITH_ELEMENTS(self, elements, NAME, arg_, out)                      \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if (NAME##__call_with(&(self)->frame, (elements), arg_) ==             \
            CW__PENDING)                                                       \
            return cw__called(&(self)->frame);                                 \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, NAME##__returned(&(self)->frame, (out)));              \
    } while (0)

/* Waits until the job is cancelled, and raises that. */
#define CW_AWAIT_CANCELLATION(self) CW_DELAY(self, INT64_MAX)

/* CW_SUSPEND_WITH(self, begin, arg, out)
 *
 * Turns an interface of callbacks into a waiting call. Calls `begin` with a
 * continuation and `arg`, and waits until somebody resumes it, from whatever
 * thread, perhaps within `begin` already. The value is copied to `out`, a
 * pointer to memory that lives until then, such as a field of `self`. Raises
 * the error that it was resumed with, CW_ECANCELED, or CW_ENOMEM, when `begin`
 * is not called. If the job is cancelled already, `begin` is called all the
 * same, with a continuation that is not active.
 *
 * `begin` owns one reference, to be given back with cw_continuation_release()
 * by whoever is the last to use it. */
#define CW_SUSPEND_WITH(self, begin, arg, out)                                 \
    CW__SUSPEND(                                                               \
        self, cw__suspend_with(&(self)->frame, (begin), (arg), sizeof *(out)), \
        cw__suspended(&(self)->frame, (out)))

typedef struct cw_continuation cw_continuation;
typedef void cw_begin_fn(cw_continuation *continuation, void *arg);
/* Takes a value back that did not reach the body; `value` is borrowed. */
typedef void cw_undelivered_fn(void *arg, void *value);

cw_continuation *cw_continuation_retain(cw_continuation *continuation);
void cw_continuation_release(cw_continuation *continuation); /* NULL allowed */

/* Resumes with a value, of which `value` points to as many bytes as `out` has
 * (NULL: zeros). Returns CW_OK, also if the body was cancelled before: then it
 * has no effect. CW_ESTATE if it was resumed before. Never waits.
 * With cw_resume_with(), `undelivered` gets the value if it does not reach the
 * body, because that is cancelled before, or before it goes on. */
int cw_resume(cw_continuation *continuation, const void *value);
int cw_resume_with(cw_continuation *continuation, const void *value,
                   cw_undelivered_fn *undelivered, void *arg);
/* The same with an error (the continuation takes its own reference), which is
 * raised even if the body is cancelled meanwhile. CW_EINVAL for NULL. */
int cw_resume_error(cw_continuation *continuation, cw_error *error);

/* Calls `call` with the cancellation if the body is cancelled before it goes
 * on: once, on the thread that cancels, or, if it was resumed before, on the
 * worker when the body would go on. At once if that has happened. Must not
 * block. Returns CW_OK; CW_ESTATE for a second one, or if the body went on. */
int cw_on_cancel(cw_continuation *continuation, cw_completion_fn *call,
                 void *arg);
/* True until it is resumed or cancelled. */
bool cw_continuation_is_active(cw_continuation *continuation);

/* ------------------------------------------------------ blocking functions */

/* True if the calling job is cancelled: a long computation asks it now and
 * then. False outside of a job. Cheap: one load. */
bool cw_is_stopped(void);

/* Gives the calling function's failure a message: `return cw_fail(code,
 * "why")`. Returns `code`. `message` is copied. */
int cw_fail(int code, const char *message);

/* ---------------------------------------------------------------- channels */

/* A channel takes elements of one type from those who send to those who
 * receive, first in, first out; each element goes to one receiver, and those
 * who wait are served in the order in which they came. Reference-counted:
 * whoever uses a channel holds a reference for as long as the call takes.
 *
 * A channel that is *closed* takes no more elements; what it holds, and what
 * suspended senders offer, can still be received. One that is *cancelled* is
 * closed and loses all of that. It may be closed with a cause: an error that is
 * then raised, the same object, by those who send and by those who receive
 * after the last element. Without a cause they get CW_ESENDCLOSED and
 * CW_ERECVCLOSED. */
typedef struct cw_channel cw_channel;

/* Capacities: how many elements a channel holds for receivers to come. Any
 * number >= 0, or one of these. */
enum {
    CW_RENDEZVOUS = 0,        /* none: sender and receiver meet */
    CW_CONFLATED = -1,        /* one: a new element replaces the one in it */
    CW_BUFFERED = -2,         /* 64; 1 if elements may be dropped */
    CW_UNLIMITED = 0x7fffffff /* as many as memory allows */
};

/* What becomes of an element for which there is no room. A channel that drops
 * some holds at least one. */
typedef enum cw_overflow {
    CW_OVERFLOW_SUSPEND,     /* its sender waits */
    CW_OVERFLOW_DROP_OLDEST, /* the oldest one makes room for it */
    CW_OVERFLOW_DROP_LATEST  /* it is dropped */
} cw_overflow;

/* CW_CHANNEL_TYPE(NAME, TYPE): defines channels of TYPE. With ints for NAME and
 * int for TYPE:
 *
 *     ints                 a channel: a struct with one field, `channel`, which
 *                          the functions take that know nothing of types
 *     ints_undelivered     cw_error *(int *element, void *arg): gets elements
 *                          that were sent and that nobody will receive, so that
 *                          it can free what they own: dropped for want of room;
 *                          sent to a closed channel; their sender, or their
 *                          receiver, cancelled while it waited; in a channel
 *                          that is cancelled. Not what a try function refuses.
 *                          Called once for each, on the thread where that
 *                          happens, never under a lock. Returns NULL, or an
 *                          owned error, which the call that lost the element
 *                          raises as cause of CW_EUNDELIVERED; where
 *                          cancellation is raised, that goes to the job's
 *                          handler of failures, else to the unhandled handler.
 *     ints_new(capacity)   makes one; an owned reference. `channel` is NULL,
 *                          with cw_last_error() = CW_EINVAL (capacity < -2, or
 *                          an overflow with CW_CONFLATED) or CW_ENOMEM, if it
 *                          fails
 *     ints_new_with(capacity, overflow, undelivered, arg)
 *                          the same with all choices; `undelivered` may be NULL
 *     ints_try_send(ints, int)
 *                          sends if that needs no waiting. Returns CW_OK;
 *                          CW_EAGAIN; CW_ESENDCLOSED (cw_channel_cause() tells
 *                          why); CW_ENOMEM; CW_EUNDELIVERED: it was sent, but
 *                          the hook failed for the one it replaced
 *     ints_try_receive(ints, int *out)
 *                          CW_OK, CW_EAGAIN or CW_ERECVCLOSED
 *
 * and what the macros below need. The try functions can be called from every
 * thread, those of no context included. An element is copied as memcpy() does;
 * it may have up to CW_MAX_ELEMENT bytes. */
#define CW_CHANNEL_TYPE(NAME, TYPE) CW__CHANNEL_TYPE(NAME, TYPE)
#define CW_MAX_ELEMENT              65536

cw_channel *cw_channel_retain(cw_channel *channel);
void cw_channel_release(cw_channel *channel); /* NULL is allowed */

/* Closes the channel: receivers that wait go on, senders that wait stay.
 * `cause` may be NULL; the channel takes its own reference. Returns true for
 * the call that closed it. Then the close handler, if any, has run; if that
 * failed, its error is in `*failure`, owned, which is else NULL; without
 * `failure` it goes to the unhandled handler. Never blocks. */
bool cw_channel_close(cw_channel *channel, cw_error *cause, cw_error **failure);

/* Closes the channel, unless it is closed, and drops all that it holds; who
 * waits to send or to receive goes on with the error that it was closed with.
 * That is `cause` if it is one of cancellation, else a CW_ECANCELED around it.
 * Cancels the channel's producer, too. `*failure` gets CW_EUNDELIVERED, or the
 * close handler's error, as above; what further elements and the handler fail
 * with is suppressed by the first of these. Never blocks. */
void cw_channel_cancel(cw_channel *channel, cw_error *cause,
                       cw_error **failure);

/* What it was closed with: borrowed from the channel; NULL if it is open or was
 * closed without a cause. */
cw_error *cw_channel_cause(cw_channel *channel);

bool cw_channel_is_closed_for_send(cw_channel *channel);
bool cw_channel_is_closed_for_receive(cw_channel *channel); /* and empty */
bool cw_channel_is_empty(cw_channel *channel); /* a receiver would wait */

/* Called once the channel is closed, with the cause (borrowed, or NULL), on the
 * thread that closes it, or at once if it is closed already. Returns NULL or an
 * owned error. */
typedef cw_error *cw_close_fn(cw_error *cause, void *arg);
/* Sets the close handler. `failure` as for cw_channel_close(), for a handler
 * that is called at once. Returns CW_OK; CW_ESTATE if it has one, or a producer
 * that waits in CW_AWAIT_CLOSE, or had one. */
int cw_channel_on_close(cw_channel *channel, cw_close_fn *handler, void *arg,
                        cw_error **failure);

/* In a body. NAME is the one of CW_CHANNEL_TYPE, `channel_` a NAME. Those that
 * need not wait do not look at cancellation. A body that is cancelled before it
 * goes on raises CW_ECANCELED, even if it was handed an element meanwhile or
 * its element was received. */

/* Sends a TYPE, waiting for room. Raises the cause or CW_ESENDCLOSED;
 * CW_ENOMEM; CW_EUNDELIVERED. Whatever it raises, the element has been received
 * or was given to the hook: it is not the caller's any more. */
#define CW_SEND(self, NAME, channel_, value)                                   \
    CW__SUSPEND(self, NAME##__send(&(self)->frame, (channel_), (value)),       \
                cw__sent(&(self)->frame))

/* Receives into `out`, a TYPE * to memory that lives until then, such as a
 * field of `self`. Raises the cause or CW_ERECVCLOSED. */
#define CW_RECEIVE(self, NAME, channel_, out)                                  \
    CW__SUSPEND(self, NAME##__receive(&(self)->frame, (channel_), (out)),      \
                cw__received(&(self)->frame))

/* The same, but a closed channel raises nothing: `*status` (an int, evaluated
 * afterwards) is CW_OK or CW_ERECVCLOSED. */
#define CW_RECEIVE_CATCHING(self, NAME, channel_, out, status)                 \
    CW__SUSPEND(self,                                                          \
                NAME##__receive_catching(&(self)->frame, (channel_), (out)),   \
                cw__received_catching(&(self)->frame, (status)))

/* CW_RECEIVE_EACH(self, NAME, channel, out) { body }
 * A loop over all elements, up to the end of a channel that is closed without a
 * cause; a cause is raised. `break` and `continue` work as usual. Does not
 * cancel the channel: let CW_FINALLY do it if nobody else receives. */
#define CW_RECEIVE_EACH(self, NAME, channel_, out)                             \
    for (;;)                                                                   \
        if ((self)->frame.at = __LINE__,                                       \
            NAME##__receive_each(&(self)->frame, (channel_), (out)) ==         \
                CW__PENDING) {                                                 \
            return CW_STEP_SUSPENDED;                                          \
        case __LINE__:                                                         \
            continue;                                                          \
        } else if (cw__each_raised(&(self)->frame)) {                          \
            cw__unwind(&(self)->frame);                                        \
            goto cw__again;                                                    \
        } else if (cw__each_is_over(&(self)->frame)) {                         \
            break;                                                             \
        } else

/* Calls `consumer` (an ints_consumer: int (int element, void *arg)) with each
 * element, up to the end, and cancels the channel however that comes about.
 * `consumer` returns 0 to go on, 1 to stop, or a negative code to fail with. It
 * must not wait. While elements are ready there is no look at cancellation. */
#define CW_CONSUME_EACH(self, NAME, channel_, consumer, arg_)                  \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if (NAME##__consume(&(self)->frame, (channel_), (consumer), (arg_)) == \
            CW__PENDING)                                                       \
            return CW_STEP_CALLED;                                             \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, cw__consumed(&(self)->frame));                         \
    } while (0)

/* An iterator asks whether there is another element before it takes it:
 *
 *     self->it = ints_iterate(channel);              an ints_iterator
 *     for (;;) {
 *         CW_HAS_NEXT(self, ints, &self->it, &self->more);
 *         if (!self->more) break;
 *         ints_next(&self->it, &element);
 *     }
 *
 * CW_HAS_NEXT waits for an element; `*more` (a bool) is false at the end.
 * Raises the cause of a closed channel. Asking again before ints_next() changes
 * nothing. ints_next() returns CW_OK; after the end once CW_ERECVCLOSED, or the
 * code of the cause; CW_ESTATE without a CW_HAS_NEXT before it. The iterator,
 * which is a struct, lives in the frame. */
#define CW_HAS_NEXT(self, NAME, iterator, more)                                \
    CW__SUSPEND(self, NAME##__has_next(&(self)->frame, (iterator)),            \
                NAME##__has_nexted(&(self)->frame, (iterator), (more)))

/* A producer is a coroutine that fills a channel, which is closed when the
 * coroutine and all its children have ended: with its error as cause, if it
 * ended with one, else without. Cancelling the channel cancels it.
 *
 * cw_produce(context, COROUTINE, channel, argument) starts one as cw_async()
 * does. `channel` is a cw_channel * and evaluated twice; the coroutine gets it
 * by way of its argument, and the library keeps a reference of its own.
 * Returns an owned handle; NULL with cw_last_error() = CW_ESTATE if the channel
 * has, or had, a producer, else as cw_async(). A failure belongs to the
 * channel; it is reported as unhandled only if the channel was closed before
 * and nobody above takes it. */
#define cw_produce(context, NAME, channel, ...)                                \
    (cw__produce_begin(channel)                                                \
         ? cw__produce_end((channel), cw_async((context), NAME, __VA_ARGS__))  \
         : NULL)

/* Waits until the channel is closed or cancelled. Only in the body of its
 * producer, only once, and not with a close handler: else raises CW_ESTATE. */
#define CW_AWAIT_CLOSE(self, channel)                                          \
    CW__SUSPEND(self, cw__await_close(&(self)->frame, (channel)),              \
                cw__awaited_close(&(self)->frame))

/* A broadcast gives the latest element to everybody: each subscriber has a
 * conflated channel of its own, which has the latest one from the start, and
 * one that is slow misses what came between. Sending never waits.
 * Reference-counted. CW_BROADCAST_TYPE(BNAME, NAME, TYPE) defines, for a
 * NAME and TYPE given to CW_CHANNEL_TYPE, a struct BNAME with the field
 * `broadcast`, and
 *
 *     BNAME_new()              an owned one; `broadcast` is NULL without memory
 *     BNAME_send(b, value)     CW_OK; CW_ESENDCLOSED; CW_ENOMEM
 *     BNAME_value(b, &value)   the latest one: CW_OK; CW_ESTATE before the
 *                              first, and once it is closed
 *     BNAME_subscribe(b)       an owned NAME, whose `channel` is NULL without
 *                              memory. To unsubscribe, cancel it; until then
 *                              the broadcast keeps it, too. Of a closed
 *                              broadcast it is closed.
 *
 * The last reference to go closes the broadcast. */
#define CW_BROADCAST_TYPE(BNAME, NAME, TYPE)                                   \
    CW__BROADCAST_TYPE(BNAME, NAME, TYPE)
typedef struct cw_broadcast cw_broadcast;
cw_broadcast *cw_broadcast_retain(cw_broadcast *broadcast);
void cw_broadcast_release(cw_broadcast *broadcast); /* NULL is allowed */
/* Closes it and, with the same cause, all subscribers' channels, where what is
 * in them can still be received. True for the call that closed it. */
bool cw_broadcast_close(cw_broadcast *broadcast, cw_error *cause);
/* Closes it and cancels the channels of all who are subscribed. */
void cw_broadcast_cancel(cw_broadcast *broadcast, cw_error *cause);
bool cw_broadcast_is_closed(cw_broadcast *broadcast);

/* ------------------------------------------------- mutexes and semaphores */

/* A mutex is held by one at a time, a semaphore gives out a number of permits.
 * Who has to wait is served in order of arrival: what is given back goes
 * straight to the first one that waits, who is dispatched while the caller goes
 * on. What is handed to a body that is cancelled before it goes on is given
 * back again, and the body raises CW_ECANCELED. Reference-counted; whoever uses
 * one holds a reference. */
typedef struct cw_mutex cw_mutex;
typedef struct cw_semaphore cw_semaphore;

/* An owned mutex, held by nobody, or already locked without an owner. NULL
 * without memory. */
cw_mutex *cw_mutex_new(bool locked);
cw_mutex *cw_mutex_retain(cw_mutex *mutex);
void cw_mutex_release(cw_mutex *mutex); /* the reference; NULL is allowed */

/* `owner` is any address that stands for whoever locks, or NULL; who locks with
 * one has to unlock with the same. Not reentrant: locking once more with the
 * owner that holds it is CW_ESTATE; without an owner it waits for ever.
 *
 * CW_LOCK waits for the mutex; raises CW_ESTATE.
 * cw_try_lock: CW_OK, CW_EAGAIN (it is locked), CW_ESTATE.
 * cw_unlock: CW_OK, CW_ESTATE (it is not locked), CW_EOWNER (not by this one):
 * then nothing has changed. */
#define CW_LOCK(self, mutex, owner)                                            \
    CW__SUSPEND(self, cw__lock_mutex(&(self)->frame, (mutex), (owner)),        \
                cw__entered(&(self)->frame))
int cw_try_lock(cw_mutex *mutex, const void *owner);
int cw_unlock(cw_mutex *mutex, const void *owner);
bool cw_mutex_is_locked(cw_mutex *mutex);
bool cw_mutex_is_held_by(cw_mutex *mutex, const void *owner);

/* An owned semaphore of `permits` permits, of which `taken` are given out.
 * NULL with cw_last_error() = CW_EINVAL (permits < 1, taken < 0 or > permits)
 * or CW_ENOMEM. */
cw_semaphore *cw_semaphore_new(int permits, int taken);
cw_semaphore *cw_semaphore_retain(cw_semaphore *semaphore);
void cw_semaphore_release(cw_semaphore *semaphore); /* NULL is allowed */

/* CW_ACQUIRE waits for a permit. cw_try_acquire: CW_OK or CW_EAGAIN.
 * cw_give_back: CW_OK, or CW_ESTATE if all permits are there already. */
#define CW_ACQUIRE(self, semaphore)                                            \
    CW__SUSPEND(self, cw__acquire(&(self)->frame, (semaphore)),                \
                cw__entered(&(self)->frame))
int cw_try_acquire(cw_semaphore *semaphore);
int cw_give_back(cw_semaphore *semaphore);
int cw_semaphore_available(cw_semaphore *semaphore);

/* ------------------------------------------------------------------ select */

/* Waits for the first of several things. The clauses are structs in an array,
 * filled by functions:
 *
 *     cw_clause clauses[2];                              in the frame
 *     ...
 *     self->clauses[0] = ints_on_receive(channel, &self->element);
 *     self->clauses[1] = cw_on_timeout(100);
 *     CW_SELECT(self, self->clauses, 2, &self->which);   an int
 *
 * Exactly one clause takes effect, the others have none. If several are ready,
 * CW_SELECT takes any of these with the same chance, CW_SELECT_BIASED the first
 * one. Then, or when it goes on after waiting, `*which` (evaluated afterwards)
 * is the clause's index.
 *
 * Raises what the clause that takes effect would raise on its own, with its
 * index in `*which`; CW_ECANCELED if the job is cancelled while it waits: then
 * the elements of all clauses that send go to the channels' hooks, unless one
 * was received; CW_EINVAL for no clause or more than CW_MAX_CLAUSES; CW_ESTATE
 * if two clauses are about the same channel, mutex or job, of which nothing has
 * changed then; CW_ENOMEM.
 *
 * The array and what the clauses point to are borrowed until the call is over.
 */
#define CW_MAX_CLAUSES 64
#define CW_SELECT(self, clauses, count, which)                                 \
    CW__SELECT(self, clauses, count, which, 1)
#define CW_SELECT_BIASED(self, clauses, count, which)                          \
    CW__SELECT(self, clauses, count, which, 0)

typedef struct cw_clause {
    int kind;   /* the rest belongs to the library */
    int status; /* afterwards; see below */
    void *object;
    void *value;
    const cw_coroutine *type;
    int64_t ms;
} cw_clause;

/* The job has ended, in whatever way. */
static inline cw_clause cw_on_join(cw_job *job);
/* The time is over; at once for ms <= 0. */
static inline cw_clause cw_on_timeout(int64_t ms);
/* The mutex is locked, for `owner`. */
static inline cw_clause cw_on_lock(cw_mutex *mutex, const void *owner);
/* A job of coroutine NAME has ended: its result is in `*out`, or its error is
 * raised. */
#define cw_on_await(NAME, job, out)                                            \
    ((void)sizeof(NAME##__result((job), (out))),                               \
     cw__clause(CW__ON_AWAIT, (job), (out), &NAME, 0))
/* NAME_on_send(channel, TYPE *value): the value is sent. It is read, and what
 * is there afterwards is unspecified, unless `status` of the clause is
 * CW_EAGAIN: then it is still the caller's, neither sent nor given to the hook.
 * NAME_on_receive(channel, TYPE *out): an element is in `*out`.
 * NAME_on_receive_catching(channel, TYPE *out): the same, or the channel is
 * closed: `status` of the clause tells. */

/* ---------------------------------------------------------------- counters */

/* Counters of one context since its start, of a view those of the context that
 * it is a view of; a snapshot that need not be consistent between fields while
 * workers run. A job is counted as ended only
 * after those who wait for it have been told, since the count lets a closed
 * context end: they may read one less. After cw_context_join() all are exact.
 */
typedef struct cw_stats {
    uint64_t launched;  /* jobs started */
    uint64_t completed; /* jobs ended, in whatever way */
    uint64_t failed;    /* of these: with an error of their own */
    uint64_t cancelled; /* of these: cancelled */
    uint64_t steps;     /* times a worker ran a job */
    uint64_t steals;    /* times a worker took work from another one */
    uint64_t stolen;    /* jobs that moved this way */
    uint64_t parks;     /* times a worker went to sleep */
    uint64_t wakes;     /* times somebody woke a sleeping worker */
    uint64_t timers;    /* delays that ran out */
    uint32_t workers;   /* workers that are up */
    uint32_t idle;      /* of these: asleep */
} cw_stats;

void cw_context_stats(const cw_context *context, cw_stats *out);

/* Bytes that the library took from malloc() for contexts, jobs and frames.
 * Those of jobs and frames are reused for later ones and not given back. */
size_t cw_memory_used(void);
/* Bytes that a suspended coroutine takes besides its own frame struct. */
size_t cw_job_overhead(void);

/* --------------------------------------------------------------- debugging */

/* What the library sees to from this call on, 0 (nothing) by default. Best set
 * before the first job is launched: jobs that are there already are not known
 * to CW_DEBUG_JOBS. Launching, suspending and going on take somewhat longer
 * then, and a job some more memory. */
enum {
    CW_DEBUG_JOBS = 1, /* it knows all jobs, and since when each waits */
    CW_DEBUG_DEADLOCKS =
        2 /* it tells when all jobs wait; sets the other, too */
};
typedef void cw_line_fn(void *arg, const char *line);
/* `write` gets the hints that CW_DEBUG_DEADLOCKS leads to, line by line, on the
 * thread that finds out; NULL: they go where the default handler for unhandled
 * failures writes to.
 *
 * A hint comes once after each call of this function, when nothing runs or is
 * queued, no timer is set, no callback is awaited, and either a thread waits
 * for this in cw_run_blocking() or a test, or jobs wait for each other in a
 * circle or for one that nobody has started. It says "may": the library cannot
 * know what threads of the program's own are going to do. */
void cw_debug_set(unsigned options, cw_line_fn *write, void *arg);

/* What a job is. */
typedef enum cw_dump_kind {
    CW_DUMP_LAUNCH,     /* a coroutine or function that was launched ... */
    CW_DUMP_ASYNC,      /* ... or started to be awaited */
    CW_DUMP_SCOPE,      /* a part of the body of another job, `body` */
    CW_DUMP_SUPERVISOR, /* the same, of CW_SUPERVISOR_SCOPE */
    CW_DUMP_BARE,       /* a job without a body */
    CW_DUMP_BARE_SUPERVISOR,
    CW_DUMP_WAIT /* one of the things that a body in JavaScript waits for */
} cw_dump_kind;

typedef enum cw_dump_state {
    CW_DUMP_NEW, /* lazy, and nobody has started it */
    CW_DUMP_ACTIVE,
    CW_DUMP_COMPLETING, /* its body is over, children are not */
    CW_DUMP_CANCELLING
} cw_dump_state;

/* What it does at the moment. */
typedef enum cw_dump_doing {
    CW_DUMP_NOTHING,  /* new, or a job without a body */
    CW_DUMP_READY,    /* queued; without CW_DEBUG_JOBS perhaps running */
    CW_DUMP_RUNNING,  /* of other jobs than the caller's: by CW_DEBUG_JOBS */
    CW_DUMP_IN_SCOPE, /* it is a scope: ask `body` */
    CW_DUMP_OUTSIDE,  /* its body is not of C */
    /* It waits: */
    CW_DUMP_DELAY,
    CW_DUMP_JOIN,     /* for a job, or its result: `waits_for` */
    CW_DUMP_JOIN_ALL, /* for the results of several, `count` of them */
    CW_DUMP_CHILDREN, /* its body is over: for the jobs below */
    CW_DUMP_SEND,     /* at a channel, `object` */
    CW_DUMP_RECEIVE,
    CW_DUMP_CLOSE,
    CW_DUMP_LOCK,    /* for a mutex, `object`; `waits_for`: who holds it, if its
                        owner is a job, or the first part of a coroutine's frame */
    CW_DUMP_ACQUIRE, /* for a semaphore, `object` */
    CW_DUMP_SELECT,  /* for the first of several things, `count` of them */
    CW_DUMP_CALL     /* for somebody to resume its continuation */
} cw_dump_doing;

/* One job. Numbers count the jobs of one dump, from 1 on; 0: none, or one that
 * is not in it. Everything is borrowed for the call that gets it. */
typedef struct cw_dump_entry {
    uint32_t number;
    uint32_t parent; /* its number */
    uint32_t depth;  /* how many are above it in the dump */
    const char *name;
    cw_dump_kind kind;
    cw_dump_state state;
    cw_dump_doing doing;
    uint32_t body;       /* of a scope: the job whose body runs in it */
    uint32_t waits_for;  /* the job that this one waits for */
    const void *object;  /* what it waits at */
    uint32_t count;      /* CHILDREN, JOIN_ALL, SELECT: how many; SEND, RECEIVE:
                            elements in the channel */
    uint32_t capacity;   /* of that channel */
    bool closed;         /* that channel is */
    const char *context; /* its context's name; "": none, or not known */
    uint32_t worker;     /* RUNNING: which of the context's workers runs it,
                            from 1 on; 0: not known */
    int64_t for_ms;      /* how long it has done this; -1: not known */
    const char *at; /* where it waits: the innermost coroutine's name, ... */
    int line;       /* ... and the line in its source; 0: not known */
} cw_dump_entry;
typedef void cw_dump_fn(void *arg, const cw_dump_entry *entry);

/* Tells of a job and all jobs below it, each one before those below; with NULL
 * of all jobs, which takes CW_DEBUG_JOBS. May be called at any time, from any
 * thread, in a body, too; but what it tells of different jobs need not be of
 * the same moment. Returns CW_OK; CW_ENOMEM, then nothing was told; CW_ESTATE:
 * NULL without CW_DEBUG_JOBS. Never blocks. */
int cw_dump_visit(cw_job *root, cw_dump_fn *visit, void *arg);
/* The same as text, a line for each job. */
int cw_dump_job(cw_job *root, cw_line_fn *write, void *arg);
int cw_dump_coroutines(cw_line_fn *write, void *arg); /* all; NULL: as above */

/* ------------------------------------------------- used by the macros only */

#define CW__AT_FINALLY 0x7ffffffe
#define CW__AT_END     0x7fffffff
enum { CW__START_HANDLE = 1, CW__START_ASYNC = 2 };
enum { CW__DONE = 0, CW__PENDING = 1 };

#define CW__FRAME(NAME, ARG, RESULT, ...)                                      \
    struct NAME {                                                              \
        cw_frame frame;                                                        \
        ARG arg;                                                               \
        RESULT result;                                                         \
        __VA_ARGS__                                                            \
    };

/* What the parts of a coroutine of each role ask of who calls them: to be
 * launched, to be launched on the main thread, to be called; and how the
 * compiler gets to know that it has that. */
#define CW__ANY_STARTS
#define CW__ANY_STARTS_ON_MAIN
#define CW__ANY_CALLS
#define CW__ANY_ENTER(frame)
#define CW__MAIN_STARTS CW_ON_MAIN
#define CW__MAIN_STARTS_ON_MAIN
#define CW__MAIN_CALLS        CW_ON_MAIN
#define CW__MAIN_ENTER(frame) cw__enter_main(frame)
#define CW__WORKER_STARTS
#define CW__WORKER_STARTS_ON_MAIN CW__NEEDS(cw__anywhere_but_main)
#define CW__WORKER_CALLS          CW_ON_WORKER
#define CW__WORKER_ENTER(frame)   cw__enter_worker(frame)

void cw__wrong_thread(const cw_frame *frame); /* does not return */
CW__ESTABLISHES(cw__the_main_thread)
CW__UNUSED static inline void cw__enter_main(const cw_frame *frame)
{
    (void)frame;
#ifndef NDEBUG
    if (!cw_is_on_main()) cw__wrong_thread(frame);
#endif
}
CW__ESTABLISHES(cw__a_worker)
CW__UNUSED static inline void cw__enter_worker(const cw_frame *frame)
{
    (void)frame;
#ifndef NDEBUG
    if (cw_is_on_main()) cw__wrong_thread(frame);
#endif
}

#define CW__COROUTINE(ROLE, NAME, ARG, RESULT, ...)                            \
    CW__FRAME(NAME, ARG, RESULT, __VA_ARGS__)                                  \
    static const cw_coroutine NAME;                                            \
    CW__TYPED(ROLE, NAME, ARG, RESULT)                                         \
    CW__BODY(ROLE, static, NAME, ARG, RESULT)
#define CW__DECLARE_COROUTINE(ROLE, NAME, ARG, RESULT, ...)                    \
    CW__FRAME(NAME, ARG, RESULT, __VA_ARGS__)                                  \
    extern const cw_coroutine NAME;                                            \
    CW__TYPED(ROLE, NAME, ARG, RESULT)

#define CW__TYPED(ROLE, NAME, ARG, RESULT)                                     \
    ROLE##_STARTS CW__UNUSED static inline cw_job *NAME##__start(              \
        cw_context *context, unsigned flags, ARG arg)                          \
    {                                                                          \
        return cw__start(context, &NAME, flags, &arg);                         \
    }                                                                          \
    ROLE##_STARTS_ON_MAIN CW__UNUSED static inline cw_job                      \
        *NAME##__start_on_main(ARG arg)                                        \
    {                                                                          \
        return cw__start_on_main(&NAME, &arg);                                 \
    }                                                                          \
    ROLE##_STARTS CW__UNUSED static inline cw_job *NAME##__launch(             \
        const cw_elements *elements, cw_start how, unsigned flags, ARG arg)    \
    {                                                                          \
        return cw__launch_with(elements, how, &NAME, flags, &arg);             \
    }                                                                          \
    ROLE##_CALLS CW__UNUSED static inline int NAME##__call_limited(            \
        cw_frame *frame, int64_t ms, ARG arg)                                  \
    {                                                                          \
        return cw__call_limited(frame, &NAME, ms, &arg);                       \
    }                                                                          \
    CW__UNUSED static inline int NAME##__call_with(                            \
        cw_frame *frame, const cw_elements *elements, ARG arg)                 \
    {                                                                          \
        return cw__call_with(frame, &NAME, elements, &arg);                    \
    }                                                                          \
    CW__UNUSED static inline int NAME##__returned_in_time(                     \
        cw_frame *frame, RESULT *out, bool *in_time)                           \
    {                                                                          \
        return cw__returned_in_time(frame, out, in_time);                      \
    }                                                                          \
    ROLE##_STARTS CW__UNUSED static inline int NAME##__spawn(                  \
        cw_context *context, ARG arg)                                          \
    {                                                                          \
        return cw__spawn(context, &NAME, &arg);                                \
    }                                                                          \
    CW__UNUSED static inline int NAME##__result(const cw_job *job,             \
                                                RESULT *out)                   \
    {                                                                          \
        return cw__result(job, &NAME, out);                                    \
    }                                                                          \
    CW__UNUSED static inline int NAME##__awaited(cw_frame *frame, cw_job *job, \
                                                 RESULT *out)                  \
    {                                                                          \
        return cw__awaited(frame, job, &NAME, out);                            \
    }                                                                          \
    CW__UNUSED static inline int NAME##__awaited_all(                          \
        cw_frame *frame, cw_job *const *jobs, size_t count, RESULT *outs)      \
    {                                                                          \
        return cw__awaited_all(frame, jobs, count, &NAME, outs);               \
    }                                                                          \
    ROLE##_CALLS CW__UNUSED static inline int NAME##__call(                    \
        cw_frame *frame, int scoped, ARG arg)                                  \
    {                                                                          \
        return cw__call(frame, &NAME, scoped, &arg);                           \
    }                                                                          \
    CW__UNUSED static inline int NAME##__returned(cw_frame *frame,             \
                                                  RESULT *out)                 \
    {                                                                          \
        return cw__returned(frame, out);                                       \
    }                                                                          \
    ROLE##_CALLS CW__UNUSED static inline int NAME##__run_blocking(            \
        ARG arg, RESULT *out, cw_error **error)                                \
    {                                                                          \
        return cw__run_blocking(&NAME, &arg, out, error);                      \
    }

#define CW__DESCRIPTOR(LINKAGE, NAME, ARG, RESULT)                             \
    LINKAGE const cw_coroutine NAME = {                                        \
        #NAME,                                                                 \
        NAME##__step,                                                          \
        (uint32_t)sizeof(struct NAME),                                         \
        (uint32_t)offsetof(struct NAME, arg),                                  \
        (uint32_t)sizeof(ARG),                                                 \
        (uint32_t)offsetof(struct NAME, result),                               \
        (uint32_t)sizeof(RESULT),                                              \
        CW_TYPE_CODE(ARG),                                                     \
        CW_TYPE_CODE(RESULT)};

#define CW__BODY(ROLE, LINKAGE, NAME, ARG, RESULT)                             \
    ROLE##_CALLS static cw_step NAME##__body(struct NAME *self);               \
    CW__UNUSED static cw_step NAME##__step(cw_frame *frame)                    \
    {                                                                          \
        ROLE##_ENTER(frame);                                                   \
        return NAME##__body((struct NAME *)(void *)frame);                     \
    }                                                                          \
    CW__DESCRIPTOR(LINKAGE, NAME, ARG, RESULT)                                 \
    static cw_step NAME##__body(struct NAME *self)

/* How JavaScript passes a value of this C type: 'i' 'u' (32-bit), 'l' 'L'
 * (64-bit), 'd', 'f', 'b' (bool), 's' (const char *), 'p' (other pointers, by
 * way of void *), '0' (cw_none) and '*' (a struct: its bytes). */
#define CW_TYPE_CODE(TYPE)                                                     \
    _Generic(*(TYPE *)0,                                                       \
        bool: 'b',                                                             \
        char: 'i',                                                             \
        signed char: 'i',                                                      \
        unsigned char: 'u',                                                    \
        short: 'i',                                                            \
        unsigned short: 'u',                                                   \
        int: 'i',                                                              \
        unsigned: 'u',                                                         \
        long: sizeof(long) == 8 ? 'l' : 'i',                                   \
        unsigned long: sizeof(long) == 8 ? 'L' : 'u',                          \
        long long: 'l',                                                        \
        unsigned long long: 'L',                                               \
        float: 'f',                                                            \
        double: 'd',                                                           \
        const char *: 's',                                                     \
        void *: 'p',                                                           \
        const void *: 'p',                                                     \
        cw_none: '0',                                                          \
        default: '*')

#define CW__CHECK(self, failed)                                                \
    do {                                                                       \
        if (failed) {                                                          \
            cw__unwind(&(self)->frame);                                        \
            goto cw__again;                                                    \
        }                                                                      \
    } while (0)

#define CW__SUSPEND(self, begin, finish)                                       \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if ((begin) == CW__PENDING) return CW_STEP_SUSPENDED;                  \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, finish);                                               \
    } while (0)

#define CW__CALL(self, call, NAME, out)                                        \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if ((call) == CW__PENDING) return CW_STEP_CALLED;                      \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, NAME##__returned(&(self)->frame, (out)));              \
    } while (0)

cw_job *cw__start(cw_context *, const cw_coroutine *, unsigned, const void *);
cw_job *cw__start_on_main(const cw_coroutine *, const void *);
int cw__spawn(cw_context *, const cw_coroutine *, const void *);
int cw__result(const cw_job *, const cw_coroutine *, void *);
int cw__run_blocking(const cw_coroutine *, const void *, void *, cw_error **);
int cw__delay(cw_frame *, int64_t);
int cw__join(cw_frame *, cw_job *);
int cw__cancel_and_join(cw_frame *, cw_job *);
int cw__join_all(cw_frame *, cw_job *const *, size_t);
int cw__await(cw_frame *, cw_job *);
int cw__await_all(cw_frame *, cw_job *const *, size_t);
int cw__call(cw_frame *, const cw_coroutine *, int, const void *);
int cw__delayed(cw_frame *);
int cw__joined(cw_frame *);
int cw__ensure_active(cw_frame *);
int cw__awaited(cw_frame *, cw_job *, const cw_coroutine *, void *);
int cw__awaited_all(cw_frame *, cw_job *const *, size_t, const cw_coroutine *,
                    void *);
int cw__returned(cw_frame *, void *);
int cw__suspend_with(cw_frame *, cw_begin_fn *, void *, size_t);
int cw__suspended(cw_frame *, void *);
int cw__returned_in_time(cw_frame *, void *, bool *);
int cw__call_limited(cw_frame *, const cw_coroutine *, int64_t, const void *);
int cw__call_with(cw_frame *, const cw_coroutine *, const cw_elements *,
                  const void *);
cw_step cw__called(const cw_frame *);
cw_job *cw__launch_with(const cw_elements *, cw_start, const cw_coroutine *,
                        unsigned, const void *);
cw_job *cw__deferred_new(const cw_coroutine *, cw_job *);
int cw__deferred_complete(cw_job *, const cw_coroutine *, const void *);
int cw__lost(cw_frame *);
void cw__try(cw_frame *, unsigned);
void cw__end_try(cw_frame *, unsigned);
cw_step cw__leave(cw_frame *);
cw_step cw__function_done(cw_frame *, int);
void cw__finally(cw_frame *);
void cw__return(cw_frame *);
void cw__raise(cw_frame *, cw_error *);
void cw__unwind(cw_frame *);
int cw__catch(cw_frame *);

/* --- channels, mutexes, select ------------------------------------------- */

/* Any function; cast back to what it is before it is called. */
typedef void cw__any_fn(void);

/* How the library calls a hook of the user's that knows the element's type. */
typedef struct cw__hook {
    void *(*call)(const struct cw__hook *hook, void *element);
    cw__any_fn *fn;
    void *arg;
} cw__hook;

typedef struct cw__iterator {
    cw_channel *channel;
    int state;
} cw__iterator;

#define CW__CHANNEL_TYPE(NAME, TYPE)                                           \
    typedef struct NAME {                                                      \
        cw_channel *channel;                                                   \
    } NAME;                                                                    \
    typedef cw_error *NAME##_undelivered(TYPE *element, void *arg);            \
    typedef int NAME##_consumer(TYPE element, void *arg);                      \
    typedef struct NAME##_iterator {                                           \
        cw__iterator base;                                                     \
        TYPE element;                                                          \
    } NAME##_iterator;                                                         \
    CW__UNUSED static inline void *NAME##__call_undelivered(                   \
        const cw__hook *hook, void *element)                                   \
    {                                                                          \
        return ((NAME##_undelivered *)hook->fn)((TYPE *)element, hook->arg);   \
    }                                                                          \
    CW__UNUSED static inline NAME NAME##_new_with(                             \
        int capacity, cw_overflow overflow, NAME##_undelivered *undelivered,   \
        void *arg)                                                             \
    {                                                                          \
        cw__hook hook = {NAME##__call_undelivered, (cw__any_fn *)undelivered,  \
                         arg};                                                 \
        NAME made = {                                                          \
            cw__channel_new(capacity, overflow, sizeof(TYPE), &hook)};         \
        return made;                                                           \
    }                                                                          \
    CW__UNUSED static inline NAME NAME##_new(int capacity)                     \
    {                                                                          \
        return NAME##_new_with(capacity, CW_OVERFLOW_SUSPEND, 0, 0);           \
    }                                                                          \
    CW__UNUSED static inline int NAME##_try_send(NAME channel, TYPE element)   \
    {                                                                          \
        return cw__try_send(channel.channel, &element);                        \
    }                                                                          \
    CW__UNUSED static inline int NAME##_try_receive(NAME channel, TYPE *out)   \
    {                                                                          \
        return cw__try_receive(channel.channel, out);                          \
    }                                                                          \
    CW__UNUSED static inline int NAME##__send(cw_frame *frame, NAME channel,   \
                                              TYPE element)                    \
    {                                                                          \
        return cw__send(frame, channel.channel, &element);                     \
    }                                                                          \
    CW__UNUSED static inline int NAME##__receive(cw_frame *frame,              \
                                                 NAME channel, TYPE *out)      \
    {                                                                          \
        return cw__receive(frame, channel.channel, out);                       \
    }                                                                          \
    CW__UNUSED static inline int NAME##__receive_catching(                     \
        cw_frame *frame, NAME channel, TYPE *out)                              \
    {                                                                          \
        return cw__receive_catching(frame, channel.channel, out);              \
    }                                                                          \
    CW__UNUSED static inline int NAME##__receive_each(cw_frame *frame,         \
                                                      NAME channel, TYPE *out) \
    {                                                                          \
        return cw__receive_each(frame, channel.channel, out);                  \
    }                                                                          \
    CW__UNUSED static inline void *NAME##__call_consumer(const cw__hook *hook, \
                                                         void *element)        \
    {                                                                          \
        int status =                                                           \
            ((NAME##_consumer *)hook->fn)(*(TYPE *)element, hook->arg);        \
        return (void *)(intptr_t)status;                                       \
    }                                                                          \
    CW__UNUSED static inline int NAME##__consume(                              \
        cw_frame *frame, NAME channel, NAME##_consumer *consumer, void *arg)   \
    {                                                                          \
        cw__hook hook = {NAME##__call_consumer, (cw__any_fn *)consumer, arg};  \
        return cw__consume(frame, channel.channel, &hook);                     \
    }                                                                          \
    CW__UNUSED static inline NAME##_iterator NAME##_iterate(NAME channel)      \
    {                                                                          \
        NAME##_iterator made;                                                  \
        made.base.channel = channel.channel;                                   \
        made.base.state = 0;                                                   \
        return made;                                                           \
    }                                                                          \
    CW__UNUSED static inline int NAME##__has_next(cw_frame *frame,             \
                                                  NAME##_iterator *iterator)   \
    {                                                                          \
        return cw__has_next(frame, &iterator->base, &iterator->element);       \
    }                                                                          \
    CW__UNUSED static inline int NAME##__has_nexted(                           \
        cw_frame *frame, NAME##_iterator *iterator, bool *more)                \
    {                                                                          \
        return cw__has_nexted(frame, &iterator->base, more);                   \
    }                                                                          \
    CW__UNUSED static inline int NAME##_next(NAME##_iterator *iterator,        \
                                             TYPE *out)                        \
    {                                                                          \
        int status = cw__next(&iterator->base);                                \
        if (status == CW_OK) *out = iterator->element;                         \
        return status;                                                         \
    }                                                                          \
    CW__UNUSED static inline cw_clause NAME##_on_send(NAME channel,            \
                                                      TYPE *value)             \
    {                                                                          \
        return cw__clause(CW__ON_SEND, channel.channel, value, 0, 0);          \
    }                                                                          \
    CW__UNUSED static inline cw_clause NAME##_on_receive(NAME channel,         \
                                                         TYPE *out)            \
    {                                                                          \
        return cw__clause(CW__ON_RECEIVE, channel.channel, out, 0, 0);         \
    }                                                                          \
    CW__UNUSED static inline cw_clause NAME##_on_receive_catching(             \
        NAME channel, TYPE *out)                                               \
    {                                                                          \
        return cw__clause(CW__ON_RECEIVE_CATCHING, channel.channel, out, 0,    \
                          0);                                                  \
    }

#define CW__BROADCAST_TYPE(BNAME, NAME, TYPE)                                  \
    typedef struct BNAME {                                                     \
        cw_broadcast *broadcast;                                               \
    } BNAME;                                                                   \
    CW__UNUSED static inline BNAME BNAME##_new(void)                           \
    {                                                                          \
        BNAME made = {cw__broadcast_new(sizeof(TYPE))};                        \
        return made;                                                           \
    }                                                                          \
    CW__UNUSED static inline int BNAME##_send(BNAME broadcast, TYPE value)     \
    {                                                                          \
        return cw__broadcast_send(broadcast.broadcast, &value);                \
    }                                                                          \
    CW__UNUSED static inline int BNAME##_value(BNAME broadcast, TYPE *value)   \
    {                                                                          \
        return cw__broadcast_value(broadcast.broadcast, value);                \
    }                                                                          \
    CW__UNUSED static inline NAME BNAME##_subscribe(BNAME broadcast)           \
    {                                                                          \
        NAME made = {cw__broadcast_subscribe(broadcast.broadcast)};            \
        return made;                                                           \
    }

#define CW__SELECT(self, clauses, count, which, fair)                          \
    CW__SUSPEND(self,                                                          \
                cw__select_begin(&(self)->frame, (clauses), (count), (fair)),  \
                cw__select_end(&(self)->frame, (clauses), (which)))

enum {
    CW__ON_SEND = 1,
    CW__ON_RECEIVE,
    CW__ON_RECEIVE_CATCHING,
    CW__ON_LOCK,
    CW__ON_JOIN,
    CW__ON_AWAIT,
    CW__ON_TIMEOUT
};

CW__UNUSED static inline cw_clause cw__clause(int kind, void *object,
                                              void *value,
                                              const cw_coroutine *type,
                                              int64_t ms)
{
    cw_clause clause = {kind, CW_OK, object, value, type, ms};
    return clause;
}
CW__UNUSED static inline cw_clause cw_on_join(cw_job *job)
{
    return cw__clause(CW__ON_JOIN, job, 0, 0, 0);
}
CW__UNUSED static inline cw_clause cw_on_timeout(int64_t ms)
{
    return cw__clause(CW__ON_TIMEOUT, 0, 0, 0, ms);
}
CW__UNUSED static inline cw_clause cw_on_lock(cw_mutex *mutex,
                                              const void *owner)
{
    return cw__clause(CW__ON_LOCK, mutex, (void *)(uintptr_t)owner, 0, 0);
}

cw_channel *cw__channel_new(int, cw_overflow, size_t, const cw__hook *);
int cw__try_send(cw_channel *, void *);
int cw__try_receive(cw_channel *, void *);
int cw__send(cw_frame *, cw_channel *, void *);
int cw__sent(cw_frame *);
int cw__receive(cw_frame *, cw_channel *, void *);
int cw__received(cw_frame *);
int cw__receive_catching(cw_frame *, cw_channel *, void *);
int cw__received_catching(cw_frame *, int *);
int cw__receive_each(cw_frame *, cw_channel *, void *);
int cw__each_raised(cw_frame *);
int cw__each_is_over(cw_frame *);
int cw__consume(cw_frame *, cw_channel *, const cw__hook *);
int cw__consumed(cw_frame *);
int cw__has_next(cw_frame *, cw__iterator *, void *);
int cw__has_nexted(cw_frame *, cw__iterator *, bool *);
int cw__next(cw__iterator *);
bool cw__produce_begin(cw_channel *);
cw_job *cw__produce_end(cw_channel *, cw_job *);
int cw__await_close(cw_frame *, cw_channel *);
int cw__awaited_close(cw_frame *);
cw_broadcast *cw__broadcast_new(size_t);
int cw__broadcast_send(cw_broadcast *, void *);
int cw__broadcast_value(cw_broadcast *, void *);
cw_channel *cw__broadcast_subscribe(cw_broadcast *);
int cw__lock_mutex(cw_frame *, cw_mutex *, const void *);
int cw__acquire(cw_frame *, cw_semaphore *);
int cw__entered(cw_frame *);
int cw__select_begin(cw_frame *, cw_clause *, size_t, int);
int cw__select_end(cw_frame *, cw_clause *, int *);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_H */
