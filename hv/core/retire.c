/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of an instruction that the hypervisor did for the guest, where it is
 * more than a step of RIP (retire.h). Home core, attached.
 */
#include "hv/core/retire.h"

#include "hv/core/breakpoint.h"
#include "include/hw/cpu.h"

void retire_debug_trap(struct vcpu *v, u64 causes)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u64 *dr6 = v->debug.swapped ? &v->debug.dr[6] : &r->dr[6];

	vcpu_need(v, RG_DR);
	*dr6 = (*dr6 & ~DR6_BREAKPOINTS) | causes;
	vcpu_dirty(v, RG_DR);
	vcpu_raise_exception(v, EXC_DB, false, 0);
}

bool retire_stray(struct vcpu *v)
{
	u32 *strays = &v->vm->debug.strays, now = READ_ONCE(*strays);

	while (now &&
	       !__atomic_compare_exchange_n(strays, &now, now - 1, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	if (!now)
		return false;
	vcpu_need(v, RG_RIP);
	vcpu_regs(v)->rflags &= ~RFLAGS_TF;
	vcpu_dirty(v, RG_RIP);
	return true;
}

void retire_task(struct vcpu *v)
{
	if (!v->debug.stepping)
		return;
	retire_stops(v, BH_CTL_STOP_STEP, 0);
	v->debug.stepping = false;
	if (!v->debug.guest_tf)
		vcpu_regs(v)->rflags &= ~RFLAGS_TF;
}

/* TF is set behind an instruction: the guest's step, a debugger's, or both */
static u64 stepped(struct vcpu *v)
{
	if (!v->debug.stepping)
		return retire_stray(v) ? 0 : DR6_BS;
	retire_stops(v, BH_CTL_STOP_STEP, 0);
	return v->debug.guest_tf ? DR6_BS : 0;
}

/* The debugger's registers were met. What is left is the guest's. */
static u64 met_by_debugger(struct vcpu *v, u64 causes)
{
	u64 met = causes & DR6_BREAKPOINTS;

	if (met)
		retire_stops(v, BH_CTL_STOP_WATCH,
			     v->vm->debug.dr[__builtin_ctzll(met)]);
	return causes & ~met;
}

/* What the CPU does between two instructions: breakpoints met or held back by a
 * shadow, the single-step trap, the end of the interrupt shadow (SDM 3A 6.8.3,
 * 3B 18.3.1) */
void retire_insn(struct vcpu *v)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u64 causes = 0;

	vcpu_need(v, RG_DR);
	r->shadow &= (u8)~AFTER_SHADOW;
	if (r->breakpoints)
		causes = breakpoint_port(v);
	if (r->pending_debug & DR6_PENDING)
		causes |= r->pending_debug & DR6_BREAKPOINTS;
	r->pending_debug = 0;
	if (r->rflags & RFLAGS_TF)
		causes |= stepped(v);
	if (unlikely(v->debug.swapped))
		causes = met_by_debugger(v, causes);
	if (causes)
		retire_debug_trap(v, causes);
	r->rflags &= ~RFLAGS_RF;
	vcpu_dirty(v, RG_RIP);
}

/* RIP ran past 16 or 32 bits: it wraps unless the code is of a larger size */
void retire_wrap_rip(struct vcpu *v)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u32 attr;

	vcpu_need(v, RG_SEG | RG_CR);
	attr = r->seg[SEG_CS].attr;
	if (!vcpu_hw_long_mode(r))
		r->rip &= attr & SEG_ATTR_DB ? 0xffffffffull : 0xffffull;
}
