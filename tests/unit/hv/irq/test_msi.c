/* SOURCES: hv/irq/route.c hv/irq/msi.c hv/irq/storm.c arch/x86/machine/vectors.c lib/printf.c tests/unit/hv/irq/arrivals.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of real devices on their way to the privileged guest */
#include "tests/unit/hv/irq/arrivals.h"

/* What the hardware has, and sends */
static struct msi_message sent;

static void send(const struct msi_message *host)
{
	interrupt(core_of((u32)(host->addr >> 12) & 0xff), (u8)host->data);
}

static struct irq_source card = { .vm = &fake_vm, .bdf = { 0, 2, 8 } };
static struct irq_source stepper = { .vm = &fake_vm,
				     .bdf = { 0, 3, 0 },
				     .in_steps = true };

static int route(struct irq_source *source, u64 addr, u32 data,
		 struct irq_msi **m)
{
	const struct msi_message guest = { addr, data };

	return irq_route_msi(source, &guest, m, &sent);
}

/* As a device's driver does it, on the core of vCPU @cpu */
static void route_to(struct irq_source *source, u32 cpu, struct irq_msi **m)
{
	match_first = &fake_vcpus[cpu];
	assert_int_equal(route(source, 0xfee00000 | cpu << 12, 0x30, m), 0);
	if (irq_msi_moves(*m))
		irq_msi_moved(*m);
}

/* Who has it, from the row that a vector leads to */
static void test_owner(void **state)
{
	u64 before = irq_message_changes();
	struct irq_msi *m = NULL;
	const struct vm *vm = NULL;
	struct pci_bdf bdf;
	const struct irq *irq;

	route_to(&card, 1, &m);
	irq = irq_bound(&fake_pcpus[1], (u8)sent.data, 0);
	assert_non_null(irq);
	assert_false(irq_is_pin(irq, &vm, &(u32){ 0 }));
	assert_true(irq_is_message(irq, &vm, &bdf));
	assert_ptr_equal(vm, &fake_vm);
	assert_true(pci_same(bdf, card.bdf));
	assert_int_equal(irq_message_changes(), before + 1);
	irq_unroute_msi(m);
	assert_int_equal(irq_message_changes(), before + 2);
	assert_true(irq_is_message(irq, &vm, &bdf));
	assert_null(vm);
	pass(&fake_pcpus[1]);
}

static void test_msi(void **state)
{
	struct irq_msi *m = NULL;

	assert_int_equal(route(&card, 0xfee01000, 0x4055, &m), 0);
	assert_int_equal(sent.addr, 0xfee11000);
	assert_in_range(sent.data, VEC_CORE_FIRST, VEC_DEVICE_LAST);
	send(&sent);
	assert_int_equal(seen.posts, 1);
	assert_ptr_equal(seen.vcpu, &fake_vcpus[1]);
	assert_int_equal(seen.vector, 0x55);
	/* Several destinations */
	match_count = 2;
	assert_int_equal(route(&card, 0xfee0300c, 0x67, &m), 0);
	send(&sent);
	assert_int_equal(seen.delivers, 1);
	assert_int_equal(seen.dest, 3);
	/* KVM's extended destination: 15 bits */
	assert_int_equal(route(&card, 0xfee34048, 0x67, &m), 0);
	send(&sent);
	assert_int_equal(seen.dest, 0x234);
	assert_int_equal(sent.addr & 0xff0, 0);
	irq_unroute_msi(m);
	send(&sent); /* was in flight */
	assert_int_equal(seen.delivers, 2);
	pass(&fake_pcpus[1]);
	assert_int_equal(taken(), 0);
}

