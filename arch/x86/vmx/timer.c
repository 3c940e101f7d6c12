/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest gives the core back at least this often, even when no interrupt gets
 * through to it: the VMX-preemption timer (SDM 3C 26.5.1) exits, and what waits
 * is taken with interrupts open. CPUs whose external-interrupt exits work need
 * it for nothing. Bochs 2.7 does: a guest entered with RFLAGS.IF clear gets no
 * external-interrupt exit until it changes IF itself.
 *
 * The timer counts guest time only (its value is saved at exits), so a guest
 * that exits all the time would stay for long. The share of guest time in the
 * last period says how much to ask for in the next. One whose stays are shorter
 * than a tick of the timer may never see it end: every 256th exit takes what
 * waits, too (vmx_run.c).
 */
#include "arch/x86/machine/tsc.h"
#include "arch/x86/vmx/vmx.h"

#define PERIOD_MS    10
#define SHARE_MAX    1024 /* shortest period: this part of the full one */
#define PERIOD_TICKS (tsc_khz * PERIOD_MS)

static bool in_use(void)
{
	return vmx_caps.control[CTL_PIN] & PIN_PREEMPTION_TIMER;
}

static void restart(struct vcpu_arch *a)
{
	a->timer_start = rdtsc();
	vmwrite32(VMCS_PREEMPTION_TIMER, a->timer_ticks);
}

void vmx_timer_start(struct vcpu_arch *a)
{
	if (!in_use())
		return;
	if (!a->timer_ticks)
		a->timer_ticks = (u32)(PERIOD_TICKS >> vmx_caps.timer_shift);
	restart(a);
}

void vmx_timer_expired(struct vcpu_arch *a)
{
	u64 elapsed = MAX(rdtsc() - a->timer_start, 1ull);
	u64 guest = (u64)a->timer_ticks << vmx_caps.timer_shift;
	u64 next = PERIOD_TICKS * guest / elapsed;

	next = MIN(MAX(next, PERIOD_TICKS / SHARE_MAX), PERIOD_TICKS);
	a->timer_ticks = MAX((u32)(next >> vmx_caps.timer_shift), 1u);
	restart(a);
}
