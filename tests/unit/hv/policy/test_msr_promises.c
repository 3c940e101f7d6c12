/* SOURCES: hv/policy/msr.c hv/policy/mtrr.c hv/policy/msr_table.c hv/policy/msr_state.c hv/policy/msr_rate.c hv/policy/mca.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the value of each MSR promises: that what it names is there, and nothing
 * else. Each row of the policy has a row here; one without fails. Over 400
 * lines: a row for each register, a function for each kind of promise.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/speculation.h"
#include "hv/irq/vlapic.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/mca.h"
#include "hv/policy/msr.h"
#include "hv/policy/msr_table.h"
#include "hv/pv/kvm_pv.h"
#include "hv/pv/pvclock.h"
#include "include/bulkhead/kvm.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/vcpu.h"
#include "tests/unit/test.h"

struct mtrrs host_mtrrs;
struct vm *vm_privileged;
static u64 common_cap;
static struct vm vm;
static struct vcpu vcpu;
static bool all_features;
static struct {
	u32 leaf;
	enum cpuid_reg reg;
	u32 bit;
} only;                /* the bit that CPUID has, where it has not all */
static u64 host_value; /* of each MSR of the host's */

u64 mce_common_cap(void)
{
	return common_cap;
}

enum verdict exit_gp(struct vcpu *v)
{
	return VERDICT_INJECT;
}

void cpuid_query(const struct vm *m, u32 leaf, u32 subleaf, u32 out[4])
{
	for (u32 i = 0; i < 4; i++)
		out[i] = all_features ? ~0u : 0;
	if (!all_features && leaf == only.leaf)
		out[only.reg] = only.bit;
}

int rdmsr_safe(u32 msr, u64 *value)
{
	*value = host_value;
	return 0;
}

int wrmsr_safe(u32 msr, u64 value)
{
	return 0;
}

int kvm_pv_write(struct vcpu *v, u32 msr, u64 value)
{
	return 0;
}

int kvm_pv_read(struct vcpu *v, u32 msr, u64 *value)
{
	*value = 0;
	return 0;
}

void pvclock_update(struct vcpu *v)
{
}

int pvclock_write(struct vcpu *v, u32 msr, u64 value)
{
	return 0;
}

int pvclock_read(struct vcpu *v, u32 msr, u64 *value)
{
	*value = 0;
	return 0;
}

int vlapic_msr_read(struct vcpu *v, u32 msr, u64 *value)
{
	*value = 0;
	return 0;
}

int vlapic_msr_write(struct vcpu *v, u32 msr, u64 value)
{
	return 0;
}

int vlapic_base_write(struct vcpu *v, u64 value)
{
	return 0;
}

u64 vlapic_deadline_read(struct vcpu *v)
{
	return 0;
}

void vlapic_deadline_write(struct vcpu *v, u64 value)
{
}

static int setup(void **state)
{
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vm = &vm;
	mtrr_reset(&vcpu);
	vm.vcpu_count = 3;
	vm.phys_bits = 40;
	all_features = true;
	host_value = ~0ull;
	tsc_khz = 2400000;
	return 0;
}

/* The CPUs of which each may have registers of its own */
static const struct {
	enum cpu_vendor vendor;
	u32 family;
} cpus[] = {
	{ VENDOR_INTEL, 6 },  { VENDOR_AMD, 0x0f }, { VENDOR_AMD, 0x10 },
	{ VENDOR_AMD, 0x15 }, { VENDOR_AMD, 0x17 }, { VENDOR_AMD, 0x19 },
	{ VENDOR_AMD, 0x1a },
};

static void become(u32 cpu)
{
	cpu_features.vendor = cpus[cpu].vendor;
	cpu_features.family = cpus[cpu].family;
}

static bool there(u32 msr)
{
	u64 value;

	return !msr_read(&vcpu, msr, &value);
}

static u64 read_ok(u32 msr)
{
	u64 value = 0;

	assert_int_equal(msr_read(&vcpu, msr, &value), 0);
	return value;
}

