/* SOURCES: hv/irq/vlapic.c hv/irq/vlapic_io.c hv/irq/vlapic_icr.c hv/irq/vlapic_cast.c hv/irq/vlapic_timer.c hv/irq/vlapic_pv.c hv/emulate/lapic_page.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual local APIC against SDM 3A 11. Over 400 lines: the chapter, case
 * by case.
 */
#include "tests/unit/fakes/lapics.h"

static void test_reset_state(void **state)
{
	struct vcpu *v = &fake_vcpus[1];

	vlapic_reset(v, false);
	assert_int_equal(v->apic_base_msr, 0xfee00800);
	assert_int_equal(fake_vcpus[0].apic_base_msr, 0xfee00900);
	assert_int_equal(read_reg(v, APIC_ID), 1u << 24);
	assert_int_equal(read_reg(v, APIC_VERSION), 0x50014);
	assert_int_equal(read_reg(v, APIC_SVR), 0xff);
	assert_int_equal(read_reg(v, APIC_LVT_LINT0), 0x10000);
	assert_int_equal(read_reg(v, APIC_DFR), ~0u);
	assert_int_equal(vlapic_pending(v), -1);
}

static void test_priorities(void **state)
{
	struct vcpu *v = &fake_vcpus[0];

	vlapic_post(v, 0x31, TRIGGER_EDGE);
	vlapic_post(v, 0x82, TRIGGER_EDGE);
	assert_true(v->events & VE_IRQ);
	assert_int_equal(vlapic_pending(v), 0x82);
	vlapic_accept(v, 0x82);
	assert_int_equal(vlapic_pending(v), -1);
	assert_int_equal(vlapic_highest_irr(v), 0x31);
	assert_int_equal(read_reg(v, APIC_PPR), 0x80);
	vlapic_post(v, 0x8f, TRIGGER_EDGE); /* same class */
	assert_int_equal(vlapic_pending(v), -1);
	vlapic_post(v, 0x90, TRIGGER_EDGE);
	assert_int_equal(vlapic_pending(v), 0x90);
	v->events = 0;
	write_reg(v, APIC_EOI, 0);
	assert_true(v->events & VE_IRQ);
	assert_int_equal(vlapic_pending(v), 0x90);
	write_reg(v, APIC_TPR, 0x9f);
	assert_int_equal(vlapic_pending(v), -1);
	assert_int_equal(read_reg(v, APIC_PPR), 0x9f);
	assert_int_equal(eoi_vector, -1);
}

static void test_level_eoi(void **state)
{
	struct vcpu *v = &fake_vcpus[0];

	vlapic_post(v, 0x41, TRIGGER_LEVEL);
	assert_int_equal(vlapic_pending(v), 0x41);
	assert_int_equal(read_reg(v, APIC_TMR + 0x20), 2);
	vlapic_accept(v, 0x41);
	assert_int_equal(read_reg(v, APIC_ISR + 0x20), 2);
	write_reg(v, APIC_EOI, 0);
	assert_int_equal(eoi_vector, 0x41);
	vlapic_post(v, 0x41, TRIGGER_EDGE);
	assert_int_equal(read_reg(v, APIC_TMR + 0x20), 0);
	assert_int_equal(read_reg(v, APIC_IRR + 0x20), 2);
}

static void test_every_vector(void **state)
{
	struct vcpu *v = &fake_vcpus[0];
	u32 i;

	for (i = 16; i < 256; i++)
		vlapic_post(v, (u8)i, TRIGGER_EDGE);
	for (i = 255; i >= 16; i--) {
		assert_int_equal(vlapic_pending(v), i);
		vlapic_accept(v, (u8)i);
		write_reg(v, APIC_EOI, 0);
	}
	assert_int_equal(vlapic_pending(v), -1);
	write_reg(v, APIC_EOI, 0); /* nothing in service: harmless */
}

