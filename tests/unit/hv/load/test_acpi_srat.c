/* SOURCES: hv/load/acpi_srat.c drivers/acpi/parse.c drivers/acpi/parse_numa.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The SRAT of the privileged guest, read back by the parser of the host's */
#include "drivers/acpi/parse.h"
#include "hv/core/stretch.h"
#include "hv/load/acpi_tables.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/vcpu.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/test.h"

#define FLAGS_HOT (SRAT_ENABLED | BIT(1))

static u8 buf[KIB(64)];
static struct acpi_writer w;
static struct acpi_facts facts;
static u32 room, looks;

void stretch_look(void)
{
	looks++;
}

void *acpi_writer_take(struct acpi_writer *writer, u32 size, u32 align)
{
	if (size > room) {
		writer->full = true;
		return NULL;
	}
	room -= size;
	writer->used += size;
	return writer->buf + writer->used - size;
}

void acpi_writer_add(struct acpi_writer *writer, struct acpi_header *h,
		     const char *signature, u8 revision, u32 length)
{
	assert_memory_equal(signature, "SRAT", 4);
	assert_true((u8 *)h + length == writer->buf + writer->used);
	h->revision = revision;
	h->length = length;
}

/* Two nodes by the domains 3 and 70000; cores 10h and 12h are the first's, 11h
 * and 13h the second's (fakes/vm.c numbers them from 10h) */
static int fresh(void **state)
{
	fake_vm_init(4);
	fake_vm.id = 5;
	fake_owner_count = 0;
	memset(buf, 0, sizeof(buf));
	memset(&facts, 0, sizeof(facts));
	memset(&acpi, 0, sizeof(acpi));
	w = (struct acpi_writer){ .vm = &fake_vm, .buf = buf };
	room = sizeof(buf);
	acpi.numa.node_count = 2;
	acpi.numa.domains[0] = 3;
	acpi.numa.domains[1] = 70000;
	acpi.numa.cpu_count = 4;
	for (u32 i = 0; i < 4; i++)
		acpi.numa.cpus[i] =
			(struct acpi_node_cpu){ 0x10 + i,
						acpi.numa.domains[i % 2], 0 };
	return 0;
}

static void range(u64 base, u64 size, u32 node, u32 flags)
{
	acpi.numa.ranges[acpi.numa.range_count++] =
		(struct acpi_node_range){ base, size, acpi.numa.domains[node],
					  flags };
}

static void write_and_read(void)
{
	assert_true(acpi_write_srat(&w));
	assert_false(w.full);
	acpi_parse_srat(&facts, (const void *)buf);
	assert_int_equal(fake_log_warnings, 0);
}

static void test_vcpus(void **state)
{
	fake_vcpus[3].id = 1000;
	write_and_read();
	assert_int_equal(facts.numa.cpu_count, 4);
	/* By nodes, with the ids that the vCPUs have */
	assert_int_equal(facts.numa.cpus[0].apic_id, 0);
	assert_int_equal(facts.numa.cpus[0].domain, 3);
	assert_int_equal(facts.numa.cpus[1].apic_id, 2);
	assert_int_equal(facts.numa.cpus[2].apic_id, 1);
	assert_int_equal(facts.numa.cpus[2].domain, 70000);
	assert_int_equal(facts.numa.cpus[3].apic_id, 1000);
	assert_int_equal(facts.numa.cpus[3].domain, 70000);
}

/* A core that the host's table does not have is in no node of the guest's */
static void test_unknown_core(void **state)
{
	acpi.numa.cpu_count = 3;
	write_and_read();
	assert_int_equal(facts.numa.cpu_count, 3);
}

static void test_memory(void **state)
{
	fake_owner_add(0, GIB(2), OWNER_GUEST, 0);
	fake_owners[0].vm = 5;
	fake_owner_add(GIB(4), GIB(1), OWNER_GUEST, 0);
	fake_owners[1].vm = 5;
	fake_owner_add(GIB(5), GIB(1), OWNER_HYPERVISOR, 0);
	fake_owner_add(GIB(6), GIB(2), OWNER_GUEST, 0); /* another's */
	fake_owner_add(GIB(8), GIB(1), OWNER_GUEST, 0);
	fake_owners[4].vm = 5;
	fake_owner_add(GIB(9), GIB(1), OWNER_GUEST, 0);
	range(0, GIB(2), 0, SRAT_ENABLED);
	range(GIB(4), GIB(2), 0, SRAT_ENABLED);
	range(GIB(6), GIB(1), 1, SRAT_ENABLED);
	range(GIB(7), GIB(3), 1, SRAT_ENABLED);
	range(GIB(64), GIB(64), 1, FLAGS_HOT); /* nothing there as yet */
	write_and_read();
	assert_int_equal(facts.numa.range_count, 4);
	assert_int_equal(facts.numa.ranges[1].base, GIB(4));
	assert_int_equal(facts.numa.ranges[1].size, GIB(1));
	assert_int_equal(facts.numa.ranges[2].base, GIB(8));
	assert_int_equal(facts.numa.ranges[2].size, GIB(1));
	assert_int_equal(facts.numa.ranges[2].domain, 70000);
	assert_int_equal(facts.numa.ranges[3].size, GIB(64));
	assert_int_equal(facts.numa.ranges[3].flags, FLAGS_HOT);
}

