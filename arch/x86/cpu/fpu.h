/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests' FPU state: saved and loaded whole when a core changes from one
 * vCPU to another, for the hypervisor itself uses none. XSAVE (standard form)
 * where the CPU has it, else FXSAVE (SDM 1 13 *Managing State Using the XSAVE
 * Feature Set*). AMX tiles are never enabled for a guest, so not saved either.
 */
#ifndef ARCH_X86_CPU_FPU_H
#define ARCH_X86_CPU_FPU_H

#include "lib/types.h"

#define FPU_AREA_ALIGN 64

/* XCR0 bits a guest may set; 0: no XSAVE */
u64 fpu_xcr0_mask(void);
/* Bytes of an area, header included */
u32 fpu_area_bytes(void);
/* Power-on state (SDM 3A table 10-1) into a zeroed, aligned area */
void fpu_area_reset(void *area);
/* This core's registers to @area, whatever XCR0 the guest had */
void fpu_save(void *area);
/* @area to this core's registers, and XCR0 to @xcr0 */
void fpu_load(const void *area, u64 xcr0);
/* Only XCR0; bits outside fpu_xcr0_mask() are left out, x87 is forced on */
void fpu_set_xcr0(u64 xcr0);

#endif
