/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of virtual devices: a row for each (vdev.h), in the order in which
 * they are made */
#ifndef HV_CORE_VDEV_TABLE_H
#define HV_CORE_VDEV_TABLE_H

/*
 * VDEV(name, guests): `name` makes VDEV_name of enum vdev_id and name_vdev, the
 * struct vdev in the device's file; `guests` is an enum vdev_guests without its
 * prefix. The order is that in which devices are made and reset: what a device
 * needs stands above it. They are destroyed from the end.
 */
/* clang-format off */
#define VDEV_ROWS(VDEV)                                                        \
	VDEV(vioapic,     BOTH)                                                \
	VDEV(vuart,       BOTH)                                                \
	VDEV(vpic,        BOTH)                                                \
	VDEV(passthrough, PRIVILEGED)                                          \
	VDEV(vpm,         ISOLATED)                                            \
	VDEV(vhpet,       ISOLATED)                                            \
	VDEV(vpit,        ISOLATED)                                            \
	VDEV(vrtc,        ISOLATED)                                            \
	VDEV(pci_bus,     ISOLATED)                                            \
	VDEV(q35,         ISOLATED)                                            \
	VDEV(entropy,     ISOLATED)                                            \
	VDEV(served,      ISOLATED)                                            \
	VDEV(fwcfg,       ISOLATED)                                            \
	VDEV(vkbc,        ISOLATED)                                            \
	VDEV(debugcon,    ISOLATED)                                            \
	VDEV(testdev,     ISOLATED)                                            \
	VDEV(vpower,      PRIVILEGED)                                          \
	VDEV(tco,         PRIVILEGED)                                          \
	VDEV(fch_wdt,     PRIVILEGED)                                          \
	VDEV(hpet_view,   PRIVILEGED)                                          \
	VDEV(debug_exit,  BOTH)                                                \
	VDEV(serial_hide, PRIVILEGED)                                          \
	VDEV(console_port, PRIVILEGED)                                         \
	VDEV(idle_ports,  PRIVILEGED)
/* clang-format on */

/* A device's place in vm->devices[] */
#define VDEV_ID(name, guests) VDEV_##name,
enum vdev_id { VDEV_ROWS(VDEV_ID) VDEV_COUNT };

/* Each device's, in its own file */
#define VDEV_EXTERN(name, guests) extern const struct vdev name##_vdev;
VDEV_ROWS(VDEV_EXTERN)

#endif
