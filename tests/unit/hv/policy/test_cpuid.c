/* SOURCES: hv/policy/cpuid.c hv/policy/cpuid_table.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUID policy over the leaves of the machine the test runs on. Over 400
 * lines: one table, asked on several hosts. */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/speculation.h"
#include "hv/core/vcpu.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/cpuid_table.h"
#include "include/bulkhead/console_port.h"
#include "include/bulkhead/cpuid.h"
#include "include/bulkhead/kvm.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/tsc_sync.h"
#include "tests/unit/test.h"

static struct vm vm;
static struct vcpu vcpu;
static bool can_run_all;
static u64 efer, efer_writable; /* the host's; a write of other bits is #GP */

int rdmsr_safe(u32 msr, u64 *value)
{
	assert_int_equal(msr, MSR_EFER);
	*value = efer;
	return 0;
}

int wrmsr_safe(u32 msr, u64 value)
{
	assert_int_equal(msr, MSR_EFER);
	if (value & ~efer_writable)
		return -EFAULT;
	efer = value;
	return 0;
}

static void fake_read(struct vcpu_hw *hw, u32 groups)
{
	hw->regs.valid |= groups;
}

static bool fake_can_run(enum optional_insn insn)
{
	return can_run_all;
}

static const struct vcpu_ops fake_ops = { .read = fake_read,
					  .can_run = fake_can_run };
const struct vcpu_ops *vcpu_ops = &fake_ops;

/* A host as this machine is, but for the last basic leaf and XCR0 */
static void build_on(u32 vcpus, enum cpu_vendor vendor, u32 max_leaf, u64 xcr0)
{
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	cpu_features = (struct cpu_features){
		.vendor = vendor,
		.max_leaf = max_leaf,
		.max_ext_leaf = cpuid(CPUID_EXT_BASE).eax,
		.xsave = true,
		.xcr0_mask = xcr0,
	};
	can_run_all = true;
	vm.vcpu_count = vcpus;
	vcpu.apic_base_msr = APIC_BASE_EN;
	vcpu.vm = &vm;
	vcpu.hw.regs.valid = RG_ALL;
	tsc_khz = 2000000;
	assert_int_equal(cpuid_build(&vm), 0);
	assert_int_equal(vm.budget.used_pages, 1);
}

static void build(u32 vcpus, enum cpu_vendor vendor)
{
	build_on(vcpus, vendor, 0x16, BITS(19, 0));
}

static void done(void)
{
	cpuid_destroy(&vm);
	fake_pool_check(&vm.budget);
}

static void ask(u32 leaf, u32 sub, u32 out[4])
{
	u64 *gpr = vcpu.hw.regs.gpr;

	gpr[GPR_RAX] = leaf | 0xdead00000000ull; /* upper halves go */
	gpr[GPR_RCX] = sub | 0xdead00000000ull;
	cpuid_exit(&vcpu, &vcpu.hw.exit);
	out[0] = (u32)gpr[GPR_RAX];
	out[1] = (u32)gpr[GPR_RBX];
	out[2] = (u32)gpr[GPR_RCX];
	out[3] = (u32)gpr[GPR_RDX];
	assert_int_equal(gpr[GPR_RAX] >> 32, 0);
	assert_int_equal(gpr[GPR_RDX] >> 32, 0);
}

static void assert_zero(u32 leaf, u32 sub)
{
	u32 r[4];

	ask(leaf, sub, r);
	assert_int_equal(r[0] | r[1] | r[2] | r[3], 0);
}

static void test_rules_sorted_without_gaps(void **state)
{
	for (u32 i = 1; i < cpuid_rule_count; i++) {
		const struct cpuid_rule *a = &cpuid_rules[i - 1];
		const struct cpuid_rule *b = &cpuid_rules[i];

		assert_true(a->first <= a->last);
		if (a->leaf == b->leaf) {
			assert_true(a->subleaves && b->subleaves);
			assert_int_equal(b->first, a->last + 1);
		} else {
			assert_true(a->leaf < b->leaf);
			assert_int_equal(b->first, 0);
		}
	}
}

/* Each word of features, with the bits of which tests/guest/features.c tries
 * the register or instruction. A new bit goes into both. */
