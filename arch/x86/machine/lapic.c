/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's local APIC, see lapic.h. Called by the rest of this folder, and by
 * the SVM back-end, which sends itself an IPI. Mode and kind of timer are the
 * same on every core, and constant after the boot CPU's lapic_init_cpu(). Each
 * core touches only its own registers; no lock.
 */
#include "arch/x86/machine/lapic.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/tsc.h"
#include "include/hw/lapic.h"
#include "include/hw/msr.h"
#include "lib/assert.h"
#include "lib/log.h"
#include "mm/hostmap.h"
#include "mm/owner.h"
#include "mm/pt.h"

static bool x2apic;
static bool ready;
static volatile u8 *page; /* xAPIC registers */
/* LAPIC timer ticks a TSC tick, 32.32; 0 before tsc_init() */
static u64 timer_rate;

static u32 reg_read(u32 offset)
{
	if (x2apic)
		return (u32)rdmsr(APIC_X2_MSR(offset));
	return mmio_read32(page + offset);
}

static void reg_write(u32 offset, u64 value)
{
	if (x2apic)
		wrmsr(APIC_X2_MSR(offset), value);
	else
		mmio_write32(page + offset, (u32)value);
}

static void map_registers(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	x2apic = cpu_features.x2apic;
	ASSERT(x2apic || !(base & APIC_BASE_EXTD));
	if (owner_keep_device(base & APIC_BASE_ADDR, PAGE_SIZE))
		log_warn("lapic", "its page at %#llx is not kept from guests",
			 base & APIC_BASE_ADDR);
	if (x2apic)
		return;
	page = ioremap(HPA(base & APIC_BASE_ADDR), PAGE_SIZE,
		       PT_R | PT_W | PT_UC);
	if (!page)
		panic("lapic: no room to map the registers");
}

/* A disabled LAPIC gets into x2APIC mode only through xAPIC mode (SDM
 * 3A 11.12.5 *x2APIC State Transitions*) */
static void enable_mode(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (!(base & APIC_BASE_EN)) {
		base |= APIC_BASE_EN;
		wrmsr(MSR_APIC_BASE, base);
	}
	if (x2apic && !(base & APIC_BASE_EXTD))
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_EXTD);
}

static u64 timer_mode(void)
{
	return cpu_features.tsc_deadline ? APIC_LVT_TIMER_DEADLINE
					 : APIC_LVT_TIMER_ONESHOT;
}

/* Mask what firmware left in the LVTs. The boot core takes the board's NMI on
 * LINT1, as it is wired on a PC (MP 1.4, 3.6.2.2 *Virtual Wire Mode*); another
 * one that firmware has set up for it keeps it. */
static void mask_lvts(void)
{
	u32 max = APIC_VERSION_MAXLVT(reg_read(APIC_VERSION));
	u32 lint1 = reg_read(APIC_LVT_LINT1);

	reg_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	if (this_cpu()->id == 0)
		reg_write(APIC_LVT_LINT1, APIC_DM(APIC_DM_NMI));
	else if (APIC_DM_GET(lint1) != APIC_DM_NMI)
		reg_write(APIC_LVT_LINT1, APIC_LVT_MASKED);
	if (max >= 4)
		reg_write(APIC_LVT_PMC, APIC_LVT_MASKED);
	if (max >= 5)
		reg_write(APIC_LVT_THERMAL, APIC_LVT_MASKED);
	if (max >= 6)
		reg_write(APIC_LVT_CMCI, APIC_LVT_MASKED);
}

static void timer_init(void)
{
	reg_write(APIC_TIMER_DCR, APIC_DCR_BY_1);
	reg_write(APIC_LVT_TIMER, timer_mode() | VEC_TIMER);
	if (!cpu_features.tsc_deadline) {
		reg_write(APIC_TIMER_ICT, 0);
		return;
	}
	/*
	 * In xAPIC mode the LVT is memory, and its store must be seen before
	 * the first WRMSR to the deadline (SDM 3A 11.5.4.1 *TSC-Deadline Mode*)
	 */
	mfence();
	wrmsr(MSR_TSC_DEADLINE, 0);
}

/* End what an earlier owner left in service: it would block all below it */
static void drain(void)
{
	for (u32 i = 0; i < 8; i++) {
		u32 isr = reg_read(APIC_ISR + i * 0x10);

		for (; isr; isr &= isr - 1)
			reg_write(APIC_EOI, 0);
	}
}

void lapic_init_cpu(void)
{
	if (!ready)
		map_registers();
	enable_mode();
	mask_lvts();
	reg_write(APIC_TPR, 0);
	if (!x2apic)
		reg_write(APIC_DFR, APIC_DFR_FLAT);
	reg_write(APIC_SVR, APIC_SVR_ENABLE | VEC_SPURIOUS);
	drain();
	reg_write(APIC_LVT_ERROR, VEC_ERROR);
	reg_write(APIC_ESR, 0);
	timer_init();
	ready = true;
	this_cpu()->apic_id = lapic_id();
}

bool lapic_is_x2apic(void)
{
	return x2apic;
}

