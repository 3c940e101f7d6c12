/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC by its page and by MSRs: registers, modes, destinations,
 * priorities, errors (SDM 3A 11) */
#include "tests/guest/lib/guest.h"

#define ID      0x020u
#define VERSION 0x030u
#define TPR     0x080u
#define PPR     0x0a0u
#define EOI     0x0b0u
#define LDR     0x0d0u
#define DFR     0x0e0u
#define SVR     0x0f0u
#define ISR     0x100u
#define TMR     0x180u
#define IRR     0x200u
#define ESR     0x280u
#define ICR     0x300u
#define ICR2    0x310u
#define LVTT    0x320u
#define LVT0    0x350u
#define LVT1    0x360u
#define LVTERR  0x370u
#define PAGE    0xfee00000ul

#define MASKED      0x10000u
#define BASE_BSP    0x100ull
#define BASE_EXTD   0x400ull
#define BASE_EN     0x800ull
#define V           0x45 /* the vector of most checks */
#define ERR_VECTOR  0x59
#define MSR_OF(reg) (0x800u + (reg) / 16)

static u32 rd(u32 reg)
{
	return *(volatile u32 *)(PAGE + reg);
}

static void wr(u32 reg, u32 value)
{
	*(volatile u32 *)(PAGE + reg) = value;
}

static void eoi_page(struct trap_frame *f)
{
	wr(EOI, 0);
}

/* How often @V came since the last call */
static u64 came(void)
{
	static u64 before;
	u64 n;

	irq_window();
	n = irq_count[V] - before;
	before = irq_count[V];
	return n;
}

static void send(u32 dest, u32 low)
{
	wr(ICR2, dest << 24);
	wr(ICR, low);
}

static void reset_state(void)
{
	u32 lvts = 0;

	section("SDM 3A 11.4.7.1");
	check(rd(SVR) == 0xff, "apic.svr_at_reset", "%x", rd(SVR));
	for (u32 reg = LVTT; reg <= LVTERR; reg += 0x10)
		lvts += rd(reg) == MASKED;
	check(lvts == 6, "apic.lvts_at_reset", "%u of 6", lvts);
	check(rd(DFR) == ~0u && rd(LDR) == 0 && rd(TPR) == 0,
	      "apic.zero_at_reset", "DFR %x LDR %x TPR %x", rd(DFR), rd(LDR),
	      rd(TPR));
	section("SDM 3A 11.4.8");
	check((rd(VERSION) & 0xf0) == 0x10 && (rd(VERSION) >> 16 & 0xff) >= 5,
	      "apic.version", "%x", rd(VERSION));
	check(!(rd(VERSION) & 1u << 24), "apic.no_directed_eoi", "%x",
	      rd(VERSION));
	section("SDM 3A 11.4.6");
	check(rd(ID) == 0, "apic.id", "%x", rd(ID));
}

static void software_disable(void)
{
	section("SDM 3A 11.4.7.2");
	wr(LVT0, 0x700);
	check(rd(LVT0) == (MASKED | 0x700), "apic.disabled_keeps_masks", "%x",
	      rd(LVT0));
	wr(SVR, 0x1ff);
	wr(LVT0, 0x700);
	wr(LVTERR, ERR_VECTOR);
	check(rd(LVT0) == 0x700, "apic.enabled_unmasks", "%x", rd(LVT0));
	send(0, V);
	wr(SVR, 0xff);
	check((rd(LVT0) & MASKED) && (rd(LVTERR) & MASKED),
	      "apic.disable_masks", "%x %x", rd(LVT0), rd(LVTERR));
	check(rd(IRR + 0x20) == 1u << (V & 31), "apic.disable_keeps_irr", "%x",
	      rd(IRR + 0x20));
	send(0, V + 1);
	check(rd(IRR + 0x20) == 1u << (V & 31), "apic.disabled_takes_none",
	      "%x", rd(IRR + 0x20));
	wr(SVR, 0x1ff);
	check(came() == 1, "apic.held_one_is_delivered", "not");
}

