/* SOURCES: hv/irq/route.c hv/irq/storm.c arch/x86/machine/vectors.c lib/printf.c tests/unit/hv/irq/arrivals.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A message that arrives while its row changes owners, between reads of it */
#include "tests/unit/hv/irq/arrivals.h"

#include "arch/x86/cpu/percpu.h"
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/vcpu.h"
#include "hv/irq/storm.h"
#include "hv/irq/vlapic.h"
#include "lib/log.h"
#include "mm/pmm.h"

static u32 reads_left; /* until the row changes owners; 0: it does not */
static void change_owners(void);

#undef READ_ONCE
#define READ_ONCE(x)                                                           \
	({                                                                     \
		if (reads_left && !--reads_left)                               \
			change_owners();                                       \
		*(const volatile __typeof__(x) *)&(x);                         \
	})
#include "hv/irq/msi.c"

static struct vm small;
static struct vcpu small_vcpu;
static struct irq_msi *row, *next_row;

static void route(struct vm *vm, u32 cpu, u32 vector, struct irq_msi **m)
{
	struct irq_source source = { .vm = vm };
	const struct msi_message guest = { 0xfee00000 | cpu << 12, vector };
	struct msi_message host;

	match_first = vm->vcpus[cpu];
	assert_int_equal(irq_route_msi(&source, &guest, m, &host), 0);
}

static void change_owners(void)
{
	irq_unroute_msi(row);
	route(&small, 0, 0x44, &next_row);
	assert_ptr_equal(next_row, row);
}

/* Vector, destination and guest are of one owner, whenever it changes: the next
 * one need not have a vCPU of that number */
static void test_owner_changes(void **state)
{
	small_vcpu = (struct vcpu){ .vm = &small };
	small_vcpu.entity.cpu = &fake_pcpus[0];
	small.vcpus[0] = &small_vcpu;
	small.vcpu_count = 1;
	small.budget = fake_vm.budget;
	for (u32 when = 1; when < 5; when++) {
		row = next_row = NULL;
		route(&fake_vm, 1, 0x55, &row);
		memset(&seen, 0, sizeof(seen));
		reads_left = when;
		msi_arrived(&row->irq);
		reads_left = 0;
		if (seen.vector == 0x55)
			assert_ptr_equal(seen.vcpu, &fake_vcpus[1]);
		else
			assert_ptr_equal(seen.vcpu, &small_vcpu);
		if (seen.vector != 0x55)
			assert_int_equal(seen.vector, 0x44);
		irq_unroute_msi(next_row ? next_row : row);
		pass(&fake_pcpus[0]);
		pass(&fake_pcpus[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_owner_changes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
