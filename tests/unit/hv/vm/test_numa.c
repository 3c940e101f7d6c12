/* SOURCES: hv/vm/numa.c drivers/acpi/nodes.c sched/placement.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The node that a guest is placed on: by room, by load, by what it may have */
#include "drivers/acpi/acpi.h"
#include "hv/vm/numa.h"
#include "sched/placement.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/vcpu.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/test.h"

#define CORES 8u

static struct pcpu cores[CORES];
struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;
static struct guest_config g;

/* Cores 0 to 3 are node 0's, 4 to 7 node 1's; node 2 is memory alone. Each has
 * 4 GiB, node 0 in two pieces; 1 GiB of each is taken. */
static int fresh(void **state)
{
	static const struct acpi_node_range ranges[] = {
		{ 0, GIB(2), 10, SRAT_ENABLED },
		{ GIB(4), GIB(2), 10, SRAT_ENABLED },
		{ GIB(6), GIB(4), 20, SRAT_ENABLED },
		{ GIB(10), GIB(4), 30, SRAT_ENABLED },
	};

	memset(&acpi, 0, sizeof(acpi));
	memset(&g, 0, sizeof(g));
	memset(g.cores, 0xff, sizeof(g.cores));
	fake_log_reset();
	fake_owner_count = 0;
	fake_owner_add(0, GIB(1), OWNER_HYPERVISOR, 0);
	fake_owner_add(GIB(1), GIB(1), OWNER_FREE, 0);
	fake_owner_add(GIB(4), GIB(5), OWNER_FREE, 0);
	fake_owner_add(GIB(9), GIB(2), OWNER_GUEST, 0);
	fake_owner_add(GIB(11), GIB(3), OWNER_FREE, 0);
	acpi.numa.node_count = 3;
	for (u32 i = 0; i < 3; i++)
		acpi.numa.domains[i] = 10 * (i + 1);
	acpi.numa.range_count = ARRAY_SIZE(ranges);
	memcpy(acpi.numa.ranges, ranges, sizeof(ranges));
	pcpu_count = acpi.numa.cpu_count = CORES;
	for (u32 i = 0; i < CORES; i++) {
		cores[i] = (struct pcpu){ .id = i,
					  .apic_id = 300 - i,
					  .online = true };
		pcpus[i] = &cores[i];
		acpi.numa.cpus[i] =
			(struct acpi_node_cpu){ 300 - i, i < 4 ? 10 : 20, 0 };
	}
	g.memory_bytes = GIB(1);
	g.vcpus = 1;
	return 0;
}

static void test_bytes(void **state)
{
	static struct boot_info bi;

	assert_int_equal(numa_node_count(), 3);
	assert_int_equal(numa_free_bytes(0), GIB(3));
	assert_int_equal(numa_free_bytes(1), GIB(3));
	assert_int_equal(numa_free_bytes(2), GIB(3));
	bi.mem_count = 3;
	bi.mem[0] = (struct boot_mem){ .size = GIB(1),
				       .type = BOOT_MEM_CONVENTIONAL };
	bi.mem[1] = (struct boot_mem){ .base = GIB(5),
				       .size = GIB(3),
				       .type = BOOT_MEM_BS_DATA };
	bi.mem[2] = (struct boot_mem){ .base = GIB(10),
				       .size = GIB(1),
				       .type = BOOT_MEM_SPECIAL };
	assert_int_equal(numa_ram_bytes(&bi, 0, false), GIB(2));
	assert_int_equal(numa_ram_bytes(&bi, 1, false), GIB(2));
	assert_int_equal(numa_ram_bytes(&bi, 2, false), 0);
	assert_int_equal(numa_ram_bytes(&bi, 2, true), GIB(1));
}

static void test_cores(void **state)
{
	u64 out[MANIFEST_MAX_CORES / 64];

	assert_true(numa_cores(1, g.cores, out));
	assert_int_equal(out[0], 0xf0);
	cores[4].online = false;
	assert_true(numa_cores(1, g.cores, out));
	assert_int_equal(out[0], 0xe0);
	assert_false(numa_cores(2, g.cores, out));
	g.cores[0] = 0x0f;
	assert_false(numa_cores(1, g.cores, out));
}

/* The last of equal ones; then the one with less on it */
static void test_load(void **state)
{
	assert_int_equal(numa_choose(&g), 1);
	placement_add(&cores[4]);
	assert_int_equal(numa_choose(&g), 0);
	placement_add(&cores[0]);
	placement_add(&cores[1]);
	assert_int_equal(numa_choose(&g), 1);
	placement_remove(&cores[4]);
	placement_remove(&cores[0]);
	placement_remove(&cores[1]);
}

static void test_room(void **state)
{
	fake_owners[2].size = GIB(2); /* node 1 has nothing left */
	assert_int_equal(numa_choose(&g), 0);
	g.memory_bytes = GIB(4);
	assert_int_equal(numa_choose(&g), VM_NODE_ANY);
}

/* A core for each vCPU counts more than load */
static void test_roomy(void **state)
{
	g.cores[0] = 0x1f; /* four of node 0, one of node 1 */
	for (u32 i = 0; i < 4; i++)
		placement_add(&cores[i]);
	assert_int_equal(numa_choose(&g), 1);
	g.vcpus = 2;
	assert_int_equal(numa_choose(&g), 0);
	for (u32 i = 0; i < 4; i++)
		placement_remove(&cores[i]);
}

static void test_ways(void **state)
{
	g.numa = NUMA_NODE;
	g.numa_node = 0;
	assert_int_equal(numa_choose(&g), 0);
	g.numa = NUMA_ANY;
	assert_int_equal(numa_choose(&g), VM_NODE_ANY);
	g.numa = NUMA_AUTO;
	g.privileged = true;
	assert_int_equal(numa_choose(&g), VM_NODE_ANY);
}

/* With no SRAT all is one node's */
static void test_no_nodes(void **state)
{
	u64 out[MANIFEST_MAX_CORES / 64];

	acpi.numa = (struct acpi_numa){ 0 };
	assert_int_equal(numa_node_count(), 1);
	assert_int_equal(numa_choose(&g), VM_NODE_ANY);
	assert_int_equal(numa_free_bytes(0), GIB(9));
	assert_true(numa_cores(0, g.cores, out));
	assert_int_equal(out[0], 0xff);
}

static void test_report(void **state)
{
	fake_vm_init(2);
	fake_vm.slot_count = 1;
	fake_vm.slots[0] = (struct vm_slot){ .hpa = GIB(7), .size = MIB(64) };
	fake_vcpus[0].entity.cpu = &cores[5];
	fake_vcpus[1].entity.cpu = &cores[6];
	numa_report(&fake_vm);
	assert_int_equal(fake_log_lines, 1);
	assert_non_null(strstr(fake_log_last, "NUMA node 1: 64 MiB, 2 vCPUs"));
	fake_vcpus[1].entity.cpu = &cores[0];
	numa_report(&fake_vm);
	assert_int_equal(fake_log_lines, 3);
}

#define T(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_bytes), T(test_cores), T(test_load),     T(test_room),
		T(test_roomy), T(test_ways),  T(test_no_nodes), T(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