static void test_software_disable(void **state)
{
	struct vcpu *v = &fake_vcpus[0];

	write_reg(v, APIC_LVT_LINT0, 0x700);
	assert_true(vlapic_extint_enabled(v));
	write_reg(v, APIC_SVR, 0xff);
	assert_int_equal(read_reg(v, APIC_LVT_LINT0), 0x10700);
	write_reg(v, APIC_LVT_LINT0, 0x700); /* the mask sticks */
	assert_false(vlapic_extint_enabled(v));
	vlapic_post(v, 0x50, TRIGGER_EDGE);
	assert_int_equal(vlapic_pending(v), -1);
}

/* The board's NMI, as the guest has LINT1 */
static void test_lint1(void **state)
{
	struct vcpu *v = &fake_vcpus[0];

	assert_false(vlapic_lint1_nmi(v)); /* masked, as after a reset */
	write_reg(v, APIC_LVT_LINT1, 0x700);
	assert_false(vlapic_lint1_nmi(v));
	assert_false(v->events & VE_NMI);
	write_reg(v, APIC_LVT_LINT1, APIC_DM(APIC_DM_NMI));
	assert_true(vlapic_lint1_nmi(v));
	assert_true(v->events & VE_NMI);
	v->events = 0;
	write_reg(v, APIC_LVT_LINT1, APIC_DM(APIC_DM_NMI) | APIC_LVT_MASKED);
	assert_false(vlapic_lint1_nmi(v));
	/* Switched off, it is the plain pin */
	v->apic_base_msr &= ~(u64)APIC_BASE_EN;
	assert_true(vlapic_lint1_nmi(v));
}

static void test_self_ipi(void **state)
{
	struct vcpu *v = &fake_vcpus[2];
	u64 value;

	write_reg(v, APIC_ICR_LOW, APIC_ICR_SH_SELF | 0x61);
	assert_int_equal(vlapic_pending(v), 0x61);
	vlapic_accept(v, 0x61);
	x2apic_on(v);
	assert_int_equal(vlapic_msr_write(v, 0x830, 2ull << 32 | 0x71), 0);
	assert_int_equal(vlapic_pending(v), 0x71);
	assert_int_equal(vlapic_msr_read(v, 0x830, &value), 0);
	assert_int_equal(value, 2ull << 32 | 0x71);
	assert_int_equal(vlapic_msr_write(v, 0x83f, 0x99), 0);
	assert_int_equal(vlapic_pending(v), 0x99);
	assert_int_equal(vlapic_msr_read(v, 0x83f, &value), -EINVAL);
	assert_int_equal(v->vlapic->posted_words, 0);
}

static void test_ipi_physical(void **state)
{
	write_reg(&fake_vcpus[0], APIC_ICR_HIGH, 3u << 24);
	write_reg(&fake_vcpus[0], APIC_ICR_LOW, 0x45);
	assert_int_equal(vlapic_pending(&fake_vcpus[3]), 0x45);
	assert_int_equal(vlapic_pending(&fake_vcpus[0]), -1);
	/* No such CPU: lost */
	write_reg(&fake_vcpus[0], APIC_ICR_HIGH, 9u << 24);
	write_reg(&fake_vcpus[0], APIC_ICR_LOW, 0x46);
	write_reg(&fake_vcpus[0], APIC_ICR_HIGH, 0xffu << 24);
	write_reg(&fake_vcpus[0], APIC_ICR_LOW, 0x47);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(vlapic_highest_irr(&fake_vcpus[i]), 0x47);
}

/* 110b is reserved in the messages of devices, whatever they name */
static void test_device_startup(void **state)
{
	for (u32 i = 0; i < 4; i++)
		fake_vcpus[i].events = 0;
	assert_int_equal(device_sends(1, false, APIC_DM_STARTUP, 0x08), 0);
	assert_int_equal(device_sends(0xff, false, APIC_DM_STARTUP, 0x08), 0);
	for (u32 i = 0; i < 4; i++)
		assert_false(fake_vcpus[i].events & VE_SIPI);
	assert_int_equal(device_sends(1, false, APIC_DM_NMI, 0), 1);
}

