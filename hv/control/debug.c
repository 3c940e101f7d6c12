/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command of a debugger: it has a guest (hv/vm/debug.h), lets it go and
 * stops it. What it looks at is inspect.c's. Called under control.lock.
 */
#include "hv/vm/debug.h"

#include "arch/x86/cpu/nospec.h"
#include "hv/control/priv.h"
#include "lib/errno.h"

static s32 refused(struct control *c, struct control_call *call, int err)
{
	switch (err) {
	case -EBUSY:
		return control_error(c, call, BH_CTL_EBUSY,
				     "four guests have a debugger already; "
				     "detach one");
	case -EINVAL:
		return control_error(c, call, BH_CTL_EINVAL,
				     "a breakpoint makes no sense, or there "
				     "are more than 4 of hardware or 32 of "
				     "software");
	case -EFAULT:
		return control_error(c, call, BH_CTL_EFAULT,
				     "a software breakpoint is not in RAM");
	default:
		return control_error(c, call, BH_CTL_ESTATE,
				     "the guest is in a state in which a "
				     "debugger cannot do that");
	}
}

static int go(struct control *c, const struct control_call *call, struct vm *vm)
{
	u64 stepper = call->command.arg[2];
	struct debug_go how = {
		.breakpoints = (const void *)c->in,
		.count = call->in_bytes / (u32)sizeof(*how.breakpoints),
		.stepper = (u32)stepper,
		.others = call->command.arg[3] & 1,
	};

	if (call->in_bytes % sizeof(*how.breakpoints) ||
	    stepper > vm->vcpu_count)
		return -EINVAL;
	return debug_go(vm, &how);
}

static int run(struct control *c, const struct control_call *call,
	       struct vm *vm)
{
	switch (call->command.arg[1]) {
	case BH_CTL_DEBUG_ATTACH:
		return debug_attach(vm);
	case BH_CTL_DEBUG_DETACH:
		return debug_detach(vm);
	case BH_CTL_DEBUG_STOP:
		return debug_stop(vm);
	case BH_CTL_DEBUG_GO:
		return go(c, call, vm);
	default:
		return -EINVAL;
	}
}

s32 control_debug(struct control *c, struct control_call *call)
{
	struct vm *vm = vm_numbered(call->command.arg[0]);
	int err;

	if (!vm)
		return control_error(c, call, BH_CTL_ENOENT,
				     "there is no such guest (any more)");
	if (vm->privileged)
		return control_error(c, call, BH_CTL_ESTATIC,
				     "this guest is the privileged one, which "
				     "cannot debug itself");
	err = run(c, call, vm);
	return err ? refused(c, call, err) : 0;
}

void control_debug_end(void)
{
	debug_detach_all();
}
