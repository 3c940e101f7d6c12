/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual device: one file, which defines one struct vdev, and one row of
 * vdev_table.h. hv/vm/devices.c walks the rows to make, reset and destroy a
 * guest's devices; the rest of the house knows a device by what its own header
 * offers.
 */
#ifndef HV_CORE_VDEV_H
#define HV_CORE_VDEV_H

#include "hv/core/vdev_table.h"
#include "lib/types.h"

struct vm;

/* Which guests have it */
enum vdev_guests {
	VDEV_ISOLATED = 1 << 0,
	VDEV_PRIVILEGED = 1 << 1,
	VDEV_BOTH = VDEV_ISOLATED | VDEV_PRIVILEGED,
};

/*
 * All are called for one VM at a time, with no lock held. The device's instance
 * is vm->devices[its id]: create() puts it there, devices.c takes it away after
 * destroy(). A device without an instance is not reset, destroyed or saved: it
 * has nothing to, or this guest's manifest entry leaves it out.
 */
struct vdev {
	const char *name; /* in messages */
	/* While the VM is built, on any core. The device is in power-on
	 * state, on its buses, its memory charged to vm->budget. VM_GOES_ON: a
	 * step of some microseconds is done, and it is called again. -errno:
	 * what it has put in vm->devices[] by then is destroyed. */
	int (*create)(struct vm *vm);
	/* The VM was never started, or its vCPUs are parked for good and no
	 * core knows it any more (hv/vm/reap.h). Buses keep their regions: they
	 * go next. */
	void (*destroy)(struct vm *vm);
	/* Power-on state again, before the guest's next start: all vCPUs are
	 * parked, on any core. NULL: nothing changes by a reset. */
	void (*reset)(struct vm *vm);
	/*
	 * For snapshots, which are to come (hv/snap/). They will call these
	 * with all vCPUs parked, in the order of the rows. No device fills them
	 * yet, so NULL does not say that a device has no state.
	 * save(): the state into @to, of at most @max bytes, in a form that
	 * outlives this build; returns its bytes, or -ENOSPC.
	 * load(): into a device just made or reset; -EINVAL if @bytes bytes at
	 * @from are no state of its, and then it is as before.
	 */
	int (*save)(const struct vm *vm, void *to, u32 max);
	int (*load)(struct vm *vm, const void *from, u32 bytes);
};

#endif
