/* frame.h: the error in a coroutine's frame.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_FRAME_H
#define CW_FRAME_H

#include "coworker.h"

/* True if the body has to go where its error is dealt with. */
static inline bool cw__raised(const cw_frame *frame)
{
    return frame->error && !frame->caught;
}

/* Raises an error (takes the reference over) in place of any other. */
void cw__set_error(cw_frame *frame, cw_error *error);

#endif /* CW_FRAME_H */
