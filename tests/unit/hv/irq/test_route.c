/* SOURCES: hv/irq/route.c hv/irq/msi.c hv/irq/storm.c arch/x86/machine/vectors.c lib/printf.c tests/unit/hv/irq/arrivals.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical pins on their way to the privileged guest */
#include "tests/unit/fakes/pool.h"
#include "tests/unit/hv/irq/arrivals.h"

static void test_edge_pin(void **state)
{
	assert_int_equal(irq_route_pin(&fake_vm, 14, 1ull << 56 | 0x3e), 0);
	assert_false(fake_rtes[14].masked);
	assert_false(fake_rtes[14].level);
	assert_int_equal(fake_rtes[14].apic_id, 0x11);
	arrive(14);
	assert_int_equal(seen.rises, 1);
	assert_int_equal(seen.falls, 1);
	assert_false(fake_rtes[14].masked);
	irq_unroute_pin(&fake_vm, 14);
	assert_true(fake_rtes[14].masked);
	arrive(14); /* was in flight */
	assert_int_equal(seen.rises, 1);
}

/* An edge that comes to a masked pin is lost */
static void test_edge_pin_moves_unmasked(void **state)
{
	u8 vector;

	assert_int_equal(irq_route_pin(&fake_vm, 14, 0x3e), 0);
	vector = fake_rtes[14].vector;
	fake_ioapic_error = -EBUSY; /* is not programmed anew */
	assert_int_equal(irq_route_pin(&fake_vm, 14, 1ull << 56 | 0x3f), 0);
	fake_ioapic_error = 0;
	assert_int_equal(fake_rtes[14].apic_id, 0x11);
	assert_false(fake_rtes[14].masked);
	interrupt(&fake_pcpus[0], vector);
	interrupt(&fake_pcpus[1], vector);
	assert_int_equal(seen.rises, 2);
	/* Another polarity is another route */
	assert_int_equal(irq_route_pin(&fake_vm, 14, 0x203f), 0);
	assert_true(fake_rtes[14].active_low);
	assert_false(fake_rtes[14].masked);
	irq_unroute_pin(&fake_vm, 14);
}

static void test_level_pin(void **state)
{
	u8 vector;

	assert_int_equal(irq_route_pin(&fake_vm, 16, 0xa041), 0);
	assert_true(fake_rtes[16].level && fake_rtes[16].active_low);
	vector = fake_rtes[16].vector;
	arrive(16);
	assert_true(fake_rtes[16].masked);
	assert_int_equal(seen.rises, 1);
	assert_int_equal(seen.falls, 0);
	/* Moved to the other vCPU while in service: stays masked */
	assert_int_equal(irq_route_pin(&fake_vm, 16, 1ull << 56 | 0xa041), 0);
	assert_int_equal(fake_rtes[16].apic_id, 0x11);
	assert_int_equal(fake_rtes[16].vector, vector);
	assert_true(fake_rtes[16].masked);
	irq_route_eoi(&fake_vm, 16);
	assert_false(fake_rtes[16].masked);
	/* Sent to the old core, and moved meanwhile */
	assert_int_equal(irq_route_pin(&fake_vm, 16, 0xa041), 0);
	interrupt(&fake_pcpus[1], vector);
	assert_int_equal(seen.rises, 2);
	assert_true(fake_rtes[16].masked);
	irq_unroute_pin(&fake_vm, 16);
	irq_route_eoi(&fake_vm, 16);
	assert_true(fake_rtes[16].masked);
}

static void test_pin_refusals(void **state)
{
	irq_route_reserve(4);
	assert_int_equal(irq_route_pin(&fake_vm, 4, 0x34), -EBUSY);
	fake_gsi_count = 64;
	assert_int_equal(irq_route_pin(&fake_vm, 64, 0x34), -ENODEV);
	fake_gsi_count = ~0u; /* what firmware says is not trusted */
	assert_int_equal(irq_route_pin(&fake_vm, IOAPIC_GSI_END, 0x34),
			 -ENODEV);
	fake_gsi_count = FAKE_GSIS;
	assert_int_equal(irq_route_pin(&fake_vm, 0xffffffff, 0x34), -ENODEV);
	assert_int_equal(irq_route_pin(&fake_vm, 0, 0x700), -ENOTSUP);
	assert_int_equal(irq_route_pin(&fake_vm, 2, 0x608), -ENOTSUP);
	irq_unroute_pin(&fake_vm, 4000);
	irq_route_eoi(&fake_vm, 4000);
}