/* To the last byte that there may be */
static void test_memory_at_the_end(void **state)
{
	range(BIT(52) - GIB(1), GIB(4), 0, SRAT_ENABLED);
	write_and_read();
	assert_int_equal(facts.numa.ranges[0].size, GIB(4));
}

static void test_initiator(void **state)
{
	acpi.numa.initiator_count = 1;
	acpi.numa.initiators[0] = (struct srat_initiator){
		.entry = { SRAT_INITIATOR, 64 }, /* of a longer one */
		.domain = 3,
		.handle = { 1, 2, 3 },
		.flags = SRAT_ENABLED,
	};
	range(0, GIB(1), 0, SRAT_ENABLED);
	write_and_read();
	assert_int_equal(facts.numa.initiator_count, 1);
	assert_int_equal(facts.numa.initiators[0].handle[2], 3);
	assert_int_equal(facts.numa.range_count, 1);
}

static void test_none(void **state)
{
	acpi.numa.node_count = 0;
	assert_false(acpi_write_srat(&w));
	assert_int_equal(w.used, 0);
	acpi.numa.node_count = 2;
	room = sizeof(struct acpi_srat) + 20;
	assert_true(acpi_write_srat(&w));
	assert_true(w.full);
}

/* The core takes its interrupts in between; who is where stays the same */
static void test_many_vcpus(void **state)
{
	static struct vcpu many[VM_MAX_VCPUS];
	static struct pcpu cores[VM_MAX_VCPUS];

	fake_vm.vcpu_count = VM_MAX_VCPUS;
	acpi.numa.cpu_count = VM_MAX_VCPUS;
	for (u32 i = 0; i < VM_MAX_VCPUS; i++) {
		u32 other = i ^ 5; /* tables may have any order */

		cores[i].apic_id = 2 * i;
		many[i].id = i;
		many[i].entity.cpu = &cores[i];
		fake_vm.vcpus[i] = &many[i];
		acpi.numa.cpus[i] = (struct acpi_node_cpu){
			2 * other, acpi.numa.domains[other % 2], 0
		};
	}
	looks = 0;
	range(0, GIB(1), 0, SRAT_ENABLED);
	write_and_read();
	assert_in_range(looks, 2 * VM_MAX_VCPUS / 32, 2 * VM_MAX_VCPUS);
	assert_int_equal(facts.numa.cpu_count, VM_MAX_VCPUS);
	for (u32 i = 0; i < VM_MAX_VCPUS; i++) {
		const struct acpi_node_cpu *c = &facts.numa.cpus[i];

		assert_int_equal(c->apic_id, i * 2 % VM_MAX_VCPUS +
						     (i >= VM_MAX_VCPUS / 2));
		assert_int_equal(c->domain,
				 acpi.numa.domains[i >= VM_MAX_VCPUS / 2]);
	}
	for (u32 i = 0; i < 4; i++)
		fake_vm.vcpus[i] = &fake_vcpus[i];
}

/* What an area has room for is what an SRAT can take */
static void test_largest(void **state)
{
	fake_vm.privileged = true;
	fake_vm.vcpu_count = VM_MAX_VCPUS;
	acpi.numa.range_count = ACPI_MAX_RANGES;
	acpi.numa.initiator_count = ACPI_MAX_INITIATORS;
	assert_true(acpi_area_bytes(&fake_vm) - ACPI_AREA_BYTES >=
		    sizeof(struct acpi_srat) +
			    VM_MAX_VCPUS * sizeof(struct srat_x2apic) +
			    ACPI_MAX_RANGES * sizeof(struct srat_memory) +
			    ACPI_MAX_INITIATORS *
				    sizeof(struct srat_initiator));
	fake_vm.privileged = false;
	assert_int_equal(acpi_area_bytes(&fake_vm), ACPI_AREA_BYTES);
}

#define T(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_vcpus),     T(test_unknown_core),
		T(test_memory),    T(test_memory_at_the_end),
		T(test_initiator), T(test_none),
		T(test_largest),   T(test_many_vcpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
