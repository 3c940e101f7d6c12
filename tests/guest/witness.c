/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The innocent guest beside the others: its memory keeps its contents, its
 * timer fires neither early nor never, its clocks agree with each other, for as
 * long as they go on. `rounds=N` timer periods of a millisecond or so, or until
 * a byte comes at its serial port, with `typed`; with `timing`, nearly all of
 * them must also be on time.
 */
#include "tests/guest/lib/guest.h"

#define VECTOR       0x41
#define WORDS        (512 * 1024 / 8)
#define PM_TIMER     0x608 /* 24 or 32 bits at 3.579545 MHz */
#define PM_MASK      0xffffffu
#define TIMER_COUNT  1000000u
#define SLICE        4096
#define COM1         0x3f8
#define COM_LSR      5
#define COM_LSR_DATA 1

static u64 memory[WORDS] __aligned(4096);

static bool typed(void)
{
	return inb(COM1 + COM_LSR) & COM_LSR_DATA;
}

static u64 pattern(u64 i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ull;
}

static u32 pm_timer(void)
{
	return inl(PM_TIMER) & PM_MASK;
}

static bool slice_whole(u64 round)
{
	u64 first = round * SLICE % WORDS;

	for (u64 i = first; i < first + SLICE; i++)
		if (memory[i] != pattern(i))
			return false;
	return true;
}

/* One shot, then wait; TSC ticks it took. Not by STI and HLT.
 * QUIRK(tcg-7.2): VMRUN forgets the shadow between them that the VMCB has, and
 * what then comes before the HLT does not end it. */
static u64 one_shot(void)
{
	u64 before = irq_count[VECTOR], start = rdtsc();

	wrmsr(X2APIC_TMICT, TIMER_COUNT);
	while (irq_count[VECTOR] == before)
		irq_window();
	return rdtsc() - start;
}

void guest_main(void)
{
	u64 least = ~0ull, ticks = 0, pm = 0,
	    n = cmdline_number("rounds=", 300), bad = 0, cr4;
	u64 late = 0;
	u64 start, now, i;
	u32 pm_last, pm_now;

	for (i = 0; i < WORDS; i++)
		memory[i] = pattern(i);
	apic_enable();
	irq_handler[VECTOR] = irq_ack;
	wrmsr(X2APIC_TDCR, 0xb);
	wrmsr(X2APIC_LVT_TIMER, VECTOR);
	cr4 = read_cr4();
	pm_last = pm_timer();
	start = now = rdtsc();
	for (i = 0; cmdline_has("typed") ? !typed() : i < n; i++) {
		u64 took = one_shot(), last = now;

		least = took < least ? took : least;
		late += took > 2 * TIMER_COUNT;
		now = rdtsc();
		bad += now < last;
		ticks += !slice_whole(i);
		pm_now = pm_timer();
		pm += (pm_now - pm_last) & PM_MASK;
		pm_last = pm_now;
	}
	now = rdtsc() - start;
	n = i;
	section("SDM 3A 10.5.4");
	check(irq_count[VECTOR] == n, "witness.timer", "%llu of %llu",
	      irq_count[VECTOR], n);
	check(least > TIMER_COUNT / 100, "witness.timer_not_early",
	      "%llu TSC ticks", least);
	if (cmdline_has("timing"))
		check(late * 10 <= n, "witness.timer_on_time",
		      "%llu of %llu late", late, n);
	section("SDM 3B 17.17");
	check(!bad, "witness.tsc", "%llu times backwards", bad);
	section("ACPI 4.8.2.1");
	check(pm && now / pm > 2 && now / pm < 20000, "witness.clocks",
	      "%llu TSC ticks, %llu of the PM timer", now, pm);
	section("SDM 3C 28.3");
	check(!ticks, "witness.memory", "%llu slices changed", ticks);
	check(cr4 == read_cr4(), "witness.cr4", "%llx", read_cr4());
}
