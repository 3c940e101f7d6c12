/* SPDX-License-Identifier: BSD-2-Clause */
/* The throttle of physical interrupts; see storm.h */
#include "hv/irq/storm.h"

#include "arch/x86/machine/tsc.h"
#include "hv/core/vm.h"

#define WINDOW_NS   100000000ull
#define THROTTLE_MS 100u

static void storm_over(struct timer *t)
{
	struct storm *s = container_of(t, struct storm, timer);

	s->count = 0;
	s->calm(s);
}

bool storm_count(struct storm *s, u32 max_arrivals)
{
	u64 now = rdtsc();

	if (now - s->window_start > ns_to_tsc(WINDOW_NS)) {
		s->window_start = now;
		s->count = 0;
	}
	if (likely(++s->count <= max_arrivals) || s->throttled)
		return false;
	s->throttled = true;
	s->timer.fn = storm_over;
	timer_arm(&s->timer, now + THROTTLE_MS * tsc_khz);
	return true;
}

void storm_report(struct storm *s, const struct vm *vm, const char *what,
		  u32 number)
{
	if (!ratelimit_pass(&s->limit, rdtsc(), 10000 * tsc_khz, 1))
		return;
	log_warn("irq",
		 "%s: interrupt %s %u storms (%u in under %llu ms): "
		 "masked for %u ms each time",
		 vm->name, what, number, s->count, WINDOW_NS / 1000000,
		 THROTTLE_MS);
}