/* --- promises: one function a kind, for the registers of a row --- */

/* Nothing is on and nothing else named, whatever is written */
static void nothing(u32 first, u32 last)
{
	for (u32 msr = first; msr <= last; msr++) {
		(void)!msr_write(&vcpu, msr, ~0ull);
		assert_int_equal(read_ok(msr), 0);
	}
}

/* CPUID says that it is there, and without the bit it is not */
static void by_cpuid(u32 first, u32 last)
{
	u64 value;

	all_features = false;
	for (u32 msr = first; msr <= last; msr++) {
		assert_int_equal(msr_read(&vcpu, msr, &value), -EINVAL);
		assert_int_equal(msr_write(&vcpu, msr, 0), -EINVAL);
	}
	all_features = true;
}

/* On each CPU that this hypervisor runs on, and what it holds is its own */
static void always(u32 first, u32 last)
{
	for (u32 cpu = 0; cpu < ARRAY_SIZE(cpus); cpu++) {
		become(cpu);
		for (u32 msr = first; msr <= last; msr++)
			assert_true(there(msr));
	}
}

/* A fact of the host's that names no register */
static void fact(u32 first, u32 last)
{
	assert_int_equal(first, last);
	host_value = 0x1122334455667788;
	assert_int_equal(read_ok(first), host_value);
	host_value = ~0ull;
}

/* Takes a value and does nothing */
static void write_only(u32 first, u32 last)
{
	assert_int_equal(first, last);
	assert_false(there(first));
	assert_int_equal(msr_write(&vcpu, first, 0x1000), 0);
}

static void cores(u32 first, u32 last)
{
	assert_int_equal(read_ok(first), vm.vcpu_count << 16 | vm.vcpu_count);
}

/* Bits 15:8 times 100 MHz are the TSC's rate, and 47:40 the lowest one: never
 * 0, for firmware and kernels divide by them. Bits that stand for other MSRs
 * (SDM 4 table 2-2, CEH): 23 PPIN_CTL, 28 turbo limits, 29 TDP, 31 faulting */
static void platform(u32 first, u32 last)
{
	u64 rate = tsc_khz / 100000;

	assert_int_equal(read_ok(first), rate << 8 | rate << 40);
	assert_false(there(0x4e));
	assert_false(there(0x1ad));
	assert_false(there(0x140));
	tsc_khz = 40000;
	assert_int_equal(read_ok(first), 1 << 8 | 1ull << 40);
	tsc_khz = 2400000;
}

/* The rate now: that of PLATFORM_INFO */
static void ratio(u32 first, u32 last)
{
	assert_int_equal(read_ok(first), tsc_khz / 100000 << 8);
	tsc_khz = 40000;
	assert_int_equal(read_ok(first), 1 << 8);
	tsc_khz = 2400000;
}

static void mtrr_ranges(u32 first, u32 last)
{
	u64 cap = read_ok(first);
	u32 count = (u32)(cap & MTRRCAP_VCNT_MASK);

	for (u32 i = 0; i < 2 * count; i++)
		assert_true(there(MSR_MTRR_PHYSBASE0 + i));
	assert_false(there(MSR_MTRR_PHYSBASE0 + 2 * count));
	assert_true(cap & MTRRCAP_FIX);
	assert_true(there(MSR_MTRR_FIX64K_00000));
	assert_true(there(MSR_MTRR_FIX16K_80000));
	assert_true(there(MSR_MTRR_FIX16K_A0000));
	for (u32 i = 0; i < 8; i++)
		assert_true(there(MSR_MTRR_FIX4K_C0000 + i));
	assert_int_equal(!!(cap & BIT(11)), there(0x1f2)); /* SMRR */
}

#define MCG_CAP_CMCI_P BIT(10)
#define MSR_MC0_CTL2   0x280