static void test_only_what_is_known(void **state)
{
	static const struct {
		u32 leaf, sub;
		enum cpuid_reg reg;
		u32 known;
	} words[] = {
		{ CPUID_FEATURES, 0, LEAF_ECX, 0xf7fa3203 },
		{ CPUID_FEATURES, 0, LEAF_EDX, 0x1f8bfbff },
		{ CPUID_POWER, 0, LEAF_EAX, 0x4 },
		{ CPUID_FEATURES7, 0, LEAF_EBX, 0xfdbf27eb },
		{ CPUID_FEATURES7, 0, LEAF_ECX, 0x1a405f4f },
		{ CPUID_FEATURES7, 0, LEAF_EDX, 0xac80451c },
		{ CPUID_FEATURES7, 1, LEAF_EAX, 0x1c30 },
		{ CPUID_FEATURES7, 1, LEAF_EBX, 0 },
		{ CPUID_FEATURES7, 1, LEAF_EDX, 0 },
		{ CPUID_XSAVE, 1, LEAF_EAX, 0x7 },
		{ CPUID_EXT_FEATURES, 0, LEAF_ECX, 0x6309f3 },
		{ CPUID_EXT_FEATURES, 0, LEAF_EDX, 0xefd3fbff },
		{ CPUID_EXT_POWER, 0, LEAF_EDX, 0x100 },
		{ CPUID_EXT_SIZES, 0, LEAF_EBX, 0x6100d205 },
		{ 0x80000021, 0, LEAF_EAX, 0x70000064 },
		{ 0x80000021, 0, LEAF_ECX, 0x6 },
	};
	u32 r[4], found = 0;

	build(2, VENDOR_AMD);
	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		for (u32 j = 0; j < cpuid_rule_count; j++) {
			const struct cpuid_rule *rule = &cpuid_rules[j];

			if (rule->leaf != words[i].leaf ||
			    words[i].sub < rule->first ||
			    words[i].sub > rule->last)
				continue;
			found++;
			assert_int_equal((rule->keep[words[i].reg] |
					  rule->force[words[i].reg]) &
						 ~words[i].known,
					 0);
		}
		ask(words[i].leaf, words[i].sub, r);
		assert_int_equal(r[words[i].reg] & ~words[i].known, 0);
	}
	assert_int_equal(found, ARRAY_SIZE(words));
	done();
}

static bool own_verw_clears(void)
{
	return cpuid(CPUID_EXT_BASE).eax >= CPUID_EXT_FEATURES2 &&
	       cpuid(CPUID_EXT_FEATURES2).eax & CPUID_821_EAX_VERW_CLEAR;
}

/* What the hypervisor relies on for itself, a guest may, too */
static void test_verw_by_microcode(void **state)
{
	u32 r[4];

	for (u32 on = 0; on < 2; on++) {
		speculation.rows[SPEC_TSA] = on ? SPEC_VERW : SPEC_VULNERABLE;
		build(1, VENDOR_AMD);
		cpuid_query(&vm, CPUID_EXT_FEATURES2, 0, r);
		assert_int_equal(!!(r[0] & CPUID_821_EAX_VERW_CLEAR),
				 on || own_verw_clears());
		done();
	}
	speculation.rows[SPEC_TSA] = 0;
}

/* SDM 2A CPUID: a level that does not exist is no leaf that does not exist */
static void test_levels_beyond_the_last(void **state)
{
	static const u32 leaves[] = { CPUID_TOPOLOGY, CPUID_TOPOLOGY_V2 };
	static const u32 subs[] = { 2, 3, 255, 0x100, 0x12345, ~0u };
	u32 r[4], q[4];

	build_on(2, VENDOR_INTEL, 0x20, BITS(19, 0));
	vcpu.id = 77;
	for (u32 i = 0; i < ARRAY_SIZE(leaves); i++) {
		ask(leaves[i], 1, r);
		assert_int_equal(r[1], 2);
		for (u32 j = 0; j < ARRAY_SIZE(subs); j++) {
			ask(leaves[i], subs[j], r);
			assert_int_equal(r[0] | r[1], 0);
			assert_int_equal(r[2], subs[j] & 0xff);
			assert_int_equal(r[3], 77);
			cpuid_query(&vm, leaves[i], subs[j], q);
			assert_int_equal(q[2], subs[j] & 0xff);
		}
	}
	ask(0, 0, r);
	assert_int_equal(r[0], CPUID_TOPOLOGY_V2);
	done();
	/* 1F is there where the host has it */
	build_on(2, VENDOR_INTEL, 0x1e, BITS(19, 0));
	vcpu.id = 77;
	assert_zero(CPUID_TOPOLOGY_V2, 0);
	ask(0, 0, r);
	assert_int_equal(r[0], 0x1e);
	done();
}

