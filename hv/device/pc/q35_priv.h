/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to hv/device/pc/q35*.c */
#ifndef HV_DEVICE_PC_Q35_PRIV_H
#define HV_DEVICE_PC_Q35_PRIV_H

#include "arch/x86/cpu/spinlock.h"
#include "hv/device/pci/pci_bus.h"

#define Q35_DIR_COUNT 6 /* devices 25 to 29, and 31 */

struct q35 {
	struct vm *vm;
	/* Protects dir, and keeps routes and windows in step with the
	 * registers. No lock comes before it; the bus's comes after it. */
	struct spinlock lock;
	struct pci_fn host, lpc;
	u16 dir[Q35_DIR_COUNT]; /* DnnIR */
};

/* A type 0 header of Intel's with the board's subsystem */
struct q35_id {
	u16 device, command, status, class;
	u8 revision, type;
};
/* Fill a function's header as @id says */
void q35_header(u8 header[64], const struct q35_id *id);

/* q35_lpc.c. Create: while the VM is built; errors as pci_bus_add() and
 * bus_add(). Reset: after the bus's. */
int __must_check lpc_create(struct q35 *q);
void lpc_reset(struct q35 *q);

#endif
