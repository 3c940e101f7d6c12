/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: a table by number. Called by the exit dispatcher; VMCALL and
 * VMMCALL arrive alike. KVM's convention: result in RAX, negative is an error.
 */
#include "include/bulkhead/hypercall.h"

#include "hv/hypercall.h"

struct hypercall_row {
	s64 (*fn)(struct vcpu *v);
	enum verdict verdict;
};

static s64 hypercall_version(struct vcpu *v)
{
	(void)v;
	return BH_ABI_VERSION;
}

static s64 hypercall_yield(struct vcpu *v)
{
	(void)v;
	return 0;
}

static const struct hypercall_row rows[] = {
	[BH_HYPERCALL_VERSION] = { hypercall_version, VERDICT_ADVANCE },
	[BH_HYPERCALL_YIELD] = { hypercall_yield, VERDICT_YIELD },
};

enum verdict hypercall_exit(struct vcpu *v, const struct vcpu_exit *e)
{
	u64 *rax = &vcpu_regs(v)->gpr[GPR_RAX];
	u64 number = *rax - BH_HYPERCALL_BASE;

	(void)e;
	if (number >= ARRAY_SIZE(rows)) {
		*rax = (u64)BH_ENOSYS;
		return VERDICT_ADVANCE;
	}
	*rax = (u64)rows[number].fn(v);
	return rows[number].verdict;
}
