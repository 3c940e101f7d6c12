/* SPDX-License-Identifier: BSD-2-Clause */
/* Injection and masking (SDM 3A 6.8, 11.8; APM 2 8, 16) */
#include "tests/guest/lib/guest.h"

static volatile u32 order[4], order_count;

static void record(struct trap_frame *f)
{
	if (order_count < 4)
		order[order_count++] = (u32)f->vector;
	wrmsr(X2APIC_EOI, 0);
}

static void self_ipi(u8 vector)
{
	wrmsr(X2APIC_SELF_IPI, vector);
}

static void delivery(void)
{
	section("SDM 3A 11.8.4");
	irq_handler[0x40] = irq_ack;
	irq_off();
	self_ipi(0x40);
	spin();
	check(irq_count[0x40] == 0, "irq.if_masks", "%llu taken with IF clear",
	      irq_count[0x40]);
	check(rdmsr(X2APIC_IRR0 + 2) == 1, "irq.irr_set", "IRR2 %llx",
	      rdmsr(X2APIC_IRR0 + 2));
	irq_on();
	__asm__ volatile("nop");
	irq_off();
	check(irq_count[0x40] == 1, "irq.taken_after_sti", "%llu",
	      irq_count[0x40]);
	check(rdmsr(X2APIC_IRR0 + 2) == 0 && rdmsr(X2APIC_ISR0 + 2) == 0,
	      "irq.gone_after_eoi", "IRR2 %llx ISR2 %llx",
	      rdmsr(X2APIC_IRR0 + 2), rdmsr(X2APIC_ISR0 + 2));
	self_ipi(0x40);
	self_ipi(0x40);
	irq_on();
	spin();
	irq_off();
	check(irq_count[0x40] == 2, "irq.same_vector_merges", "%llu",
	      irq_count[0x40]);
}

static void sti_shadow(void)
{
	u64 before = irq_count[0x40], inside;

	section("SDM 3A 6.8.1");
	irq_off();
	self_ipi(0x40);
	__asm__ volatile("sti; mov %1, %0; nop; cli"
			 : "=r"(inside)
			 : "m"(irq_count[0x40])
			 : "memory");
	check(inside == before, "irq.sti_shadow", "taken in the shadow");
	check(irq_count[0x40] == before + 1, "irq.after_shadow", "not taken");
}

static void priorities(void)
{
	section("SDM 3A 11.8.3");
	irq_handler[0x51] = record;
	irq_handler[0x82] = record;
	irq_handler[0x63] = record;
	irq_off();
	self_ipi(0x51);
	self_ipi(0x82);
	self_ipi(0x63);
	irq_on();
	spin();
	irq_off();
	check(order_count == 3 && order[0] == 0x82 && order[1] == 0x63 &&
		      order[2] == 0x51,
	      "irq.priority_order", "%x %x %x", order[0], order[1], order[2]);
}

static void tpr(void)
{
	u64 before = irq_count[0x40], v;

	section("SDM 3A 11.8.6");
	wrmsr(X2APIC_TPR, 0x40);
	irq_on();
	self_ipi(0x40);
	spin();
	check(irq_count[0x40] == before, "irq.tpr_masks", "taken");
	__asm__ volatile("mov %%cr8, %0" : "=r"(v));
	check(v == 4, "irq.cr8_mirrors_tpr", "%llx", v);
	__asm__ volatile("mov %0, %%cr8" ::"r"(0ull));
	spin();
	irq_off();
	check(irq_count[0x40] == before + 1, "irq.cr8_unmasks", "%llu",
	      irq_count[0x40] - before);
	check(rdmsr(X2APIC_TPR) == 0, "irq.tpr_mirrors_cr8", "%llx",
	      rdmsr(X2APIC_TPR));
}

/* In the handler of 62h: one below, one of its class, one above come in */
static volatile u64 ppr_inside, ppr_with_tpr, isr_inside, later[3];

