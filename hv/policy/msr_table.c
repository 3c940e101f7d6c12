/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSR policy: what each register does for a guest. Searched by
 * hv/policy/msr.c, and the source of the VMX bitmap and the SVM MSRPM. What is
 * not here is #GP. Sorted by number, disjoint
 * (tests/unit/hv/policy/test_msr.c). SDM 4; APM 2 appendix A.
 */
#include "hv/policy/msr_table.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/speculation.h"
#include "hv/irq/vlapic.h"
#include "hv/pv/kvm_pv.h"
#include "hv/pv/pvclock.h"
#include "include/bulkhead/kvm.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/errno.h"

#define ARCH_CAP_OFFERED                                                       \
	(BITS(6, 0) | BIT(8) | BITS(15, 13) | BIT(17) | BIT(19) | BIT(20) |    \
	 BIT(24) | BITS(28, 26) | BIT(62))
#define MTRR_VAR_LAST   (MSR_MTRR_PHYSBASE0 + 2 * MTRR_VAR_MAX - 1)
#define MC_LAST         (MSR_MC0_CTL + MC_BANKS_MAX * MC_BANK_STRIDE - 1)
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

/* The privileged guest's kernel may compare them with its ACPI tables; of an
 * isolated guest there is nothing to tell */
static int read_if_privileged(struct vcpu *v, const struct msr_rule *rule,
			      u32 msr, u64 *value)
{
	if (v->vm->privileged)
		return read_host(v, rule, msr, value);
	*value = 0;
	return 0;
}

