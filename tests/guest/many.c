/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many vCPUs, more than the machine has cores: each starts, knows its id, and
 * takes every kind of interrupt message (SDM 3A 8.4, 11.6, 11.12). The command
 * line names how many: `vcpus=8`.
 */
#include "tests/guest/lib/guest.h"

#define MAX_VCPUS 128
#define V         0x61
#define LOW       0x62
#define SPINS     400000000ull
#define ICR_LOGIC 0x800ull
#define ALL_BUT   0xc0000ull
#define ALL       0x80000ull

static volatile u32 ids[MAX_VCPUS], hits[MAX_VCPUS], nmis[MAX_VCPUS];
static volatile u32 lows[MAX_VCPUS];
static volatile u64 tscs[MAX_VCPUS];
static volatile u32 started;
static u32 count;

static u32 me(void)
{
	return (u32)rdmsr(X2APIC_ID);
}

static void on_vector(struct trap_frame *f)
{
	__atomic_fetch_add(&hits[me()], 1, __ATOMIC_RELAXED);
	wrmsr(X2APIC_EOI, 0);
}

static void on_low(struct trap_frame *f)
{
	__atomic_fetch_add(&lows[me()], 1, __ATOMIC_RELAXED);
	wrmsr(X2APIC_EOI, 0);
}

static void on_nmi(struct trap_frame *f)
{
	__atomic_fetch_add(&nmis[me()], 1, __ATOMIC_RELAXED);
}

/* Every leaf that has an APIC ID or a count of processors: the number of those
 * that tell another than @id and `count` */
static u32 leaves_that_lie(u32 id)
{
	u32 r[4], lies = 0, top, extended_top;

	cpuid(0, 0, r);
	top = r[0];
	cpuid(0x80000000, 0, r);
	extended_top = r[0];
	cpuid(1, 0, r);
	lies += r[1] >> 24 != (id & 0xff) || (r[1] >> 16 & 0xff) < count;
	lies += count > 1 && !(r[3] & 1u << 28); /* HTT */
	for (u32 leaf = 0xb; leaf <= top; leaf += 0x1f - 0xb) {
		cpuid(leaf, 0, r);
		lies += r[3] != id || r[1] != 1;
		cpuid(leaf, 1, r);
		lies += r[3] != id || (r[1] & 0xffff) != count ||
			1u << (r[0] & 31) < count;
		cpuid(leaf, 2, r);
		lies += r[1] != 0 || (r[2] & 0xff00);
		if (leaf == 0x1f)
			break;
	}
	cpuid(0x80000001, 0, r);
	if (r[2] & 1u << 22) { /* TOPOEXT */
		cpuid(0x8000001e, 0, r);
		lies += r[0] != id;
	}
	if (extended_top >= 0x80000008 && !cpu_is_intel()) {
		cpuid(0x80000008, 0, r);
		lies += (r[2] & 0xff) + 1 != count;
	}
	return lies;
}

static void ap_main(void)
{
	u32 id = me();

	ids[id] = leaves_that_lie(id) ? 9999 : id + 1;
	tscs[id] = rdtsc();
	__atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
	for (;;)
		__asm__ volatile("sti; hlt");
}

static u32 sum(const volatile u32 *of, u32 first)
{
	u32 n = 0;

	for (u32 i = first; i < count; i++)
		n += of[i];
	return n;
}

static bool wait_sum(const volatile u32 *of, u32 first, u32 want)
{
	for (u64 i = 0; i < SPINS / count && sum(of, first) < want; i++)
		cpu_relax();
	return sum(of, first) == want;
}

static void start_all(void)
{
	u32 answered = 0, right = 0, ordered = 0;
	u64 before = rdtsc();

	section("SDM 3A 8.4.4");
	for (u32 i = 1; i < count; i++)
		answered += ap_start(i, ap_main);
	check(answered == count - 1, "many.all_start", "%u of %u", answered,
	      count - 1);
	for (u64 i = 0; i < SPINS && started < count - 1; i++)
		cpu_relax();
	section("SDM 3A 11.12.8");
	for (u32 i = 1; i < count; i++)
		right += ids[i] == i + 1;
	check(right == count - 1, "many.ids_agree_with_cpuid", "%u of %u",
	      right, count - 1);
	section("SDM 3B 18.17.4");
	for (u32 i = 1; i < count; i++)
		ordered += tscs[i] > before && tscs[i] < rdtsc();
	check(ordered == count - 1, "many.tsc_is_one", "%u of %u", ordered,
	      count - 1);
	section("SDM 2A CPUID leaf 0Bh");
	check(!leaves_that_lie(0), "many.topology_counts", "%u leaves lie",
	      leaves_that_lie(0));
}