static void open_inside(struct trap_frame *f)
{
	self_ipi(0x54);
	self_ipi(0x65);
	self_ipi(0x73);
	irq_on();
	spin();
	irq_off();
	later[0] = irq_count[0x54];
	later[1] = irq_count[0x65];
	later[2] = irq_count[0x73];
	ppr_inside = rdmsr(X2APIC_PPR);
	isr_inside = rdmsr(X2APIC_ISR0 + 3);
	wrmsr(X2APIC_TPR, 0x6a);
	ppr_with_tpr = rdmsr(X2APIC_PPR);
	wrmsr(X2APIC_TPR, 0);
	wrmsr(X2APIC_EOI, 0);
}

static void nesting(void)
{
	section("SDM 3A 11.8.3.1");
	irq_handler[0x54] = irq_ack;
	irq_handler[0x62] = open_inside;
	irq_handler[0x65] = irq_ack;
	irq_handler[0x73] = irq_ack;
	self_ipi(0x62);
	irq_on();
	spin();
	irq_off();
	check(later[2] == 1, "irq.higher_class_nests", "%llu", later[2]);
	check(!later[0] && !later[1], "irq.lower_and_same_wait", "%llu %llu",
	      later[0], later[1]);
	check(ppr_inside == 0x60 && isr_inside == 1 << 2,
	      "irq.ppr_is_class_in_service", "%llx ISR %llx", ppr_inside,
	      isr_inside);
	check(ppr_with_tpr == 0x6a, "irq.ppr_is_tpr_of_same_class", "%llx",
	      ppr_with_tpr);
	check(irq_count[0x54] == 1 && irq_count[0x65] == 1,
	      "irq.they_come_after_eoi", "%llu %llu", irq_count[0x54],
	      irq_count[0x65]);
	check(rdmsr(X2APIC_PPR) == 0, "irq.ppr_back_to_0", "%llx",
	      rdmsr(X2APIC_PPR));
}

static void halt(void)
{
	u64 before = irq_count[0x40];

	section("SDM 3A 9.10.3");
	irq_off();
	self_ipi(0x40);
	irq_wait();
	check(irq_count[0x40] == before + 1, "irq.hlt_pending_wakes", "%llu",
	      irq_count[0x40] - before);
}

static void icr_forms(void)
{
	u64 before = irq_count[0x40];

	section("SDM 3A 11.6.1");
	wrmsr(X2APIC_ICR, 0x40000 | 0x40);
	irq_on();
	spin();
	irq_off();
	check(irq_count[0x40] == before + 1, "irq.icr_self", "%llu",
	      irq_count[0x40] - before);
	wrmsr(X2APIC_ICR, 0x80000 | 0x40);
	wrmsr(X2APIC_ICR, rdmsr(X2APIC_ID) << 32 | 0x40);
	irq_on();
	spin();
	irq_off();
	check(irq_count[0x40] == before + 2, "irq.icr_physical_merges", "%llu",
	      irq_count[0x40] - before);
	wrmsr(X2APIC_ICR, 0xc0000 | 0x40);
	irq_on();
	spin();
	irq_off();
	check(irq_count[0x40] == before + 2, "irq.icr_others_not_self", "%llu",
	      irq_count[0x40] - before);
	wrmsr(X2APIC_ESR, 0);
	wrmsr(X2APIC_SELF_IPI, 0x41);
	irq_handler[0x41] = irq_ack;
	irq_on();
	spin();
	irq_off();
	check(irq_count[0x41] == 1, "irq.self_ipi_msr", "%llu",
	      irq_count[0x41]);
}

static void nmi_to_self(void)
{
	u64 before = irq_count[2];

	section("SDM 3A 6.7");
	wrmsr(X2APIC_ICR, rdmsr(X2APIC_ID) << 32 | 0x400);
	spin();
	check(irq_count[2] == before + 1, "irq.nmi_ignores_if", "%llu",
	      irq_count[2] - before);
}

static void nothing(struct trap_frame *f)
{
}

void guest_main(void)
{
	apic_enable();
	delivery();
	sti_shadow();
	priorities();
	tpr();
	nesting();
	halt();
	icr_forms();
	irq_handler[2] = nothing;
	nmi_to_self();
}
