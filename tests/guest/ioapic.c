/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IOAPIC with two vCPUs behind it (82093AA data sheet 3.0; ICH9 13.5):
 * registers, edges, levels with their EOI, masks, delivery modes,
 * destinations. The ports of `testdev` are the devices that pull its lines.
 * Over 400 lines: two vCPUs and their handlers serve every check.
 */
#include "tests/guest/lib/board.h"

#define PIN       20 /* most checks */
#define OTHER_PIN 21
#define V         0x61
#define V2        0x72
#define NMI       2
#define PINS      24

#define IO_BASE 0xfec00000ul
#define IO_EOI  0x40
#define ID      0
#define VERSION 1
#define ARB     2
#define RTE     0x10

#define LEVEL      0x8000u
#define REMOTE_IRR 0x4000u
#define LOGICAL    0x800u
#define LOWEST     0x100u
#define MODE_SMI   0x200u
#define MODE_NMI   0x400u
#define MODE_INIT  0x500u

/* xAPIC's page */
#define PAGE  0xfee00000ul
#define X_EOI 0x0b0
#define X_LDR 0x0d0
#define X_DFR 0x0e0
#define X_SVR 0x0f0
#define X_TPR 0x080
#define X_ID  0x020

static bool xapic;           /* both vCPUs use the page */
static volatile u32 hits[2]; /* of V, by vCPU */
static volatile u32 nmis[2];
static volatile u32 ap_state; /* what it has done of ap_want */
static volatile u32 ap_want;
static volatile u32 ap_ldr, ap_tpr, ap_beats;
static volatile u32 keep_up; /* level handler: pull down at the nth */
static volatile u32 rirr_seen, depth, nested;

static volatile u32 *io(u32 offset)
{
	return (volatile u32 *)(IO_BASE + offset);
}

static volatile u32 *page(u32 offset)
{
	return (volatile u32 *)(PAGE + offset);
}

static u32 rd(u32 reg)
{
	*io(0) = reg;
	return *io(0x10);
}

static void wr(u32 reg, u32 value)
{
	*io(0) = reg;
	*io(0x10) = value;
}

static void rte(u32 pin, u8 dest, u32 low)
{
	wr(RTE + 2 * pin + 1, (u32)dest << 24);
	wr(RTE + 2 * pin, low);
}

static void mask(u32 pin)
{
	rte(pin, 0, IOAPIC_MASKED);
}

static void line(u32 pin, bool up)
{
	outb((u16)(0x2000 + pin), up);
}

static void pulse(u32 pin)
{
	line(pin, true);
	line(pin, false);
}

static u32 me(void)
{
	return xapic ? *page(X_ID) >> 24 : (u32)rdmsr(X2APIC_ID);
}

static void eoi(void)
{
	if (xapic)
		*page(X_EOI) = 0;
	else
		wrmsr(X2APIC_EOI, 0);
}

static void window(void)
{
	irq_on();
	for (u32 i = 0; i < 1000; i++)
		cpu_relax();
	irq_off();
}

/* How often V came to this vCPU since the last call */
static u32 came(void)
{
	static u32 before;
	u32 n;

	window();
	n = hits[0] - before;
	before = hits[0];
	return n;
}

static void on_vector(struct trap_frame *f)
{
	hits[me()]++;
	eoi();
}

static void on_nmi(struct trap_frame *f)
{
	nmis[me()]++;
}

/* A device's handler: looks at the entry, serves the device at the last call */
static void on_level(struct trap_frame *f)
{
	hits[me()]++;
	rirr_seen = rd(RTE + 2 * PIN) & REMOTE_IRR;
	if (!--keep_up)
		line(PIN, false);
	nested += depth++ > 0;
	irq_on();
	cpu_relax();
	irq_off();
	depth--;
	eoi();
}

