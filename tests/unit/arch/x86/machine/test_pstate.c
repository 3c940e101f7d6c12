/* SOURCES: lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rate a core is asked for: of named CPUs as their firmware may leave
 * them. The registers are a list; one that is not there faults. */
#include "arch/x86/cpu/asm.h"

static struct cpuid fake_leaf(u32 leaf);

#define cpuid(leaf) fake_leaf(leaf)
#include "arch/x86/machine/pstate.c"
#undef cpuid
#include "lib/errno.h"
#include "lib/string.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/test.h"

#define TURBO    CPUID_6_EAX_TURBO
#define HWP      CPUID_6_EAX_HWP
#define EIST     MISC_ENABLE_EIST
#define SAME     0 /* nothing is written */
#define RATIO(n) ((u64)(n) << 8)

static struct {
	u32 msr;
	u64 value;
} msrs[8];
static u32 msr_count, writes, written_msr;
static u64 written;
static u32 power_eax, ext_sizes_ebx, ext_power_edx;
static bool eist, refuses;

static struct cpuid fake_leaf(u32 leaf)
{
	switch (leaf) {
	case CPUID_FEATURES:
		return (struct cpuid){ .ecx = eist ? CPUID_1_ECX_EIST : 0 };
	case CPUID_POWER:
		return (struct cpuid){ .eax = power_eax };
	case CPUID_EXT_POWER:
		return (struct cpuid){ .edx = ext_power_edx };
	default:
		assert_int_equal(leaf, CPUID_EXT_SIZES);
		return (struct cpuid){ .ebx = ext_sizes_ebx };
	}
}

int rdmsr_safe(u32 msr, u64 *value)
{
	for (u32 i = 0; i < msr_count; i++) {
		if (msrs[i].msr != msr)
			continue;
		*value = msrs[i].value;
		return 0;
	}
	return -EIO;
}

int wrmsr_safe(u32 msr, u64 value)
{
	writes++;
	written_msr = msr;
	written = value;
	return refuses ? -EIO : 0;
}

static void has(u32 msr, u64 value)
{
	msrs[msr_count].msr = msr;
	msrs[msr_count++].value = value;
}

static int setup(void **state)
{
	cpu_features = (struct cpu_features){ .vendor = VENDOR_INTEL,
					      .family = 6,
					      .model = 0x55,
					      .max_leaf = 0x16,
					      .max_ext_leaf = 0x80000008 };
	memset(fake_pcpus, 0, sizeof(fake_pcpus));
	fake_this_cpu = &fake_pcpus[0];
	msr_count = writes = 0;
	eist = true;
	refuses = false;
	ext_sizes_ebx = 0;
	ext_power_edx = CPUID_87_EDX_HWPSTATE;
	fake_log_reset();
	return 0;
}

/* @label and @turbo are ratios; @hwp is MSR_PM_ENABLE */
static void intel(u32 model, u64 enable, u64 label, u64 turbo, u64 control)
{
	setup(NULL);
	cpu_features.model = model;
	has(MSR_MISC_ENABLE, enable);
	has(MSR_PLATFORM_INFO, RATIO(label) | 0x80838f00000000ull);
	if (turbo)
		has(MSR_TURBO_RATIO_LIMIT, 0x2021222324252600ull | turbo);
	has(MSR_PERF_CTL, control);
}

static void test_intel(void **state)
{
	static const struct {
		const char *name;
		u32 model, eax;
		u64 enable, label, turbo, control, want;
	} rows[] = {
		{ "Xeon E5-2680 v4 at its label", 0x4f, TURBO, EIST | 1, 24, 33,
		  RATIO(24), RATIO(33) },
		{ "at its lowest", 0x4f, TURBO, EIST, 24, 33, RATIO(12),
		  RATIO(33) },
		{ "at turbo already", 0x4f, TURBO, EIST, 24, 33, RATIO(33),
		  SAME },
		{ "above all that is told", 0x4f, TURBO, EIST, 24, 33,
		  RATIO(0xff), SAME },
		{ "turbo disengaged", 0x4f, TURBO, EIST, 24, 33,
		  RATIO(33) | PERF_CTL_TURBO_OFF, RATIO(33) },
		{ "turbo off in setup", 0x4f, 0, EIST, 24, 33, RATIO(12),
		  RATIO(24) },
		{ "its label, turbo off", 0x4f, 0, EIST, 24, 33,
		  RATIO(24) | PERF_CTL_TURBO_OFF, SAME },
		{ "SpeedStep off in setup", 0x4f, TURBO, 1, 24, 33, RATIO(24),
		  SAME },
		{ "Xeon Platinum 8280, HWP left to the system", 0x55,
		  TURBO | HWP, EIST, 27, 40, RATIO(27), RATIO(40) },
		{ "no register of turbo", 0x55, TURBO, EIST, 27, 0, RATIO(20),
		  RATIO(27) },
		{ "nothing is told", 0x55, TURBO, EIST, 0, 0, 0, SAME },
		{ "bits that are not the ratio's", 0x1a, TURBO, EIST, 22, 25,
		  RATIO(12) | 0x31 | BIT(40), RATIO(25) | BIT(40) },
		{ "Atom C2750", 0x4d, TURBO, EIST, 24, 26, RATIO(24), SAME },
		{ "Xeon Phi 7210", 0x57, TURBO, EIST, 13, 2, RATIO(10), SAME },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("%s\n", rows[i].name);
		intel(rows[i].model, rows[i].enable, rows[i].label,
		      rows[i].turbo, rows[i].control);
		power_eax = rows[i].eax;
		pstate_init_cpu();
		assert_int_equal(writes, rows[i].want != SAME);
		assert_int_equal(fake_log_lines, writes);
		if (!writes)
			continue;
		assert_int_equal(written_msr, MSR_PERF_CTL);
		assert_int_equal(written, rows[i].want);
	}
}