/* The other leaves with subleaves end with zeros */
static void test_other_subleaves_beyond_the_last(void **state)
{
	static const u32 leaves[] = { CPUID_CACHE, CPUID_FEATURES7, CPUID_XSAVE,
				      0x8000001d };

	build(2, VENDOR_AMD);
	for (u32 i = 0; i < ARRAY_SIZE(leaves); i++) {
		assert_zero(leaves[i], 10);
		assert_zero(leaves[i], 63);
		assert_zero(leaves[i], ~0u);
	}
	assert_zero(CPUID_FEATURES7, 2);
	done();
}

/* 80000001:EDX repeats 1:EDX on AMD, and what changes there changes here */
static void test_repeated_bits(void **state)
{
	u32 r[4], x[4];

	build(1, VENDOR_AMD);
	for (u32 on = 0; on < 2; on++) {
		vcpu.apic_base_msr = on ? APIC_BASE_EN : 0;
		ask(CPUID_FEATURES, 0, r);
		ask(CPUID_EXT_FEATURES, 0, x);
		assert_int_equal(!!(r[3] & CPUID_1_EDX_APIC), on);
		assert_int_equal(x[3] & CPUID_81_EDX_AS_1,
				 r[3] & CPUID_81_EDX_AS_1);
	}
	done();
}

static void test_syscall_by_mode(void **state)
{
	struct vcpu_regs *regs = vcpu_regs(&vcpu);
	u32 r[4];

	build(1, VENDOR_INTEL);
	regs->efer = EFER_LMA | EFER_LME;
	regs->seg[SEG_CS].attr = SEG_ATTR_L;
	ask(CPUID_EXT_FEATURES, 0, r);
	assert_true(r[3] & CPUID_81_EDX_SYSCALL);
	assert_true(r[3] & CPUID_81_EDX_LM);
	regs->seg[SEG_CS].attr = 0;
	ask(CPUID_EXT_FEATURES, 0, r);
	assert_false(r[3] & CPUID_81_EDX_SYSCALL);
	assert_true(r[3] & CPUID_81_EDX_LM);
	done();
	build(1, VENDOR_AMD);
	ask(CPUID_EXT_FEATURES, 0, r);
	assert_true(r[3] & CPUID_81_EDX_SYSCALL);
	done();
}

/* Instructions follow the registers they need */
static void test_without_wide_registers(void **state)
{
	u32 r[4];

	build_on(1, VENDOR_AMD, 0x16, XCR0_X87 | XCR0_SSE);
	ask(CPUID_FEATURES, 0, r);
	assert_false(r[2] &
		     (CPUID_1_ECX_AVX | CPUID_1_ECX_FMA | CPUID_1_ECX_F16C));
	ask(CPUID_FEATURES7, 0, r);
	assert_false(r[1] & (CPUID_7_EBX_AVX2 | CPUID_7_EBX_AVX512F |
			     CPUID_7_EBX_AVX512VL));
	assert_false(r[2] & (CPUID_7_ECX_VAES | CPUID_7_ECX_AVX512_VBMI |
			     CPUID_7_ECX_PKU));
	assert_false(r[3] & CPUID_7_EDX_AVX512_FP16);
	ask(CPUID_FEATURES7, 1, r);
	assert_false(r[0] & (CPUID_71_EAX_AVX_VNNI | CPUID_71_EAX_AVX512_BF16));
	ask(CPUID_EXT_FEATURES, 0, r);
	assert_false(r[2] & (CPUID_81_ECX_XOP | CPUID_81_ECX_FMA4));
	done();
}

/* CPUID may have what EFER does not take, on an emulator for one. The machine
 * that the test runs on need not have them: the bits come from nowhere else. */
