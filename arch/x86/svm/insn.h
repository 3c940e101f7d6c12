/* SPDX-License-Identifier: BSD-2-Clause */
/* The SVM instructions (APM 3 *CLGI*, *STGI*, *VMLOAD*, *VMSAVE*). VMRUN is
 * enter.asm's. None of them can fail for the addresses given here. */
#ifndef ARCH_X86_SVM_INSN_H
#define ARCH_X86_SVM_INSN_H

#include "lib/types.h"

static inline void svm_clgi(void)
{
	__asm__ volatile("clgi" ::: "memory");
}

static inline void svm_stgi(void)
{
	__asm__ volatile("stgi" ::: "memory");
}

/* FS, GS, TR, LDTR, KernelGSBase, STAR .. SFMASK, SYSENTER (APM 3 VMLOAD) */
static inline void svm_vmload(hpa_t vmcb)
{
	__asm__ volatile("vmload %0" ::"a"(vmcb.v) : "memory");
}

static inline void svm_vmsave(hpa_t vmcb)
{
	__asm__ volatile("vmsave %0" ::"a"(vmcb.v) : "memory");
}

#endif
