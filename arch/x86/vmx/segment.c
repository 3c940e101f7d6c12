/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segment attributes as VM entry wants them (SDM 3C 27.3.1.2 *Checks on Guest
 * Segment Registers*). The shared form is already the VMCS's; what differs is
 * what a CPU would have set when it loaded the segment, and granularity.
 */
#include "arch/x86/vmx/vmx.h"

#define ATTR_DEFINED (BITS(7, 0) | BITS(16, 12))

/* G must say how the limit came about, whichever way the guest put it */
static u32 fix_granularity(u32 attr, u32 limit)
{
	if (limit & ~0xfffffu)
		return attr | SEG_ATTR_G;
	if ((limit & 0xfff) != 0xfff)
		return attr & ~(u32)SEG_ATTR_G;
	return attr;
}

u32 vmx_segment_access(enum seg seg, const struct segment *s)
{
	u32 attr = s->attr & ATTR_DEFINED;

	if (seg == SEG_TR)
		attr = (attr & ~(u32)SEG_ATTR_UNUSABLE) | SEG_ATTR_BUSY |
		       SEG_ATTR_P;
	if (attr & SEG_ATTR_UNUSABLE)
		return attr;
	if (!(attr & SEG_ATTR_P) && seg != SEG_CS)
		return attr | SEG_ATTR_UNUSABLE;
	if (attr & SEG_ATTR_S)
		attr |= SEG_ATTR_ACCESSED;
	return fix_granularity(attr, s->limit);
}
