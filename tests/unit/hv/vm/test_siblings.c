/* SOURCES: hv/vm/siblings.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which guests share a processor core with others */
#include "arch/x86/cpu/features.h"
#include "hv/vm/siblings.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/vm.h"

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;
struct vm *vms[VM_MAX];
u32 vm_count;
static struct vm guests[2];
static struct vcpu vcpus[4];

/* Four threads; vCPU i of the first two is guest 0's */
static void place(u32 shift, const u32 cores[4])
{
	cpu_features.smt_shift = shift;
	pcpu_count = 4;
	for (u32 i = 0; i < 4; i++) {
		pcpus[i] = &fake_pcpus[i];
		fake_pcpus[i].id = i;
		fake_pcpus[i].apic_id = i;
		vcpus[i].entity.cpu = &fake_pcpus[cores[i]];
		guests[i / 2].vcpus[i % 2] = &vcpus[i];
		guests[i / 2].vcpu_count = 2;
		vms[i / 2] = &guests[i / 2];
	}
	vm_count = 2;
}

static void test_apart(void **state)
{
	place(1, (u32[]){ 0, 1, 2, 3 });
	assert_int_equal(siblings_report(), 0);
	place(1, (u32[]){ 0, 1, 2, 2 });
	assert_int_equal(siblings_report(), 0);
}

static void test_mixed(void **state)
{
	place(1, (u32[]){ 0, 2, 1, 3 });
	assert_int_equal(siblings_report(), 2);
	assert_non_null(strstr(fake_log_alarm, "0 and 1 are its threads"));
	/* Both on both */
	place(1, (u32[]){ 2, 3, 2, 3 });
	assert_int_equal(siblings_report(), 1);
	assert_non_null(strstr(fake_log_alarm, "2 and 3 are its threads"));
}

/* Cores of one thread share nothing that matters */
static void test_no_smt(void **state)
{
	place(0, (u32[]){ 0, 2, 1, 3 });
	assert_int_equal(siblings_report(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_no_smt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
