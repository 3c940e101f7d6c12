/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device's board and driver: fake_vm with a PCI bus and its device at
 * VIRTIO_DEVFN, or at virtio_devfn, its BAR placed, messages counted, lines as
 * board.h has them. The test links hv/device/virtio/, hv/device/pci/ and
 * hv/core/bus.c.
 */
#ifndef TESTS_UNIT_FAKES_VIRTIO_DRIVER_H
#define TESTS_UNIT_FAKES_VIRTIO_DRIVER_H

#include "hv/device/virtio/virtio.h"
#include "tests/unit/fakes/board.h"

#define VIRTIO_BAR_AT  0xc0000000ull
#define VIRTIO_DEVFN   0x08u
#define VIRTIO_NOTIFY  0x1000u /* in the BAR, as are these */
#define VIRTIO_ISR     0x100u
#define VIRTIO_CONFIG  0x200u
#define VIRTIO_TABLE   0x2000u
#define VIRTIO_PENDING 0x3000u

extern u8 virtio_devfn;
extern u32 virtio_messages; /* sent by MSI-X, */
extern u8 virtio_message;   /* the last one's vector */
#define VIRTIO_PIN 16       /* PIRQ A: no chipset has wired it; board_line() */

/* fake_vm anew with a bus, and as much RAM */
void virtio_board_init(u64 ram_bytes);
void virtio_board_done(void);
/* The device has been made: the BAR is placed, the device bus master */
void virtio_place(void);

u32 virtio_cfg(u32 reg);
void virtio_cfg_set(u32 reg, u8 size, u32 value);
u64 virtio_bar(u64 offset, u8 size);
void virtio_bar_set(u64 offset, u8 size, u64 value);

/* Up to FEATURES_OK; the status */
u8 virtio_negotiate(u64 features);
/* Queue @i: @size entries, at these addresses, enabled */
void virtio_queue_set(u32 i, u16 size, u64 desc, u64 driver, u64 device);
u8 virtio_driver_ok(void);
/* What VE_VIRTIO leads to, until nothing is left */
void virtio_work(void);

#endif