static void shapes(void)
{
	section("SDM 3A 11.4.1");
	wr(VERSION, 0);
	wr(PPR, 0xff);
	wr(ISR, ~0u);
	wr(IRR, ~0u);
	check(rd(VERSION) && !rd(PPR) && !rd(ISR) && !rd(IRR), "apic.read_only",
	      "%x %x %x %x", rd(VERSION), rd(PPR), rd(ISR), rd(IRR));
	section("SDM 3A 11.5.1");
	wr(LVTT, ~0u);
	check((rd(LVTT) & ~0x60000u) == 0x100ff, "apic.lvtt_bits", "%x",
	      rd(LVTT));
	wr(LVTT, MASKED);
	wr(LVT1, ~0u & ~0x500u);
	check(!(rd(LVT1) & 0x5000), "apic.lvt_status_read_only", "%x",
	      rd(LVT1));
	wr(LVT1, MASKED);
	section("SDM 3A 11.6.2.2");
	wr(LDR, ~0u);
	check(rd(LDR) == 0xff000000, "apic.ldr_bits", "%x", rd(LDR));
	wr(DFR, 0);
	check(rd(DFR) == 0x0fffffff, "apic.dfr_bits", "%x", rd(DFR));
	wr(DFR, ~0u);
	section("SDM 3A 11.6.1");
	wr(ICR2, ~0u);
	check(rd(ICR2) == 0xff000000, "apic.icr2_bits", "%x", rd(ICR2));
	send(0, 0x40000u | 0x1000u | V);
	check(!(rd(ICR) & 0x1000), "apic.icr_idle", "%x", rd(ICR));
	check(came() == 1, "apic.self_shorthand", "not");
}

static void errors(void)
{
	u64 before;

	section("SDM 3A 11.5.3");
	wr(ESR, 0);
	wr(ESR, 0);
	check(rd(ESR) == 0, "apic.esr_clear", "%x", rd(ESR));
	send(0, 5);
	check(rd(ESR) == 0, "apic.esr_is_latched", "%x", rd(ESR));
	wr(ESR, 0);
	check(rd(ESR) & 0x20, "apic.send_illegal_vector", "%x", rd(ESR));
	wr(ESR, 0);
	check(rd(ESR) == 0, "apic.esr_write_clears", "%x", rd(ESR));
	(void)rd(0x3d0);
	wr(ESR, 0);
	check(rd(ESR) == 0x80, "apic.illegal_register", "%x", rd(ESR));
	wr(LVTERR, ERR_VECTOR);
	irq_handler[ERR_VECTOR] = eoi_page;
	before = irq_count[ERR_VECTOR];
	(void)rd(0x0);
	irq_window();
	check(irq_count[ERR_VECTOR] == before + 1, "apic.error_interrupt",
	      "%llu", irq_count[ERR_VECTOR] - before);
	wr(LVTERR, MASKED);
	wr(ESR, 0);
	wr(ESR, 0);
}

static void destinations(void)
{
	section("SDM 3A 11.6.2.1");
	send(0, V);
	check(came() == 1, "apic.physical", "not");
	send(1, V);
	check(came() == 0, "apic.physical_other", "came");
	send(0xff, V);
	check(came() == 1, "apic.physical_broadcast", "not");
	section("SDM 3A 11.6.2.2");
	wr(LDR, 0x05000000);
	send(4, 0x800 | V);
	check(came() == 1, "apic.flat", "not");
	send(0x0a, 0x800 | V);
	check(came() == 0, "apic.flat_other", "came");
	wr(DFR, 0x0fffffff);
	wr(LDR, 0x25000000);
	send(0x24, 0x800 | V);
	check(came() == 1, "apic.cluster", "not");
	send(0x15, 0x800 | V);
	send(0x2a, 0x800 | V);
	check(came() == 0, "apic.cluster_other", "came");
	send(0xff, 0x800 | V);
	check(came() == 1, "apic.cluster_broadcast", "not");
	wr(DFR, ~0u);
	wr(LDR, 0x01000000);
	section("SDM 3A 11.6.2.4");
	send(1, 0x900 | V);
	check(came() == 1, "apic.lowest_priority", "not");
	section("SDM 3A 11.6.1");
	send(0, 0x200);
	send(0, 0x300 | V);
	check(came() == 0, "apic.smi_and_reserved_ignored", "came");
	send(0, 0xc4000 | V);
	check(came() == 0, "apic.all_but_self", "came");
	send(0, 0x84000 | V);
	check(came() == 1, "apic.all_with_self", "not");
}

