/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID policy: a table {leaf, subleaf, register, keep, force, fix-up} applied
 * to the host's leaves once per VM; an absent leaf is zero. The exit path only
 * searches the finished table. */
#ifndef HV_POLICY_CPUID_H
#define HV_POLICY_CPUID_H

#include "hv/core/exit.h"
#include "include/hw/cpuid.h"

/* Needs vm->vcpu_count; sets vm->cpuid, xcr0_mask, phys_bits. -ENOMEM */
int __must_check cpuid_build(struct vm *vm);
void cpuid_destroy(struct vm *vm);
/* The exit's work; leaves that depend on the vCPU (APIC id, OSXSAVE, XCR0
 * sizes, OSPKE) are fixed up here */
enum verdict cpuid_exit(struct vcpu *v);
/* What the guest sees, for tests and other policies */
void cpuid_query(const struct vm *vm, u32 leaf, u32 subleaf, u32 out[4]);

/* Does the guest see one of @bits in subleaf 0? */
static inline bool cpuid_has(const struct vm *vm, u32 leaf, enum cpuid_reg reg,
			     u64 bits)
{
	u32 out[4];

	cpuid_query(vm, leaf, 0, out);
	return out[reg] & bits;
}

#endif
