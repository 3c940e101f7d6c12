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

	vcpu_need(v, RG_DR);
	r->dr[6] = (r->dr[6] & ~DR6_BREAKPOINTS) | causes;
	vcpu_dirty(v, RG_DR);
	vcpu_raise_exception(v, EXC_DB, false, 0);
}

/* For a debugger: the step is over, or one of its breakpoints was met. What is
 * left is the guest's. */
static u64 retire_debugged(struct vcpu *v, u64 causes)
{
	u64 met = v->debug.swapped ? causes & DR6_BREAKPOINTS : 0;

	if (!v->debug.stepping && !met)
		return causes;
	v->debug.address = met;
	vcpu_post_here(v, VE_DEBUG);
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
	if ((r->rflags & RFLAGS_TF) &&
	    (!v->debug.stepping || v->debug.guest_tf))
		causes |= DR6_BS;
	if (unlikely(v->debug.on))
		causes = retire_debugged(v, causes);
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