static void physical(void)
{
	u32 want = sum(hits, 1);

	section("SDM 3A 11.6.2.1");
	for (u32 i = 1; i < count; i++)
		wrmsr(X2APIC_ICR, (u64)i << 32 | V);
	want += count - 1;
	check(wait_sum(hits, 1, want), "many.each_by_id", "%u of %u",
	      sum(hits, 1), want);
	wrmsr(X2APIC_ICR, (u64)count << 32 | V);
	wrmsr(X2APIC_ICR, 0xfeull << 32 | V);
	section("SDM 3A 11.6.1");
	wrmsr(X2APIC_ICR, ALL_BUT | V);
	want += count - 1;
	check(wait_sum(hits, 1, want), "many.all_but_self", "%u of %u",
	      sum(hits, 1), want);
	check(hits[0] == 0, "many.not_self", "%u", hits[0]);
	wrmsr(X2APIC_ICR, ALL | V);
	irq_on();
	want += count;
	check(wait_sum(hits, 0, want), "many.all_with_self", "%u of %u",
	      sum(hits, 0), want);
	section("SDM 3A 11.12.9");
	wrmsr(X2APIC_ICR, 0xffffffffull << 32 | V);
	want += count;
	check(wait_sum(hits, 0, want), "many.broadcast", "%u of %u",
	      sum(hits, 0), want);
	irq_off();
}

static void logical(void)
{
	u32 want = sum(hits, 0), last = count - 1;

	section("SDM 3A 11.12.10");
	for (u32 cluster = 0; cluster * 16 < count; cluster++)
		wrmsr(X2APIC_ICR,
		      (u64)(cluster << 16 | 0xffff) << 32 | ICR_LOGIC | V);
	irq_on();
	want += count;
	check(wait_sum(hits, 0, want), "many.whole_clusters", "%u of %u",
	      sum(hits, 0), want);
	want = hits[last] + 1;
	wrmsr(X2APIC_ICR,
	      (u64)(last >> 4 << 16 | 1u << (last & 15)) << 32 | ICR_LOGIC | V);
	check(wait_sum(hits, last, want), "many.last_of_its_cluster", "%u",
	      hits[last]);
	section("SDM 3A 11.6.2.4");
	wrmsr(X2APIC_ICR, 0xffffull << 32 | ICR_LOGIC | 0x100 | LOW);
	check(wait_sum(lows, 0, 1), "many.lowest_is_one", "%u", sum(lows, 0));
	irq_off();
}

static void nmi(void)
{
	section("SDM 3A 11.6.1");
	wrmsr(X2APIC_ICR, ALL_BUT | 0x400);
	check(wait_sum(nmis, 1, count - 1), "many.nmi_to_all_but_self",
	      "%u of %u", sum(nmis, 1), count - 1);
	check(nmis[0] == 0, "many.no_nmi_to_self", "%u", nmis[0]);
}

static void init_all(void)
{
	u32 before;

	section("SDM 3A 8.4.3");
	wrmsr(X2APIC_ICR, ALL_BUT | 0x4500);
	for (u32 i = 0; i < 1000000; i++)
		cpu_relax();
	before = sum(hits, 1);
	wrmsr(X2APIC_ICR, ALL_BUT | V);
	for (u32 i = 0; i < 1000000; i++)
		cpu_relax();
	check(sum(hits, 1) == before, "many.init_stops_all", "%u more",
	      sum(hits, 1) - before);
	started = 0;
	check(ap_start(count - 1, ap_main), "many.last_starts_again", "no");
}

void guest_main(void)
{
	count = (u32)cmdline_number("vcpus=", 2);
	apic_enable();
	irq_handler[V] = on_vector;
	irq_handler[LOW] = on_low;
	irq_handler[2] = on_nmi;
	start_all();
	physical();
	logical();
	nmi();
	init_all();
}
