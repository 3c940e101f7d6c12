/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's UART is not the privileged guest's: where it has I/O ports,
 * these read as an empty bus. At COM1 the guest has a virtual one; registers in
 * memory belong to the hypervisor (owner_keep_device()), and the configuration
 * space of a PCI function is read-only (passthrough_guard.c). Called when the
 * guest is made. No state, no lock.
 */
#include "hv/console/console.h"
#include "hv/core/vm.h"
#include "include/hw/uart16550.h"
#include "lib/errno.h"

static int hide_create(struct vm *vm)
{
	const struct console_serial *serial = console_serial();
	struct bus_region region = { .size = UART_PORTS,
				     .name = "serial",
				     .lockless = true };
	int err;

	if (!console_serial_is_kept() || serial->at.space != UART_IN_PORTS)
		return 0;
	region.base = serial->at.base;
	err = bus_add(&vm->ports, &region);
	/* The manifest may want a port of these for something else */
	return err == -EEXIST ? 0 : err;
}

const struct vdev serial_hide_vdev = {
	.name = "serial",
	.create = hide_create,
};