static void registers(void)
{
	u32 masked = 0;

	section("82093AA 3.2.1");
	wr(ID, ~0u);
	check(rd(ID) == 0x0f000000, "ioapic.id_bits", "%x", rd(ID));
	section("82093AA 3.2.3");
	check(rd(ARB) == 0x0f000000, "ioapic.arb_follows_id", "%x", rd(ARB));
	wr(ID, 0);
	section("ICH9 13.5.6");
	wr(VERSION, 0);
	check((rd(VERSION) & 0xff) == 0x20 &&
		      (rd(VERSION) >> 16 & 0xff) == PINS - 1,
	      "ioapic.version", "%x", rd(VERSION));
	section("82093AA 3.2.4");
	for (u32 i = 0; i < PINS; i++)
		masked += rd(RTE + 2 * i) == IOAPIC_MASKED;
	check(masked == PINS, "ioapic.masked_at_reset", "%u of 24", masked);
	wr(RTE + 2 * PIN, ~0u);
	wr(RTE + 2 * PIN + 1, ~0u);
	check(rd(RTE + 2 * PIN) == 0x1afff, "ioapic.entry_low_bits", "%x",
	      rd(RTE + 2 * PIN));
	check(rd(RTE + 2 * PIN + 1) == 0xfffe0000, "ioapic.entry_high_bits",
	      "%x", rd(RTE + 2 * PIN + 1));
	mask(PIN);
	section("82093AA 3.1.1");
	wr(RTE + 2 * PINS, 0x12345678);
	check(*io(0) == RTE + 2 * PINS && rd(RTE + 2 * PINS) != 0x12345678,
	      "ioapic.no_25th_entry", "%x", rd(RTE + 2 * PINS));
}

static void edges(void)
{
	section("82093AA 3.2.4, trigger mode");
	rte(PIN, 0, V);
	line(PIN, true);
	check(came() == 1, "ioapic.edge_comes", "not");
	check(!(rd(RTE + 2 * PIN) & REMOTE_IRR), "ioapic.edge_no_remote_irr",
	      "%x", rd(RTE + 2 * PIN));
	line(PIN, true);
	check(came() == 0, "ioapic.edge_held_is_one", "again");
	line(PIN, false);
	check(came() == 0, "ioapic.falling_edge_is_none", "came");
	line(PIN, true);
	check(came() == 1, "ioapic.next_edge_comes", "not");
	line(PIN, false);
	section("82093AA 3.2.4, interrupt mask");
	rte(PIN, 0, IOAPIC_MASKED | V);
	pulse(PIN);
	rte(PIN, 0, V);
	check(came() == 0, "ioapic.masked_edge_is_lost", "came");
	mask(PIN);
}

/* The line stays up over two EOIs */
static void level_repeats(void)
{
	irq_handler[V] = on_level;
	section("82093AA 3.2.4, remote IRR");
	rte(PIN, 0, LEVEL | V);
	keep_up = 3;
	line(PIN, true);
	check(came() == 3, "ioapic.level_until_served", "not 3");
	check(!nested, "ioapic.not_before_eoi", "nested");
	check(rirr_seen, "ioapic.remote_irr_in_handler", "clear");
	check(!(rd(RTE + 2 * PIN) & REMOTE_IRR), "ioapic.eoi_clears_remote_irr",
	      "%x", rd(RTE + 2 * PIN));
	irq_handler[V] = on_vector;
	check(came() == 0, "ioapic.served_is_quiet", "came");
	line(PIN, true);
	line(PIN, false);
	check(rd(RTE + 2 * PIN) & REMOTE_IRR, "ioapic.accepted_stays", "%x",
	      rd(RTE + 2 * PIN));
	line(PIN, true);
	line(PIN, false);
	check(came() == 1, "ioapic.one_until_eoi", "not");
	mask(PIN);
}

