/* SOURCES: arch/x86/svm/caps.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What is made of a CPU's SVM features */
#include "arch/x86/svm/caps.h"
#include "arch/x86/svm/regs.h"
#include "include/hw/cpuid.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

static void old_cpu(void **state)
{
	const struct cpu_features f = { .svm_features = CPUID_SVM_NP,
					.svm_asids = 64 };
	struct svm_caps c;

	assert_int_equal(svm_caps_read(&c, &f), 0);
	assert_int_equal(c.asid_count, 64);
	assert_false(c.nrips || c.decode_assists || c.flush_by_asid ||
		     c.pause_filter || c.bus_lock);
	assert_int_equal(svm_caps_max_level(&c), 2);
}

static void new_cpu(void **state)
{
	const struct cpu_features f = { .svm_features = ~0u, .page_1g = true };
	struct svm_caps c;

	assert_int_equal(svm_caps_read(&c, &f), 0);
	assert_true(c.nrips && c.decode_assists && c.flush_by_asid &&
		    c.pause_filter && c.bus_lock);
	assert_int_equal(svm_caps_max_level(&c), 3);
	assert_int_equal(fake_log_lines, 0);
}

static void no_nested_paging(void **state)
{
	const struct cpu_features f = { .svm_features = ~(u32)CPUID_SVM_NP };
	struct svm_caps c;

	assert_int_equal(svm_caps_read(&c, &f), -ENOTSUP);
	assert_int_equal(fake_log_lines, 1);
}

/* Decode assists are what tells Bochs' Zen from a real one */
static void bochs(void **state)
{
	struct cpu_features f = { .svm_features =
					  ~(u32)CPUID_SVM_DECODE_ASSISTS,
				  .family = 0x17 };
	struct svm_caps c;

	assert_int_equal(svm_caps_read(&c, &f), 0);
	assert_true(c.irqs_held);
	f.family = 0x10;
	assert_int_equal(svm_caps_read(&c, &f), 0);
	assert_false(c.irqs_held);
	f.family = 0x17;
	f.hypervisor_name[0] = 'T';
	assert_int_equal(svm_caps_read(&c, &f), 0);
	assert_false(c.irqs_held);
	f = (struct cpu_features){ .svm_features = ~0u, .family = 0x19 };
	assert_int_equal(svm_caps_read(&c, &f), 0);
	assert_false(c.irqs_held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_cpu),
		cmocka_unit_test(new_cpu),
		cmocka_unit_test(no_nested_paging),
		cmocka_unit_test(bochs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
