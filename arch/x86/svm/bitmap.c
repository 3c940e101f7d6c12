/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSR and I/O permission maps (APM 2 15.10.1 *I/O Permissions Map*, 15.11
 * *MSR Intercepts*). Shared by a VM's vCPUs, written before it runs or while
 * all cores stand still: then each vCPU is flushed. MSRs in no range of the map
 * are always intercepted.
 */
#include "arch/x86/svm/internal.h"

/* First MSR of each 2 KiB quarter; the last quarter is reserved */
static const u32 msrpm_bases[] = { 0x00000000, 0xc0000000, 0xc0010000 };

static void bit_assign(u8 *map, u32 bit, enum intercept on)
{
	u8 mask = (u8)(1u << (bit % 8));

	if (on == INTERCEPT_ON)
		map[bit / 8] |= mask;
	else
		map[bit / 8] &= (u8)~mask;
}

void svm_intercept_msr(const struct vm_intercepts *i, u32 msr,
		       enum intercept read, enum intercept write)
{
	u8 *map = i->msr_bitmap;
	u32 r;

	for (r = 0; r < ARRAY_SIZE(msrpm_bases); r++) {
		u32 index = msr - msrpm_bases[r];

		if (index >= MSRPM_RANGE_MSRS)
			continue;
		bit_assign(map + r * MSRPM_RANGE_BYTES, index * 2, read);
		bit_assign(map + r * MSRPM_RANGE_BYTES, index * 2 + 1, write);
	}
}

void svm_intercept_port(const struct vm_intercepts *i, u16 port,
			enum intercept on)
{
	bit_assign(i->port_bitmap, port, on);
}

/* Two bits each: read, write */
u32 svm_msr_passes(const struct vm_intercepts *i, u32 msr)
{
	const u8 *map = i->msr_bitmap;

	for (u32 r = 0; r < ARRAY_SIZE(msrpm_bases); r++) {
		u32 bit = (msr - msrpm_bases[r]) * 2;
		const u8 *part = map + r * MSRPM_RANGE_BYTES;

		if (msr - msrpm_bases[r] >= MSRPM_RANGE_MSRS)
			continue;
		return ~(u32)(part[bit / 8] >> bit % 8) & 3;
	}
	return 0;
}

u8 svm_ports_pass(const struct vm_intercepts *i, u16 first)
{
	return (u8) ~((const u8 *)i->port_bitmap)[first / 8];
}

static_assert(ACCESS_R == 1 && ACCESS_W == 2, "as the map has them");
