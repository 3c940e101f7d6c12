/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSR policy: what each register does for a guest. Searched by
 * hv/policy/msr.c, and the source of the VMX bitmap and the SVM MSRPM. What is
 * not here is #GP. Sorted by number, disjoint
 * (tests/unit/hv/policy/test_msr.c). SDM 4; APM 2 appendix A.
 */
#include "hv/policy/msr_table.h"

#include "arch/x86/cpu/asm.h"
#include "hv/irq/vlapic.h"
#include "hv/pv/kvm_pv.h"
#include "hv/pv/pvclock.h"
#include "include/bulkhead/kvm.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/errno.h"

#define ARCH_CAP_OFFERED                                                       \
	(BITS(6, 0) | BIT(8) | BITS(15, 13) | BIT(17) | BIT(19) | BIT(20) |    \
	 BIT(24))
#define MTRR_VAR_COUNT  8u
#define MTRR_VAR_LAST   (MSR_MTRR_PHYSBASE0 + 2 * MTRR_VAR_COUNT - 1)
#define MTRR_FIX4K_LAST (MSR_MTRR_FIX4K_C0000 + 7)
#define VM_CR_OFF       (VM_CR_SVMDIS | VM_CR_LOCK)

static int read_const(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		      u64 *value)
{
	*value = rule->value;
	return 0;
}

static int write_ignore(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			u64 value)
{
	return 0;
}

/* Facts of the processor that are no secret, zero where it has none */
static int read_host(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		     u64 *value)
{
	if (rdmsr_safe(msr, value))
		*value = 0;
	*value &= rule->value;
	return 0;
}

static int read_apic_base(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			  u64 *value)
{
	*value = v->apic_base_msr;
	return 0;
}

static int write_apic_base(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			   u64 value)
{
	return vlapic_base_write(v, value);
}

/* A barrier on this core harms nobody; the only bit is IBPB */
static int write_pred_cmd(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			  u64 value)
{
	if (value & ~PRED_CMD_IBPB)
		return -EINVAL;
	return value && wrmsr_safe(msr, value) ? -EINVAL : 0;
}

static int read_pvclock(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			u64 *value)
{
	return pvclock_read(v, msr, value);
}

static int write_pvclock(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			 u64 value)
{
	return pvclock_write(v, msr, value);
}

static int read_kvm_pv(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		       u64 *value)
{
	return kvm_pv_read(v, msr, value);
}

static int write_kvm_pv(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			u64 value)
{
	return kvm_pv_write(v, msr, value);
}

#define ONE(msr)       (msr), (msr)
#define REG(member)    offsetof(struct vcpu_regs, member)
#define HANDLERS(name) msr_read_##name, msr_write_##name
#define PASS(msr, gate, member)                                                \
	{                                                                      \
		ONE(msr), gate, PASS_BOTH, HANDLERS(reg), REG(member)          \
	}
#define ZERO(msr, gate) ZEROS(msr, msr, gate)
#define ZEROS(first, last, gate)                                               \
	{                                                                      \
		first, last, gate, PASS_NONE, read_const, write_ignore, 0      \
	}

/*
 * Why each row is there; where nothing is said, CPUID's bit of its gate
 * promises the register (SDM 4 table 2-2; APM 2 appendix A):
 *
 * - PLATFORM_ID, UCODE_REV, UCODE_WRITE, PATCH_LOADER: kernels ask what
 *   microcode there is, in a guest too, and some load theirs: dropped.
 * - PLATFORM_INFO, PERF_STATUS, PERF_CTL, CLOCK_MODULATION, THERM_*,
 *   TEMPERATURE_TARGET, MISC_ENABLE: firmware and memory testers go by the
 *   model, not by CPUID, when they touch them: zero, and writes are dropped.
 * - DEBUGCTL and the last branch registers: on every CPU of the family. Nothing
 *   is recorded; BTF and LBR stay zero.
 * - EFER, FS_BASE ...: what long mode is.
 * - SYSCFG, HWCR, TOP_MEM, NB_CFG, INT_PENDING, MMIO_CONF, LS_CFG ... DE_CFG:
 *   AMD families have them without a CPUID bit and kernels set chicken bits in
 *   them. DE_CFG says that LFENCE serializes. VM_CR says that SVM is off and
 *   locked.
 *
 * Not there, as on a CPU whose CPUID is this one: VMX's, SVM's, SMM's, SGX's,
 * FEATURE_CONTROL, performance counters, APERF and MPERF, XSS, RAPL.
 */
