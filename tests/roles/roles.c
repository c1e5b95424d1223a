/* roles.c: what clang -Wthread-safety has to find.
 *
 * SPDX-License-Identifier: MIT
 *
 * Compiled by tests/roles/run.sh: without WRONG it has to compile; with WRONG
 * set to each of the numbers below it must not.
 */
#include "coworker.h"

#ifndef WRONG
#    define WRONG 0
#endif

CW_ON_MAIN void set_title(const char *title);
CW_ON_WORKER void read_file(const char *name);

CW_COROUTINE_ON(MAIN, show, const char *, int, cw_job *job;)
{
    CW_BEGIN(self);
    set_title(self->arg);
    CW_DELAY(self, 1);
    set_title(self->arg); /* after it has waited, too */
#if WRONG == 1
    read_file(self->arg);
#endif
    CW_END(self);
}

CW_COROUTINE_ON(WORKER, load, const char *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    read_file(self->arg);
    CW_YIELD(self);
    read_file(self->arg);
#if WRONG == 2
    set_title(self->arg);
#endif
    CW_END(self);
}

CW_FUNCTION_ON(WORKER, load_at_once, const char *, int)
{
    (void)result;
    read_file(*arg);
#if WRONG == 3
    set_title(*arg);
#endif
    return CW_OK;
}

CW_ON_MAIN void show_both(void);
CW_ON_MAIN void show_both(void)
{
    set_title("one");
    set_title("other");
}

CW_COROUTINE(anywhere, cw_context *, int, cw_job *job; int out;
             const cw_elements *there;)
{
    CW_BEGIN(self);
    self->job = cw_launch_on_main(show, "title");
    cw_job_release(self->job);
    self->job = cw_launch(self->arg, load, "name");
    cw_job_release(self->job);
    self->job = cw_launch(self->arg, load_at_once, "name");
    cw_job_release(self->job);
    CW_WITH_ELEMENTS(self, self->there, load_at_once, "name", &self->out);
#if WRONG == 4
    set_title("title");
#elif WRONG == 5
    read_file("name");
#elif WRONG == 6
    show_both();
#elif WRONG == 7 /* to whatever context */
    self->job = cw_launch(self->arg, show, "title");
#elif WRONG == 8
    self->job = cw_launch_on_main(load, "name");
#elif WRONG == 9
    self->job = cw_launch_on_main(load_at_once, "name");
#elif WRONG == 10
    CW_CALL(self, show, "title", &self->out);
#elif WRONG == 11
    CW_SCOPE(self, load, "name", &self->out);
#elif WRONG == 12
    (void)cw_spawn(self->arg, show, "title");
#elif WRONG == 13
    self->job = cw_launch_with(self->there, CW_START_LAZY, show, "title");
#endif
    CW_END(self);
}

CW_COROUTINE_ON(MAIN, show_more, const char *, int, int out;)
{
    CW_BEGIN(self);
    CW_CALL(self, show, self->arg, &self->out);
    (void)cw_spawn(NULL, show, self->arg);
    show_both();
#if WRONG == 14
    CW_CALL(self, load_at_once, self->arg, &self->out);
#endif
    CW_END(self);
}

const cw_coroutine *roles_of(int which);
const cw_coroutine *roles_of(int which)
{
    return which ? &anywhere : &show_more;
}