static void test_ipi_logical(void **state)
{
	u32 i;

	for (i = 0; i < 4; i++)
		write_reg(&fake_vcpus[i], APIC_LDR, 1u << (24 + i));
	device_sends(0x6, true, APIC_DM_FIXED, 0x50);
	assert_int_equal(vlapic_pending(&fake_vcpus[0]), -1);
	assert_int_equal(vlapic_pending(&fake_vcpus[1]), 0x50);
	assert_int_equal(vlapic_pending(&fake_vcpus[2]), 0x50);
	for (i = 0; i < 4; i++) {
		write_reg(&fake_vcpus[i], APIC_DFR, 0);
		write_reg(&fake_vcpus[i], APIC_LDR,
			  (i / 2) << 28 | 1u << (24 + i % 2));
	}
	device_sends(0x13, true, APIC_DM_FIXED, 0x60);
	assert_int_equal(vlapic_pending(&fake_vcpus[1]), 0x50);
	assert_int_equal(vlapic_pending(&fake_vcpus[2]), 0x60);
	assert_int_equal(vlapic_pending(&fake_vcpus[3]), 0x60);
}

static void test_lowest_priority(void **state)
{
	struct vcpu *first;
	u32 i;

	for (i = 0; i < 4; i++)
		write_reg(&fake_vcpus[i], APIC_LDR, 1u << (24 + i));
	write_reg(&fake_vcpus[1], APIC_TPR, 0x20);
	device_sends(0x6, true, APIC_DM_LOWEST, 0x51);
	assert_int_equal(vlapic_highest_irr(&fake_vcpus[1]), -1);
	assert_int_equal(vlapic_highest_irr(&fake_vcpus[2]), 0x51);
	assert_int_equal(vlapic_match(&fake_vm, 0x6, true, &first), 2);
	assert_ptr_equal(first, &fake_vcpus[1]);
	assert_null(vlapic_target(&fake_vm, 77, false));
}

static void test_ipi_x2apic(void **state)
{
	u32 i;

	for (i = 0; i < 4; i++)
		x2apic_on(&fake_vcpus[i]);
	assert_int_equal(read_reg(&fake_vcpus[3], APIC_ID), 3);
	assert_int_equal(read_reg(&fake_vcpus[3], APIC_LDR), 8);
	/* cluster 0, members 1 and 3, logical */
	assert_int_equal(vlapic_msr_write(&fake_vcpus[0], 0x830,
					  10ull << 32 | 0x800 | 0x55),
			 0);
	assert_int_equal(vlapic_pending(&fake_vcpus[1]), 0x55);
	assert_int_equal(vlapic_pending(&fake_vcpus[2]), -1);
	assert_int_equal(vlapic_pending(&fake_vcpus[3]), 0x55);
	/* 255 is one CPU's id here, not a broadcast */
	assert_int_equal(
		vlapic_msr_write(&fake_vcpus[0], 0x830, 0xffull << 32 | 0x66),
		0);
	assert_int_equal(vlapic_pending(&fake_vcpus[2]), -1);
	assert_int_equal(vlapic_msr_write(&fake_vcpus[0], 0x830,
					  0xffffffffull << 32 | 0x67),
			 0);
	assert_int_equal(vlapic_pending(&fake_vcpus[2]), 0x67);
}

static void test_shorthands_and_modes(void **state)
{
	struct vcpu *v = &fake_vcpus[1];
	u32 i;

	for (i = 0; i < 4; i++)
		fake_vcpus[i].events = 0;
	write_reg(v, APIC_ICR_LOW, APIC_ICR_SH_ALL_BUT | 0x500 | 0x4000);
	assert_int_equal(v->events & VE_INIT, 0);
	assert_true(fake_vcpus[0].events & VE_INIT);
	assert_true(fake_vcpus[3].events & VE_INIT);
	for (i = 0; i < 4; i++)
		fake_vcpus[i].events = 0;
	/* De-assert is nothing */
	write_reg(v, APIC_ICR_LOW, APIC_ICR_SH_ALL_BUT | 0x500 | 0x8000);
	assert_int_equal(fake_vcpus[0].events, 0);
	write_reg(v, APIC_ICR_HIGH, 2u << 24);
	write_reg(v, APIC_ICR_LOW, 0x600 | 0x9a);
	assert_int_equal(fake_vcpus[2].events, VE_SIPI);
	assert_int_equal(fake_vcpus[2].sipi_vector, 0x9a);
	write_reg(v, APIC_ICR_LOW, 0x400);
	assert_true(fake_vcpus[2].events & VE_NMI);
	fake_vcpus[2].events = 0;
	write_reg(v, APIC_ICR_LOW, 0x200); /* SMI */
	assert_int_equal(fake_vcpus[2].events, 0);
	write_reg(v, APIC_ICR_LOW, APIC_ICR_SH_ALL | 0x88);
	for (i = 0; i < 4; i++)
		assert_int_equal(vlapic_pending(&fake_vcpus[i]), 0x88);
}

