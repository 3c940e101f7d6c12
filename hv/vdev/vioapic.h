/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual IOAPIC (82093AA, 24 pins or as many as the host has GSIs).
 * Lines are set by virtual devices (vUART) or, in the privileged guest, by
 * physical interrupts through hv/irq_route.h. Lock: vioapic's own, leaf.
 */
#ifndef HV_VDEV_VIOAPIC_H
#define HV_VDEV_VIOAPIC_H

#include "hv/vm.h"

#define VIOAPIC_BASE 0xfec00000ull

/* Registers its MMIO region(s). @passthrough: pins follow the host's GSIs */
int __must_check vioapic_create(struct vm *vm, bool passthrough);
void vioapic_destroy(struct vm *vm);
void vioapic_reset(struct vm *vm);
/* Any core */
void vioapic_set_line(struct vm *vm, u32 pin, bool level);
/* A level-triggered @vector was EOId by @v */
void vioapic_eoi(struct vm *vm, u8 vector);

#endif
