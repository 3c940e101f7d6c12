/* SOURCES: hv/policy/msr.c hv/policy/mtrr.c hv/policy/msr_table.c hv/policy/msr_state.c hv/policy/msr_rate.c hv/policy/mca.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSR policy: the table's shape, gates, and each kind of register. Over 400
 * lines: one policy, and the fakes that serve each of its rows. */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/speculation.h"
#include "hv/irq/vlapic.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/msr.h"
#include "hv/policy/msr_table.h"
#include "hv/pv/kvm_pv.h"
#include "hv/pv/pvclock.h"
#include "include/bulkhead/kvm.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/fakes/vcpu.h"
#include "tests/unit/test.h"

#define NON_CANONICAL 0x0000800000000000ull

struct mtrrs host_mtrrs;
struct vm *vm_privileged;
static struct vm vm;
static struct vcpu vcpu;
static bool all_features, has_la57;
static u32 clock_updates, reads;
static u8 passed[0x3000]; /* bits of enum msr_pass by MSR, folded */

u64 mce_common_cap(void)
{
	return 0;
}

enum verdict exit_gp(struct vcpu *v)
{
	return VERDICT_INJECT;
}

static u32 fold(u32 msr)
{
	return msr >= 0xc0000000 ? 0x2000 + (msr & 0xfff) : msr & 0x1fff;
}

static void fake_read(struct vcpu_hw *hw, u32 groups)
{
	hw->regs.valid |= groups;
	reads++;
}

static void fake_intercept(const struct vm_intercepts *i, u32 msr,
			   enum intercept read, enum intercept write)
{
	passed[fold(msr)] = (u8)((read == INTERCEPT_OFF ? PASS_READ : 0) |
				 (write == INTERCEPT_OFF ? PASS_WRITE : 0));
}

static const struct vcpu_ops fake_ops = { .read = fake_read,
					  .intercept_msr = fake_intercept };
const struct vcpu_ops *vcpu_ops = &fake_ops;

void cpuid_query(const struct vm *m, u32 leaf, u32 subleaf, u32 out[4])
{
	for (u32 i = 0; i < 4; i++)
		out[i] = all_features ? ~0u : 0;
	if (leaf == CPUID_FEATURES7 && !has_la57)
		out[LEAF_ECX] &= ~(u32)CPUID_7_ECX_LA57;
}

int rdmsr_safe(u32 msr, u64 *value)
{
	*value = ~0ull;
	return 0;
}

static u64 spec_ctrl_written; /* last to the core's */

int wrmsr_safe(u32 msr, u64 value)
{
	if (msr == MSR_SPEC_CTRL)
		spec_ctrl_written = value;
	return 0;
}

int kvm_pv_write(struct vcpu *v, u32 msr, u64 value)
{
	assert_in_range(msr, BH_KVM_MSR_STEAL_TIME, BH_KVM_MSR_PV_EOI);
	return value & 2 ? -EINVAL : 0;
}

int kvm_pv_read(struct vcpu *v, u32 msr, u64 *value)
{
	*value = msr;
	return 0;
}

void pvclock_update(struct vcpu *v)
{
	clock_updates++;
}

int pvclock_write(struct vcpu *v, u32 msr, u64 value)
{
	return value & 2 ? -EINVAL : 0;
}

int pvclock_read(struct vcpu *v, u32 msr, u64 *value)
{
	*value = msr;
	return 0;
}

int vlapic_msr_read(struct vcpu *v, u32 msr, u64 *value)
{
	*value = msr;
	return 0;
}

int vlapic_msr_write(struct vcpu *v, u32 msr, u64 value)
{
	return 0;
}

int vlapic_base_write(struct vcpu *v, u64 value)
{
	v->apic_base_msr = value;
	return 0;
}

static u64 deadline;

static u32 deadline_writes;

u64 vlapic_deadline_read(struct vcpu *v)
{
	return deadline;
}

void vlapic_deadline_write(struct vcpu *v, u64 value)
{
	deadline = value;
	deadline_writes++;
}

static int setup(void **state)
{
	memset(&vcpu, 0, sizeof(vcpu));
	memset(passed, 0, sizeof(passed));
	vcpu.vm = &vm;
	mtrr_reset(&vcpu);
	all_features = true;
	has_la57 = false;
	cpu_features.vendor = VENDOR_AMD;
	fake_flushes = 0;
	clock_updates = 0;
	return 0;
}

