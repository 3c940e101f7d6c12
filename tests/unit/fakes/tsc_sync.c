/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether TSCs are in step, see tsc_sync.h */
#include "tests/unit/fakes/tsc_sync.h"

bool fake_tsc_unstable;

bool tsc_is_stable(void)
{
	return !fake_tsc_unstable;
}
