/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSR and I/O bitmaps (SDM 3C 25.6.9 *MSR-Bitmap Address*, 25.6.4 *I/O-Bitmap
 * Addresses*): a set bit is an exit. Called while a VM is built or paused.
 */
#include "arch/x86/vmx/internal.h"

#define MSR_RANGE         0x2000u /* MSRs a quarter page covers */
#define MSR_HIGH_BASE     0xc0000000u
#define MSR_QUARTER_BYTES 0x400u

/* Quarter pages in order: read low, read high, write low, write high */
enum msr_quarter { READ_LOW, WRITE_LOW = 2 };

static void bit_assign(u8 *map, u32 bit, enum intercept on)
{
	u8 mask = (u8)(1u << (bit & 7));

	if (on == INTERCEPT_ON)
		map[bit >> 3] |= mask;
	else
		map[bit >> 3] &= (u8)~mask;
}

/* MSRs outside the two ranges always exit: nothing to set */
void vmx_intercept_msr(const struct vm_intercepts *i, u32 msr,
		       enum intercept read, enum intercept write)
{
	u8 *map = i->msr_bitmap;
	u32 high = msr >= MSR_HIGH_BASE;
	u32 bit = high ? msr - MSR_HIGH_BASE : msr;

	if (bit >= MSR_RANGE)
		return;
	bit_assign(map + (READ_LOW + high) * MSR_QUARTER_BYTES, bit, read);
	bit_assign(map + (WRITE_LOW + high) * MSR_QUARTER_BYTES, bit, write);
}

/* Bitmap A covers ports 0-7fff, B the rest; the two pages are contiguous */
void vmx_intercept_port(const struct vm_intercepts *i, u16 port,
			enum intercept on)
{
	bit_assign(i->port_bitmap, port, on);
}

static bool bit_clear(const u8 *map, u32 bit)
{
	return !(map[bit >> 3] >> (bit & 7) & 1);
}

u32 vmx_msr_passes(const struct vm_intercepts *i, u32 msr)
{
	const u8 *map = i->msr_bitmap;
	u32 high = msr >= MSR_HIGH_BASE;
	u32 bit = high ? msr - MSR_HIGH_BASE : msr;
	u32 passes = 0;

	if (bit >= MSR_RANGE)
		return 0;
	if (bit_clear(map + (READ_LOW + high) * MSR_QUARTER_BYTES, bit))
		passes |= ACCESS_R;
	if (bit_clear(map + (WRITE_LOW + high) * MSR_QUARTER_BYTES, bit))
		passes |= ACCESS_W;
	return passes;
}

u8 vmx_ports_pass(const struct vm_intercepts *i, u16 first)
{
	return (u8) ~((const u8 *)i->port_bitmap)[first / 8];
}
