/* SOURCES: hv/irq/route.c hv/irq/msi.c hv/irq/storm.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical pins and messages on their way to the privileged guest */
#include "tests/unit/fakes/vdev.h"

#include "arch/x86/machine/irq.h"
#include "drivers/acpi/acpi.h"
#include "hv/irq/route.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic.h"
#include "tests/unit/fakes/ioapic.h"
#include "tests/unit/fakes/ratelimit.h"

static struct {
	irq_handler_t fn;
	void *arg;
} vectors[256];
static u32 vectors_left = 300;

static struct {
	u32 posts, delivers, rises, falls;
	struct vcpu *vcpu;
	u8 vector;
	u32 dest, gsi;
} seen;

static u32 match_count = 1;
static struct vcpu *match_first;

int irq_alloc(irq_handler_t fn, void *arg)
{
	int v;

	if (!vectors_left)
		return -ENOSPC;
	vectors_left--;
	for (v = VEC_DEVICE_FIRST; v <= VEC_DEVICE_LAST; v++)
		if (!vectors[v].fn) {
			vectors[v].fn = fn;
			vectors[v].arg = arg;
			return v;
		}
	return -ENOSPC;
}

void vioapic_set_line(struct vm *vm, u32 pin, bool level)
{
	seen.gsi = pin;
	seen.rises += level;
	seen.falls += !level;
}

void vlapic_post(struct vcpu *v, u8 vector, enum trigger trigger)
{
	assert_int_equal(trigger, TRIGGER_EDGE);
	seen.posts++;
	seen.vcpu = v;
	seen.vector = vector;
}

u32 vlapic_deliver(struct vm *vm, u32 dest, bool logical, u8 mode, u8 vector,
		   enum trigger trigger)
{
	seen.delivers++;
	seen.dest = dest;
	seen.vector = vector;
	return 1;
}

u32 vlapic_match(struct vm *vm, u32 dest, bool logical, struct vcpu **first)
{
	*first = match_first;
	return match_count;
}

struct vcpu *vlapic_target(struct vm *vm, u32 dest, bool logical)
{
	return dest < vm->vcpu_count ? vm->vcpus[dest] : NULL;
}

static void arrive(u32 gsi)
{
	u8 v = fake_rtes[gsi].vector;

	assert_non_null(vectors[v].fn);
	vectors[v].fn(vectors[v].arg);
}

static int setup(void **state)
{
	fake_vm_init(2);
	tsc_khz = 1000000000; /* a storm has time, however busy the host is */
	memset(&seen, 0, sizeof(seen));
	match_count = 1;
	match_first = &fake_vcpus[1];
	vectors_left = 300;
	fake_timer = NULL;
	fake_log_reset();
	fake_ratelimit_left = 1;
	return 0;
}

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
	arrive(16);
	irq_unroute_pin(&fake_vm, 16);
	irq_route_eoi(&fake_vm, 16);
	assert_true(fake_rtes[16].masked);
}