/* Four MSRs a bank, and nothing that a bit stands for */
static void promised_banks(u32 cap_msr)
{
	u64 cap = read_ok(cap_msr);

	for (u32 i = 0; i < MC_BANKS_MAX * MC_BANK_STRIDE; i++)
		assert_int_equal(there(MSR_MC0_CTL + i),
				 i / MC_BANK_STRIDE <
					 (cap & MCG_CAP_COUNT_MASK));
	assert_int_equal(there(MSR_MCG_CTL), !!(cap & MCG_CAP_CTL_P));
	assert_int_equal(there(MSR_MC0_CTL2), !!(cap & MCG_CAP_CMCI_P));
	assert_int_equal(there(MSR_MCG_EXT_CTL), !!(cap & MCG_CAP_LMCE_P));
	assert_false(there(MSR_SMCA_MC0_CTL));
}

static void mca_banks(u32 first, u32 last)
{
	promised_banks(first);
	assert_int_equal(read_ok(first), 0);
	vm.privileged = true;
	common_cap = ~0xffull | 5;
	assert_int_equal(mca_create(&vcpu), 0);
	promised_banks(first);
	assert_int_equal(read_ok(first) & MCG_CAP_COUNT_MASK, 5);
	mca_destroy(&vcpu);
	vm.privileged = false;
}

/* By MCG_CAP: mca_banks() */
static void by_mcg_cap(u32 first, u32 last)
{
	assert_false(there(first));
}

/* Bits of ARCH_CAPABILITIES that enumerate an MSR (SDM 4 table 2-2, 10AH) */
static void capabilities(u32 first, u32 last)
{
	static const struct {
		u32 bit, msr;
	} named[] = {
		{ 7, MSR_TSX_CTRL }, { 9, 0x9b },    { 10, 0xbc },
		{ 11, 0xbd },        { 12, 0x1b01 }, { 18, 0x123 },
		{ 21, 0xbd },        { 23, 0x195 },  { 25, 0x123 },
	};
	u64 value = read_ok(first);

	for (u32 i = 0; i < ARRAY_SIZE(named); i++)
		assert_true(!(value >> named[i].bit & 1) ||
			    there(named[i].msr));
}

static void misc_enable(u32 first, u32 last)
{
	assert_int_equal(msr_write(&vcpu, first, ~0ull), 0);
	assert_int_equal(read_ok(first), MISC_ENABLE_FAST_STRING |
						 MISC_ENABLE_BTS_UNAVAIL |
						 MISC_ENABLE_PEBS_UNAVAIL);
	assert_false(there(0x3f1)); /* PEBS_ENABLE */
	assert_false(there(0x600)); /* DS_AREA */
}

static void svm_off(u32 first, u32 last)
{
	assert_int_equal(read_ok(first), VM_CR_SVMDIS | VM_CR_LOCK);
	assert_int_equal(msr_write(&vcpu, first, 0), -EINVAL);
	assert_false(there(MSR_AMD_VM_HSAVE_PA));
}

static void serializing_lfence(u32 first, u32 last)
{
	assert_int_equal(read_ok(first), DE_CFG_LFENCE_SERIALIZING);
}

static u64 mhz_of(u64 p)
{
	u32 family = cpu_features.family;

	if (family >= 0x1a)
		return (p & 0xfff) * 5;
	if (family >= 0x17)
		return (p & 0xff) * 200 / (p >> 8 & 0x3f);
	return (100 * ((p & 0x3f) + 16)) >> (p >> 6 & 7);
}

static const u64 rates[] = { 200000, 799000, 1000000, 2400000, 4123456 };

/* TscFreqSel: the TSC has P-state 0's rate, so that register tells it */
static void tsc_by_pstate(u32 first, u32 last)
{
	bool selected;

	for (u32 cpu = 1; cpu < ARRAY_SIZE(cpus); cpu++) {
		become(cpu);
		selected = read_ok(first) & HWCR_TSC_FREQ_SEL;
		assert_int_equal(selected, cpus[cpu].family >= 0x10);
		assert_int_equal(there(MSR_AMD_PSTATE0), selected);
		for (u32 i = 0; selected && i < ARRAY_SIZE(rates); i++) {
			u64 p, mhz;

			tsc_khz = rates[i];
			p = read_ok(MSR_AMD_PSTATE0);
			mhz = mhz_of(p);
			assert_true(p & PSTATE_EN);
			assert_in_range(mhz * 1000, rates[i] - 100000,
					rates[i] + 100000);
		}
	}
	tsc_khz = 2400000;
}

