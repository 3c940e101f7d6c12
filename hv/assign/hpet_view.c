/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the privileged guest sees of the machine's HPETs: their registers, which
 * it may read. Writes are lost, because a comparator can send messages to the
 * host's cores (drivers/clock/hpet.h). Its ACPI tables list no HPET, but a
 * driver may find one by the DSDT, and would wait for ever for a counter that
 * stands still. Called from exits, any core; no lock.
 */
#include "drivers/acpi/acpi.h"
#include "drivers/clock/hpet.h"
#include "hv/core/vm.h"
#include "include/hw/hpet.h"
#include "lib/errno.h"

static u8 indexes[ACPI_MAX_HPETS];

static u64 view_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	return hpet_read(*(const u8 *)dev, offset, size);
}

static int view_create(struct vm *vm)
{
	for (u32 i = 0; i < hpet_count(); i++) {
		const struct bus_region region = {
			.base = hpet_base(i),
			.size = HPET_BYTES,
			.name = "hpet",
			.read = view_read,
			.dev = &indexes[i],
		};
		int err = bus_add(&vm->mmio, &region);

		/* Firmware's table may name what something else has */
		if (err && err != -EEXIST)
			return err;
		indexes[i] = (u8)i;
	}
	return 0;
}

const struct vdev hpet_view_vdev = {
	.name = "HPET",
	.create = view_create,
};