static void test_bits_that_efer_refuses(void **state)
{
	const u32 tce = CPUID_81_ECX_TCE;
	u32 r[4];

	efer = EFER_LMA | EFER_LME | EFER_NXE;
	for (u32 takes = 0; takes < 2; takes++) {
		efer_writable = efer | (takes ? EFER_TCE | EFER_FFXSR : 0);
		build(1, VENDOR_AMD);
		ask(CPUID_EXT_FEATURES, 0, r);
		assert_int_equal(r[2] & tce,
				 takes ? cpuid(CPUID_EXT_FEATURES).ecx & tce
				       : 0);
		assert_int_equal(r[3] & CPUID_81_EDX_FFXSR,
				 takes ? cpuid(CPUID_EXT_FEATURES).edx &
						 (u32)CPUID_81_EDX_FFXSR
				       : 0);
		assert_int_equal(efer, EFER_LMA | EFER_LME | EFER_NXE);
		done();
	}
}

/* What VMX does not give away is not there */
static void test_without_optional_instructions(void **state)
{
	u32 r[4];

	build(1, VENDOR_INTEL);
	ask(CPUID_EXT_FEATURES, 0, r);
	assert_int_equal(r[3] & CPUID_81_EDX_RDTSCP,
			 cpuid(CPUID_EXT_FEATURES).edx & CPUID_81_EDX_RDTSCP);
	done();
	build(1, VENDOR_INTEL);
	cpuid_destroy(&vm);
	can_run_all = false;
	assert_int_equal(cpuid_build(&vm), 0);
	ask(CPUID_EXT_FEATURES, 0, r);
	assert_false(r[3] & CPUID_81_EDX_RDTSCP);
	ask(CPUID_FEATURES7, 0, r);
	assert_false(r[1] & CPUID_7_EBX_INVPCID);
	assert_false(r[2] & CPUID_7_ECX_RDPID);
	done();
}

static void test_hidden_and_forced(void **state)
{
	u32 r[4];

	build(1, VENDOR_INTEL);
	ask(CPUID_FEATURES, 0, r);
	assert_false(r[2] & (CPUID_1_ECX_VMX | CPUID_1_ECX_MONITOR |
			     CPUID_1_ECX_SMX | CPUID_1_ECX_PDCM));
	assert_true(r[2] & CPUID_1_ECX_HYPERVISOR);
	assert_true(r[2] & CPUID_1_ECX_X2APIC);
	assert_true(r[2] & CPUID_1_ECX_TSC_DEADLINE);
	ask(CPUID_EXT_FEATURES, 0, r);
	assert_false(r[2] & CPUID_81_ECX_SVM);
	ask(CPUID_EXT_POWER, 0, r);
	assert_int_equal(r[3], CPUID_87_EDX_INVARIANT_TSC);
	ask(CPUID_FEATURES7, 0, r);
	assert_false(r[1] & (CPUID_7_EBX_SGX | CPUID_7_EBX_RTM |
			     CPUID_7_EBX_PT | CPUID_7_EBX_MPX));
	assert_true(r[1] & CPUID_7_EBX_TSC_ADJUST);
	ask(CPUID_XSAVE, 1, r);
	assert_false(r[0] & CPUID_D1_EAX_XSAVES);
	done();
}

/* Neither the promise of KVM's clock nor of the TSC, where TSCs are apart */
static void test_unstable_tsc(void **state)
{
	u32 r[4];

	build(2, VENDOR_INTEL);
	ask(BH_KVM_CPUID_FEATURES, 0, r);
	assert_true(r[0] & BH_KVM_CLOCK_STABLE);
	done();
	fake_tsc_unstable = true;
	build(2, VENDOR_INTEL);
	fake_tsc_unstable = false;
	ask(BH_KVM_CPUID_FEATURES, 0, r);
	assert_false(r[0] & BH_KVM_CLOCK_STABLE);
	assert_true(r[0] & BH_KVM_CLOCKSOURCE2);
	ask(CPUID_EXT_POWER, 0, r);
	assert_int_equal(r[3], 0);
	done();
}

/* A guest that starts again hears what the rate is by then */
static void test_renewed_rate(void **state)
{
	const u64 before = tsc_khz;
	u32 r[4];

	build(2, VENDOR_INTEL);
	tsc_khz = 2400123;
	cpuid_renew_rate(&vm);
	ask(CPUID_TSC_RATIO, 0, r);
	assert_int_equal((u64)r[2] * r[1] / r[0], 2400123000);
	ask(CPUID_FREQUENCY, 0, r);
	assert_int_equal(r[0], 2400);
	ask(BH_CPUID_INFO, 0, r);
	assert_int_equal(r[2], 2400123);
	assert_int_equal(r[3], 2);
	done();
	tsc_khz = before;
}

