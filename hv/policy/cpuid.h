/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's CPUID says: the policy (cpuid_table.c) applied to the host's
 * leaves once per VM. An absent leaf is zero; beyond the last one, a CPU of
 * Intel's repeats the last basic leaf. The exit path only searches the
 * finished table, which is constant: no lock. */
#ifndef HV_POLICY_CPUID_H
#define HV_POLICY_CPUID_H

#include "arch/x86/cpu/asm.h"
#include "hv/core/exit.h"
#include "include/hw/cpuid.h"

/* Make the VM's table: boot CPU, vm->vcpu_count is set. Sets vm->cpuid,
 * xcr0_mask and phys_bits. -ENOMEM; -ENOSPC: the policy has more rows than the
 * table, which is our bug. */
int __must_check cpuid_build(struct vm *vm);
/* Tells the TSC's rate as it is by now. Before the first instruction. */
void cpuid_renew_rate(struct vm *vm);
/* Also of a VM that has none */
void cpuid_destroy(struct vm *vm);
/* EXIT_CPUID: leaf in EAX, subleaf in ECX. What depends on the vCPU (APIC id,
 * OSXSAVE, XCR0's sizes, OSPKE) is filled in here. Home core, attached. Hot. */
enum verdict cpuid_exit(struct vcpu *v, const struct vcpu_exit *exit);
/* What the guest sees, but for what depends on the vCPU; @out in the order of
 * enum cpuid_reg. Any core. */
void cpuid_query(const struct vm *vm, u32 leaf, u32 subleaf, u32 out[4]);

/* Does the guest see one of @bits in subleaf 0 of @leaf? */
static inline bool cpuid_has(const struct vm *vm, u32 leaf, enum cpuid_reg reg,
			     u64 bits)
{
	u32 out[4];

	cpuid_query(vm, leaf, 0, out);
	return out[reg] & bits;
}

/* Notes what guests may see of the boot core. @read is cpuid_count(), or a
 * test's. Boot CPU, once its microcode is loaded. */
void cpuid_note_boot_core(cpuid_reader read);
/* What this core lacks of that, as words for "it lacks ..."; NULL: nothing.
 * Each other core, before its first guest. */
const char *cpuid_core_lacks(cpuid_reader read);

#endif
