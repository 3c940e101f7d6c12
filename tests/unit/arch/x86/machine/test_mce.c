/* SOURCES: arch/x86/machine/mce.c arch/x86/machine/mce_poll.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine-check banks, faked: what is judged, cleared and turned on. Over 400
 * lines: the fake of the banks serves every case. */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/mce.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/ratelimit.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/test.h"

#define BANKS 3

#define SMCA_REGS 16

static u64 global, global_ctl, ext_ctl, cap, feature_control;
static u64 bank[BANKS][4], smca[BANKS][SMCA_REGS];
static u32 extra_banks; /* that MCG_CAP says besides, of which none is there */

static u64 *find(u32 msr)
{
	if (cpu_features.smca && msr >= MSR_SMCA_MC0_CTL &&
	    msr < MSR_SMCA_MC0_CTL + BANKS * SMCA_BANK_STRIDE)
		return &smca[(msr - MSR_SMCA_MC0_CTL) / SMCA_BANK_STRIDE]
			    [msr % SMCA_BANK_STRIDE];
	cap = (cap & ~MCG_CAP_COUNT_MASK) | (BANKS + extra_banks);
	/* VMX's, for whoever counts too far */
	assert_false(msr >= 0x480 && msr < 0x4d0);
	switch (msr) {
	case MSR_FEATURE_CONTROL:
		return &feature_control;
	case MSR_MCG_EXT_CTL:
		return cap & MCG_CAP_LMCE_P ? &ext_ctl : NULL;
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

static struct mce_error taken; /* the last one */
static u32 taken_count;

static void note_taken(const struct mce_error *e)
{
	taken = *e;
	taken_count++;
}

static int setup(void **state)
{
	mce_leave_to_firmware(0);
	mce_taken_hook = note_taken;
	taken_count = 0;
	memset(bank, 0, sizeof(bank));
	memset(smca, 0, sizeof(smca));
	cap = MCG_CAP_CTL_P;
	ext_ctl = feature_control = 0;
	extra_banks = 0;
	fake_timer = NULL;
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

/* The first test: what the first core has is all that is known */
static void test_common(void **state)
{
	assert_int_equal(mce_common_cap(), 0);
	extra_banks = 2;
	cap |= MCG_CAP_SER_P;
	mce_init_cpu();
	assert_int_equal(mce_common_cap(),
			 MCG_CAP_CTL_P | MCG_CAP_SER_P | (BANKS + 2));
	extra_banks = 0;
	cap = MCG_CAP_CTL_P;
	mce_init_cpu();
	assert_int_equal(mce_common_cap(), MCG_CAP_CTL_P | BANKS);
	/* A core with more does not change that */
	extra_banks = 9;
	mce_init_cpu();
	assert_int_equal(mce_common_cap(), MCG_CAP_CTL_P | BANKS);
}

/* What was corrected may be the firmware's, which is not known yet: it is left
 * to the poll */
static void test_init_turns_all_on_and_clears_old(void **state)
{
	bank[0][STATUS] = MC_STATUS_VAL;
	bank[1][STATUS] = MC_STATUS_VAL | MC_STATUS_UC | MC_STATUS_PCC;
	mce_init_cpu();
	assert_int_equal(fake_log_errors, 1);
	assert_int_equal(fake_log_warnings, 1);
	assert_int_equal(global_ctl, ~0ull);
	for (u32 i = 0; i < BANKS; i++) {
		assert_int_equal(bank[i][0], ~0ull);
		assert_int_equal(bank[i][STATUS], i ? 0 : MC_STATUS_VAL);
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
	assert_int_equal(mce_handle(NULL), MCE_NONE);
	assert_int_equal(global, 0);
}

static void test_corrected(void **state)
{
	bank[2][STATUS] = MC_STATUS_VAL;
	assert_int_equal(mce_handle(NULL), MCE_NONE);
	assert_int_equal(fake_log_errors, 0);
	assert_non_null(strstr(fake_log_last, "an error that was corrected"));
	assert_int_equal(bank[2][STATUS], 0);
}

static void test_contained(void **state)
{
	bank[0][STATUS] = MC_STATUS_VAL;
	bank[1][STATUS] = MC_STATUS_VAL | MC_STATUS_UC | MC_STATUS_ADDRV;
	assert_int_equal(mce_handle(NULL), MCE_CONTAINED);
	assert_int_equal(fake_log_errors, 1);
	assert_int_equal(fake_log_warnings, 2);
}

static void test_fatal(void **state)
{
	bank[0][STATUS] = MC_STATUS_VAL | MC_STATUS_UC | MC_STATUS_PCC;
	bank[1][STATUS] = MC_STATUS_VAL | MC_STATUS_UC;
	assert_int_equal(mce_handle(NULL), MCE_FATAL);
}

static void test_no_way_back(void **state)
{
	global = MCG_STATUS_MCIP;
	assert_int_equal(mce_handle(NULL), MCE_FATAL);
	cpu_features.mca = false;
	assert_int_equal(mce_handle(NULL), MCE_FATAL);
}

#define MISC 3
#define ADDR 2
#define UCR  (MC_STATUS_VAL | MC_STATUS_UC)
#define SRAO (UCR | MC_STATUS_S)
#define SRAR (UCR | MC_STATUS_S | MC_STATUS_AR)

/* SDM 3B 16.6.3 *UCR Error Classification* */
static void test_intel_that_recovers(void **state)
{
	static const struct {
		u64 status, global;
		enum mce_verdict verdict;
	} rows[] = {
		{ UCR, MCG_STATUS_RIPV, MCE_NONE },
		{ SRAO, MCG_STATUS_RIPV, MCE_NONE },
		{ SRAO | MC_STATUS_OVER, MCG_STATUS_RIPV, MCE_NONE },
		/* A load that has it, and a fetch */
		{ SRAR, MCG_STATUS_EIPV, MCE_CONTAINED },
		{ SRAR, MCG_STATUS_EIPV | MCG_STATUS_RIPV, MCE_CONTAINED },
		{ SRAR, 0, MCE_CONTAINED },
		{ SRAR, MCG_STATUS_RIPV | MCG_STATUS_LMCE_S, MCE_CONTAINED },
		{ SRAR | MC_STATUS_OVER, MCG_STATUS_EIPV, MCE_FATAL },
		{ SRAR | MC_STATUS_PCC, MCG_STATUS_RIPV, MCE_FATAL },
		/* No way back, and what for nobody knows */
		{ SRAO, MCG_STATUS_EIPV, MCE_FATAL },
		{ 0, MCG_STATUS_EIPV, MCE_FATAL },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		cap |= MCG_CAP_SER_P;
		bank[1][STATUS] = rows[i].status;
		global = rows[i].global | MCG_STATUS_MCIP;
		assert_int_equal(mce_handle(NULL), rows[i].verdict);
		assert_int_equal(bank[1][STATUS], 0);
		assert_int_equal(global, 0);
	}
	/* The sibling's: it is left to it */
	bank[1][STATUS] = SRAR;
	global = MCG_STATUS_RIPV | MCG_STATUS_MCIP;
	assert_int_equal(mce_handle(NULL), MCE_NONE);
	assert_int_equal(bank[1][STATUS], SRAR);
}

static void test_address(void **state)
{
	u64 address = 1;

	cap |= MCG_CAP_SER_P;
	bank[1][STATUS] = SRAR | MC_STATUS_ADDRV | MC_STATUS_MISCV;
	bank[1][ADDR] = 0x123456789;
	bank[1][MISC] = MC_MISC_PHYSICAL << 6 | 12;
	global = MCG_STATUS_EIPV;
	assert_int_equal(mce_handle(&address), MCE_CONTAINED);
	assert_int_equal(address, 0x123456000);
	/* A linear one is nobody's */
	bank[1][STATUS] = SRAR | MC_STATUS_ADDRV | MC_STATUS_MISCV;
	bank[1][MISC] = 1 << 6 | 12;
	global = MCG_STATUS_EIPV;
	assert_int_equal(mce_handle(&address), MCE_CONTAINED);
	assert_int_equal(address, MCE_NO_ADDRESS);
}

/* By the lock: free, on, and off for good */
static void test_local(void **state)
{
	cap |= MCG_CAP_LMCE_P;
	mce_init_cpu();
	assert_int_equal(feature_control, FEATURE_CONTROL_LMCE);
	assert_int_equal(ext_ctl, MCG_EXT_CTL_LMCE_EN);
	ext_ctl = 0;
	feature_control = FEATURE_CONTROL_LOCKED;
	mce_init_cpu();
	assert_int_equal(feature_control, FEATURE_CONTROL_LOCKED);
	assert_int_equal(ext_ctl, 0);
	feature_control |= FEATURE_CONTROL_LMCE;
	mce_init_cpu();
	assert_int_equal(ext_ctl, MCG_EXT_CTL_LMCE_EN);
	/* A CPU without it is not touched */
	cap &= ~MCG_CAP_LMCE_P;
	feature_control = 0;
	mce_init_cpu();
	assert_int_equal(feature_control, 0);
}

/* 255 banks, of which old numbers reach 32 */
static void test_many_banks(void **state)
{
	extra_banks = 252;
	mce_init_cpu();
	global = MCG_STATUS_RIPV;
	assert_int_equal(mce_handle(NULL), MCE_NONE);
}

/* What sends no #MC is found by the timer; what does is left to its handler */
static void test_poll(void **state)
{
	mce_poll_start();
	bank[0][STATUS] = MC_STATUS_VAL;
	bank[1][STATUS] = UCR;
	fake_timer_fire();
	assert_int_equal(bank[0][STATUS], 0);
	assert_int_equal(bank[1][STATUS], UCR);
	assert_int_equal(fake_log_lines, 1);
	cap |= MCG_CAP_SER_P;
	fake_timer_fire();
	assert_int_equal(bank[1][STATUS], 0);
	assert_int_equal(fake_log_lines, 2);
	assert_non_null(strstr(fake_log_last, "nobody has used yet"));
	bank[1][STATUS] = SRAO;
	fake_timer_fire();
	assert_int_equal(bank[1][STATUS], SRAO);
	bank[1][STATUS] = UCR | MC_STATUS_PCC;
	fake_timer_fire();
	assert_int_equal(bank[1][STATUS], UCR | MC_STATUS_PCC);
	assert_int_equal(fake_log_lines, 2);
	bank[1][STATUS] = 0;
	/* The log has an end, and then says how many there were */
	fake_ratelimit_left = 0;
	for (u32 i = 0; i < 5; i++) {
		bank[2][STATUS] = MC_STATUS_VAL;
		fake_timer_fire();
		assert_int_equal(bank[2][STATUS], 0);
	}
	assert_int_equal(fake_log_lines, 2);
	fake_ratelimit_left = 1;
	bank[2][STATUS] = MC_STATUS_VAL;
	fake_timer_fire();
	assert_string_equal(fake_log_last, "5 more were not logged");
	fake_ratelimit_left = ~0u;
	kmem_free(&pmm_self, fake_timer, sizeof(*fake_timer));
}

/* Neither logged nor cleared, nor handed over, by poll and #MC; what a #MC was
 * sent for is judged as ever */
static void test_firmware_first(void **state)
{
	mce_leave_to_firmware(BIT(1));
	assert_non_null(strstr(fake_log_last, "banks 0x2"));
	fake_log_reset();
	bank[1][STATUS] = bank[2][STATUS] = MC_STATUS_VAL;
	mce_poll_start();
	fake_timer_fire();
	assert_int_equal(bank[1][STATUS], MC_STATUS_VAL);
	assert_int_equal(bank[2][STATUS], 0);
	assert_int_equal(fake_log_lines, 1);
	assert_int_equal(taken_count, 1);
	global = MCG_STATUS_RIPV;
	assert_int_equal(mce_handle(NULL), MCE_NONE);
	assert_int_equal(bank[1][STATUS], MC_STATUS_VAL);
	bank[1][STATUS] |= MC_STATUS_UC | MC_STATUS_PCC;
	assert_int_equal(mce_handle(NULL), MCE_FATAL);
	kmem_free(&pmm_self, fake_timer, sizeof(*fake_timer));
}

/* Whoever wants to know is told of each, logged or not, with what is valid */
static void test_handed_over(void **state)
{
	const u64 status = MC_STATUS_VAL | MC_STATUS_ADDRV | 0x151;

	mce_poll_start();
	fake_ratelimit_left = 0;
	bank[2][STATUS] = status;
	bank[2][ADDR] = 0x12345000;
	bank[2][MISC] = 7;
	fake_timer_fire();
	assert_int_equal(taken_count, 1);
	assert_int_equal(taken.bank, 2);
	assert_int_equal(taken.status, status);
	assert_int_equal(taken.addr, 0x12345000);
	assert_int_equal(taken.misc, 0);
	assert_int_equal(fake_log_lines, 0);
	fake_ratelimit_left = ~0u;
	bank[2][STATUS] = status;
	fake_timer_fire();
	assert_int_equal(taken_count, 2);
	assert_string_equal(fake_log_last, "1 more were not logged");
	bank[0][STATUS] = status | MC_STATUS_MISCV;
	bank[0][MISC] = 7;
	assert_int_equal(mce_handle(NULL), MCE_NONE);
	assert_int_equal(taken_count, 3);
	assert_int_equal(taken.bank, 0);
	assert_int_equal(taken.misc, 7);
	kmem_free(&pmm_self, fake_timer, sizeof(*fake_timer));
}

static void test_amd(void **state)
{
	enum { S_CTL, S_STATUS, S_ADDR, S_MISC, S_CONFIG, S_DESTAT = 8 };

	cpu_features.vendor = VENDOR_AMD;
	cpu_features.smca = true;
	smca[1][S_CONFIG] = 5;
	mce_init_cpu();
	assert_int_equal(smca[2][S_CTL], ~0ull);
	assert_int_equal(smca[1][S_CONFIG], SMCA_CONFIG_MCAX | 5);
	assert_int_equal(bank[2][0], 0);
	smca[0][S_STATUS] = MC_STATUS_VAL | MC_STATUS_DEFERRED;
	smca[2][S_DESTAT] = MC_STATUS_VAL;
	mce_poll_start();
	fake_timer_fire();
	assert_int_equal(smca[0][S_STATUS] | smca[2][S_DESTAT], 0);
	assert_int_equal(fake_log_lines, 4); /* two each */
	assert_int_equal(taken_count, 2);
	assert_int_equal(taken.status, MC_STATUS_VAL | MC_STATUS_DEFERRED);
	/* One that stands in both places is one error */
	smca[0][S_STATUS] = MC_STATUS_VAL | MC_STATUS_DEFERRED;
	smca[0][S_DESTAT] = MC_STATUS_VAL;
	fake_timer_fire();
	assert_int_equal(smca[0][S_STATUS] | smca[0][S_DESTAT], 0);
	assert_int_equal(taken_count, 3);
	fake_log_lines = 4;
	/* All banks together have as many lines as may be logged */
	fake_ratelimit_left = 1;
	for (u32 i = 0; i < BANKS; i++)
		smca[i][S_DESTAT] = MC_STATUS_VAL;
	fake_timer_fire();
	assert_int_equal(smca[2][S_DESTAT], 0);
	assert_int_equal(fake_log_lines, 6);
	fake_ratelimit_left = ~0u;
	/* What Intel calls "action required" is another bit here */
	smca[0][S_STATUS] = UCR;
	global = MCG_STATUS_RIPV;
	assert_int_equal(mce_handle(NULL), MCE_CONTAINED);
	kmem_free(&pmm_self, fake_timer, sizeof(*fake_timer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_common, setup),
		cmocka_unit_test_setup(test_init_turns_all_on_and_clears_old,
				       setup),
		cmocka_unit_test_setup(test_init_leaves_bank0_on_early_family6,
				       setup),
		cmocka_unit_test_setup(test_broadcast_of_another_core, setup),
		cmocka_unit_test_setup(test_corrected, setup),
		cmocka_unit_test_setup(test_intel_that_recovers, setup),
		cmocka_unit_test_setup(test_address, setup),
		cmocka_unit_test_setup(test_local, setup),
		cmocka_unit_test_setup(test_many_banks, setup),
		cmocka_unit_test_setup(test_poll, setup),
		cmocka_unit_test_setup(test_firmware_first, setup),
		cmocka_unit_test_setup(test_handed_over, setup),
		cmocka_unit_test_setup(test_amd, setup),
		cmocka_unit_test_setup(test_contained, setup),
		cmocka_unit_test_setup(test_fatal, setup),
		cmocka_unit_test_setup(test_no_way_back, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