/* Where 15h and 16h are beyond the last leaf, that one answers, as it was */
static void test_renewed_beyond_the_last(void **state)
{
	u32 before[4], after[4];

	build_on(2, VENDOR_INTEL, CPUID_XSAVE, 7);
	ask(CPUID_XSAVE, 0, before);
	cpuid_renew_rate(&vm);
	ask(CPUID_XSAVE, 0, after);
	assert_memory_equal(before, after, sizeof(after));
	ask(CPUID_FREQUENCY, 0, after);
	assert_memory_equal(before, after, sizeof(after));
	done();
}

static void test_absent_leaves_are_zero(void **state)
{
	static const u32 leaves[] = { 3,          5,          0xa,
				      0x12,       0x14,       0x1f,
				      0x3f,       0x40,       0x3fffffff,
				      0x40000002, 0x40000200, 0x8000000a,
				      0x80000040, 0xbfffffff, 0xc0000000,
				      0xc0000001, 0xffffffff };

	build(2, VENDOR_AMD);
	for (u32 i = 0; i < ARRAY_SIZE(leaves); i++)
		assert_zero(leaves[i], 0);
	assert_zero(CPUID_CACHE, 100);
	assert_zero(CPUID_XSAVE, 63);
	assert_zero(CPUID_XSAVE, 0xffffffff);
	done();
}

/* Intel's CPUs answer with the last basic leaf and its subleaves (SDM 2A
 * CPUID), but not for an absent leaf below it */
static void test_leaves_beyond_the_last(void **state)
{
	static const u32 beyond[] = { 0x15,       0x20,       0x3f,
				      0x40,       0x3fffffff, 0x40000002,
				      0x4000003f, 0x40000040, 0x40000103,
				      0x40000200, 0x80000040, 0xbfffffff,
				      0xc0000000, 0xffffffff };
	static const u32 lasts[] = { CPUID_TOPOLOGY_V2, 0x14, CPUID_XSAVE };
	u32 want[4], r[4];

	for (u32 i = 0; i < ARRAY_SIZE(lasts); i++) {
		build_on(3, VENDOR_INTEL, lasts[i], BITS(19, 0));
		vcpu.id = 2;
		for (u32 j = 0; j < ARRAY_SIZE(beyond); j++) {
			if (beyond[j] <= lasts[i])
				continue;
			for (u32 sub = 0; sub < 4; sub++) {
				ask(lasts[i], sub, want);
				ask(beyond[j], sub, r);
				assert_memory_equal(r, want, sizeof(r));
			}
		}
		ask(CPUID_EXT_BASE, 0, want);
		ask(lasts[i], 1, r);
		ask(want[0] + 1, 1, want);
		assert_memory_equal(r, want, sizeof(r));
		assert_zero(3, 0);
		assert_zero(0xa, 0);
		assert_zero(0xc, 0);
		done();
	}
}

static void test_topology_agrees(void **state)
{
	u32 r[4];

	build(6, VENDOR_AMD);
	vcpu.id = 5;
	ask(CPUID_FEATURES, 0, r);
	assert_int_equal(r[1] >> 24, 5);
	assert_int_equal(r[1] >> 16 & 0xff, 8);
	assert_true(r[3] & CPUID_1_EDX_HTT);
	ask(CPUID_TOPOLOGY, 0, r);
	assert_int_equal(r[0], 0);
	assert_int_equal(r[1], 1);
	assert_int_equal(r[2], 0x100);
	assert_int_equal(r[3], 5);
	ask(CPUID_TOPOLOGY, 1, r);
	assert_int_equal(r[0], 3);
	assert_int_equal(r[1], 6);
	assert_int_equal(r[2], 0x201);
	ask(CPUID_EXT_SIZES, 0, r);
	assert_int_equal(r[2], 3 << 12 | 5);
	ask(CPUID_EXT_TOPOLOGY, 0, r);
	assert_int_equal(r[0], 5);
	done();
}