static void priorities(void)
{
	u64 cr8;

	section("SDM 3A 11.8.3.1");
	wr(TPR, 0x4f);
	check(rd(PPR) == 0x4f, "apic.ppr_is_tpr", "%x", rd(PPR));
	send(0, V);
	check(came() == 0, "apic.tpr_class_blocks", "came");
	wr(TPR, 0x3f);
	check(came() == 1, "apic.lower_class_passes", "not");
	wr(TPR, 0);
	section("SDM 3A 11.8.6");
	__asm__ volatile("mov %0, %%cr8" ::"r"(9ull));
	check(rd(TPR) == 0x90, "apic.cr8_is_tpr", "%x", rd(TPR));
	wr(TPR, 0x2c);
	__asm__ volatile("mov %%cr8, %0" : "=r"(cr8));
	check(cr8 == 2, "apic.tpr_is_cr8", "%llx", cr8);
	__asm__ volatile("mov %0, %%cr8" ::"r"(0ull));
}

static u32 isr_seen, ppr_seen, tmr_seen;

static void look_inside(struct trap_frame *f)
{
	isr_seen = rd(ISR + 0x20);
	ppr_seen = rd(PPR);
	tmr_seen = rd(TMR + 0x20);
	wr(EOI, 0);
}

static void in_service(void)
{
	section("SDM 3A 11.8.4");
	irq_handler[V] = look_inside;
	send(0, V);
	came();
	irq_handler[V] = eoi_page;
	check(isr_seen == 1u << (V & 31), "apic.isr_in_handler", "%x",
	      isr_seen);
	check(ppr_seen == (V & 0xf0), "apic.ppr_in_handler", "%x", ppr_seen);
	check(!(tmr_seen & 1u << (V & 31)), "apic.tmr_of_an_edge", "%x",
	      tmr_seen);
	section("SDM 3A 11.8.5");
	check(rd(ISR + 0x20) == 0 && rd(PPR) == 0, "apic.eoi_ends", "%x %x",
	      rd(ISR + 0x20), rd(PPR));
	wr(EOI, 0);
	check(rd(PPR) == 0, "apic.spurious_eoi", "%x", rd(PPR));
}

static bool cpuid_has_apic(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	return r[3] & 1u << 9;
}

static void base_register(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	section("SDM 3A 11.4.4");
	check(base == (PAGE | BASE_EN | BASE_BSP), "apic.base_at_reset", "%llx",
	      base);
	check(wrmsr_faults(MSR_APIC_BASE, base | 1) &&
		      wrmsr_faults(MSR_APIC_BASE, base | 1ull << 62),
	      "apic.base_reserved_gp", "no #GP");
	check(rdmsr(MSR_APIC_BASE) == base, "apic.base_after_gp", "%llx",
	      rdmsr(MSR_APIC_BASE));
	section("SDM 3A 11.4.3");
	wrmsr(MSR_APIC_BASE, base & ~BASE_EN);
	check(!cpuid_has_apic(), "apic.disabled_cpuid", "still there");
	check(rd(VERSION) == ~0u, "apic.disabled_page", "%x", rd(VERSION));
	section("SDM 3A 11.12.5");
	check(wrmsr_faults(MSR_APIC_BASE, base | BASE_EXTD),
	      "apic.disabled_to_x2apic_gp", "no #GP");
	wrmsr(MSR_APIC_BASE, base);
	check(cpuid_has_apic() && rd(VERSION) != ~0u, "apic.enabled_again",
	      "%x", rd(VERSION));
	check(rd(SVR) == 0xff, "apic.enable_resets", "%x", rd(SVR));
	check(rdmsr_faults(MSR_OF(VERSION)), "apic.xapic_has_no_msrs",
	      "no #GP");
	check(wrmsr_faults(MSR_APIC_BASE, (base & ~BASE_EN) | BASE_EXTD),
	      "apic.extd_without_en_gp", "no #GP");
}

