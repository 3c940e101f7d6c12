/* SOURCES: arch/x86/machine/mce.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine-check banks, faked: what is judged, cleared and turned on */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/mce.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/test.h"

#define BANKS 3

static u64 global, global_ctl;
static u64 bank[BANKS][4];

static u64 *find(u32 msr)
{
	static u64 cap;

	cap = BANKS | MCG_CAP_CTL_P;
	switch (msr) {
	case MSR_MCG_CAP:
		return &cap;
	case MSR_MCG_STATUS:
		return &global;
	case MSR_MCG_CTL:
		return &global_ctl;
	}
	if (msr < MSR_MC0_CTL || msr >= MSR_MC0_CTL + BANKS * MC_BANK_STRIDE)
		return NULL;
	return &bank[(msr - MSR_MC0_CTL) / 4][(msr - MSR_MC0_CTL) % 4];
}

int rdmsr_safe(u32 msr, u64 *value)
{
	u64 *reg = find(msr);

	if (!reg)
		return -EIO;
	*value = *reg;
	return 0;
}

int wrmsr_safe(u32 msr, u64 value)
{
	u64 *reg = find(msr);

	if (!reg)
		return -EIO;
	*reg = value;
	return 0;
}

static int setup(void **state)
{
	memset(bank, 0, sizeof(bank));
	global = MCG_STATUS_RIPV | MCG_STATUS_MCIP;
	global_ctl = 0;
	fake_log_reset();
	cpu_features = (struct cpu_features){
		.vendor = VENDOR_INTEL,
		.family = 6,
		.model = 0x3c,
		.mce = true,
		.mca = true,
	};
	return 0;
}

#define STATUS 1

static void test_init_turns_all_on_and_clears_old(void **state)
{
	bank[1][STATUS] = MC_STATUS_VAL | MC_STATUS_UC | MC_STATUS_PCC;
	mce_init_cpu();
	assert_int_equal(fake_log_errors, 1);
	assert_int_equal(global_ctl, ~0ull);
	for (u32 i = 0; i < BANKS; i++) {
		assert_int_equal(bank[i][0], ~0ull);
		assert_int_equal(bank[i][STATUS], 0);
	}
}

static void test_init_leaves_bank0_on_early_family6(void **state)
{
	cpu_features.model = 0x0f;
	mce_init_cpu();
	assert_int_equal(bank[0][0], 0);
	assert_int_equal(bank[1][0], ~0ull);
}

static void test_broadcast_of_another_core(void **state)
{
	assert_int_equal(mce_handle(), MCE_NONE);
	assert_int_equal(global, 0);
}

static void test_corrected(void **state)
{
	bank[2][STATUS] = MC_STATUS_VAL;
	assert_int_equal(mce_handle(), MCE_NONE);
	assert_int_equal(fake_log_errors, 1);
	assert_int_equal(bank[2][STATUS], 0);
}

static void test_contained(void **state)
{
	bank[0][STATUS] = MC_STATUS_VAL;
	bank[1][STATUS] = MC_STATUS_VAL | MC_STATUS_UC | MC_STATUS_ADDRV;
	assert_int_equal(mce_handle(), MCE_CONTAINED);
	assert_int_equal(fake_log_errors, 2);
}

static void test_fatal(void **state)
{
	bank[0][STATUS] = MC_STATUS_VAL | MC_STATUS_UC | MC_STATUS_PCC;
	bank[1][STATUS] = MC_STATUS_VAL | MC_STATUS_UC;
	assert_int_equal(mce_handle(), MCE_FATAL);
}

static void test_no_way_back(void **state)
{
	global = MCG_STATUS_MCIP;
	assert_int_equal(mce_handle(), MCE_FATAL);
	cpu_features.mca = false;
	assert_int_equal(mce_handle(), MCE_FATAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_init_turns_all_on_and_clears_old,
				       setup),
		cmocka_unit_test_setup(test_init_leaves_bank0_on_early_family6,
				       setup),
		cmocka_unit_test_setup(test_broadcast_of_another_core, setup),
		cmocka_unit_test_setup(test_corrected, setup),
		cmocka_unit_test_setup(test_contained, setup),
		cmocka_unit_test_setup(test_fatal, setup),
		cmocka_unit_test_setup(test_no_way_back, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
