/* SPDX-License-Identifier: BSD-2-Clause */
/* The sites in enter.asm for detours (arch/x86/cpu/spec_code.h); constant */
#include "arch/x86/svm/internal.h"

extern u8 svm_site_entry[], svm_site_entry_end[];
extern u8 svm_site_last[], svm_site_last_end[];
extern u8 svm_site_exit[], svm_site_exit_end[];

#define SVM_SITE(name, where)                                                  \
	{                                                                      \
		.at = svm_site_##name, .end = svm_site_##name##_end,           \
		.point = SPEC_AT_##where, .base = GPR_RDI,                     \
		.ctrl_offset = offsetof(struct vcpu_hw, spec_ctrl)             \
	}

/* RDI is the struct vcpu_hw at an entry */
const struct spec_site svm_sites[SVM_SITES] = {
	SVM_SITE(entry, ENTRY),
	SVM_SITE(last, LAST),
	SVM_SITE(exit, EXIT),
};