static u64 read_ok(u32 msr)
{
	u64 value = 0;

	assert_int_equal(msr_read(&vcpu, msr, &value), 0);
	return value;
}

static void write_ok(u32 msr, u64 value)
{
	assert_int_equal(msr_write(&vcpu, msr, value), 0);
}

static void write_gp(u32 msr, u64 value)
{
	assert_int_equal(msr_write(&vcpu, msr, value), -EINVAL);
}

/* The exits: two halves make the value, and a refusal changes nothing */
static void test_exits(void **state)
{
	const struct vcpu_exit e = { .kind = EXIT_RDMSR };
	u64 *gpr = vcpu.hw.regs.gpr;

	gpr[GPR_RCX] = 0xdead00000000ull | MSR_PAT;
	gpr[GPR_RAX] = gpr[GPR_RDX] = ~0ull;
	vcpu.hw.regs.pat = PAT_RESET;
	assert_int_equal(msr_exit_read(&vcpu, &e), VERDICT_ADVANCE);
	assert_int_equal(gpr[GPR_RAX], (u32)PAT_RESET);
	assert_int_equal(gpr[GPR_RDX], PAT_RESET >> 32);
	gpr[GPR_RAX] = 0xbad00000606ull;
	gpr[GPR_RDX] = 0xbad00000006ull;
	assert_int_equal(msr_exit_write(&vcpu, &e), VERDICT_ADVANCE);
	assert_true(vcpu.hw.regs.pat == 0x600000606ull);
	gpr[GPR_RDX] = 2; /* no memory type */
	assert_int_equal(msr_exit_write(&vcpu, &e), VERDICT_INJECT);
	gpr[GPR_RCX] = 0x12345678;
	assert_int_equal(msr_exit_read(&vcpu, &e), VERDICT_INJECT);
	assert_int_equal(gpr[GPR_RAX], 0xbad00000606ull);
	assert_int_equal(gpr[GPR_RDX], 2);
}

static void test_sorted_and_disjoint(void **state)
{
	for (u32 i = 0; i < msr_rule_count; i++) {
		assert_true(msr_rules[i].first <= msr_rules[i].last);
		assert_true(msr_rules[i].gate < GATE_COUNT);
		assert_true(msr_rules[i].read || msr_rules[i].write);
		if (i)
			assert_true(msr_rules[i - 1].last < msr_rules[i].first);
	}
}

static void test_default_is_gp(void **state)
{
	static const u32 absent[] = { 0,
				      MSR_VMX_BASIC,
				      MSR_FEATURE_CONTROL + 0x100,
				      MSR_AMD_VM_HSAVE_PA,
				      MSR_PERFEVTSEL0,
				      MSR_XSS,
				      0x12345678,
				      0xffffffff };
	u64 value;

	for (u32 i = 0; i < ARRAY_SIZE(absent); i++) {
		assert_int_equal(msr_read(&vcpu, absent[i], &value), -EINVAL);
		write_gp(absent[i], 0);
	}
}

static void test_gates(void **state)
{
	u64 value;

	all_features = false;
	assert_int_equal(msr_read(&vcpu, MSR_STAR, &value), -EINVAL);
	assert_int_equal(msr_read(&vcpu, MSR_SPEC_CTRL, &value), -EINVAL);
	assert_int_equal(msr_read(&vcpu, MSR_MISC_ENABLE, &value), -EINVAL);
	assert_int_equal(read_ok(MSR_AMD_SYSCFG), 0);
	cpu_features.vendor = VENDOR_INTEL;
	assert_int_equal(msr_read(&vcpu, MSR_AMD_SYSCFG, &value), -EINVAL);
	read_ok(MSR_MISC_ENABLE);
}

static void test_bitmap_is_the_table(void **state)
{
	msr_build_bitmap(&vm);
	assert_int_equal(passed[fold(MSR_STAR)], PASS_BOTH);
	assert_int_equal(passed[fold(MSR_KERNEL_GS_BASE)], PASS_BOTH);
	assert_int_equal(passed[fold(MSR_TSC_AUX)] & PASS_WRITE, 0);
	assert_int_equal(passed[fold(MSR_EFER)], PASS_NONE);
	assert_int_equal(passed[fold(MSR_APIC_BASE)], PASS_NONE);
	memset(passed, 0, sizeof(passed));
	all_features = false;
	msr_build_bitmap(&vm);
	assert_int_equal(passed[fold(MSR_STAR)], PASS_NONE);
}

