/* coworker/role.h: which thread may run what.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_ROLE_H
#define COWORKER_ROLE_H

#include "base.h"
#include "context.h"
#include "coroutine.h"

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

/* ------------------------------------------------- used by the macros only */

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

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_ROLE_H */
