/* SPDX-License-Identifier: BSD-2-Clause */
/* The rate limit of log lines, see ratelimit.h */
#include "tests/unit/fakes/ratelimit.h"

u32 fake_ratelimit_left = ~0u;

bool ratelimit_pass(struct ratelimit *rl, u64 now, u64 interval, u32 burst)
{
	return fake_ratelimit_left && fake_ratelimit_left--;
}
