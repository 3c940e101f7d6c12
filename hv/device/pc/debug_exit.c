/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's isa-debug-exit (its hw/misc/debugexit.c says what it is), where the
 * manifest says debug_exit_port =: a write ends the guest, with that status in
 * the log. Any guest. Called from exits, any core; it has no state.
 */
#include "hv/core/vcpu.h"
#include "lib/log.h"

#define DEBUG_EXIT_PORTS 4u

static u64 debug_exit_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	return 0;
}

/* The log has the status and the exit code that QEMU would make of it */
static void debug_exit_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			     u64 value)
{
	/* The first one counts: one exit of REP OUTS has many */
	if (READ_ONCE(v->vm->end) != VM_END_NONE)
		return;
	log_info("vm", "guest %s: debug exit, status %llu (exit code %llu)",
		 v->vm->name, value, ((value << 1 | 1) & 0xff));
	vm_end(v->vm, VM_END_DEBUG_EXIT, "debug exit");
}

static int debug_exit_create(struct vm *vm)
{
	const struct bus_region region = {
		.base = vm->config->debug_exit_port,
		.size = DEBUG_EXIT_PORTS,
		.name = "debug exit",
		.read = debug_exit_read,
		.write = debug_exit_write,
	};

	return region.base ? bus_add(&vm->ports, &region) : 0;
}

const struct vdev debug_exit_vdev = {
	.name = "debug exit",
	.create = debug_exit_create,
};