/* PSTATE_LIMIT: none above 0; PSTATE_STATUS: 0; then the others: not enabled */
static void one_pstate(u32 first, u32 last)
{
	for (u32 msr = first; msr <= last; msr++)
		assert_int_equal(read_ok(msr), 0);
	for (u32 msr = MSR_AMD_PSTATE0 + 1; msr <= MSR_AMD_PSTATE7; msr++)
		assert_int_equal(read_ok(msr) & PSTATE_EN, 0);
	assert_true(read_ok(MSR_AMD_PSTATE0) & PSTATE_EN);
}

static void rate_now(u32 first, u32 last)
{
	assert_int_equal(mhz_of(read_ok(first)), 2400);
}

static void k8_rate(u32 first, u32 last)
{
	u64 value = read_ok(first);

	assert_int_equal(800 + (value & 0x3f) * 100, 2400);
	assert_int_equal(value >> 8 & 0x3f, value & 0x3f);
	assert_int_equal(value >> 16 & 0x3f, value & 0x3f);
}

/* SYSCFG's MtrrTom2En (21) and MtrrVarDramEn (20) are clear: TOP_MEM and
 * TOP_MEM2 are not used, and are there */
static void syscfg(u32 first, u32 last)
{
	assert_int_equal(read_ok(first), 0);
	assert_true(there(MSR_AMD_TOP_MEM));
	assert_true(there(MSR_AMD_TOP_MEM2));
}

/* A unit of 1: energy, whose counters are there and stand still */
static void energy(u32 first, u32 last)
{
	static const u32 counters[] = { MSR_PKG_ENERGY_STATUS,
					MSR_DRAM_ENERGY_STATUS,
					MSR_PP0_ENERGY_STATUS,
					MSR_PP1_ENERGY_STATUS };

	assert_int_equal(read_ok(first), 0);
	for (u32 i = 0; i < ARRAY_SIZE(counters); i++)
		assert_int_equal(read_ok(counters[i]), 0);
}