static void test_errors(void **state)
{
	struct vcpu *v = &fake_vcpus[0];

	write_reg(v, APIC_LVT_ERROR, 0xfe);
	write_reg(v, APIC_ICR_LOW, APIC_ICR_SH_SELF | 0x0f);
	assert_int_equal(vlapic_pending(v), 0xfe);
	assert_int_equal(read_reg(v, APIC_ESR), 0);
	write_reg(v, APIC_ESR, 0);
	assert_int_equal(read_reg(v, APIC_ESR), 0x60);
	write_reg(v, APIC_ESR, 0);
	assert_int_equal(read_reg(v, APIC_ESR), 0);
	vlapic_mmio_read(v, NULL, 0x40, 4);
	write_reg(v, APIC_ESR, 0);
	assert_int_equal(read_reg(v, APIC_ESR), 0x80);
}

static void test_mmio_shapes(void **state)
{
	struct vcpu *v = &fake_vcpus[3];

	assert_int_equal(vlapic_mmio_read(v, NULL, APIC_ID + 3, 1), 3);
	assert_int_equal(vlapic_mmio_read(v, NULL, APIC_ID + 4, 4), 0);
	assert_int_equal(vlapic_mmio_read(v, NULL, APIC_ID, 8), 0);
	assert_int_equal(vlapic_mmio_read(v, NULL, 0xff8, 8), 0);
	vlapic_mmio_write(v, NULL, APIC_TPR, 1, 0x20);
	vlapic_mmio_write(v, NULL, APIC_TPR + 4, 4, 0x20);
	vlapic_mmio_write(v, NULL, 0xffc, 4, 0x20);
	assert_int_equal(read_reg(v, APIC_TPR), 0);
	write_reg(v, APIC_ID, 9u << 24); /* read-only */
	assert_int_equal(read_reg(v, APIC_ID), 3u << 24);
	x2apic_on(v);
	assert_int_equal(vlapic_mmio_read(v, NULL, APIC_ID, 4), ~0ull);
}

static void test_base_transitions(void **state)
{
	struct vcpu *v = &fake_vcpus[0];
	const u64 base = APIC_DEFAULT_BASE | APIC_BASE_BSP;

	assert_int_equal(vlapic_base_write(v, base | APIC_BASE_EXTD), -EINVAL);
	assert_int_equal(vlapic_base_write(v, base | 0xc00), 0);
	assert_int_equal(vlapic_base_write(v, base | 0x800), -EINVAL);
	assert_int_equal(vlapic_base_write(v, base), 0);
	assert_int_equal(read_reg(v, APIC_SVR), ~0u); /* page is gone */
	assert_int_equal(vlapic_base_write(v, base | 0xc00), -EINVAL);
	assert_int_equal(vlapic_base_write(v, base | 0x800), 0);
	assert_int_equal(read_reg(v, APIC_SVR), 0xff); /* was reset */
	assert_int_equal(vlapic_base_write(v, base | 0x801), -EINVAL);
	assert_int_equal(vlapic_base_write(v, 0xfed00800), -EINVAL);
	assert_int_equal(vlapic_base_write(v, base | BIT(52) | 0x800), -EINVAL);
}

