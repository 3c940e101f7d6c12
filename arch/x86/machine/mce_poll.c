/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors that send no #MC, see mce.h: each core looks for them by a timer. No
 * lock but the log's. */
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/mce_priv.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "include/hw/msr.h"
#include "lib/log.h"
#include "mm/pmm.h"

#define MCE_POLL_NS  (10 * NS_PER_S)
#define POLL_LINES   8u /* at once, and one a minute */
#define POLL_LINE_NS (60 * NS_PER_S)

static u32 unsaid; /* errors since the last line, all cores */

/* So many may be logged; what is not is counted */
static bool may_tell(void)
{
	static struct ratelimit limit;

	if (ratelimit_pass(&limit, rdtsc(), ns_to_tsc(POLL_LINE_NS),
			   POLL_LINES))
		return true;
	__atomic_fetch_add(&unsaid, 1, __ATOMIC_RELAXED);
	return false;
}

static void tell_unsaid(void)
{
	u32 more = __atomic_exchange_n(&unsaid, 0, __ATOMIC_RELAXED);

	if (more)
		log_warn("mce", "%u more were not logged", more);
}

/* Clears it, and logs it if there is room */
static void poll_take(u32 bank, u64 status)
{
	if (!may_tell()) {
		mce_clear(bank, MC_STATUS);
		return;
	}
	mce_take(bank, status);
	tell_unsaid();
}

/* AMD keeps data that is bad and not used in registers of its own, where the
 * bank has another error at the same time */
static void poll_deferred(u32 bank)
{
	u64 status = mce_read(bank, MC_DESTAT);

	if (!(status & MC_STATUS_VAL))
		return;
	if (may_tell()) {
		mce_log(bank, status | MC_STATUS_DEFERRED,
			mce_read(bank, MC_DEADDR));
		tell_unsaid();
	}
	mce_clear(bank, MC_DESTAT);
}

static void poll(struct timer *t)
{
	u32 banks = mce_banks();

	for (u32 i = 0; i < banks; i++) {
		u64 status = mce_read(i, MC_STATUS);

		if ((status & MC_STATUS_VAL) && !mce_sends_mc(status))
			poll_take(i, status);
		if (cpu_features.smca)
			poll_deferred(i);
	}
	timer_arm(t, rdtsc() + ns_to_tsc(MCE_POLL_NS));
}

void mce_poll_start(void)
{
	struct timer *t;

	if (!mce_banks())
		return;
	t = kmem_alloc(&pmm_self, sizeof(*t));
	if (!t) {
		log_warn("mce", "no memory to look at core %u's banks",
			 this_cpu()->id);
		return;
	}
	t->fn = poll;
	timer_arm(t, rdtsc() + ns_to_tsc(MCE_POLL_NS));
}
