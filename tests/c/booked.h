/* booked.h: what tests of priorities, limited queues and time limits share.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after helpers.h.
 */
#ifndef BOOKED_H
#define BOOKED_H

#include "coworker.h"

/* ---- what ran, in order */

static char ran[256];
static _Atomic int ran_count;

static void note_letter(char letter)
{
    int at = atomic_fetch_add(&ran_count, 1);
    if (at < (int)sizeof ran - 1) ran[at] = letter;
}

CW_FUNCTION(note_run, char, char)
{
    if (*arg) note_letter(*arg);
    *result = *arg;
    return CW_OK;
}

/* Launches one that notes this letter, with elements that are given up. */
MAYBE_UNUSED static cw_job *noting(cw_context *context,
                                   const cw_elements *given, char letter)
{
    const cw_elements *elements = cw_elements_with_context(given, context);
    ASSERT(elements);
    cw_elements_release(given);
    cw_job *job = cw_async_with(elements, CW_START_DEFAULT, note_run, letter);
    cw_elements_release(elements);
    return job;
}

MAYBE_UNUSED static cw_job *ranked(cw_context *context, cw_priority priority,
                                   char letter)
{
    return noting(context, cw_elements_with_priority(NULL, priority), letter);
}

/* Launches one for each letter: by its case, H, N, L for the priority. */
MAYBE_UNUSED static void launch_ranks(cw_context *context, const char *letters)
{
    for (; *letters; letters++) {
        cw_priority priority = *letters == 'H'   ? CW_PRIORITY_HIGH
                               : *letters == 'L' ? CW_PRIORITY_LOW
                                                 : CW_PRIORITY_NORMAL;
        cw_job *job = ranked(context, priority, *letters);
        ASSERT(job);
        cw_job_release(job);
    }
}

#endif /* BOOKED_H */