/* HWP is on: the CPU chooses. Below a hypervisor nothing is touched. */
static void test_left_alone(void **state)
{
	power_eax = TURBO | HWP;
	intel(0x55, EIST, 27, 40, RATIO(27));
	has(MSR_PM_ENABLE, PM_ENABLE_HWP);
	pstate_init_cpu();
	intel(0x55, EIST, 27, 40, RATIO(27));
	cpu_features.hypervisor = true;
	pstate_init_cpu();
	intel(0x55, EIST, 27, 40, RATIO(27));
	eist = false;
	pstate_init_cpu();
	intel(0x55, EIST, 27, 40, RATIO(27));
	cpu_features.family = 15;
	pstate_init_cpu();
	intel(0x55, EIST, 27, 40, RATIO(27));
	cpu_features.vendor = VENDOR_OTHER;
	pstate_init_cpu();
	assert_int_equal(writes, 0);
	/* One that is there but not on */
	intel(0x55, EIST, 27, 40, RATIO(27));
	has(MSR_PM_ENABLE, 0);
	pstate_init_cpu();
	assert_int_equal(writes, 1);
}

/* The boot core speaks for all; what is refused is not told as done */
static void test_log(void **state)
{
	power_eax = TURBO;
	intel(0x4f, EIST, 24, 33, RATIO(24));
	pstate_init_cpu();
	assert_non_null(
		strstr(fake_log_last, "24 times the bus clock: 33 times"));
	intel(0x4f, EIST, 24, 33, RATIO(24));
	fake_pcpus[0].id = 1;
	pstate_init_cpu();
	assert_int_equal(writes, 1);
	assert_int_equal(fake_log_lines, 0);
	intel(0x4f, EIST, 24, 33, RATIO(24));
	refuses = true;
	pstate_init_cpu();
	assert_int_equal(fake_log_lines, 0);
}

static void amd(u32 family, u64 control)
{
	setup(NULL);
	cpu_features.vendor = VENDOR_AMD;
	cpu_features.family = family;
	has(MSR_AMD_PSTATE_CTL, control);
}

static void test_amd(void **state)
{
	amd(0x19, 2);
	pstate_init_cpu();
	assert_int_equal(writes, 1);
	assert_int_equal(written_msr, MSR_AMD_PSTATE_CTL);
	assert_int_equal(written, 0);
	assert_non_null(strstr(fake_log_last, "P-state 2"));
	/* The highest already; CPPC; no P-states; a family before them */
	amd(0x19, 0);
	pstate_init_cpu();
	amd(0x19, 2);
	ext_sizes_ebx = CPUID_88_EBX_CPPC;
	has(MSR_AMD_CPPC_ENABLE, AMD_CPPC_ON);
	pstate_init_cpu();
	amd(0x19, 2);
	ext_power_edx = 0;
	pstate_init_cpu();
	amd(0x0f, 2);
	pstate_init_cpu();
	amd(0x17, 2);
	msr_count = 0;
	pstate_init_cpu();
	assert_int_equal(writes, 0);
	/* CPPC that nobody has enabled */
	amd(0x19, 1);
	ext_sizes_ebx = CPUID_88_EBX_CPPC;
	has(MSR_AMD_CPPC_ENABLE, 0);
	pstate_init_cpu();
	assert_int_equal(writes, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_intel),
		T(test_left_alone),
		T(test_log),
		T(test_amd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
