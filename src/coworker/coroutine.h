/* coworker/coroutine.h: how coroutines and blocking functions are defined.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_COROUTINE_H
#define COWORKER_COROUTINE_H

#include "base.h"
#include "elements.h"
#include "error.h"
#include "job.h"

#ifdef __cplusplus
extern "C" {
#endif

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

/* ------------------------------------------------------ blocking functions */

/* True if the calling job is cancelled: a long computation asks it now and
 * then. False outside of a job. Cheap: one load. */
bool cw_is_stopped(void);

/* Gives the calling function's failure a message: `return cw_fail(code,
 * "why")`. Returns `code`. `message` is copied. */
int cw_fail(int code, const char *message);

/* ------------------------------------------------- used by the macros only */

#define CW__FRAME(NAME, ARG, RESULT, ...)                                      \
    struct NAME {                                                              \
        cw_frame frame;                                                        \
        ARG arg;                                                               \
        RESULT result;                                                         \
        __VA_ARGS__                                                            \
    };

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

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_COROUTINE_H */