static const struct {
	u32 first;
	void (*holds)(u32 first, u32 last);
} promises[] = {
	{ MSR_TSC, always },
	{ BH_KVM_MSR_WALL_CLOCK_OLD, always },
	{ MSR_PLATFORM_ID, fact },
	{ MSR_APIC_BASE, always },
	{ MSR_CORE_THREAD_COUNT, cores },
	{ MSR_TSC_ADJUST, always },
	{ MSR_SPEC_CTRL, by_cpuid },
	{ MSR_PRED_CMD, by_cpuid },
	{ MSR_UCODE_WRITE, write_only },
	{ MSR_UCODE_REV, fact },
	{ MSR_PLATFORM_INFO, platform },
	{ MSR_PKG_CST_CONFIG_CONTROL, nothing },
	{ MSR_PMG_IO_CAPTURE_BASE, nothing },
	{ MSR_MTRRCAP, mtrr_ranges },
	{ MSR_ARCH_CAPABILITIES, capabilities },
	{ MSR_SYSENTER_CS, by_cpuid },
	{ MSR_SYSENTER_ESP, by_cpuid },
	{ MSR_SYSENTER_EIP, by_cpuid },
	{ MSR_MCG_CAP, mca_banks },
	{ MSR_MCG_STATUS, nothing },
	{ MSR_PERF_STATUS, ratio },
	{ MSR_PERF_CTL, nothing },
	{ MSR_MISC_ENABLE, misc_enable },
	{ MSR_TEMPERATURE_TARGET, nothing },
	{ MSR_DEBUGCTL, nothing },
	{ MSR_LASTBRANCHFROMIP, nothing },
	{ MSR_MTRR_PHYSBASE0, by_cpuid },
	{ MSR_MTRR_FIX64K_00000, by_cpuid },
	{ MSR_MTRR_FIX16K_80000, by_cpuid },
	{ MSR_MTRR_FIX4K_C0000, by_cpuid },
	{ MSR_PAT, by_cpuid },
	{ MSR_MTRR_DEF_TYPE, by_cpuid },
	{ MSR_MC0_CTL, by_mcg_cap },
	{ MSR_RAPL_POWER_UNIT, energy },
	{ MSR_PKG_ENERGY_STATUS, nothing },
	{ MSR_DRAM_ENERGY_STATUS, nothing },
	{ MSR_PP0_ENERGY_STATUS, nothing },
	{ MSR_PP1_ENERGY_STATUS, nothing },
	{ BH_KVM_MSR_WALL_CLOCK, always },
	{ BH_KVM_MSR_STEAL_TIME, always },
	{ MSR_EFER, always },
	{ MSR_STAR, by_cpuid },
	{ MSR_LSTAR, by_cpuid },
	{ MSR_CSTAR, by_cpuid },
	{ MSR_SFMASK, by_cpuid },
	{ MSR_FS_BASE, by_cpuid },
	{ MSR_KERNEL_GS_BASE, by_cpuid },
	{ MSR_TSC_AUX, by_cpuid },
	{ MSR_AMD_EVNTSEL0, nothing },
	{ MSR_AMD_SYSCFG, syscfg },
	{ MSR_AMD_HWCR, tsc_by_pstate },
	{ MSR_AMD_TOP_MEM, nothing },
	{ MSR_AMD_TOP_MEM2, nothing },
	{ MSR_AMD_NB_CFG, nothing },
	{ MSR_AMD_PATCH_LOADER, write_only },
	{ MSR_AMD_FIDVID_CTL, nothing },
	{ MSR_AMD_FIDVID_STATUS, k8_rate },
	{ MSR_AMD_INT_PENDING, nothing },
	{ MSR_AMD_PSTATE_LIMIT, one_pstate },
	{ MSR_AMD_PSTATE0, rate_now },
	{ MSR_AMD_PSTATE0 + 1, nothing },
	{ MSR_AMD_COFVID_CTL, nothing },
	{ MSR_AMD_COFVID_STATUS, rate_now },
	{ MSR_AMD_CSTATE_BASE, nothing },
	{ MSR_AMD_VM_CR, svm_off },
	{ MSR_AMD_HW_PSTATE_STATUS, rate_now },
	{ MSR_AMD_RAPL_POWER_UNIT, nothing },
	{ MSR_AMD_LS_CFG, nothing },
	{ MSR_AMD_DE_CFG, serializing_lfence },
	{ MSR_AMD_DE_CFG + 1, nothing },
};

/* A CPU that has the row's registers */
static void become_one_with(const struct msr_rule *rule)
{
	for (u32 cpu = 0; cpu < ARRAY_SIZE(cpus); cpu++) {
		become(cpu);
		if (msr_gate_open(&vm, rule->gate))
			return;
	}
	fail_msg("no CPU has %x", rule->first);
}

static void test_each_row_holds(void **state)
{
	for (u32 i = 0; i < msr_rule_count; i++) {
		u32 j = 0;

		while (j < ARRAY_SIZE(promises) &&
		       promises[j].first != msr_rules[i].first)
			j++;
		if (j == ARRAY_SIZE(promises))
			fail_msg("nothing says what %x promises",
				 msr_rules[i].first);
		become_one_with(&msr_rules[i]);
		promises[j].holds(msr_rules[i].first, msr_rules[i].last);
	}
	assert_int_equal(msr_rule_count, ARRAY_SIZE(promises));
}

