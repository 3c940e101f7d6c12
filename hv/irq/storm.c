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

	WRITE_ONCE(s->count, 0);
	s->calm(s);
}

/* Only one core throttles it, until calm() */
static bool storm_begin(struct storm *s, u64 now)
{
	if (__atomic_exchange_n(&s->throttled, true, __ATOMIC_ACQUIRE))
		return false;
	s->timer.fn = storm_over;
	timer_arm(&s->timer, now + THROTTLE_MS * tsc_khz);
	return true;
}

bool storm_count(struct storm *s, u32 max_arrivals)
{
	u64 now = rdtsc();
	u32 count = READ_ONCE(s->count) + 1;

	/* Signed: another core's TSC may be a little ahead */
	if ((s64)(now - READ_ONCE(s->window_start)) >
	    (s64)ns_to_tsc(WINDOW_NS)) {
		WRITE_ONCE(s->window_start, now);
		count = 1;
	}
	WRITE_ONCE(s->count, count);
	return unlikely(count > max_arrivals) && storm_begin(s, now);
}

void storm_report(struct storm *s, const struct vm *vm, const char *what)
{
	if (!ratelimit_pass(&s->limit, rdtsc(), 10000 * tsc_khz, 1))
		return;
	log_warn("irq",
		 "%s: interrupt %s storms (%u in under %llu ms): "
		 "masked for %u ms each time",
		 vm->name, what, READ_ONCE(s->count), WINDOW_NS / 1000000,
		 THROTTLE_MS);
}