/* What was sent to the old core before the move comes, and once */
static void test_msi_moves(void **state)
{
	struct irq_msi *m = NULL, *neighbour = NULL;
	struct msi_message old;

	route_to(&card, 1, &m);
	old = sent;
	route_to(&card, 0, &m);
	assert_int_equal(sent.addr, 0xfee10000);
	requested = true;
	pass(&fake_pcpus[1]);
	route_to(&card, 1, &neighbour);
	assert_int_not_equal(sent.data, old.data);
	send(&old);
	assert_int_equal(seen.posts, 1);
	assert_ptr_equal(seen.vcpu, &fake_vcpus[0]);
	/* The core has taken it: now the vector is another's */
	requested = false;
	fake_this_cpu = &fake_pcpus[1];
	fake_timer_fire();
	fake_this_cpu = &fake_pcpus[0];
	assert_null(fake_pcpus[1].vectors.irq[old.data]);
	irq_unroute_msi(m);
	irq_unroute_msi(neighbour);
	pass(&fake_pcpus[0]);
	pass(&fake_pcpus[1]);
	assert_int_equal(taken(), 0);
}

/* Its registers change one by one: any two of them are a message of its own */
static void test_msi_in_steps(void **state)
{
	struct irq_msi *m = NULL;
	struct msi_message old;

	route_to(&stepper, 1, &m);
	old = sent;
	route_to(&stepper, 0, &m);
	assert_int_equal(sent.data, old.data);
	assert_int_not_equal(sent.addr, old.addr);
	send(&old);
	send(&sent);
	assert_int_equal(seen.posts, 2);
	irq_unroute_msi(m);
	/* The next one has its vector */
	m = NULL;
	route_to(&stepper, 1, &m);
	assert_int_equal(sent.data, old.data);
	irq_unroute_msi(m);
}

/* A guest that moves as fast as it can takes two vectors at most, and one that
 * enables and disables takes one: none is a neighbour's loss */
static void test_msi_hostile_moves(void **state)
{
	struct irq_msi *m = NULL, *neighbour = NULL;
	struct msi_message next;
	u64 live;

	route_to(&card, 1, &neighbour);
	next = sent;
	route_to(&card, 0, &m);
	live = fake_pool_live;
	for (u32 i = 0; i < 40000; i++) {
		route_to(&card, i & 1, &m);
		if (i % 1000 == 0) {
			irq_unroute_msi(m);
			m = NULL;
			route_to(&card, i & 1, &m);
		}
		assert_true(taken() <= 3);
		seen.posts = 0;
		send(&sent);
		send(&next);
		assert_int_equal(seen.posts, 2);
	}
	assert_int_equal(fake_pool_live, live);
	assert_int_equal(fake_log_lines, 0);
	irq_unroute_msi(m);
	irq_unroute_msi(neighbour);
	pass(&fake_pcpus[0]);
	pass(&fake_pcpus[1]);
	assert_int_equal(taken(), 0);
}

