/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: a table by number. Called by the exit dispatcher; VMCALL and
 * VMMCALL arrive alike. KVM's convention: result in RAX, negative is an error.
 */
#include "include/bulkhead/hypercall.h"

#include "hv/hypercall.h"

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

/* Each sets RAX */
static enum verdict (*const rows[])(struct vcpu *v) = {
	[BH_HYPERCALL_VERSION] = hypercall_version,
	[BH_HYPERCALL_YIELD] = hypercall_yield,
};

enum verdict hypercall_exit(struct vcpu *v, const struct vcpu_exit *e)
{
	u64 *rax = &vcpu_regs(v)->gpr[GPR_RAX];
	u64 number = *rax - BH_HYPERCALL_BASE;

	(void)e;
	if (likely(number < ARRAY_SIZE(rows)))
		return rows[number](v);
	*rax = (u64)BH_ENOSYS;
	return VERDICT_ADVANCE;
}