/* clang-format off */
const struct msr_rule msr_rules[] = {
	{ ONE(MSR_TSC), GATE_ALWAYS, PASS_NONE, HANDLERS(tsc), 0 },
	{ BH_KVM_MSR_WALL_CLOCK_OLD, BH_KVM_MSR_SYSTEM_TIME_OLD, GATE_ALWAYS,
	  PASS_NONE, read_pvclock, write_pvclock, 0 },
	{ ONE(MSR_PLATFORM_ID), GATE_INTEL, PASS_NONE, read_host, NULL, ~0ull },
	{ ONE(MSR_APIC_BASE), GATE_ALWAYS, PASS_NONE, read_apic_base,
	  write_apic_base, 0 },
	{ ONE(MSR_TSC_ADJUST), GATE_ALWAYS, PASS_NONE, HANDLERS(tsc_adjust), 0 },
	{ ONE(MSR_SPEC_CTRL), GATE_SPEC_CTRL, PASS_NONE, HANDLERS(spec_ctrl), 0 },
	{ ONE(MSR_PRED_CMD), GATE_IBPB, PASS_NONE, NULL, write_pred_cmd, 0 },
	{ ONE(MSR_UCODE_WRITE), GATE_INTEL, PASS_NONE, NULL, write_ignore, 0 },
	{ ONE(MSR_UCODE_REV), GATE_ALWAYS, PASS_NONE, read_host, write_ignore,
	  ~0ull },
	ZERO(MSR_PLATFORM_INFO, GATE_INTEL),
	{ ONE(MSR_MTRRCAP), GATE_MTRR, PASS_NONE, read_const, NULL,
	  MTRRCAP_WC | MTRRCAP_FIX | MTRR_VAR_COUNT },
	{ ONE(MSR_ARCH_CAPABILITIES), GATE_ARCH_CAP, PASS_NONE, read_host, NULL,
	  ARCH_CAP_OFFERED },
	PASS(MSR_SYSENTER_CS, GATE_SYSENTER, sysenter_cs),
	PASS(MSR_SYSENTER_ESP, GATE_SYSENTER, sysenter_esp),
	PASS(MSR_SYSENTER_EIP, GATE_SYSENTER, sysenter_eip),
	{ ONE(MSR_MCG_CAP), GATE_MCA, PASS_NONE, read_const, NULL, 0 },
	ZERO(MSR_MCG_STATUS, GATE_MCA),
	ZEROS(MSR_PERF_STATUS, MSR_THERM_STATUS, GATE_INTEL),
	{ ONE(MSR_MISC_ENABLE), GATE_INTEL, PASS_NONE, HANDLERS(misc_enable), 0 },
	ZERO(MSR_TEMPERATURE_TARGET, GATE_INTEL),
	ZERO(MSR_DEBUGCTL, GATE_ALWAYS),
	ZEROS(MSR_LASTBRANCHFROMIP, MSR_LASTINTTOIP, GATE_ALWAYS),
	{ MSR_MTRR_PHYSBASE0, MTRR_VAR_LAST, GATE_MTRR, PASS_NONE,
	  HANDLERS(mtrr_var), 0 },
	{ ONE(MSR_MTRR_FIX64K_00000), GATE_MTRR, PASS_NONE,
	  HANDLERS(mtrr_fixed), 0 },
	{ MSR_MTRR_FIX16K_80000, MSR_MTRR_FIX16K_A0000, GATE_MTRR, PASS_NONE,
	  HANDLERS(mtrr_fixed), 0 },
	{ MSR_MTRR_FIX4K_C0000, MTRR_FIX4K_LAST, GATE_MTRR, PASS_NONE,
	  HANDLERS(mtrr_fixed), 0 },
	{ ONE(MSR_PAT), GATE_PAT, PASS_NONE, HANDLERS(pat), 0 },
	{ ONE(MSR_MTRR_DEF_TYPE), GATE_MTRR, PASS_NONE,
	  HANDLERS(mtrr_def_type), 0 },
	{ BH_KVM_MSR_WALL_CLOCK, BH_KVM_MSR_SYSTEM_TIME, GATE_ALWAYS,
	  PASS_NONE, read_pvclock, write_pvclock, 0 },
	{ BH_KVM_MSR_STEAL_TIME, BH_KVM_MSR_PV_EOI, GATE_ALWAYS, PASS_NONE,
	  read_kvm_pv, write_kvm_pv, 0 },
	{ ONE(MSR_EFER), GATE_ALWAYS, PASS_NONE, HANDLERS(efer), 0 },
	PASS(MSR_STAR, GATE_LONG_MODE, star),
	PASS(MSR_LSTAR, GATE_LONG_MODE, lstar),
	PASS(MSR_CSTAR, GATE_LONG_MODE, cstar),
	PASS(MSR_SFMASK, GATE_LONG_MODE, sfmask),
	{ MSR_FS_BASE, MSR_GS_BASE, GATE_LONG_MODE, PASS_BOTH, HANDLERS(base), 0 },
	PASS(MSR_KERNEL_GS_BASE, GATE_LONG_MODE, kernel_gs_base),
	{ ONE(MSR_TSC_AUX), GATE_RDTSCP, PASS_READ, HANDLERS(tsc_aux), 0 },
	/* Counters of the K7: no CPUID bit could hide them; they count nothing */
	ZEROS(MSR_AMD_EVNTSEL0, MSR_AMD_PERFCTR3, GATE_AMD),
	ZERO(MSR_AMD_SYSCFG, GATE_AMD),
	{ ONE(MSR_AMD_HWCR), GATE_AMD, PASS_NONE, read_const, write_ignore,
	  HWCR_TSC_FREQ_SEL },
	ZERO(MSR_AMD_TOP_MEM, GATE_AMD),
	ZERO(MSR_AMD_TOP_MEM2, GATE_AMD),
	ZERO(MSR_AMD_NB_CFG, GATE_AMD),
	{ ONE(MSR_AMD_PATCH_LOADER), GATE_AMD, PASS_NONE, NULL, write_ignore, 0 },
	ZEROS(MSR_AMD_INT_PENDING, MSR_AMD_MMIO_CONF, GATE_AMD),
	{ ONE(MSR_AMD_VM_CR), GATE_AMD, PASS_NONE, read_const, NULL, VM_CR_OFF },
	ZEROS(MSR_AMD_LS_CFG, MSR_AMD_DE_CFG - 1, GATE_AMD),
	{ ONE(MSR_AMD_DE_CFG), GATE_AMD, PASS_NONE, read_const, write_ignore,
	  DE_CFG_LFENCE_SERIALIZING },
	ZEROS(MSR_AMD_DE_CFG + 1, MSR_AMD_CHICKEN_LAST, GATE_AMD),
};
/* clang-format on */
const u32 msr_rule_count = ARRAY_SIZE(msr_rules);