static void test_msi_refusals(void **state)
{
	struct irq_msi *m = NULL;

	assert_int_equal(route(&card, 0, 0, &m), -EINVAL);
	assert_int_equal(route(&card, 0xfee00000, 0x0f, &m), -EINVAL);
	assert_int_equal(route(&card, 0x1fee00000, 0x30, &m), -EINVAL);
	assert_null(m);
	fake_pcpus[0].apic_id = fake_pcpus[1].apic_id = 0x100;
	assert_int_equal(route(&card, 0xfee01000, 0x30, &m), -ENOTSUP);
	assert_null(m);
	/* A message names a core by 8 bits: another one takes it */
	fake_pcpus[0].apic_id = 0x10;
	assert_int_equal(route(&card, 0xfee01000, 0x30, &m), 0);
	assert_int_equal(sent.addr, 0xfee10000);
	send(&sent);
	assert_ptr_equal(seen.vcpu, &fake_vcpus[1]);
	fake_pcpus[1].apic_id = 0xff; /* in a message, that is everybody */
	assert_int_equal(route(&card, 0xfee01000, 0x30, &m), 0);
	assert_int_equal(sent.addr, 0xfee10000);
	irq_unroute_msi(m);
	pass(&fake_pcpus[0]);
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
	u32 arms, posts;

	route_to(&card, 1, &m);
	source = m;
	irq_msi_on_storm(m, mask_source, &source_masked);
	arms = fake_timer_arms;
	for (u32 i = 0; i < 60000; i++) {
		fake_this_cpu = &fake_pcpus[i & 1];
		send(&sent);
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
		send(&sent);
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

static void test_msi_storm(void **state)
{
	struct irq_msi *m = NULL;
	u32 i;

	route_to(&card, 1, &m);
	source = m;
	irq_msi_on_storm(m, mask_source, &source_masked);
	for (i = 0; i < 60000 && !fake_timer; i++)
		send(&sent);
	/* The row counts what its last owner had, too */
	assert_in_range(i, 49900, 50001);
	assert_true(source_masked);
	assert_non_null(strstr(fake_log_last, "message of 02:01.0"));
	fake_timer_fire();
	assert_false(source_masked);
	irq_unroute_msi(m);
	pass(&fake_pcpus[1]);
}

static struct irq_msi *all[1000];

/* A core that is full is helped by the guest's other, then vectors are shared,
 * which the log says once of each device; then there is none */
static void test_msi_exhaustion(void **state)
{
	u32 room = VEC_DEVICE_LAST - VEC_CORE_FIRST + 1, n = 0, one;
	struct msi_message shared;

	while (fake_pcpus[1].vectors.taken < room)
		route_to(&card, 1, &all[n++]);
	one = n;
	route_to(&card, 1, &all[n++]);
	assert_int_equal(sent.addr, 0xfee10000);
	/* One that has a vector stays where it is */
	route_to(&card, 1, &all[one]);
	assert_int_equal(sent.addr, 0xfee10000);
	while (fake_pcpus[0].vectors.taken < room)
		route_to(&card, 1, &all[n++]);
	assert_int_equal(fake_log_lines, 0);
	one = n;
	fake_ratelimit_left = 10;
	while (route(&card, 0xfee01000, 0x30, &all[n]) == 0) {
		assert_in_range(sent.data, VEC_SHARED_FIRST, VEC_SHARED_LAST);
		shared = sent;
		n++;
	}
	assert_int_equal(n - one, SHARES * IRQ_SHARE_MAX);
	assert_null(all[n]);
	assert_int_equal(fake_log_lines, 1);
	assert_non_null(strstr(fake_log_last, "02:01.0 shares one"));
	send(&shared);
	assert_int_equal(seen.posts, IRQ_SHARE_MAX);
	/* It follows its vCPU, by the same vector */
	route_to(&card, 0, &all[n - 1]);
	assert_int_equal(sent.data, shared.data);
	assert_int_equal(sent.addr, 0xfee10000);
	while (n)
		irq_unroute_msi(all[--n]);
	memset(all, 0, sizeof(all));
	pass(&fake_pcpus[0]);
	pass(&fake_pcpus[1]);
	assert_int_equal(taken(), 0);
}

static void test_msi_no_memory(void **state)
{
	u32 n = 0;

	fake_pool_left = 0;
	while (route(&card, 0xfee01000, 0x30, &all[n]) == 0)
		assert_true(++n < ARRAY_SIZE(all));
	assert_non_null(strstr(fake_log_last, "no memory"));
	fake_pool_left = ~0u;
	route_to(&card, 1, &all[n++]);
	while (n)
		irq_unroute_msi(all[--n]);
	pass(&fake_pcpus[1]);
	assert_int_equal(taken(), 0);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_owner),
		T(test_msi),
		T(test_msi_refusals),
		T(test_msi_moves),
		T(test_msi_in_steps),
		T(test_msi_storm),
		T(test_msi_storm_on_two_cores),
		T(test_msi_hostile_moves),
		T(test_msi_no_memory),
		T(test_msi_exhaustion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
