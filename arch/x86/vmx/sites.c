/* SPDX-License-Identifier: BSD-2-Clause */
/* The sites in enter.asm for detours (arch/x86/cpu/spec_code.h); constant */
#include "arch/x86/vmx/internal.h"

extern u8 vmx_site_entry_resume[], vmx_site_entry_resume_end[];
extern u8 vmx_site_entry_launch[], vmx_site_entry_launch_end[];
extern u8 vmx_site_last_resume[], vmx_site_last_resume_end[];
extern u8 vmx_site_last_launch[], vmx_site_last_launch_end[];
extern u8 vmx_site_exit[], vmx_site_exit_end[];

#define VMX_SITE(name, where)                                                  \
	{                                                                      \
		.at = vmx_site_##name, .end = vmx_site_##name##_end,           \
		.point = SPEC_AT_##where, .base = GPR_RDI,                     \
		.ctrl_offset = offsetof(struct vcpu_hw, spec_ctrl)             \
	}

/* RDI is the struct vcpu_hw at an entry */
const struct spec_site vmx_sites[VMX_SITES] = {
	VMX_SITE(entry_resume, ENTRY), VMX_SITE(entry_launch, ENTRY),
	VMX_SITE(last_resume, LAST),   VMX_SITE(last_launch, LAST),
	VMX_SITE(exit, EXIT),
};
