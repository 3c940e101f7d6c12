/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices whose queues a back-end of the privileged guest's serves, in
 * the guest's memory, which is shared with it (docs/virtio.md). Here is the
 * device as the guest's driver sees it; hv/control hands on what the driver
 * does, and what the back-end says. A guest has them by its definition, and
 * they are numbered as there, from 0.
 *
 * Unless a comment says otherwise: any core, virtio.lock not held; it comes
 * after the caller's. A guest or a device that there is not is -ENOENT.
 */
#ifndef HV_DEVICE_VIRTIO_SERVED_H
#define HV_DEVICE_VIRTIO_SERVED_H

#include "hv/core/vm.h"
#include "include/bulkhead/control.h"

/* Feature bits that a back-end may offer: the device's own (virtio 1.2, 2.2),
 * and what it can do with rings. VERSION_1 may be among them, and is the
 * transport's. */
#define SERVED_DEVICE_FEATURES (~0ull >> 40 | ~0ull << 50)

/* How the driver's notifications leave, by a vector of the control device; and
 * how it is heard that served_any_changed() has something: on any core, with
 * locks held. Boot CPU, once, before there are guests with such devices. */
void served_on_notify(void (*notify)(u32 vector));
void served_on_change(void (*fn)(void));

u32 served_count(const struct vm *vm);
/* What include/bulkhead/control.h says of a device, and of queue @i. That of
 * the device is a look at it: its next change is told again. */
int __must_check served_device(const struct vm *vm, u64 device,
			       struct bh_ctl_device *out);
int __must_check served_queue(const struct vm *vm, u64 device, u64 i,
			      struct bh_ctl_queue *out);

/* What its back-end can do. @may_differ: the guest does not run, and this may
 * be the first offer, or one of other features. -EINVAL: not a device of this
 * definition; -EPERM: features that are not a back-end's; -EBUSY: other
 * features, or the first ones, and it is too late for that. */
int __must_check served_offer(const struct vm *vm, u64 device,
			      const struct bh_ctl_offer *offer,
			      bool may_differ);
/* Queue @i's notifications and doorbell; 0: none. -ENOENT: no such queue;
 * -EBUSY: it is not live. */
int __must_check served_bind(const struct vm *vm, u64 device, u64 i, u32 vector,
			     u32 doorbell);
/* Nothing touches queue @i any more, or any of them with BH_CTL_ALL_QUEUES.
 * -ENOENT: no such queue; -EBUSY: it is not to stop. */
int __must_check served_stopped(const struct vm *vm, u64 device, u64 i);
/* Is @doorbell that of queue @i? */
bool served_has(const struct vm *vm, u32 device, u32 i, u32 doorbell);
/* Its buffers have been used, by whoever rings that @doorbell; if it is not
 * that queue's, nothing happens. Hot. */
void served_ring(const struct vm *vm, u32 device, u32 i, u32 doorbell);

/* All bindings end. The queues stay live. */
void served_unbind_all(void);
/* The privileged guest's devices do nothing more, nor do its programs: no queue
 * is in a back-end's hands. Some core's, whose interrupts are looked at
 * meanwhile; no lock held. */
void served_leave(void);

/* Has a device changed since the last call, in some guest? And which of this
 * one's, a bit each? One that was told of is so again once served_device() has
 * looked at it, and until then no change of it is told: the first one of a new
 * device is. @again: also those that were told of and not looked at since, as
 * somebody else was told. */
bool served_any_changed(void);
u32 served_changed(const struct vm *vm, bool again);

/* The guest's vCPUs have parked: its queues are to stop. Is that over? */
void served_end(const struct vm *vm);
bool served_is_over(const struct vm *vm);

#endif
