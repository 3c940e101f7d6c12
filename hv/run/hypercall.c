/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls, by number. Called by the exit dispatcher; VMCALL and
 * VMMCALL arrive alike. KVM's convention: result in RAX, negative is an error.
 */
#include "hv/run/hypercall.h"

#include "hv/core/gmem.h"
#include "hv/pv/kvm_pv.h"
#include "include/bulkhead/hypercall.h"
#include "include/bulkhead/kvm.h"
#include "lib/string.h"

static enum verdict hypercall_version(struct vcpu *v)
{
	vcpu_regs(v)->gpr[GPR_RAX] = BH_ABI_VERSION;
	return VERDICT_ADVANCE;
}

static enum verdict hypercall_yield(struct vcpu *v)
{
	vcpu_regs(v)->gpr[GPR_RAX] = 0;
	return VERDICT_YIELD;
}

static enum verdict hypercall_unknown(struct vcpu *v)
{
	vcpu_regs(v)->gpr[GPR_RAX] = (u64)BH_ENOSYS;
	return VERDICT_ADVANCE;
}

enum verdict hypercall_exit(struct vcpu *v, const struct vcpu_exit *e)
{
	u64 number = vcpu_regs(v)->gpr[GPR_RAX];

	if (!number)
		return hypercall_unknown(v);
	if (number <= BH_KVM_SCHED_YIELD)
		return kvm_hypercall(v);
	if (number == BH_HYPERCALL(VERSION))
		return hypercall_version(v);
	if (number == BH_HYPERCALL(YIELD))
		return hypercall_yield(v);
	/* It may mean the lower half alone */
	return kvm_hypercall(v);
}

/* The other vendor's instruction raises #UD here: the guest need not know on
 * which processor it runs */
bool hypercall_is_foreign(struct vcpu *v)
{
	static const u8 calls[][HYPERCALL_BYTES] = {
		{ 0x0f, 0x01, 0xc1 }, /* VMCALL */
		{ 0x0f, 0x01, 0xd9 }, /* VMMCALL */
	};
	u8 code[HYPERCALL_BYTES];

	if (gmem_fetch(v, code, sizeof(code)) != sizeof(code))
		return false;
	return !memcmp(code, calls[0], sizeof(code)) ||
	       !memcmp(code, calls[1], sizeof(code));
}