/* Numbers of 8 bits stay below what lies beside them */
static void test_1024_vcpus(void **state)
{
	u32 r[4];

	build(1024, VENDOR_AMD);
	vcpu.id = 0x3a5;
	ask(1, 0, r);
	assert_int_equal(r[1] >> 16, 0xa5ff);
	ask(0x80000008, 0, r);
	assert_int_equal(r[2], 10u << 12 | 0xff);
	ask(0xb, 1, r);
	assert_int_equal(r[0], 10);
	assert_int_equal(r[1], 1024);
	assert_int_equal(r[3], 0x3a5);
	done();
}

static void test_what_the_guest_set_shows(void **state)
{
	u32 r[4], small;

	build(1, VENDOR_INTEL);
	ask(CPUID_FEATURES, 0, r);
	assert_false(r[2] & CPUID_1_ECX_OSXSAVE);
	vcpu.hw.regs.cr4 = CR4_OSXSAVE;
	ask(CPUID_FEATURES, 0, r);
	assert_true(r[2] & CPUID_1_ECX_OSXSAVE);
	vcpu.hw.regs.xcr0 = XCR0_X87 | XCR0_SSE;
	ask(CPUID_XSAVE, 0, r);
	small = r[1];
	assert_int_equal(small, 576);
	assert_true(r[2] >= small);
	assert_int_equal(r[0] & ~(u32)vm.xcr0_mask, 0);
	assert_false(vm.xcr0_mask & (BITS(4, 3) | BITS(18, 17)));
	done();
}

static void test_own_leaves(void **state)
{
	u32 r[4];

	build(3, VENDOR_AMD);
	ask(CPUID_HV_BASE, 7, r);
	assert_memory_equal(&r[1], "KVMKVMKVM\0\0\0", 12);
	ask(BH_CPUID_BASE, 0, r);
	assert_int_equal(r[0], BH_CPUID_CONSOLE);
	assert_memory_equal(&r[1], "BulkheadHype", 12);
	ask(BH_CPUID_INFO, 0, r);
	assert_int_equal(r[2], tsc_khz);
	assert_int_equal(r[3], 3);
	/* The port is chosen after the table is made */
	assert_zero(BH_CPUID_CONSOLE, 0);
	vm.console_port = 0xd40;
	ask(BH_CPUID_CONSOLE, 0, r);
	assert_int_equal(r[0], 0xd40);
	assert_int_equal(r[1], BH_CONSOLE_VERSION);
	assert_int_equal(r[2] | r[3], 0);
	vm.console_port = 0;
	done();
}

static void test_every_maximum_is_served(void **state)
{
	u32 r[4];

	build(1, VENDOR_INTEL);
	ask(0, 0, r);
	assert_in_range(r[0], CPUID_XSAVE, CPUID_TOPOLOGY_V2);
	ask(CPUID_EXT_BASE, 0, r);
	assert_in_range(r[0], CPUID_EXT_SIZES, 0x80000021);
	ask(CPUID_EXT_SIZES, 0, r);
	assert_int_equal(vm.phys_bits, r[0] & 0xff);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_sorted_without_gaps),
		cmocka_unit_test(test_only_what_is_known),
		cmocka_unit_test(test_verw_by_microcode),
		cmocka_unit_test(test_levels_beyond_the_last),
		cmocka_unit_test(test_other_subleaves_beyond_the_last),
		cmocka_unit_test(test_repeated_bits),
		cmocka_unit_test(test_syscall_by_mode),
		cmocka_unit_test(test_without_wide_registers),
		cmocka_unit_test(test_bits_that_efer_refuses),
		cmocka_unit_test(test_without_optional_instructions),
		cmocka_unit_test(test_hidden_and_forced),
		cmocka_unit_test(test_unstable_tsc),
		cmocka_unit_test(test_renewed_rate),
		cmocka_unit_test(test_renewed_beyond_the_last),
		cmocka_unit_test(test_absent_leaves_are_zero),
		cmocka_unit_test(test_leaves_beyond_the_last),
		cmocka_unit_test(test_topology_agrees),
		cmocka_unit_test(test_1024_vcpus),
		cmocka_unit_test(test_what_the_guest_set_shows),
		cmocka_unit_test(test_own_leaves),
		cmocka_unit_test(test_every_maximum_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
