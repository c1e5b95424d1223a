/* away.h: jobs whose bodies run on workers that have cores of their own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CWB_AWAY_H
#define CWB_AWAY_H

#include "bridge.h"

/* Frees what is known of a context's workers; nothing is there any more. */
void cwb_away_free(cw_context *context);

/* A hook of cw__host, see there. */
void cwb_kill_away(cw_context *context, const cw_job *above);

#endif /* CWB_AWAY_H */
