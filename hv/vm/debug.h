/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A debugger's hold on a guest (docs/debugging.md). All vCPUs stand (pause.h)
 * while it looks, and it lets them go with the breakpoints of that time. Then
 * a breakpoint, the end of a step or a request makes all of them stand again,
 * which is BH_CTL_EVENT_DEBUG. While the guest stands there is nothing of the
 * debugger in it: neither in its memory nor in its registers.
 *
 * A software breakpoint is INT1 (F1h), whose exit is taken always: so the
 * guest's own INT3 stay its own. A step is RFLAGS.TF, whose #DB exits always.
 * Hardware breakpoints are in DR0-3; meanwhile the guest reads and writes debug
 * registers that are kept aside, and has no breakpoints of its own.
 *
 * A vCPU that nobody debugs pays two looks where it exits for an exception, at
 * vcpu.debug.on and vm.debug.strays.
 */
#ifndef HV_VM_DEBUG_H
#define HV_VM_DEBUG_H

#include "hv/core/exit.h"
#include "include/bulkhead/control.h"

/*
 * Any core; one caller at a time. 0, or nothing is done: -ENOENT: not in the
 * state that the guest is in.
 *
 * attach: its code runs, and it is to stand; -EBUSY: too many have a debugger.
 * stop: it is to stand; it may do so already. detach: nothing is left of the
 * debugger, and it goes on, once it stands.
 */
int __must_check debug_attach(struct vm *vm);
int __must_check debug_stop(struct vm *vm);
int debug_detach(struct vm *vm);
void debug_detach_all(void);

struct debug_go {
	const struct bh_ctl_breakpoint *breakpoints;
	u32 count;
	u32 stepper; /* one instruction of vCPU stepper - 1; 0: none steps */
	bool others; /* then these go, too */
};
/* It goes. -EINVAL: a breakpoint makes no sense; -EFAULT: one is not in RAM. */
int __must_check debug_go(struct vm *vm, const struct debug_go *how);

/* --- for hv/vm/ and hv/run/ --- */

/* Its vCPUs all stand; false: for no debugger. Home core of one of them. */
bool debug_stood(struct vm *vm);
/* Its vCPUs are all parked: no debugger has it any more. Any core. */
void debug_ended(struct vm *vm);

/* Home core of @v, attached. It may not go on, for another one steps. It goes
 * on. It stands, or parks. VE_DEBUG: it makes its guest stand. */
bool debug_holds(const struct vcpu *v);
void debug_arm(struct vcpu *v);
void debug_disarm(struct vcpu *v);
void debug_take(struct vcpu *v);
/* With vcpu.debug.on, behind INIT's reset */
void debug_init(struct vcpu *v);
/* With vcpu.debug.stepping, before an entry: does what comes wait for the
 * step's end? Not in a handler's time. It is looked for again. */
bool debug_withholds(struct vcpu *v);
/* With vcpu.debug.on, or vm.debug.strays: is the exception the debugger's? */
bool debug_exception(struct vcpu *v, const struct vcpu_exit *e);
/* With vcpu.debug.swapped: an access to a debug register */
enum verdict debug_dr_exit(struct vcpu *v);

#endif