static void test_efer(void **state)
{
	struct vcpu_regs *r = vcpu_regs(&vcpu);

	write_gp(MSR_EFER, EFER_SVME);
	write_gp(MSR_EFER, BIT(1));
	write_ok(MSR_EFER, EFER_LME | EFER_SCE | EFER_NXE);
	assert_true(r->dirty & RG_CR);
	assert_int_equal(fake_flushes, 1);
	write_ok(MSR_EFER, EFER_LME | EFER_FFXSR | EFER_TCE);
	write_gp(MSR_EFER, EFER_LME | EFER_LMSLE);
	all_features = false;
	write_gp(MSR_EFER, EFER_FFXSR);
	write_gp(MSR_EFER, EFER_TCE);
	write_gp(MSR_EFER, EFER_NXE);
	all_features = true;
	/* LMA is the CPU's to set */
	write_ok(MSR_EFER, EFER_LME | EFER_LMA);
	assert_int_equal(read_ok(MSR_EFER), EFER_LME);
	r->cr0 = CR0_PG | CR0_PE;
	r->efer = EFER_LME | EFER_LMA;
	write_gp(MSR_EFER, 0);
	write_ok(MSR_EFER, EFER_LME | EFER_NXE);
	assert_int_equal(r->efer, EFER_LME | EFER_LMA | EFER_NXE);
}

static void test_addresses_are_canonical(void **state)
{
	write_gp(MSR_LSTAR, NON_CANONICAL);
	write_gp(MSR_FS_BASE, NON_CANONICAL);
	write_gp(MSR_SYSENTER_EIP, NON_CANONICAL);
	write_ok(MSR_LSTAR, 0xffffffff80000000ull);
	assert_true(vcpu_regs(&vcpu)->lstar == 0xffffffff80000000ull);
	write_ok(MSR_GS_BASE, 0x1000);
	assert_int_equal(vcpu_regs(&vcpu)->seg[SEG_GS].base, 0x1000);
	write_ok(MSR_STAR, NON_CANONICAL);
}

/* Where the guest has LA57, they have 57 bits, in 4-level paging too */
static void test_addresses_of_la57(void **state)
{
	has_la57 = true;
	write_ok(MSR_LSTAR, NON_CANONICAL);
	write_ok(MSR_FS_BASE, 0xff00000000000000ull);
	write_gp(MSR_LSTAR, 0x0100000000000000ull);
	write_gp(MSR_FS_BASE, 0xfeffffffffffffffull);
}

static void test_pat(void **state)
{
	write_gp(MSR_PAT, 2);
	write_gp(MSR_PAT, 3ull << 56);
	write_gp(MSR_PAT, 8ull << 8);
	write_ok(MSR_PAT, PAT_RESET);
	assert_int_equal(read_ok(MSR_PAT), PAT_RESET);
}

static void test_tsc(void **state)
{
	u64 t;

	write_ok(MSR_TSC_ADJUST, 1000);
	assert_int_equal(vcpu.hw.tsc_offset, 1000);
	assert_int_equal(clock_updates, 1);
	write_ok(MSR_TSC_ADJUST, 1000);
	assert_int_equal(clock_updates, 1);
	write_ok(MSR_TSC, 5);
	t = read_ok(MSR_TSC);
	assert_in_range(t, 5, 5 + (1ull << 34));
	assert_int_equal(read_ok(MSR_TSC_ADJUST), vcpu.tsc_adjust);
	assert_int_equal(vcpu.tsc_adjust, vcpu.hw.tsc_offset);
	/* A deadline is armed anew where the TSC now says, none stays none */
	deadline = 77;
	deadline_writes = 0;
	write_ok(MSR_TSC_ADJUST, 2000);
	assert_int_equal(deadline_writes, 1);
	assert_int_equal(deadline, 77);
	deadline = 0;
	write_ok(MSR_TSC_ADJUST, 3000);
	assert_int_equal(deadline_writes, 1);
}

