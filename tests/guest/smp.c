/* SPDX-License-Identifier: BSD-2-Clause */
/* INIT/SIPI, IPIs and NMIs between two vCPUs (SDM 3A 9.4, 11.6) */
#include "tests/guest/lib/guest.h"

static volatile u64 ap_id = ~0ull, ap_ticks, ap_irqs, ap_tsc;
static volatile bool ap_stop;

static void on_ipi(struct trap_frame *f)
{
	(void)f;
	if (rdmsr(X2APIC_ID) == 1)
		ap_irqs++;
	wrmsr(X2APIC_EOI, 0);
}

static void ap_main(void)
{
	ap_id = rdmsr(X2APIC_ID);
	ap_tsc = rdtsc();
	irq_on();
	while (!ap_stop) {
		ap_ticks++;
		cpu_relax();
	}
	irq_off();
	ap_id = 1000;
	for (;;)
		__asm__ volatile("sti; hlt");
}

static bool wait_for(volatile u64 *what, u64 at_least)
{
	for (u64 i = 0; i < 100000000 && *what < at_least; i++)
		cpu_relax();
	return *what >= at_least;
}

static void cross_ipis(void)
{
	u64 want = ap_irqs;

	section("SDM 3A 11.6.1");
	for (u32 i = 0; i < 100; i++) {
		wrmsr(X2APIC_ICR, 1ull << 32 | 0x71);
		if (!wait_for(&ap_irqs, ++want))
			break;
	}
	check(ap_irqs == want && want >= 100, "smp.ipi_each_arrives",
	      "%lu of %lu", ap_irqs, want);
	wrmsr(X2APIC_ICR, 0xc0000 | 0x71);
	check(wait_for(&ap_irqs, want + 1), "smp.ipi_all_but_self", "lost");
}

static void halted_ipi(void)
{
	u64 before;

	section("SDM 3A 9.10.3");
	ap_stop = true;
	check(wait_for(&ap_id, 1000), "smp.ap_stops", "still running");
	before = ap_irqs;
	for (u32 i = 0; i < 50; i++) {
		wrmsr(X2APIC_ICR, 1ull << 32 | 0x71);
		if (!wait_for(&ap_irqs, before + i + 1))
			break;
	}
	check(ap_irqs == before + 50, "smp.ipi_wakes_hlt", "%lu of 50",
	      ap_irqs - before);
}

static void restart(void)
{
	section("SDM 3A 9.4.3");
	ap_stop = false;
	ap_id = ~0ull;
	check(ap_start(1, ap_main), "smp.init_restarts", "no answer to SIPI");
	ap_ticks = 0;
	check(wait_for(&ap_ticks, 100), "smp.runs_after_restart", "%lu",
	      ap_ticks);
}

static void init_stops(void)
{
	u64 seen;

	section("SDM 3A 9.4.3");
	wrmsr(X2APIC_ICR, 1ull << 32 | 0x4500);
	for (u32 i = 0; i < 2000000; i++)
		cpu_relax();
	seen = ap_ticks;
	for (u32 i = 0; i < 2000000; i++)
		cpu_relax();
	check(ap_ticks == seen, "smp.init_parks", "%lu more", ap_ticks - seen);
}

void guest_main(void)
{
	u64 before;

	section("SDM 3A 9.4.4");
	apic_enable();
	irq_handler[0x71] = on_ipi;
	check(rdmsr(MSR_APIC_BASE) & 0x100, "smp.bsp_flag", "%lx",
	      rdmsr(MSR_APIC_BASE));
	before = rdtsc();
	check(ap_start(1, ap_main), "smp.sipi_starts", "no answer");
	check(wait_for(&ap_ticks, 100), "smp.both_run", "%lu", ap_ticks);
	check(ap_id == 1, "smp.ap_id", "%lu", ap_id);
	check(ap_tsc > before, "smp.tsc_agrees", "%ld", (s64)(ap_tsc - before));
	cross_ipis();
	halted_ipi();
	restart();
	init_stops();
}