static void test_x2apic_faults(void **state)
{
	struct vcpu *v = &fake_vcpus[0];
	u64 value;
	u32 msr;

	assert_int_equal(vlapic_msr_read(v, 0x802, &value), -EINVAL);
	assert_int_equal(vlapic_msr_write(v, 0x80b, 0), -EINVAL);
	x2apic_on(v);
	assert_int_equal(vlapic_msr_write(v, 0x80b, 1), -EINVAL);
	assert_int_equal(vlapic_msr_write(v, 0x808, 0x100), -EINVAL);
	assert_int_equal(vlapic_msr_write(v, 0x802, 0), -EINVAL);
	assert_int_equal(vlapic_msr_write(v, 0x80d, 0), -EINVAL);
	assert_int_equal(vlapic_msr_write(v, 0x80e, 0), -EINVAL);
	assert_int_equal(vlapic_msr_write(v, 0x831, 0), -EINVAL);
	assert_int_equal(vlapic_msr_write(v, 0x828, 1), -EINVAL);
	assert_int_equal(vlapic_msr_write(v, 0x830, 1u << 13), -EINVAL);
	assert_int_equal(vlapic_msr_write(v, 0x832, 1ull << 32), -EINVAL);
	assert_int_equal(vlapic_msr_read(v, 0x80b, &value), -EINVAL);
	assert_int_equal(vlapic_msr_read(v, 0x80e, &value), -EINVAL);
	/* Every MSR of the range either works or faults */
	for (msr = 0x800; msr < 0x900; msr++) {
		if (vlapic_msr_read(v, msr, &value) == 0)
			assert_true(value >> 32 == 0 || msr == 0x830);
		(void)!vlapic_msr_write(v, msr, ~0ull);
		(void)!vlapic_msr_write(v, msr, 0);
	}
}

static void test_timer_oneshot(void **state)
{
	struct vcpu *v = &fake_vcpus[0];
	u64 before;

	write_reg(v, APIC_TIMER_DCR, 0xb); /* by 1 */
	write_reg(v, APIC_LVT_TIMER, 0xec);
	before = rdtsc();
	write_reg(v, APIC_TIMER_ICT, 4000000000u);
	assert_true(fake_timer->deadline >= before + 4000000000u);
	assert_true(read_reg(v, APIC_TIMER_CCT) <= 4000000000u);
	assert_true(read_reg(v, APIC_TIMER_CCT) > 0);
	v->events = 0;
	fake_timer_fire();
	assert_null(fake_timer);
	assert_true(v->events & VE_IRQ);
	assert_int_equal(vlapic_pending(v), 0xec);
	assert_int_equal(read_reg(v, APIC_TIMER_CCT), 0);
	write_reg(v, APIC_TIMER_ICT, 1000);
	write_reg(v, APIC_TIMER_ICT, 0);
	assert_null(fake_timer);
}

static void test_timer_divide(void **state)
{
	struct vcpu *v = &fake_vcpus[0];
	static const struct {
		u32 tdcr, shift;
	} rows[] = { { 0, 1 }, { 1, 2 }, { 2, 3 },  { 3, 4 },
		     { 8, 5 }, { 9, 6 }, { 10, 7 }, { 11, 0 } };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		write_reg(v, APIC_TIMER_DCR, rows[i].tdcr);
		assert_int_equal(v->vlapic->timer_shift, rows[i].shift);
		assert_int_equal(read_reg(v, APIC_TIMER_DCR), rows[i].tdcr);
	}
	/* A running count goes on at the new rate */
	write_reg(v, APIC_LVT_TIMER, 0xec);
	write_reg(v, APIC_TIMER_ICT, 4000000000u);
	write_reg(v, APIC_TIMER_DCR, 0);
	assert_true(fake_timer->deadline > rdtsc() + 7000000000u);
}

