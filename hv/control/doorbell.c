/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doorbells: which queue a number rings for. Ringing takes no lock and is safe
 * at any time: an entry names a guest by a number that is never another's, and
 * the queue itself says whether the doorbell is its own still. So an entry may
 * stay when its queue has stopped.
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/control/priv.h"
#include "hv/device/virtio/served.h"
#include "lib/errno.h"

/* An entry: guest (63:8), device (7:4) and queue (3:0); 0: never bound */
#define ENTRY(vm, device, queue) (vm_number(vm) << 8 | (device) << 4 | (queue))
#define DEVICE_OF(entry)         ((u32)(entry) >> 4 & 0xf)
#define QUEUE_OF(entry)          ((u32)(entry)&0xf)
static_assert(MANIFEST_MAX_DEVICES <= 16 && MANIFEST_MAX_QUEUES <= 16,
	      "an entry has room");

/* Atomic; control.lock for a change */
static u64 bells[BH_CTL_DOORBELLS];

/* NULL: it rings for nobody */
static u64 *bell_of(u32 number)
{
	u64 i = (u64)number - 1;

	if (i >= BH_CTL_DOORBELLS)
		return NULL;
	return &bells[index_nospec(i, BH_CTL_DOORBELLS)];
}

void control_ring(u32 number)
{
	const u64 *bell = bell_of(number);
	u64 entry = bell ? READ_ONCE(*bell) : 0;
	const struct vm *vm = vm_numbered(entry >> 8);

	if (vm)
		served_ring(vm, DEVICE_OF(entry), QUEUE_OF(entry), number);
}

static bool is_others(u64 entry, u64 own, u32 number)
{
	const struct vm *vm = entry == own ? NULL : vm_numbered(entry >> 8);

	return vm && served_has(vm, DEVICE_OF(entry), QUEUE_OF(entry), number);
}

int control_bind(const struct vm *vm, const struct control_binding *b)
{
	u64 *bell = bell_of(b->doorbell);
	u64 entry = ENTRY(vm, b->device, b->queue);
	int err;

	if (bell && is_others(*bell, entry, b->doorbell))
		return -EEXIST;
	err = served_bind(vm, b->device, b->queue, b->vector, b->doorbell);
	if (!err && bell)
		WRITE_ONCE(*bell, entry);
	return err;
}