static void test_hot_ones_bypass_the_table(void **state)
{
	write_ok(MSR_TSC_DEADLINE, 99);
	assert_int_equal(read_ok(MSR_TSC_DEADLINE), 99);
	assert_int_equal(read_ok(MSR_X2APIC_FIRST), MSR_X2APIC_FIRST);
	assert_int_equal(read_ok(MSR_X2APIC_LAST), MSR_X2APIC_LAST);
}

static void test_values_kept_or_refused(void **state)
{
	write_ok(MSR_MTRR_DEF_TYPE, MTRR_DEF_E | MEM_WB);
	assert_int_equal(read_ok(MSR_MTRR_DEF_TYPE), MTRR_DEF_E | MEM_WB);
	write_gp(MSR_MTRR_DEF_TYPE, BIT(40));
	write_gp(MSR_MTRRCAP, 0);
	write_ok(MSR_SPEC_CTRL, SPEC_CTRL_IBRS);
	assert_int_equal(read_ok(MSR_SPEC_CTRL), SPEC_CTRL_IBRS);
	write_gp(MSR_SPEC_CTRL, BIT(20));
	write_gp(MSR_PRED_CMD, 2);
	write_ok(MSR_PRED_CMD, PRED_CMD_IBPB);
	assert_int_equal(read_ok(MSR_ARCH_CAPABILITIES) & ARCH_CAP_TSX_CTRL, 0);
	write_gp(MSR_TSC_AUX, BIT(32));
	write_gp(BH_KVM_MSR_SYSTEM_TIME, 2);
	write_gp(BH_KVM_MSR_SYSTEM_TIME_OLD, 2);
	write_gp(BH_KVM_MSR_STEAL_TIME, 2);
	write_gp(BH_KVM_MSR_PV_EOI, 2);
	write_gp(0x4b564d02, 0); /* asynchronous page faults */
	write_gp(0x4b564d05, 0); /* poll control */
	assert_int_equal(read_ok(MSR_MCG_CAP), 0);
}

/* The host's bits are in the core's register at every moment */
/* Where sleep states' ports are: the privileged guest reads the host's, and
 * moves nothing */
static void test_sleep_ports_are_told(void **state)
{
	static const struct {
		enum cpu_vendor vendor;
		u32 msr;
	} regs[] = { { VENDOR_INTEL, MSR_PKG_CST_CONFIG_CONTROL },
		     { VENDOR_INTEL, MSR_PMG_IO_CAPTURE_BASE },
		     { VENDOR_AMD, MSR_AMD_CSTATE_BASE } };
	u64 value;

	cpu_features.family = 0x19;
	for (u32 i = 0; i < ARRAY_SIZE(regs); i++) {
		cpu_features.vendor = regs[i].vendor;
		vm.privileged = true;
		assert_int_equal(msr_read(&vcpu, regs[i].msr, &value), 0);
		assert_true(value == ~0ull);
		assert_int_equal(msr_write(&vcpu, regs[i].msr, 0x1234), 0);
		vm.privileged = false;
		assert_int_equal(msr_read(&vcpu, regs[i].msr, &value), 0);
		assert_int_equal(value, 0);
	}
}

static void test_spec_ctrl_keeps_the_hosts(void **state)
{
	speculation.host_ctrl = SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S;
	write_ok(MSR_SPEC_CTRL, SPEC_CTRL_SSBD);
	assert_int_equal(spec_ctrl_written,
			 SPEC_CTRL_SSBD | speculation.host_ctrl);
	write_ok(MSR_SPEC_CTRL, 0);
	assert_int_equal(spec_ctrl_written, speculation.host_ctrl);
	assert_int_equal(read_ok(MSR_SPEC_CTRL), 0);
	write_gp(MSR_SPEC_CTRL, SPEC_CTRL_BHI_DIS_S);
	speculation.host_ctrl = 0;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_exits),
		T(test_sorted_and_disjoint),
		T(test_default_is_gp),
		T(test_gates),
		T(test_bitmap_is_the_table),
		T(test_efer),
		T(test_addresses_are_canonical),
		T(test_addresses_of_la57),
		T(test_pat),
		T(test_tsc),
		T(test_hot_ones_bypass_the_table),
		T(test_values_kept_or_refused),
		T(test_sleep_ports_are_told),
		T(test_spec_ctrl_keeps_the_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
