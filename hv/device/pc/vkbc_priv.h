/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the keyboard controller (vkbc.c) and the keyboard on it (vkbd.c). All
 * is called with the controller's lock held. */
#ifndef HV_DEVICE_PC_VKBC_PRIV_H
#define HV_DEVICE_PC_VKBC_PRIV_H

#include "arch/x86/cpu/spinlock.h"
#include "hv/core/vm.h"

#define KBC_QUEUE_BYTES 16u
#define KBC_RAM_BYTES   32u

struct vkbc {
	struct vm *vm;
	struct spinlock lock;
	u8 ram[KBC_RAM_BYTES]; /* [0] is the configuration byte */
	u8 output;             /* A20 and the clock lines as written */
	u8 port92;
	u8 last;       /* last byte read from 60h */
	u8 command;    /* at 64h, waits for its byte at 60h; 0: none */
	u8 kbd;        /* keyboard command that waits for its byte; 0: none */
	u8 scan_set;   /* of the keyboard, 1 to 3 */
	bool to_64;    /* the last write went to 64h */
	bool lines[2]; /* IRQ 1, IRQ 12 */
	bool reset;    /* the guest is to be reset, once the lock is free */
	u8 count;
	struct {
		u8 byte;
		u8 from; /* status bits: AUX, TIMEOUT */
	} queue[KBC_QUEUE_BYTES];
};

/* A byte for port 60h, with status bits @from, or with none. Full: it is lost,
 * as in a keyboard that overruns. */
void kbc_put(struct vkbc *k, u8 byte, u8 from);
void kbc_answer(struct vkbc *k, u8 byte);

/* vkbd.c: a byte to the keyboard; it answers by kbc_answer() */
void kbd_write(struct vkbc *k, u8 byte);

#endif
