/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU's registers mean, as the manuals have it: privilege level, how a
 * register takes a smaller value, which addresses are canonical. Pure; used by
 * exit handlers and the emulator.
 */
#ifndef HV_CORE_REGS_H
#define HV_CORE_REGS_H

#include "hv/core/backend.h"
#include "include/hw/cpu.h"
#include "lib/bytes.h"

#define CPL_KERNEL 0u
#define CPL_USER   3u

/*
 * The current privilege level: 0 in real mode, 3 in virtual-8086 mode, else the
 * DPL of SS, where both back-ends keep it. That of CS may be lower (conforming
 * code). SYSRET leaves another one in the SS of an SVM guest (SDM 3A 5.5
 * *Privilege Levels*, 3C 25.4.1; APM 2 15.5.1 *Basic Operation*, CPL).
 * RG_SEG, RG_CR and RG_RIP are valid.
 */
static inline u32 vcpu_cpl(const struct vcpu_regs *r)
{
	if (!(r->cr0 & CR0_PE))
		return CPL_KERNEL;
	if (r->rflags & RFLAGS_VM)
		return CPL_USER;
	return SEG_ATTR_DPL(r->seg[SEG_SS].attr);
}

/* A general register that held @old after @bytes (1, 2, 4 or 8) of @value went
 * into it. 4 clear the upper half, 1 and 2 leave the rest (SDM 1 3.4.1.1). */
static inline u64 gpr_merge(u64 old, u64 value, u32 bytes)
{
	return bytes == 4 ? (u32)value : merge_bytes(old, value, bytes);
}

/* The same with ones for @value, of 1, 2 or 4 bytes */
static inline u64 gpr_ones(u64 old, u32 bytes)
{
	u32 ones = ~0u >> ((0 - 8 * bytes) & 31);

	return bytes == 4 ? ones : old | ones;
}

/* Bits of a linear address, of which those above copy the topmost (SDM 1
 * 3.3.7.1 *Canonical Addressing*) */
enum linear_bits { LINEAR_4LEVEL = 48, LINEAR_5LEVEL = 57 };

static inline bool is_canonical(u64 address, enum linear_bits bits)
{
	return sign_extend_bits(address, bits) == address;
}

/* By the paging mode that is on: RG_CR is valid */
static inline enum linear_bits vcpu_linear_bits(const struct vcpu_regs *r)
{
	return r->cr4 & CR4_LA57 ? LINEAR_5LEVEL : LINEAR_4LEVEL;
}

#endif
