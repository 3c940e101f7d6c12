/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual-processor identifiers (SDM 3C 29.1), one for each vCPU that lives,
 * and flushes of what the CPU has cached under them. The bitmap of VPIDs in use
 * is changed atomically from any core; 0 is the hypervisor's own.
 */
#include "arch/x86/vmx/internal.h"
#include "lib/assert.h"

#define VPID_COUNT 4096u

static u64 vpids_used[VPID_COUNT / 64] = { 1 };

u16 vmx_vpid_alloc(void)
{
	for (u32 i = 0; i < VPID_COUNT; i++) {
		u64 bit = BIT(i % 64);

		if (!(__atomic_fetch_or(&vpids_used[i / 64], bit,
					__ATOMIC_ACQUIRE) &
		      bit))
			return (u16)i;
	}
	return 0;
}

void vmx_vpid_free(u16 vpid)
{
	if (vpid)
		__atomic_fetch_and(&vpids_used[vpid / 64], ~BIT(vpid % 64),
				   __ATOMIC_RELEASE);
}

u64 vmx_eptp(const struct vcpu_hw *v)
{
	return v->npt_root.v | EPTP_WALK_4 | EPTP_WB;
}

void vmx_flush_vpid(const struct vcpu_arch *a)
{
	if (!a->vpid)
		return; /* every VM entry and exit flushes VPID 0 */
	if (vmx_caps.ept_vpid & EPT_CAP_INVVPID_SINGLE)
		ASSERT(!vmx_invvpid(INVAL_SINGLE, a->vpid));
	else
		ASSERT(!vmx_invvpid(INVAL_ALL, 0));
}

void vmx_flush(struct vcpu_hw *v)
{
	vmx_flush_vpid(v->arch);
	if (vmx_caps.ept_vpid & EPT_CAP_INVEPT_SINGLE)
		ASSERT(!vmx_invept(INVAL_SINGLE, vmx_eptp(v)));
	else
		ASSERT(!vmx_invept(INVAL_ALL, 0));
}