static void test_timer_periodic(void **state)
{
	struct vcpu *v = &fake_vcpus[0];
	u64 first;

	write_reg(v, APIC_TIMER_DCR, 0xb);
	write_reg(v, APIC_LVT_TIMER, APIC_LVT_TIMER_PERIODIC | 0xec);
	write_reg(v, APIC_TIMER_ICT, 3000000000u);
	first = fake_timer->deadline;
	fake_timer_fire();
	assert_int_equal(fake_timer->deadline, first + 3000000000u);
	assert_int_equal(vlapic_pending(v), 0xec);
	/* A hostile period is stretched */
	write_reg(v, APIC_TIMER_ICT, 1);
	assert_int_equal(v->vlapic->period, 50000);
	fake_timer->deadline = rdtsc() - 1000000000u;
	fake_timer_fire();
	assert_true(fake_timer->deadline > rdtsc() - 50000);
	/* Masked: it runs on but raises nothing */
	vlapic_accept(v, 0xec);
	write_reg(v, APIC_EOI, 0);
	write_reg(v, APIC_LVT_TIMER,
		  APIC_LVT_TIMER_PERIODIC | APIC_LVT_MASKED | 0xec);
	fake_timer_fire();
	assert_int_equal(vlapic_pending(v), -1);
	write_reg(v, APIC_LVT_TIMER, 0xec);
	fake_timer_fire();
	assert_null(fake_timer);
}

/* Another vCPU has the core: one interrupt can wait, and no more is made */
static void test_timer_rests(void **state)
{
	struct vcpu *v = &fake_vcpus[0];
	u64 first;

	write_reg(v, APIC_TIMER_DCR, 0xb);
	write_reg(v, APIC_LVT_TIMER, APIC_LVT_TIMER_PERIODIC | 0xec);
	write_reg(v, APIC_TIMER_ICT, 1000000);
	first = fake_timer->deadline = rdtsc() - 10000000;
	fake_pcpus[0].current = &fake_vcpus[1];
	v->events = 0;
	fake_timer_fire();
	assert_null(fake_timer);
	assert_true(v->events & VE_IRQ);
	assert_int_equal(vlapic_pending(v), 0xec);
	/* It goes on in step with the first */
	fake_pcpus[0].current = v;
	vlapic_taken(v);
	assert_non_null(fake_timer);
	assert_true(fake_timer->deadline > first + 10000000);
	assert_int_equal((fake_timer->deadline - first) % 1000000, 0);
	/* One that did not expire meanwhile is as it was */
	first = fake_timer->deadline;
	vlapic_taken(v);
	assert_int_equal(fake_timer->deadline, first);
	write_reg(v, APIC_TIMER_ICT, 0);
	vlapic_taken(v);
	assert_null(fake_timer);
}

/* One that waits already: its vCPU is not woken for it again and again */
static void test_timer_tells_once(void **state)
{
	struct vcpu *v = &fake_vcpus[0];

	write_reg(v, APIC_TIMER_DCR, 0xb);
	write_reg(v, APIC_LVT_TIMER, APIC_LVT_TIMER_PERIODIC | 0xec);
	write_reg(v, APIC_TIMER_ICT, 1000000);
	fake_timer_fire();
	assert_true(v->events & VE_IRQ);
	v->events = 0;
	fake_timer_fire();
	assert_int_equal(v->events, 0);
	vlapic_accept(v, 0xec);
	fake_timer_fire();
	assert_true(v->events & VE_IRQ);
}

static void test_timer_deadline(void **state)
{
	struct vcpu *v = &fake_vcpus[0];
	u64 when = rdtsc() + 5000000000u;

	v->hw.tsc_offset = 0x100000;
	vlapic_deadline_write(v, when); /* not in that mode: ignored */
	assert_null(fake_timer);
	write_reg(v, APIC_LVT_TIMER, APIC_LVT_TIMER_DEADLINE | 0xec);
	vlapic_deadline_write(v, when + 0x100000);
	assert_int_equal(fake_timer->deadline, when);
	assert_int_equal(vlapic_deadline_read(v), when + 0x100000);
	assert_int_equal(read_reg(v, APIC_TIMER_CCT), 0);
	write_reg(v, APIC_TIMER_ICT, 55); /* no meaning in this mode */
	assert_int_equal(fake_timer->deadline, when);
	fake_timer_fire();
	assert_int_equal(vlapic_deadline_read(v), 0);
	assert_int_equal(vlapic_pending(v), 0xec);
	vlapic_accept(v, 0xec);
	write_reg(v, APIC_EOI, 0);
	/* Past: at once, with no timer */
	vlapic_deadline_write(v, 1);
	assert_null(fake_timer);
	assert_int_equal(vlapic_pending(v), 0xec);
	vlapic_deadline_write(v, when + 0x100000);
	vlapic_deadline_write(v, 0);
	assert_null(fake_timer);
	vlapic_deadline_write(v, when + 0x100000);
	write_reg(v, APIC_LVT_TIMER, 0xec); /* a mode change disarms */
	assert_null(fake_timer);
}

