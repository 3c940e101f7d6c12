/* SPDX-License-Identifier: BSD-2-Clause */
/* Ticks that are not lost; see vticks.h. The owner's lock. */
#include "hv/time/vticks.h"

#include "arch/x86/machine/tsc.h"
#include "hv/irq/lines.h"
#include "hv/time/vtimer.h"

/* How many ticks are kept. One, if they come faster than they are let through:
 * nobody counts those. */
static u64 kept_max(u64 period)
{
	if (period < ns_to_tsc(VTICKS_MIN_NS))
		return 1;
	return ns_to_tsc(VTICKS_KEPT_NS) / period + 1;
}

void vticks_add(struct vticks *t, struct vm *vm, u32 irq, u64 count, u64 period)
{
	t->last = vtimer_now(vm);
	t->asleep = !line_wanted(vm, irq);
	if (t->asleep) {
		t->kept = 0;
		return;
	}
	t->kept = MIN(t->kept + count, kept_max(period));
	t->waits = t->kept && line_waits(vm, irq);
	if (!t->kept || t->waits)
		return;
	t->kept--;
	line_set_source(vm, irq, t->source, false);
	line_set_source(vm, irq, t->source, true);
}

u64 vticks_next(const struct vticks *t, u64 due, u64 period)
{
	u64 least = t->kept && t->waits ? VTICKS_WAIT_NS : VTICKS_MIN_NS;

	if (t->kept)
		due = t->last + period / 2;
	return MAX(due, t->last + ns_to_tsc(least));
}