static void test_pin_refusals(void **state)
{
	irq_route_reserve(4);
	assert_int_equal(irq_route_pin(&fake_vm, 4, 0x34), -EBUSY);
	assert_int_equal(irq_route_pin(&fake_vm, 64, 0x34), -ENODEV);
	assert_int_equal(irq_route_pin(&fake_vm, 0xffffffff, 0x34), -ENODEV);
	assert_int_equal(irq_route_pin(&fake_vm, 0, 0x700), -ENOTSUP);
	vectors_left = 0;
	assert_int_equal(irq_route_pin(&fake_vm, 40, 0x34), -ENOSPC);
	irq_unroute_pin(&fake_vm, 4000);
	irq_route_eoi(&fake_vm, 4000);
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

static void test_msi(void **state)
{
	struct irq_msi *m = NULL;
	u64 addr;
	u32 data;

	assert_int_equal(
		irq_route_msi(&fake_vm, 0xfee01000, 0x4055, &m, &addr, &data),
		0);
	assert_int_equal(addr, 0xfee11000);
	assert_in_range(data, VEC_DEVICE_FIRST, VEC_DEVICE_LAST);
	vectors[data].fn(vectors[data].arg);
	assert_int_equal(seen.posts, 1);
	assert_ptr_equal(seen.vcpu, &fake_vcpus[1]);
	assert_int_equal(seen.vector, 0x55);
	/* Moved: same host vector */
	match_first = &fake_vcpus[0];
	assert_int_equal(
		irq_route_msi(&fake_vm, 0xfee00000, 0x66, &m, &addr, &data), 0);
	assert_int_equal(addr, 0xfee10000);
	vectors[data].fn(vectors[data].arg);
	assert_int_equal(seen.vector, 0x66);
	assert_ptr_equal(seen.vcpu, &fake_vcpus[0]);
	/* Several destinations */
	match_count = 2;
	assert_int_equal(
		irq_route_msi(&fake_vm, 0xfee0300c, 0x67, &m, &addr, &data), 0);
	vectors[data].fn(vectors[data].arg);
	assert_int_equal(seen.delivers, 1);
	assert_int_equal(seen.dest, 3);
	irq_unroute_msi(m);
	vectors[data].fn(vectors[data].arg);
	assert_int_equal(seen.delivers, 1);
}

static void test_msi_refusals(void **state)
{
	struct irq_msi *m = NULL;
	u64 addr;
	u32 data;

	assert_int_equal(irq_route_msi(&fake_vm, 0, 0, &m, &addr, &data),
			 -EINVAL);
	assert_int_equal(
		irq_route_msi(&fake_vm, 0xfee00000, 0x0f, &m, &addr, &data),
		-EINVAL);
	assert_int_equal(
		irq_route_msi(&fake_vm, 0x1fee00000, 0x30, &m, &addr, &data),
		-EINVAL);
	assert_null(m);
	fake_pcpus[1].apic_id = 0x100;
	assert_int_equal(
		irq_route_msi(&fake_vm, 0xfee01000, 0x30, &m, &addr, &data),
		-ENOTSUP);
	assert_null(m);
}

static bool source_masked;
static struct irq_msi *source;

static void mask_source(void *dev)
{
	assert_ptr_equal(dev, &source_masked);
	source_masked = irq_msi_throttled(source);
}

/* An MSI that is aimed at another core arrives on the old one for a while.
 * Only one of the two may arm the row's timer. */
static void test_msi_storm_on_two_cores(void **state)
{
	struct irq_msi *m = NULL;
	u64 addr;
	u32 data, arms, posts;

	assert_int_equal(
		irq_route_msi(&fake_vm, 0xfee01000, 0x30, &m, &addr, &data), 0);
	source = m;
	irq_msi_on_storm(m, mask_source, &source_masked);
	arms = fake_timer_arms;
	for (u32 i = 0; i < 60000; i++) {
		fake_this_cpu = &fake_pcpus[i & 1];
		vectors[data].fn(vectors[data].arg);
	}
	assert_int_equal(fake_timer_arms, arms + 1);
	assert_true(source_masked);
	/* It has fired, for what was lost, too; the other core may be next */
	posts = seen.posts;
	fake_timer_fire();
	assert_false(source_masked);
	assert_int_equal(seen.posts, posts + 1);
	fake_this_cpu = &fake_pcpus[1];
	for (u32 i = 0; i < 60000; i++)
		vectors[data].fn(vectors[data].arg);
	assert_int_equal(fake_timer_arms, arms + 2);
	/* The next owner of the row inherits the storm, and its end */
	irq_unroute_msi(m);
	source_masked = true;
	assert_true(irq_msi_throttled(m));
	fake_timer_fire();
	assert_true(source_masked);
	assert_false(irq_msi_throttled(m));
	fake_this_cpu = &fake_pcpus[0];
}

static void test_msi_exhaustion_and_storm(void **state)
{
	static struct irq_msi *all[256];
	u64 addr;
	u32 data = 0, i, n = 0;

	while (irq_route_msi(&fake_vm, 0xfee01000, 0x30, &all[n], &addr,
			     &data) == 0)
		assert_true(++n < 255);
	assert_int_equal(fake_log_lines, 1);
	assert_true(n > 100);
	source = all[n - 1];
	irq_msi_on_storm(source, mask_source, &source_masked);
	assert_int_equal(irq_route_msi(&fake_vm, 0xfee01000, 0x30, &all[n - 1],
				       &addr, &data),
			 0);
	for (i = 0; i < 60000 && !fake_timer; i++)
		vectors[data].fn(vectors[data].arg);
	assert_int_equal(i, 50001);
	assert_true(source_masked);
	fake_timer_fire();
	assert_false(source_masked);
	for (i = 0; i < n; i++)
		irq_unroute_msi(all[i]);
	all[0] = NULL;
	assert_int_equal(irq_route_msi(&fake_vm, 0xfee01000, 0x30, &all[0],
				       &addr, &data),
			 0);
	irq_unroute_msi(all[0]);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_edge_pin),
		T(test_level_pin),
		T(test_pin_refusals),
		T(test_pin_route_fails_again),
		T(test_storm),
		T(test_msi),
		T(test_msi_refusals),
		T(test_msi_exhaustion_and_storm),
		T(test_msi_storm_on_two_cores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