static void test_init_keeps_base(void **state)
{
	struct vcpu *v = &fake_vcpus[1];

	x2apic_on(v);
	vlapic_post(v, 0x44, TRIGGER_EDGE);
	vlapic_reset(v, true);
	assert_true(v->apic_base_msr & APIC_BASE_EXTD);
	assert_int_equal(vlapic_pending(v), -1);
	assert_int_equal(read_reg(v, APIC_ID), 1);
	assert_int_equal(read_reg(v, APIC_LDR), 2);
}

/* Whatever a guest writes: no access outside the page, and the summaries agree
 * with the words they sum up */
static void check_summaries(const struct vlapic *l)
{
	u32 w;

	for (w = 0; w < VLAPIC_WORDS; w++) {
		assert_int_equal(!!l->regs[APIC_IRR / 4 + w * 4],
				 l->irr_words >> w & 1);
		assert_int_equal(!!l->regs[APIC_ISR / 4 + w * 4],
				 l->isr_words >> w & 1);
	}
}

static u64 random_value(void)
{
	u64 value = (u64)rand() << 33 ^ (u64)rand() << 11 ^ (u64)rand();

	return value >> (rand() % 64);
}

static void random_step(struct vcpu *v)
{
	static const u8 sizes[] = { 1, 2, 4, 8 };
	u64 value = random_value(), got;
	int vector;

	switch (rand() % 8) {
	case 0:
		(void)!vlapic_msr_write(v, 0x800 + (u32)rand() % 0x110, value);
		break;
	case 1:
		(void)!vlapic_msr_read(v, 0x800 + (u32)rand() % 0x110, &got);
		break;
	case 2:
		(void)!vlapic_base_write(v, 0xfee00000 | (value & 0xfff));
		break;
	case 3:
		vlapic_deadline_write(v, value);
		break;
	case 4:
		vlapic_post(v, (u8)value, (enum trigger)(rand() & 1));
		break;
	case 5:
		vector = vlapic_pending(v);
		if (vector >= 0)
			vlapic_accept(v, (u8)vector);
		break;
	case 6:
		vlapic_mmio_read(v, NULL, (u64)rand() & 0xfff & ~7ull,
				 sizes[rand() % 4]);
		break;
	default:
		vlapic_mmio_write(v, NULL, (u64)rand() & 0xff8,
				  sizes[rand() % 4], value);
	}
}

static void test_random_writes(void **state)
{
	u32 i;

	srand(3);
	for (i = 0; i < 200000; i++) {
		random_step(&fake_vcpus[rand() % 4]);
		if (i % 64 == 0)
			check_summaries(fake_vcpus[i / 64 % 4].vlapic);
		if (i % 5000 == 0)
			vlapic_reset(&fake_vcpus[rand() % 4], rand() & 1);
		fake_timer = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_reset_state),      T(test_priorities),
		T(test_level_eoi),        T(test_every_vector),
		T(test_software_disable), T(test_lint1),
		T(test_self_ipi),         T(test_ipi_physical),
		T(test_device_startup),   T(test_lowest_priority),
		T(test_ipi_logical),      T(test_lowest_priority),
		T(test_ipi_x2apic),       T(test_shorthands_and_modes),
		T(test_errors),           T(test_mmio_shapes),
		T(test_base_transitions), T(test_x2apic_faults),
		T(test_timer_oneshot),    T(test_timer_divide),
		T(test_timer_periodic),   T(test_timer_rests),
		T(test_timer_tells_once), T(test_timer_deadline),
		T(test_init_keeps_base),  T(test_random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
