/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this machine's VMX can do: the controls the hypervisor needs, as a
 * table, resolved against the capability MSRs (SDM 3D appendix A). The MSRs
 * are read through a function, so that a host test can play any CPU.
 */
#ifndef ARCH_X86_VMX_CAPS_H
#define ARCH_X86_VMX_CAPS_H

#include "arch/x86/vmx/regs.h"

enum vmx_control { CTL_PIN, CTL_CPU, CTL_CPU2, CTL_EXIT, CTL_ENTRY, CTL_COUNT };

struct vmx_control_row {
	const char *name;
	u32 msr, true_msr; /* true_msr replaces msr if VMX_BASIC bit 55 */
	u32 required;
	u32 optional; /* turned on where they exist */
};
extern const struct vmx_control_row vmx_controls[CTL_COUNT];

struct vmx_caps {
	u32 revision;
	u32 control[CTL_COUNT]; /* value for the VMCS */
	u64 timer_shift;        /* VMX-preemption timer: TSC ticks to its own */
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	u64 ept_vpid;
};

typedef u64 (*vmx_msr_reader)(u32 msr);

/*
 * One row against its capability MSR (allowed-0 bits low, allowed-1 high).
 * 0 and the control's value; -ENOTSUP and the required bits that are missing.
 */
int __must_check vmx_control_resolve(const struct vmx_control_row *row,
				     u64 capability, u32 *value, u32 *missing);
/* Everything; -ENOTSUP after one sentence by log_error */
int __must_check vmx_caps_read(struct vmx_caps *caps, vmx_msr_reader rd);
/* What a core, whose MSRs @rd reads, cannot do of @caps, as words for "it lacks
 * ..."; NULL: nothing, though it may do more. Pure. */
const char *vmx_caps_lacking(const struct vmx_caps *caps, vmx_msr_reader rd);
/* Largest EPT leaf: 1 = 4K, 2 = 2M, 3 = 1G */
u32 vmx_caps_max_level(const struct vmx_caps *caps);
/* IA32_FEATURE_CONTROL allows VMXON, or would once locked by us; -ENOTSUP:
 * the firmware locked VMX off */
int __must_check vmx_feature_control(u64 value, u64 *wanted);

#endif
