/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock, see tsc.h */
#include "tests/unit/fakes/tsc.h"

u64 tsc_khz = 1000000, tsc_boot;
u64 fake_delayed_us;
struct tsc_change fake_tsc_change;

bool tsc_rate_changed(struct tsc_change *c)
{
	*c = fake_tsc_change;
	if (!c->since_tsc)
		c->before_khz = tsc_khz;
	return c->since_tsc;
}

u64 ns_to_tsc(u64 ns)
{
	return (u64)((unsigned __int128)ns * tsc_khz / 1000000);
}

u64 tsc_to_ns(u64 ticks)
{
	return (u64)((unsigned __int128)ticks * 1000000 / tsc_khz);
}

void udelay(u64 us)
{
	fake_delayed_us += us;
}
