/* SOURCES: arch/x86/svm/tag.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* ASIDs: no vCPU runs in a new generation before somebody has flushed */
#include "arch/x86/svm/internal.h"
#include "tests/unit/test.h"

struct svm_caps svm_caps;

static struct vmcb vmcbs[3];
static struct vcpu_arch vcpus[3];
static struct backend_cpu backend;
static struct pcpu cpu = { .backend = &backend };

static int setup(void **state)
{
	u32 i;

	memset(vmcbs, 0, sizeof(vmcbs));
	for (i = 0; i < ARRAY_SIZE(vcpus); i++)
		vcpus[i] = (struct vcpu_arch){ .vmcb = &vmcbs[i] };
	svm_caps.asid_count = 3; /* 1 and 2 are guests' */
	backend = (struct backend_cpu){ .next_asid = svm_caps.asid_count };
	return 0;
}

static void test_all_ask_until_one_has_run(void **state)
{
	svm_assign_asid(&vcpus[0], &cpu);
	svm_assign_asid(&vcpus[1], &cpu);
	assert_int_equal(vmcbs[0].control.guest_asid, 1);
	assert_int_equal(vmcbs[1].control.guest_asid, 2);
	/* The first was taken off the core before it entered */
	assert_int_equal(vmcbs[0].control.tlb_control, TLB_FLUSH_ALL);
	assert_int_equal(vmcbs[1].control.tlb_control, TLB_FLUSH_ALL);
}

static void test_none_asks_afterwards(void **state)
{
	svm_assign_asid(&vcpus[0], &cpu);
	backend.flush_owed = false; /* it has run: svm_put() */
	svm_assign_asid(&vcpus[1], &cpu);
	assert_int_equal(vmcbs[1].control.tlb_control, TLB_DO_NOTHING);
	/* No ASID is left: the next generation */
	svm_assign_asid(&vcpus[2], &cpu);
	assert_int_equal(vmcbs[2].control.guest_asid, 1);
	assert_int_equal(vmcbs[2].control.tlb_control, TLB_FLUSH_ALL);
	assert_int_not_equal(vcpus[1].asid_generation, backend.generation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_ask_until_one_has_run, setup),
		cmocka_unit_test_setup(test_none_asks_afterwards, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
