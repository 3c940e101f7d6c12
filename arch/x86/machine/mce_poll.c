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

void mce_leave_to_firmware(u64 banks)
{
	mce_firmware_banks = banks;
	if (banks)
		log_info(
			"mce",
			"corrected errors of banks %#llx (a bit each) are left "
			"to the firmware, by its HEST",
			banks);
}

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

/* Logged if there is room */
static void poll_take(const struct mce_error *e, enum mce_reg reg)
{
	bool told = may_tell();

	mce_take(e, reg, told);
	if (told)
		tell_unsaid();
}

/* Returns the status of what it took, or 0 */
static u64 poll_bank(u32 bank)
{
	u64 status = mce_read(bank, MC_STATUS);
	struct mce_error e;

	if (!(status & MC_STATUS_VAL) || mce_sends_mc(status))
		return 0;
	e = mce_read_error(bank, status);
	poll_take(&e, MC_STATUS);
	return status;
}

/* AMD keeps data that is bad and not used in registers of its own, too, or
 * alone where the bank has another error at the same time. @taken: what was in
 * the bank. */
static void poll_deferred(u32 bank, u64 taken)
{
	u64 status = mce_read(bank, MC_DESTAT);
	struct mce_error e = { .bank = bank,
			       .status = status | MC_STATUS_DEFERRED };

	if (!(status & MC_STATUS_VAL))
		return;
	if (taken & MC_STATUS_DEFERRED) {
		mce_clear(bank, MC_DESTAT);
		return;
	}
	if (status & MC_STATUS_ADDRV)
		e.addr = mce_read(bank, MC_DEADDR);
	poll_take(&e, MC_DESTAT);
}

static void poll(struct timer *t)
{
	u32 banks = mce_banks();

	for (u32 i = 0; i < banks; i++) {
		u64 taken;

		if (mce_firmware_banks & BIT(i))
			continue;
		taken = poll_bank(i);
		if (cpu_features.smca)
			poll_deferred(i, taken);
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