static void x2apic_registers(void)
{
	section("SDM 3A 11.12.1");
	check(rdmsr(MSR_OF(ID)) == 0, "x2apic.id", "%llx", rdmsr(MSR_OF(ID)));
	check(rd(VERSION) == ~0u, "x2apic.page_is_gone", "%x", rd(VERSION));
	section("SDM 3A 11.12.10.2");
	check(rdmsr(MSR_OF(LDR)) == 1, "x2apic.ldr_from_id", "%llx",
	      rdmsr(MSR_OF(LDR)));
	check(wrmsr_faults(MSR_OF(LDR), 1), "x2apic.ldr_read_only", "no #GP");
	section("SDM 3A 11.12.1.2");
	check(rdmsr_faults(MSR_OF(DFR)) && rdmsr_faults(MSR_OF(ICR2)),
	      "x2apic.no_dfr_no_icr2", "no #GP");
	check(rdmsr_faults(0x8ff) && rdmsr_faults(0x840),
	      "x2apic.unused_msrs_gp", "no #GP");
	check(rdmsr_faults(MSR_OF(EOI)) && rdmsr_faults(X2APIC_SELF_IPI),
	      "x2apic.write_only_gp", "no #GP");
	check(wrmsr_faults(MSR_OF(VERSION), 0) &&
		      wrmsr_faults(MSR_OF(PPR), 0) &&
		      wrmsr_faults(MSR_OF(ISR), 0),
	      "x2apic.read_only_gp", "no #GP");
	section("SDM 3A 11.12.1.3");
	check(wrmsr_faults(MSR_OF(SVR), 1ull << 32) &&
		      wrmsr_faults(MSR_OF(TPR), 0x100) &&
		      wrmsr_faults(MSR_OF(LVT0), 1ull << 20),
	      "x2apic.reserved_bits_gp", "no #GP");
	check(wrmsr_faults(MSR_OF(EOI), 1) && wrmsr_faults(MSR_OF(ESR), 1),
	      "x2apic.eoi_esr_only_zero", "no #GP");
	check(wrmsr_faults(X2APIC_SELF_IPI, 0x145), "x2apic.self_ipi_reserved",
	      "no #GP");
}

static void x2apic_destinations(void)
{
	section("SDM 3A 11.12.9");
	wrmsr(X2APIC_ICR, 0xffffffffull << 32 | V);
	check(came() == 1, "x2apic.broadcast", "not");
	wrmsr(X2APIC_ICR, 0xffull << 32 | V);
	check(came() == 0, "x2apic.ff_is_an_id", "came");
	wrmsr(X2APIC_ICR, 0x10000ull << 32 | V);
	check(came() == 0, "x2apic.ids_are_wide", "came");
	section("SDM 3A 11.12.10");
	wrmsr(X2APIC_ICR, 0x00001ull << 32 | 0x800 | V);
	check(came() == 1, "x2apic.cluster_0", "not");
	wrmsr(X2APIC_ICR, 0x10001ull << 32 | 0x800 | V);
	wrmsr(X2APIC_ICR, 0x0fffeull << 32 | 0x800 | V);
	check(came() == 0, "x2apic.other_clusters", "came");
	section("SDM 3A 11.12.11");
	wrmsr(X2APIC_SELF_IPI, V);
	check(came() == 1, "x2apic.self_ipi", "not");
}

static void x2apic_ends(u64 base)
{
	section("SDM 3A 11.12.5");
	check(wrmsr_faults(MSR_APIC_BASE, base & ~BASE_EXTD),
	      "x2apic.to_xapic_gp", "no #GP");
	wrmsr(MSR_APIC_BASE, base & ~(BASE_EXTD | BASE_EN));
	check(rdmsr_faults(MSR_OF(ID)), "x2apic.disabled_msrs_gp", "no #GP");
	wrmsr(MSR_APIC_BASE, base & ~BASE_EXTD);
	check(rd(VERSION) == (rd(VERSION) & 0xff00ffu) && rd(SVR) == 0xff,
	      "x2apic.back_by_disabled", "%x %x", rd(VERSION), rd(SVR));
}

static void x2apic(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | BASE_EXTD;

	section("SDM 3A 11.12.5");
	wr(SVR, 0x1ff);
	wr(TPR, 0x20);
	wrmsr(MSR_APIC_BASE, base);
	check(rdmsr(MSR_OF(SVR)) == 0x1ff && rdmsr(X2APIC_TPR) == 0x20,
	      "x2apic.keeps_state", "%llx %llx", rdmsr(MSR_OF(SVR)),
	      rdmsr(X2APIC_TPR));
	wrmsr(X2APIC_TPR, 0);
	irq_handler[V] = irq_ack;
	x2apic_registers();
	x2apic_destinations();
	x2apic_ends(base);
}

void guest_main(void)
{
	irq_handler[V] = eoi_page;
	irq_handler[V + 1] = eoi_page;
	reset_state();
	software_disable();
	shapes();
	errors();
	destinations();
	priorities();
	in_service();
	base_register();
	x2apic();
}