static void level_masks(void)
{
	section("82093AA 3.2.4, interrupt mask");
	rte(PIN, 0, IOAPIC_MASKED | LEVEL | V);
	line(PIN, true);
	check(came() == 0, "ioapic.masked_level_waits", "came");
	line(PIN, false);
	rte(PIN, 0, LEVEL | V);
	check(came() == 0, "ioapic.withdrawn_is_none", "came");
	rte(PIN, 0, IOAPIC_MASKED | LEVEL | V);
	line(PIN, true);
	irq_handler[V] = on_level;
	keep_up = 1;
	rte(PIN, 0, LEVEL | V);
	check(came() == 1, "ioapic.unmasked_level_comes", "not");
	irq_handler[V] = on_vector;
	mask(PIN);
}

static void remote_irr(void)
{
	section("82093AA 3.2.4, remote IRR");
	rte(PIN, 0, LEVEL | V);
	wr(RTE + 2 * PIN, LEVEL | REMOTE_IRR | V);
	check(!(rd(RTE + 2 * PIN) & REMOTE_IRR), "ioapic.remote_irr_read_only",
	      "%x", rd(RTE + 2 * PIN));
	pulse(PIN);
	wr(RTE + 2 * PIN, LEVEL | V);
	check(rd(RTE + 2 * PIN) & REMOTE_IRR, "ioapic.remote_irr_is_kept", "%x",
	      rd(RTE + 2 * PIN));
	section("Linux io_apic.c, __eoi_ioapic_pin");
	wr(RTE + 2 * PIN, IOAPIC_MASKED | V);
	check(!(rd(RTE + 2 * PIN) & REMOTE_IRR), "ioapic.edge_clears_it", "%x",
	      rd(RTE + 2 * PIN));
	came();
	mask(PIN);
}

/* The EOI register of version 20h: what software without the local APIC's
 * broadcast writes */
static void eoi_register(void)
{
	section("ICH9 13.5.3");
	rte(PIN, 0, LEVEL | V);
	line(PIN, true);
	*io(IO_EOI) = V2;
	check(rd(RTE + 2 * PIN) & REMOTE_IRR, "ioapic.eoi_of_another", "%x",
	      rd(RTE + 2 * PIN));
	line(PIN, false);
	*io(IO_EOI) = V;
	check(!(rd(RTE + 2 * PIN) & REMOTE_IRR), "ioapic.eoi_register", "%x",
	      rd(RTE + 2 * PIN));
	check(came() == 1, "ioapic.eoi_takes_nothing_back", "not");
	check(came() == 0, "ioapic.eoi_register_once", "came");
	rte(OTHER_PIN, 0, LEVEL | V);
	pulse(PIN);
	pulse(OTHER_PIN);
	check(came() == 1 && !((rd(RTE + 2 * PIN) | rd(RTE + 2 * OTHER_PIN)) &
			       REMOTE_IRR),
	      "ioapic.eoi_is_by_vector", "%x %x", rd(RTE + 2 * PIN),
	      rd(RTE + 2 * OTHER_PIN));
	mask(PIN);
	mask(OTHER_PIN);
}

/* Of two levels that wait, the higher comes first; its EOI ends only its own */
static volatile u32 order[2], irr_of_other, taken;

static void on_two(struct trap_frame *f)
{
	u32 other = f->vector == V2 ? PIN : OTHER_PIN;

	order[taken++ & 1] = (u32)f->vector;
	line(f->vector == V2 ? OTHER_PIN : PIN, false);
	eoi();
	if (f->vector == V2)
		irr_of_other = rd(RTE + 2 * other) & REMOTE_IRR;
}

static void two_levels(void)
{
	section("SDM 3A 11.8.5");
	irq_handler[V] = irq_handler[V2] = on_two;
	rte(PIN, 0, LEVEL | V);
	rte(OTHER_PIN, 0, LEVEL | V2);
	line(PIN, true);
	line(OTHER_PIN, true);
	window();
	check(taken == 2 && order[0] == V2 && order[1] == V,
	      "ioapic.higher_level_first", "%u: %x %x", taken, order[0],
	      order[1]);
	check(irr_of_other, "ioapic.eoi_ends_its_own", "both ended");
	irq_handler[V] = on_vector;
	mask(PIN);
	mask(OTHER_PIN);
}