/* Up to the last GSI there may be, in any order */
static void test_far_pins(void **state)
{
	static const u32 gsis[] = { 1023, 279, 300, 1000, 256, 255, 24 };

	irq_unroute_pin(&fake_vm, 700); /* has never been routed */
	irq_route_eoi(&fake_vm, 700);
	for (u32 i = 0; i < ARRAY_SIZE(gsis); i++) {
		assert_int_equal(irq_route_pin(&fake_vm, gsis[i], 0xa041), 0);
		arrive(gsis[i]);
		assert_int_equal(seen.gsi, gsis[i]);
		assert_true(fake_rtes[gsis[i]].masked);
		irq_route_eoi(&fake_vm, gsis[i]);
		assert_false(fake_rtes[gsis[i]].masked);
	}
	for (u32 i = 0; i < ARRAY_SIZE(gsis); i++)
		irq_unroute_pin(&fake_vm, gsis[i]);
	fake_pool_left = 0;
	assert_int_equal(irq_route_pin(&fake_vm, 600, 0xa041), -ENOMEM);
	fake_pool_left = ~0u;
	assert_non_null(strstr(fake_log_last, "no memory for pin 600"));
}

/* An RTE names a core by 8 bits: another core of the guest's takes it */
static void test_core_beyond_the_rte(void **state)
{
	fake_pcpus[1].apic_id = 300;
	assert_int_equal(irq_route_pin(&fake_vm, 20, 1ull << 56 | 0x3e), 0);
	assert_int_equal(fake_rtes[20].apic_id, 0x10);
	assert_ptr_equal(irq_core(&fake_vcpus[1]), &fake_pcpus[0]);
	fake_pcpus[1].apic_id = 255; /* is everybody */
	assert_ptr_equal(irq_core(&fake_vcpus[1]), &fake_pcpus[0]);
	fake_pcpus[0].apic_id = 999;
	assert_true(irq_core(&fake_vcpus[0])->apic_id > 254);
	irq_unroute_pin(&fake_vm, 20);
}

/* A pin that cannot be routed again is off, and not on with its old target */
static void test_pin_route_fails_again(void **state)
{
	assert_int_equal(irq_route_pin(&fake_vm, 18, 0xa041), 0);
	arrive(18);
	assert_int_equal(irq_route_pin(&fake_vm, 18, 0x741), -ENOTSUP);
	assert_true(fake_rtes[18].masked);
	irq_route_eoi(&fake_vm, 18);
	assert_true(fake_rtes[18].masked);
	arrive(18); /* was in flight */
	assert_int_equal(seen.rises, 1);
	assert_int_equal(irq_route_pin(&fake_vm, 18, 0xa041), 0);
	assert_false(fake_rtes[18].masked);
	fake_ioapic_error = -ENOTSUP;
	assert_int_equal(irq_route_pin(&fake_vm, 18, 0x42), -ENOTSUP);
	assert_int_equal(irq_route_pin(&fake_vm, 19, 0x42), -ENOTSUP);
	fake_ioapic_error = 0;
	assert_true(fake_rtes[18].masked);
	irq_route_eoi(&fake_vm, 18);
	irq_route_eoi(&fake_vm, 19);
	assert_true(fake_rtes[18].masked && fake_rtes[19].masked);
	assert_int_equal(irq_route_pin(&fake_vm, 18, 0xa041), 0);
	assert_false(fake_rtes[18].masked);
	irq_unroute_pin(&fake_vm, 18);
}

static void test_storm(void **state)
{
	u32 i;

	assert_int_equal(irq_route_pin(&fake_vm, 17, 0xa041), 0);
	for (i = 0; i < 6000 && !fake_timer; i++) {
		arrive(17);
		irq_route_eoi(&fake_vm, 17);
	}
	assert_int_equal(i, 5001);
	assert_true(fake_rtes[17].masked); /* the EOI does not unmask it */
	assert_int_equal(fake_log_lines, 1);
	fake_timer_fire();
	assert_false(fake_rtes[17].masked);
	irq_unroute_pin(&fake_vm, 17);
}

/* The last test, as pins keep their vectors */
static void test_pins_share_the_last_vectors(void **state)
{
	struct irq irqs[256];
	u32 n = 0;

	while (n < ARRAY_SIZE(irqs) && irq_alloc(&irqs[n]) >= 0)
		n++;
	assert_int_equal(irq_route_pin(&fake_vm, 40, 0xa034), 0);
	assert_int_equal(fake_rtes[40].vector, VEC_SHARED_FIRST);
	assert_non_null(strstr(fake_log_last, "pin 40 shares one"));
	for (u32 i = 1; i < SHARES; i++)
		assert_true(irq_share(&irqs[i]) > 0);
	assert_int_equal(irq_route_pin(&fake_vm, 41, 0xa035), 0);
	arrive(41);
	assert_true(fake_rtes[40].masked && fake_rtes[41].masked);
	assert_int_equal(seen.rises, 2);
	irq_unroute_pin(&fake_vm, 40);
	irq_unroute_pin(&fake_vm, 41);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_edge_pin),
		T(test_edge_pin_moves_unmasked),
		T(test_level_pin),
		T(test_pin_refusals),
		T(test_far_pins),
		T(test_core_beyond_the_rte),
		T(test_pin_route_fails_again),
		T(test_storm),
		T(test_pins_share_the_last_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
