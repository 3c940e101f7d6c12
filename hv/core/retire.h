/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of an instruction that the hypervisor did for the guest. All on the
 * home core, attached; RIP and flags are those behind the instruction.
 */
#ifndef HV_CORE_RETIRE_H
#define HV_CORE_RETIRE_H

#include "hv/core/vcpu.h"
#include "include/bulkhead/control.h"

/* RIP ran past a multiple of 64 KiB: it wraps unless the code is of a larger
 * size */
void retire_wrap_rip(struct vcpu *v);
/* What the CPU does between two instructions: breakpoints met or held back by a
 * shadow, the single-step trap, the end of the interrupt shadow (SDM 3A 6.8.3,
 * 3B 18.3.1) */
void retire_insn(struct vcpu *v);
/* Queue a #DB that is a trap; @causes as in DR6, whose B0-3 are this one's and
 * whose other bits stay (SDM 3B 18.2.3) */
void retire_debug_trap(struct vcpu *v, u64 causes);

/* For a debugger (hv/vm/debug.h): @v makes its guest stand, and why */
static inline void retire_stops(struct vcpu *v, enum bh_ctl_stop why,
				u64 address)
{
	v->debug.stop = (u8)why;
	v->debug.address = address;
	vcpu_post_here(v, VE_DEBUG);
}
/* A single-step trap that no debugger waits for. True: a step that was cut
 * short has left TF in a frame, and this was it; TF is taken away. */
bool retire_stray(struct vcpu *v);
/* An instruction's task switch is about to save the flags: it is a debugger's
 * whole step, whose TF the old task does not have */
void retire_task(struct vcpu *v);

#endif