static void modes(void)
{
	section("82093AA 3.2.4, delivery mode");
	rte(PIN, 0, LEVEL | MODE_NMI | V);
	line(PIN, true);
	window();
	check(nmis[0] == 1, "ioapic.nmi", "%u", nmis[0]);
	check(!(rd(RTE + 2 * PIN) & REMOTE_IRR), "ioapic.nmi_is_an_edge", "%x",
	      rd(RTE + 2 * PIN));
	line(PIN, false);
	rte(PIN, 0, MODE_SMI);
	pulse(PIN);
	rte(PIN, 0, 0x300 | V);
	pulse(PIN);
	check(came() == 0, "ioapic.smi_and_reserved_ignored", "came");
	rte(PIN, 0, 5);
	pulse(PIN);
	check(came() == 0, "ioapic.illegal_vector_ignored", "came");
	mask(PIN);
}

/* --- the second vCPU: halts, answers, changes its APIC on demand --- */

enum { AP_X2APIC = 1, AP_XAPIC, AP_LDR, AP_TPR };

static void apic_to_page(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) & ~0xc00ull;

	wrmsr(MSR_APIC_BASE, base);
	wrmsr(MSR_APIC_BASE, base | 0x800);
	*page(X_SVR) = 0x1ff;
}

static void ap_obey(u32 want)
{
	if (want == AP_XAPIC)
		apic_to_page();
	if (want == AP_LDR) {
		*page(X_DFR) = ap_ldr & 1 ? 0x0fffffff : ~0u;
		*page(X_LDR) = ap_ldr & 0xff000000;
	}
	if (want == AP_TPR)
		*page(X_TPR) = ap_tpr;
	ap_state = want;
}

static void ap_main(void)
{
	for (;;) {
		if (ap_want != ap_state)
			ap_obey(ap_want);
		irq_on();
		ap_beats++;
		cpu_relax();
		irq_off();
	}
}

static void ap_do(u32 want)
{
	ap_state = 0;
	ap_want = want;
	for (u32 i = 0; i < 100000000 && ap_state != want; i++)
		cpu_relax();
}

/* Both have run behind what was sent */
static void settle(void)
{
	u32 before = ap_beats;

	window();
	for (u32 i = 0; i < 100000000 && ap_beats - before < 3; i++)
		cpu_relax();
	window();
}

/*
 * PIN comes once by this entry: @mine to vCPU 0, @others to vCPU 1. A level is
 * pulled down by its handler: a pulse's end may come late, and the other vCPU
 * rightly be interrupted again until then.
 */
static void expect(const char *name, u8 dest, u32 low, u32 mine, u32 others)
{
	u32 a = hits[0], b = hits[1];

	irq_handler[V] = low & LEVEL ? on_level : on_vector;
	keep_up = 1;
	rte(PIN, dest, low | V);
	line(PIN, true);
	if (!(low & LEVEL))
		line(PIN, false);
	settle();
	line(PIN, false);
	irq_handler[V] = on_vector;
	check(hits[0] - a == mine && hits[1] - b == others, name,
	      "%u and %u for %u and %u", hits[0] - a, hits[1] - b, mine,
	      others);
	mask(PIN);
}

static void by_id(void)
{
	section("82093AA 3.2.4, destination mode");
	expect("ioapic.physical_0", 0, 0, 1, 0);
	expect("ioapic.physical_1", 1, 0, 0, 1);
	expect("ioapic.physical_nobody", 2, 0, 0, 0);
	expect("ioapic.physical_all", 0xff, 0, 1, 1);
	expect("ioapic.level_to_the_other", 1, LEVEL, 0, 1);
	section("82093AA 3.2.4, remote IRR");
	rte(PIN, 2, LEVEL | V);
	pulse(PIN);
	check(!(rd(RTE + 2 * PIN) & REMOTE_IRR), "ioapic.nobody_took_it", "%x",
	      rd(RTE + 2 * PIN));
	section("SDM 3A 11.12.10.2");
	expect("ioapic.x2apic_cluster_0", 0x03, LOGICAL, 1, 1);
	expect("ioapic.x2apic_one", 0x02, LOGICAL, 0, 1);
	expect("ioapic.x2apic_not_there", 0xfc, LOGICAL, 0, 0);
}

