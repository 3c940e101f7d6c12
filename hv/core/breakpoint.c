/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See breakpoint.h. Whether a vCPU has any is learnt at no cost to the exits of
 * those that have none. While DR7 is idle, a write of it exits. After that the
 * guest has its debug registers to itself, and each emulated instruction looks
 * at DR7, until one finds it idle again.
 */
#include "hv/core/breakpoint.h"

#include "arch/x86/cpu/debug_regs.h"
#include "include/hw/cpu.h"

#define COUNT 4u
/* The fields of breakpoint @n in DR7 (SDM 3B 18.2.4) */
#define ENABLED(dr7, n) ((dr7) >> (2 * (n)) & 3)
#define KIND(dr7, n)    ((dr7) >> (16 + 4 * (n)) & 3)
#define LENGTH(dr7, n)  ((dr7) >> (18 + 4 * (n)) & 3)

enum { KIND_WRITE = 1, KIND_PORT = 2, KIND_DATA = 3 };

/* Does [@at, @at + @size) touch breakpoint @n? It is aligned to its length */
static bool touches(const u64 *dr, u32 n, u64 at, u32 size)
{
	static const u8 lengths[] = { 1, 2, 8, 4 };
	u64 length = lengths[LENGTH(dr[7], n)];
	u64 base = dr[n] & ~(length - 1);

	return at - base < length || base - at < size;
}

/* @kinds: a bit for each that the access is */
static u64 met(struct vcpu *v, u32 kinds, u64 at, u32 size)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u64 causes = 0;

	vcpu_need(v, RG_DR);
	debug_regs_save(r->dr);
	for (u32 n = 0; n < COUNT; n++)
		if (ENABLED(r->dr[7], n) && kinds >> KIND(r->dr[7], n) & 1 &&
		    touches(r->dr, n, at, size))
			causes |= BIT(n);
	return causes;
}

enum verdict breakpoint_exit(struct vcpu *v, const struct vcpu_exit *e)
{
	vcpu_need(v, RG_DR);
	vcpu_regs(v)->breakpoints = true;
	vcpu_dirty(v, RG_DR);
	return VERDICT_RESUME;
}

u64 breakpoint_port(struct vcpu *v)
{
	const struct vcpu_exit *e = &v->hw.exit;
	struct vcpu_regs *r = vcpu_regs(v);

	vcpu_need(v, RG_DR | RG_CR);
	if (!(r->dr[7] & (DR7_ENABLES | DR7_GD))) {
		r->breakpoints = false;
		vcpu_dirty(v, RG_DR);
		return 0;
	}
	if (e->kind != EXIT_PORT || !(r->cr4 & CR4_DE))
		return 0;
	return met(v, BIT(KIND_PORT), e->port.port, e->port.size);
}

void breakpoint_data(struct vcpu *v, u64 lin, u32 size, u8 access)
{
	u32 kinds = BIT(KIND_DATA);
	u64 causes;

	if (access & ACCESS_W)
		kinds |= BIT(KIND_WRITE);
	causes = met(v, kinds, lin, size);
	if (causes)
		vcpu_regs(v)->pending_debug |= (u16)(causes | DR6_PENDING);
}
