/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks of known rate, see tsc_clock.h. Called by tsc.c.
 *
 * A moment is an edge of the clock between two TSC reads that are as close as
 * they come: what an SMI has torn apart is wide, and one that is narrow takes
 * its place. How long it is from one moment to the next does not matter, since
 * both clocks go on. A reading that is simply wrong, as of PM timers that do
 * not latch, is in one half of a window and not in the other.
 */
#include "arch/x86/machine/tsc_clock.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/machine/tsc.h"
#include "include/hw/acpi_pm.h"
#include "include/hw/i8254.h"

#define EDGES        6
#define BOOT_SPINS   100000
#define WINDOW_SPINS 10000000
#define ROUGH_US     2000
#define ROUGH_TRIES  3

/*
 * ACPI 6.4, 4.8.3.3 *Power Management Timer (PM_TMR)*; it has 24 bits at least
 */
static u16 pm_port;

static u64 pm_read(void)
{
	return inl(pm_port);
}

const struct ref_clock *clock_pm_timer(u16 port)
{
	static const struct ref_clock clock = { "ACPI PM timer", PM_TMR_HZ,
						PM_TMR_MASK, pm_read };

	pm_port = port;
	return &clock;
}

/*
 * PIT channel 2 (8254 data sheet), gated by port 61h, with the speaker silent
 */
#define PIT_CH2       (PIT_PORT + 2)
#define PIT_CMD       (PIT_PORT + PIT_CONTROL)
#define PIT_SELECT2   (2u << PIT_SELECT_SHIFT)
#define PIT_CH2_MODE0 (PIT_SELECT2 | PIT_ACCESS_BOTH << PIT_ACCESS_SHIFT)
#define PIT_LATCH2    (PIT_SELECT2 | PIT_ACCESS_LATCH << PIT_ACCESS_SHIFT)

static u64 pit_read(void)
{
	u32 low;

	outb(PIT_CMD, PIT_LATCH2);
	low = inb(PIT_CH2);
	return 0xffff - (low | (u32)inb(PIT_CH2) << 8);
}

const struct ref_clock *clock_pit(void)
{
	static const struct ref_clock clock = { "PIT", PIT_HZ, 0xffff,
						pit_read };
	u8 port61 = inb(NMI_SC_PORT) & (u8) ~(NMI_SC_SPEAKER | NMI_SC_GATE2);

	outb(NMI_SC_PORT, port61);
	outb(PIT_CMD, PIT_CH2_MODE0);
	outb(PIT_CH2, 0xff);
	outb(PIT_CH2, 0xff);
	outb(NMI_SC_PORT, port61 | NMI_SC_GATE2);
	return &clock;
}

/* Wait for an edge of @c; false: the clock stands still */
static bool wait_edge(const struct ref_clock *c, u32 spins,
		      struct clock_sample *s)
{
	u64 before = c->read() & c->mask;

	for (u32 i = 0; i < spins; i++) {
		u64 t0 = rdtsc();
		u64 now = c->read() & c->mask;
		u64 t1 = rdtsc();

		if (now == before)
			continue;
		s->width = t1 - t0;
		s->tsc = t0 + s->width / 2;
		s->ref = now;
		return true;
	}
	return false;
}

bool clock_sample(const struct ref_clock *c, u32 spins, struct clock_sample *s)
{
	struct clock_sample edge;

	s->width = UINT64_MAX;
	for (u32 i = 0; i < EDGES && wait_edge(c, spins, &edge); i++)
		if (edge.width < s->width)
			*s = edge;
	return s->width != UINT64_MAX;
}

/* @a * @b / @by, rounded; 0 if that has more than 64 bits */
static u64 scale(u64 a, u64 b, u64 by)
{
	unsigned __int128 product = (unsigned __int128)a * b + by / 2;
	u64 low = (u64)product, high = (u64)(product >> 64);

	if (high >= by)
		return 0;
	__asm__("divq %2" : "+a"(low), "+d"(high) : "rm"(by) : "cc");
	return low;
}

u64 clock_khz(const struct ref_clock *c, const struct clock_sample *a,
	      const struct clock_sample *b, u64 rough_khz)
{
	u64 ticks = b->tsc - a->tsc, ref = (b->ref - a->ref) & c->mask;
	u64 round = c->mask + 1;
	u64 expected;

	if (rough_khz) {
		expected = scale(ticks, c->hz, rough_khz * 1000);
		if (expected > ref)
			ref += (expected - ref + round / 2) / round * round;
	}
	if (!ref)
		return 0;
	return scale(ticks, c->hz, ref * 1000);
}

/* A moment @us after @from */
static bool sample_after(const struct ref_clock *c,
			 const struct clock_sample *from, u64 us,
			 struct clock_sample *s)
{
	u64 window = c->hz * us / 1000000;

	for (u32 i = 0; i < WINDOW_SPINS; i++)
		if (((c->read() - from->ref) & c->mask) >= window)
			break;
	return clock_sample(c, BOOT_SPINS, s);
}

/* One window of ROUGH_US; *@apart_khz: how far its halves disagree */
static u64 rough_window(const struct ref_clock *c, struct clock_sample *first,
			u64 *apart_khz)
{
	struct clock_sample middle, last;

	if (!clock_sample(c, BOOT_SPINS, first) ||
	    !sample_after(c, first, ROUGH_US / 2, &middle) ||
	    !sample_after(c, first, ROUGH_US, &last))
		return 0;
	*apart_khz = khz_apart(clock_khz(c, first, &middle, 0),
			       clock_khz(c, &middle, &last, 0));
	return clock_khz(c, first, &last, 0);
}

u64 clock_rough_khz(const struct ref_clock *c, struct clock_sample *first)
{
	u64 best = 0, best_apart = UINT64_MAX;

	for (u32 i = 0; i < ROUGH_TRIES; i++) {
		struct clock_sample begin;
		u64 apart_khz = UINT64_MAX;
		u64 khz = rough_window(c, &begin, &apart_khz);

		if (!khz)
			return best;
		if (apart_khz >= best_apart)
			continue;
		best = khz;
		best_apart = apart_khz;
		*first = begin;
		if (apart_khz <= khz >> KHZ_AGREE_SHIFT)
			break;
	}
	return best;
}