bool lapic_ready(void)
{
	return ready;
}

u32 lapic_id(void)
{
	u32 id = reg_read(APIC_ID);

	return x2apic ? id : id >> APIC_ID_SHIFT;
}

bool lapic_in_service(u8 vector)
{
	u32 isr = reg_read(APIC_ISR + vector / 32 * 0x10u);

	return isr >> vector % 32 & 1;
}

bool lapic_requested(u8 vector)
{
	u32 irr = reg_read(APIC_IRR + vector / 32 * 0x10u);

	return irr >> vector % 32 & 1;
}

void lapic_offer_again(void)
{
	reg_write(APIC_TPR, 0);
}

void lapic_eoi(void)
{
	reg_write(APIC_EOI, 0);
}

static void icr_write_x2apic(u32 apic_id, u64 low)
{
	/* The WRMSR is not ordered behind earlier stores, which the target will
	 * look at (SDM 3A 11.12.3 *MSR Access in x2APIC Mode*) */
	mfence();
	lfence();
	wrmsr(APIC_X2_MSR(APIC_ICR_LOW), (u64)apic_id << 32 | low);
}

#define ICR_SPINS 100000

static void icr_write_xapic(u32 apic_id, u64 low)
{
	for (u32 i = 0; i < ICR_SPINS; i++) {
		if (!(reg_read(APIC_ICR_LOW) & APIC_ICR_STATUS))
			break;
		cpu_pause();
	}
	reg_write(APIC_ICR_HIGH, apic_id << APIC_ID_SHIFT);
	reg_write(APIC_ICR_LOW, low);
}

static void icr_write(u32 apic_id, u64 low)
{
	if (x2apic)
		icr_write_x2apic(apic_id, low);
	else
		icr_write_xapic(apic_id, low);
}

void lapic_send_ipi(u32 apic_id, u8 vector)
{
	icr_write(apic_id, APIC_ICR_ASSERT | APIC_DM(APIC_DM_FIXED) | vector);
}

void lapic_mask_lint1(void)
{
	reg_write(APIC_LVT_LINT1, APIC_LVT_MASKED);
}

/* By the shorthand, which leaves the high half as it is: the code that was
 * interrupted may be between the two. The low half may be busy then, and the
 * kick comes all the same or is none that matters: one is under way. */
void lapic_kick_self(void)
{
	reg_write(APIC_ICR_LOW, APIC_ICR_SH_SELF | APIC_ICR_ASSERT |
					APIC_DM(APIC_DM_FIXED) | VEC_KICK);
}

void lapic_send_nmi(u32 apic_id)
{
	icr_write(apic_id, APIC_ICR_ASSERT | APIC_DM(APIC_DM_NMI));
}

void lapic_send_init(u32 apic_id)
{
	icr_write(apic_id, APIC_ICR_ASSERT | APIC_DM(APIC_DM_INIT));
}

void lapic_send_sipi(u32 apic_id, u8 vector)
{
	icr_write(apic_id, APIC_ICR_ASSERT | APIC_DM(APIC_DM_STARTUP) | vector);
}

/* Ticks of the one-shot timer to @deadline_tsc, rounded up, so that it does not
 * fire too early; none, if that is 0. A time beyond the counter's reach is cut;
 * timer_run() then sets it again. */
static u32 oneshot_count(u64 deadline_tsc)
{
	u64 now = rdtsc();
	u64 ticks;

	if (unlikely(deadline_tsc <= now))
		return deadline_tsc ? 1 : 0;
	ticks = (u64)((unsigned __int128)(deadline_tsc - now) * timer_rate >>
		      32);
	if (unlikely(ticks >= UINT32_MAX))
		return UINT32_MAX;
	return (u32)ticks + 1;
}

void lapic_timer_set(u64 deadline_tsc)
{
	if (cpu_features.tsc_deadline)
		wrmsr(MSR_TSC_DEADLINE, deadline_tsc);
	else
		reg_write(APIC_TIMER_ICT, oneshot_count(deadline_tsc));
}

bool lapic_timer_count_start(void)
{
	if (cpu_features.tsc_deadline)
		return false;
	reg_write(APIC_LVT_TIMER, timer_mode() | APIC_LVT_MASKED | VEC_TIMER);
	reg_write(APIC_TIMER_ICT, UINT32_MAX);
	return true;
}

u32 lapic_timer_count(void)
{
	return UINT32_MAX - reg_read(APIC_TIMER_CCT);
}

void lapic_timer_set_rate(u64 lapic_ticks, u64 tsc_ticks)
{
	/* Milliseconds' worth has less than 32 bits, so the shift fits */
	timer_rate = (lapic_ticks << 32) / MAX(tsc_ticks, 1ull);
	timer_init();
}

void lapic_log_error(void)
{
	static struct ratelimit limit;
	u32 esr;

	reg_write(APIC_ESR, 0); /* latches what was collected */
	esr = reg_read(APIC_ESR);
	if (ratelimit_pass(&limit, rdtsc(), ns_to_tsc(NS_PER_S), 4))
		log_warn("lapic", "error status %#x", esr);
}