/* The host's microcode keeps GDS from guests, too: they need not ask for it */
static int read_capabilities(struct vcpu *v, const struct msr_rule *rule,
			     u32 msr, u64 *value)
{
	int err = read_host(v, rule, msr, value);

	if (speculation.actions & SPEC_GATHER_MITG)
		*value |= ARCH_CAP_GDS_NO;
	return err;
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

/* Threads below, cores above: each vCPU is a core (SDM 4 table 2-3) */
static int read_core_count(struct vcpu *v, const struct msr_rule *rule, u32 msr,
			   u64 *value)
{
	*value = v->vm->vcpu_count | v->vm->vcpu_count << 16;
	return 0;
}

/*
 * A row without a comment is there because CPUID's bit of its gate promises it
 * (SDM 4 table 2-2; APM 2 appendix A). A comment says why a row is there
 * otherwise, and what its value promises. By vendor or family: software goes by
 * the model and does not ask. Zero: nothing is on, nothing else is there.
 *
 * Not there, as on a CPU whose CPUID is this one: VMX's, SVM's, SMM's, SGX's,
 * FEATURE_CONTROL, performance counters, APERF and MPERF, XSS, power limits,
 * masks of breakpoint addresses.
 */
/* clang-format off */
const struct msr_rule msr_rules[] = {
	{ ONE(MSR_TSC), GATE_ALWAYS, PASS_NONE, HANDLERS(tsc), 0 },
	{ BH_KVM_MSR_WALL_CLOCK_OLD, BH_KVM_MSR_SYSTEM_TIME_OLD, GATE_ALWAYS,
	  PASS_NONE, read_pvclock, write_pvclock, 0 },
	/* Which microcode would fit: the host's */
	{ ONE(MSR_PLATFORM_ID), GATE_INTEL, PASS_NONE, read_host, NULL, ~0ull },
	{ ONE(MSR_APIC_BASE), GATE_ALWAYS, PASS_NONE, read_apic_base,
	  write_apic_base, 0 },
	/* As many cores as vCPUs, one thread each */
	{ ONE(MSR_CORE_THREAD_COUNT), GATE_INTEL, PASS_NONE, read_core_count,
	  write_ignore, 0 },
	{ ONE(MSR_TSC_ADJUST), GATE_ALWAYS, PASS_NONE, HANDLERS(tsc_adjust), 0 },
	{ ONE(MSR_SPEC_CTRL), GATE_SPEC_CTRL, PASS_NONE, HANDLERS(spec_ctrl), 0 },
	{ ONE(MSR_PRED_CMD), GATE_IBPB, PASS_NONE, NULL, write_pred_cmd, 0 },
	/* What microcode there is: the host's. A guest's own is dropped. */
	{ ONE(MSR_UCODE_WRITE), GATE_INTEL, PASS_NONE, NULL, write_ignore, 0 },
	{ ONE(MSR_UCODE_REV), GATE_ALWAYS, PASS_NONE, read_host, write_ignore,
	  ~0ull },
	/* The TSC's rate as a multiple of 100 MHz. No turbo limits, no power
	 * limits, no CPUID faulting. */
	{ ONE(MSR_PLATFORM_INFO), GATE_INTEL, PASS_NONE, msr_read_platform,
	  write_ignore, 0 },
	/* Which ports put a core to sleep: trapped (hv/assign/idle_ports.c),
	 * and not moved */
	{ ONE(MSR_PKG_CST_CONFIG_CONTROL), GATE_INTEL, PASS_NONE,
	  read_if_privileged, write_ignore, ~0ull },
	{ ONE(MSR_PMG_IO_CAPTURE_BASE), GATE_INTEL, PASS_NONE,
	  read_if_privileged, write_ignore, ~0ull },
	{ ONE(MSR_MTRRCAP), GATE_MTRR, PASS_NONE, msr_read_mtrrcap, NULL, 0 },
	/* What the CPU is immune to; no bit that stands for another MSR */
	{ ONE(MSR_ARCH_CAPABILITIES), GATE_ARCH_CAP, PASS_NONE,
	  read_capabilities, NULL, ARCH_CAP_OFFERED },
	PASS(MSR_SYSENTER_CS, GATE_SYSENTER, sysenter_cs),
	PASS(MSR_SYSENTER_ESP, GATE_SYSENTER, sysenter_esp),
	PASS(MSR_SYSENTER_EIP, GATE_SYSENTER, sysenter_eip),
	/* An isolated guest has no banks; nobody has MCG_CTL, or gets a #MC */
	{ ONE(MSR_MCG_CAP), GATE_MCA, PASS_NONE, msr_read_mcg_cap, NULL, 0 },
	ZERO(MSR_MCG_STATUS, GATE_MCA),
	/* The rate of PLATFORM_INFO, now */
	{ ONE(MSR_PERF_STATUS), GATE_INTEL, PASS_NONE, msr_read_ratio,
	  write_ignore, 0 },
	/* No request, no throttling, no thermal event */
	ZEROS(MSR_PERF_CTL, MSR_THERM_STATUS, GATE_INTEL),
	/* No BTS, no PEBS, no EIST, no MONITOR */
	{ ONE(MSR_MISC_ENABLE), GATE_INTEL, PASS_NONE, HANDLERS(misc_enable), 0 },
	ZERO(MSR_TEMPERATURE_TARGET, GATE_INTEL),
	/* On every CPU of the family: nothing is recorded, BTF and LBR stay 0 */
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
	{ MSR_MC0_CTL, MC_LAST, GATE_MCA, PASS_NONE, HANDLERS(mca_bank), 0 },
	/* Energy is not counted: the counters stand still */
	ZERO(MSR_RAPL_POWER_UNIT, GATE_INTEL),
	ZERO(MSR_PKG_ENERGY_STATUS, GATE_INTEL),
	ZERO(MSR_DRAM_ENERGY_STATUS, GATE_INTEL),
	ZERO(MSR_PP0_ENERGY_STATUS, GATE_INTEL),
	ZERO(MSR_PP1_ENERGY_STATUS, GATE_INTEL),
	{ BH_KVM_MSR_WALL_CLOCK, BH_KVM_MSR_SYSTEM_TIME, GATE_ALWAYS,
	  PASS_NONE, read_pvclock, write_pvclock, 0 },
	{ BH_KVM_MSR_STEAL_TIME, BH_KVM_MSR_PV_EOI, GATE_ALWAYS, PASS_NONE,
	  read_kvm_pv, write_kvm_pv, 0 },
	/* Long mode is there, and so are EFER, FS_BASE ... */
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
	/* An isolated guest's TOP_MEM and TOP_MEM2 are off. The privileged
	 * guest reads that RAM above 4 GiB is WB without an MTRR, and how far.
	 * Memory is not encrypted. */
	{ ONE(MSR_AMD_SYSCFG), GATE_AMD, PASS_NONE, msr_read_top_mem,
	  write_ignore,
	  SYSCFG_VAR_DRAM | SYSCFG_TOM2 | SYSCFG_TOM2_WB },
	/* From family 10h on: the TSC has the rate of P-state 0 */
	{ ONE(MSR_AMD_HWCR), GATE_AMD, PASS_NONE, msr_read_hwcr, write_ignore,
	  0 },
	{ ONE(MSR_AMD_TOP_MEM), GATE_AMD, PASS_NONE, msr_read_top_mem,
	  write_ignore, ~0ull },
	{ ONE(MSR_AMD_TOP_MEM2), GATE_AMD, PASS_NONE, msr_read_top_mem,
	  write_ignore, ~0ull },
	ZERO(MSR_AMD_NB_CFG, GATE_AMD),
	{ ONE(MSR_AMD_PATCH_LOADER), GATE_AMD, PASS_NONE, NULL, write_ignore, 0 },
	/* One rate, the TSC's, now and at most */
	ZERO(MSR_AMD_FIDVID_CTL, GATE_AMD_K8),
	{ ONE(MSR_AMD_FIDVID_STATUS), GATE_AMD_K8, PASS_NONE, msr_read_fidvid,
	  write_ignore, 0 },
	/* No message at an idle core, no ECAM */
	ZEROS(MSR_AMD_INT_PENDING, MSR_AMD_MMIO_CONF, GATE_AMD),
	/* P-state 0 alone is enabled, asked for, and there */
	ZEROS(MSR_AMD_PSTATE_LIMIT, MSR_AMD_PSTATE_STATUS, GATE_AMD_PSTATE),
	{ ONE(MSR_AMD_PSTATE0), GATE_AMD_PSTATE, PASS_NONE, msr_read_pstate,
	  write_ignore, 0 },
	ZEROS(MSR_AMD_PSTATE0 + 1, MSR_AMD_PSTATE7, GATE_AMD_PSTATE),
	ZERO(MSR_AMD_COFVID_CTL, GATE_AMD_COFVID),
	{ ONE(MSR_AMD_COFVID_STATUS), GATE_AMD_COFVID, PASS_NONE,
	  msr_read_pstate, write_ignore, 0 },
	{ ONE(MSR_AMD_CSTATE_BASE), GATE_AMD_PSTATE, PASS_NONE,
	  read_if_privileged, write_ignore, ~0ull },
	/* SVM is off, and locked so */
	{ ONE(MSR_AMD_VM_CR), GATE_AMD, PASS_NONE, read_const, NULL, VM_CR_OFF },
	{ ONE(MSR_AMD_HW_PSTATE_STATUS), GATE_AMD_ZEN, PASS_NONE,
	  msr_read_pstate, write_ignore, 0 },
	/* Energy is not counted */
	ZEROS(MSR_AMD_RAPL_POWER_UNIT, MSR_AMD_PKG_ENERGY, GATE_AMD_ZEN),
	/* Kernels set chicken bits here: dropped */
	ZEROS(MSR_AMD_LS_CFG, MSR_AMD_DE_CFG - 1, GATE_AMD),
	/* LFENCE serializes */
	{ ONE(MSR_AMD_DE_CFG), GATE_AMD, PASS_NONE, read_const, write_ignore,
	  DE_CFG_LFENCE_SERIALIZING },
	ZEROS(MSR_AMD_DE_CFG + 1, MSR_AMD_CHICKEN_LAST, GATE_AMD),
};
/* clang-format on */
const u32 msr_rule_count = ARRAY_SIZE(msr_rules);
