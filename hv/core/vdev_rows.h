/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VDEV(name, guests), a row for each virtual device: `name` makes VDEV_name of
 * enum vdev_id and stands for the struct vdev name_vdev of the device's file;
 * `guests` is an enum vdev_guests without its prefix. No include guard: whoever
 * includes this defines VDEV first (hv/core/vdev.h, hv/vm/devices.c).
 *
 * The order is that in which devices are made and reset: what a device needs
 * stands above it. They are destroyed from the end.
 */
/* clang-format off */
VDEV(vioapic,     BOTH)
VDEV(vuart,       BOTH)
VDEV(vpic,        BOTH)
VDEV(passthrough, PRIVILEGED)
VDEV(vpm,         ISOLATED)
VDEV(vhpet,       ISOLATED)
VDEV(vpit,        ISOLATED)
VDEV(vrtc,        ISOLATED)
VDEV(pci_bus,     ISOLATED)
VDEV(q35,         ISOLATED)
VDEV(fwcfg,       ISOLATED)
VDEV(vkbc,        ISOLATED)
VDEV(debugcon,    ISOLATED)
VDEV(testdev,     ISOLATED)
VDEV(vpower,      PRIVILEGED)
VDEV(debug_exit,  BOTH)
/* clang-format on */