static void set_ldr(u32 mine, u32 others, bool cluster)
{
	*page(X_DFR) = cluster ? 0x0fffffff : ~0u;
	*page(X_LDR) = mine << 24;
	ap_ldr = others << 24 | cluster;
	ap_do(AP_LDR);
}

static void set_tpr(u32 mine, u32 others)
{
	*page(X_TPR) = mine;
	ap_tpr = others;
	ap_do(AP_TPR);
}

static void by_logical_id(void)
{
	ap_do(AP_XAPIC);
	apic_to_page();
	xapic = true;
	section("SDM 3A 11.6.2.2");
	set_ldr(0x01, 0x82, false);
	expect("ioapic.flat_one", 0x01, LOGICAL, 1, 0);
	expect("ioapic.flat_other", 0x80, LOGICAL, 0, 1);
	expect("ioapic.flat_both", 0x03, LOGICAL, 1, 1);
	expect("ioapic.flat_nobody", 0x7c, LOGICAL, 0, 0);
	expect("ioapic.flat_all", 0xff, LOGICAL, 1, 1);
	set_ldr(0x11, 0x22, true);
	expect("ioapic.cluster_one", 0x13, LOGICAL, 1, 0);
	expect("ioapic.cluster_other", 0x2f, LOGICAL, 0, 1);
	expect("ioapic.cluster_nobody", 0x32, LOGICAL, 0, 0);
	expect("ioapic.cluster_all", 0xff, LOGICAL, 1, 1);
}

static void lowest_priority(void)
{
	section("SDM 3A 11.6.2.4");
	set_ldr(0x01, 0x02, false);
	set_tpr(0x10, 0);
	expect("ioapic.lowest_is_the_other", 0x03, LOGICAL | LOWEST, 0, 1);
	set_tpr(0, 0x10);
	expect("ioapic.lowest_is_this", 0x03, LOGICAL | LOWEST, 1, 0);
	expect("ioapic.lowest_of_one", 0x02, LOGICAL | LOWEST, 0, 1);
	set_tpr(0x10, 0);
	expect("ioapic.lowest_level", 0x03, LEVEL | LOGICAL | LOWEST, 0, 1);
	check(!(rd(RTE + 2 * PIN) & REMOTE_IRR), "ioapic.lowest_level_eoi",
	      "%x", rd(RTE + 2 * PIN));
	set_tpr(0, 0);
}

/* NMIs to both; INIT stops the other */
static void edges_of_mode(void)
{
	u32 before;

	section("82093AA 3.2.4, delivery mode");
	before = nmis[0];
	rte(PIN, 0xff, MODE_NMI);
	pulse(PIN);
	settle();
	check(nmis[0] == before + 1 && nmis[1] == 1, "ioapic.nmi_to_all",
	      "%u and %u", nmis[0] - before, nmis[1]);
	rte(PIN, 1, MODE_INIT);
	pulse(PIN);
	for (u32 i = 0; i < 1000000; i++)
		cpu_relax();
	before = ap_beats;
	for (u32 i = 0; i < 1000000; i++)
		cpu_relax();
	check(ap_beats == before, "ioapic.init_stops_it", "%u more",
	      ap_beats - before);
	mask(PIN);
}

void guest_main(void)
{
	apic_enable();
	irq_handler[V] = on_vector;
	irq_handler[NMI] = on_nmi;
	registers();
	edges();
	level_repeats();
	level_masks();
	remote_irr();
	eoi_register();
	two_levels();
	modes();
	check(ap_start(1, ap_main), "ioapic.second_vcpu", "no answer");
	by_id();
	by_logical_id();
	lowest_priority();
	edges_of_mode();
}
