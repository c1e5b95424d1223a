/* coworker.h: coroutines with structured concurrency on a fixed set of workers.
 *
 * SPDX-License-Identifier: MIT
 *
 * This is the only public header. It has six parts: errors, contexts, jobs,
 * coroutines, blocking functions, counters.
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
    X(ESTATE, -12, "not allowed in this state")

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
 * cancelled with CW_ECLOSED as cause and still runs its clean-up. The workers
 * end when the last job has ended. Idempotent; never blocks. */
void cw_context_close(cw_context *context);

/* Waits until every worker of a closed context has ended. Returns 0;
 * CW_EINVAL if it is not closed; CW_EDEADLK at once on a browser's main thread
 * and on one of the context's own workers. */
int cw_context_join(cw_context *context);

/* Gives the reference back; the last one also closes the context. */
void cw_context_release(cw_context *context);
cw_context *cw_context_retain(cw_context *context);

/* Borrowed from the context. */
const char *cw_context_name(const cw_context *context);
int cw_context_workers(const cw_context *context);

/* The context whose worker calls this, borrowed; NULL on other threads. */
cw_context *cw_current_context(void);
/* The calling worker's name, "" on other threads; lives as the context. */
const char *cw_worker_name(void);

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
const char *cw_job_name(const cw_job *job); /* its coroutine's name */

/* The job that the calling thread runs at the moment, borrowed; or NULL. */
cw_job *cw_current_job(void);

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
 * are none. */
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
    CW__FRAME(NAME, ARG, RESULT, __VA_ARGS__)                                  \
    static const cw_coroutine NAME;                                            \
    CW__TYPED(NAME, ARG, RESULT)                                               \
    CW__BODY(static, NAME, ARG, RESULT)

#define CW_DECLARE_COROUTINE(NAME, ARG, RESULT, ...)                           \
    CW__FRAME(NAME, ARG, RESULT, __VA_ARGS__)                                  \
    extern const cw_coroutine NAME;                                            \
    CW__TYPED(NAME, ARG, RESULT)
#define CW_DEFINE_COROUTINE(NAME, ARG, RESULT) CW__BODY(, NAME, ARG, RESULT)

/* CW_FUNCTION(name, ARGUMENT, RESULT) { body }
 *
 * Defines a plain, blocking function that runs to its end on a worker. The
 * body sees `ARGUMENT const *arg` and `RESULT *result` and returns 0 or a
 * negative code; cw_fail() gives the code a message. A long one asks
 * cw_is_stopped() now and then and returns CW_ECANCELED. */
#define CW_FUNCTION(NAME, ARG, RESULT)                                         \
    CW__FRAME(NAME, ARG, RESULT, CW_NO_LOCALS)                                 \
    static const cw_coroutine NAME;                                            \
    CW__TYPED(NAME, ARG, RESULT)                                               \
    static int NAME##__body(ARG const *arg, RESULT *result);                   \
    CW__UNUSED static cw_step NAME##__step(cw_frame *frame)                    \
    {                                                                          \
        struct NAME *self = (struct NAME *)(void *)frame;                      \
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

/* Starting. `context` NULL means the calling worker's own context. Called
 * inside a job, these make a child of that job; elsewhere the new job has no
 * parent. Returns an owned handle; NULL with cw_last_error() = CW_EINVAL
 * (no context) or CW_ENOMEM. On a closed context the job is returned cancelled.
 *
 * cw_launch: a failure that no parent takes goes to the unhandled handler.
 * cw_async: the same, but the failure waits for whoever awaits the job.
 * cw_spawn: cw_launch without a handle; returns 0 or the error code. */
#define cw_launch(context, NAME, ...)                                          \
    NAME##__start(context, CW__START_HANDLE, __VA_ARGS__)
#define cw_async(context, NAME, ...)                                           \
    NAME##__start(context, CW__START_HANDLE | CW__START_ASYNC, __VA_ARGS__)
#define cw_spawn(context, NAME, ...) NAME##__spawn(context, __VA_ARGS__)

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
    CW__TYPED(NAME, cw_none, TYPE)                                             \
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

/* ------------------------------------------------------ blocking functions */

/* True if the calling job is cancelled: a long computation asks it now and
 * then. False outside of a job. Cheap: one load. */
bool cw_is_stopped(void);

/* Gives the calling function's failure a message: `return cw_fail(code,
 * "why")`. Returns `code`. `message` is copied. */
int cw_fail(int code, const char *message);

/* ---------------------------------------------------------------- counters */

/* Counters of one context since its start; a snapshot that need not be
 * consistent between fields while workers run. */
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

/* Bytes that the library took from malloc() for jobs and frames. They are
 * reused for later jobs and not given back. */
size_t cw_memory_used(void);
/* Bytes that a suspended coroutine takes besides its own frame struct. */
size_t cw_job_overhead(void);

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

#define CW__TYPED(NAME, ARG, RESULT)                                           \
    CW__UNUSED static inline cw_job *NAME##__start(cw_context *context,        \
                                                   unsigned flags, ARG arg)    \
    {                                                                          \
        return cw__start(context, &NAME, flags, &arg);                         \
    }                                                                          \
    CW__UNUSED static inline cw_job *NAME##__launch(                           \
        const cw_elements *elements, cw_start how, unsigned flags, ARG arg)    \
    {                                                                          \
        return cw__launch_with(elements, how, &NAME, flags, &arg);             \
    }                                                                          \
    CW__UNUSED static inline int NAME##__call_limited(cw_frame *frame,         \
                                                      int64_t ms, ARG arg)     \
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
    CW__UNUSED static inline int NAME##__spawn(cw_context *context, ARG arg)   \
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
    CW__UNUSED static inline int NAME##__call(cw_frame *frame, int scoped,     \
                                              ARG arg)                         \
    {                                                                          \
        return cw__call(frame, &NAME, scoped, &arg);                           \
    }                                                                          \
    CW__UNUSED static inline int NAME##__returned(cw_frame *frame,             \
                                                  RESULT *out)                 \
    {                                                                          \
        return cw__returned(frame, out);                                       \
    }                                                                          \
    CW__UNUSED static inline int NAME##__run_blocking(ARG arg, RESULT *out,    \
                                                      cw_error **error)        \
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

#define CW__BODY(LINKAGE, NAME, ARG, RESULT)                                   \
    static cw_step NAME##__body(struct NAME *self);                            \
    CW__UNUSED static cw_step NAME##__step(cw_frame *frame)                    \
    {                                                                          \
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

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_H */
