/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks of the table of virtual devices (hv/core/vdev_table.h). Called when a
 * guest is made, starts again and is destroyed; one walk at a time on a VM. No
 * locks.
 */
#include "hv/vm/devices.h"

#include "lib/log.h"

#define DEVICE_ROW(name, guests) { &name##_vdev, VDEV_##guests },

static const struct {
	const struct vdev *vdev;
	enum vdev_guests guests;
} rows[VDEV_COUNT] = { VDEV_ROWS(DEVICE_ROW) };

int devices_create(struct vm *vm, u32 *done)
{
	u32 guest = vm->privileged ? VDEV_PRIVILEGED : VDEV_ISOLATED;
	u32 i = *done;
	int err = rows[i].guests & guest ? rows[i].vdev->create(vm) : 0;

	if (err > 0)
		return err;
	if (err) {
		log_error("vm", "guest %s: %s: error %d", vm->name,
			  rows[i].vdev->name, -err);
		return err;
	}
	*done = i + 1;
	return *done < VDEV_COUNT ? VM_GOES_ON : 0;
}

void devices_destroy(struct vm *vm)
{
	for (u32 i = VDEV_COUNT; i-- > 0;) {
		if (vm->devices[i])
			rows[i].vdev->destroy(vm);
		vm->devices[i] = NULL;
	}
}

void devices_reset(struct vm *vm)
{
	for (u32 i = 0; i < VDEV_COUNT; i++)
		if (vm->devices[i] && rows[i].vdev->reset)
			rows[i].vdev->reset(vm);
}
