/* deadlock.h: a look whether jobs wait for what will never happen.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_DEADLOCK_H
#define CW_DEADLOCK_H

/* The calling thread has nothing to do: tells if that may be for ever. */
void cw__look_for_deadlock(void);

#endif /* CW_DEADLOCK_H */
