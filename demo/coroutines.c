/* coroutines.c: thousands of coroutines, launched by one; and a function
 * that traps.
 *
 * SPDX-License-Identifier: MIT
 *
 * A crowd's members add to a counter in its own frame. That is safe since a
 * scope ends after all that was launched in it: the frame outlives them.
 */
#include <coworker.h>
#include <stdatomic.h>

typedef struct crowd {
    int members;
    int delay_ms;
    void *arrived; /* an atomic_int */
} crowd;

/* For members that do something, though not much. */
static unsigned some_work(unsigned seed)
{
    for (int i = 0; i < 200; i++)
        seed = seed * 1664525U + 1013904223U;
    return seed;
}

CW_COROUTINE(member, crowd, unsigned, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg.delay_ms); /* none for 0 */
    unsigned done = some_work((unsigned)self->arg.members);
    atomic_fetch_add((atomic_int *)self->arg.arrived, 1);
    CW_RETURN(self, done);
    CW_END(self);
}

/* Launches the members, in a scope of its own. */
CW_COROUTINE(launch_members, crowd, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.members; self->i++) {
        crowd arg = self->arg;
        arg.members = self->i;
        int status = cw_spawn(NULL, member, arg);
        if (status < 0) CW_FAIL(self, status, "no member could be launched");
        /* Now and then, so that a cancellation is noticed. */
        if (self->i % 256 == 255) CW_YIELD(self);
    }
    CW_END(self);
}

/* Both take a number of members and give how many arrived. */
CW_COROUTINE(run_crowd, crowd, int, atomic_int arrived; cw_none nothing;)
{
    CW_BEGIN(self);
    self->arg.arrived = &self->arrived;
    CW_SCOPE(self, launch_members, self->arg, &self->nothing);
    CW_RETURN(self, atomic_load(&self->arrived));
    CW_END(self);
}

CW_COROUTINE(launch_many, int, int, int arrived;)
{
    CW_BEGIN(self);
    CW_CALL(self, run_crowd, ((crowd){self->arg, 0, NULL}), &self->arrived);
    CW_RETURN(self, self->arrived);
    CW_END(self);
}
CW_EXPORT(launch_many)

CW_COROUTINE(delay_many, int, int, int arrived;)
{
    CW_BEGIN(self);
    CW_CALL(self, run_crowd, ((crowd){self->arg, 1000, NULL}), &self->arrived);
    CW_RETURN(self, self->arrived);
    CW_END(self);
}
CW_EXPORT(delay_many)

/* Traps for 0. */
CW_FUNCTION(divide, int, int)
{
    *result = 1000 / *(volatile int *)arg;
    return 0;
}
CW_EXPORT(divide)