/* Each bit of CPUID that promises a register suffices for it */
static void test_each_bit_alone(void **state)
{
	static const struct {
		u32 leaf;
		enum cpuid_reg reg;
		u32 bit, msr;
	} rows[] = {
		{ CPUID_FEATURES, LEAF_EDX, 11, MSR_SYSENTER_CS },
		{ CPUID_FEATURES, LEAF_EDX, 12, MSR_MTRRCAP },
		{ CPUID_FEATURES, LEAF_EDX, 14, MSR_MCG_CAP },
		{ CPUID_FEATURES, LEAF_EDX, 16, MSR_PAT },
		{ CPUID_FEATURES7, LEAF_ECX, 22, MSR_TSC_AUX },
		{ CPUID_FEATURES7, LEAF_EDX, 26, MSR_SPEC_CTRL },
		{ CPUID_FEATURES7, LEAF_EDX, 26, MSR_PRED_CMD },
		{ CPUID_FEATURES7, LEAF_EDX, 27, MSR_SPEC_CTRL },
		{ CPUID_FEATURES7, LEAF_EDX, 29, MSR_ARCH_CAPABILITIES },
		{ CPUID_FEATURES7, LEAF_EDX, 31, MSR_SPEC_CTRL },
		{ CPUID_EXT_FEATURES, LEAF_EDX, 27, MSR_TSC_AUX },
		{ CPUID_EXT_FEATURES, LEAF_EDX, 29, MSR_LSTAR },
		{ CPUID_EXT_SIZES, LEAF_EBX, 12, MSR_PRED_CMD },
		{ CPUID_EXT_SIZES, LEAF_EBX, 14, MSR_SPEC_CTRL },
		{ CPUID_EXT_SIZES, LEAF_EBX, 15, MSR_SPEC_CTRL },
		{ CPUID_EXT_SIZES, LEAF_EBX, 24, MSR_SPEC_CTRL },
	};

	all_features = false;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		only.leaf = rows[i].leaf;
		only.reg = rows[i].reg;
		only.bit = 0;
		assert_false(there(rows[i].msr));
		assert_int_equal(msr_write(&vcpu, rows[i].msr, 0), -EINVAL);
		only.bit = 1u << rows[i].bit;
		if (rows[i].msr == MSR_PRED_CMD)
			assert_int_equal(
				msr_write(&vcpu, MSR_PRED_CMD, PRED_CMD_IBPB),
				0);
		else
			assert_true(there(rows[i].msr));
	}
	only.bit = 0;
}

/* What one family has is not there on another */
static void test_families(void **state)
{
	static const struct {
		u32 msr;
		u8 on; /* of cpus[], by bit */
	} rows[] = {
		{ MSR_CORE_THREAD_COUNT, 0x01 },
		{ MSR_RAPL_POWER_UNIT, 0x01 },
		{ MSR_AMD_HWCR, 0x7e },
		{ MSR_AMD_FIDVID_STATUS, 0x02 },
		{ MSR_AMD_PSTATE0, 0x7c },
		{ MSR_AMD_COFVID_STATUS, 0x0c },
		{ MSR_AMD_HW_PSTATE_STATUS, 0x70 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		for (u32 cpu = 0; cpu < ARRAY_SIZE(cpus); cpu++) {
			become(cpu);
			assert_int_equal(there(rows[i].msr),
					 rows[i].on >> cpu & 1);
		}
}

/* What a kernel asks before it does something against an attack; and GDS, where
 * the host's microcode does it */
static void test_immunities(void **state)
{
	const u64 asked = ARCH_CAP_RFDS_NO | ARCH_CAP_RFDS_CLEAR |
			  ARCH_CAP_ITS_NO | ARCH_CAP_GDS_NO;

	become(0);
	assert_int_equal(read_ok(MSR_ARCH_CAPABILITIES) & asked, asked);
	host_value = 0;
	assert_int_equal(read_ok(MSR_ARCH_CAPABILITIES), 0);
	speculation.actions = SPEC_GATHER_MITG;
	assert_int_equal(read_ok(MSR_ARCH_CAPABILITIES), ARCH_CAP_GDS_NO);
	speculation.actions = 0;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_each_row_holds),
		T(test_each_bit_alone),
		T(test_families),
		T(test_immunities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
