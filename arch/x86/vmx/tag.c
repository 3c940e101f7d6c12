/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual-processor identifiers (SDM 3C 29.1): one for each vCPU that lives.
 * A bitmap, changed atomically from any core; 0 is the hypervisor's own.
 */
#include "arch/x86/vmx/vmx.h"

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
