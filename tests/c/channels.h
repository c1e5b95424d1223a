/* channels.h: what the tests of channels share.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after helpers.h.
 */
#ifndef CHANNELS_H
#define CHANNELS_H

#include "coworker.h"

CW_CHANNEL_TYPE(ints, int)

/* What the hook for undelivered elements was given, and what it fails with. */
MAYBE_UNUSED static struct {
    int elements[64], count;
    int fail_with;
} noted;

MAYBE_UNUSED static cw_error *note_undelivered(int *element, void *arg)
{
    ASSERT(arg == &noted);
    noted.elements[noted.count++] = *element;
    return noted.fail_with ? cw_error_new(noted.fail_with, "hook", NULL) : NULL;
}

MAYBE_UNUSED static ints hooked(int capacity, cw_overflow overflow)
{
    return ints_new_with(capacity, overflow, note_undelivered, &noted);
}

MAYBE_UNUSED static void expect_elements(ints channel, int first, int last)
{
    int got = -1;
    for (int i = first; i <= last; i++) {
        ASSERT_EQ(ints_try_receive(channel, &got), CW_OK);
        ASSERT_EQ(got, i);
    }
}

#endif /* CHANNELS_H */
