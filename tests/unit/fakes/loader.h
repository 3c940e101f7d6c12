/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for who loads one: fake_vm "box" with 64 MiB of RAM, two vCPUs and a
 * manifest entry, on a machine whose memory has owners. The test links
 * hv/core/slots.c.
 */
#ifndef TESTS_UNIT_FAKES_LOADER_H
#define TESTS_UNIT_FAKES_LOADER_H

#include "drivers/acpi/acpi.h"
#include "hv/load/load.h"
#include "lib/errno.h"
#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/pool.h"

#define RAM_BYTES MIB(64)

extern struct guest_config fake_config; /* fake_vm's manifest entry */
extern struct boot_info fake_boot_info; /* what the boot loader told */

/* An isolated guest with all of the RAM in one slot, filled with AAh; nothing
 * has an owner, nothing was told or logged. For each test. */
int vm_setup(void **state);
/* No memory of the pool is left allocated */
int vm_teardown(void **state);
#define vm_test(f) cmocka_unit_test_setup_teardown(f, vm_setup, vm_teardown)

/* Make it the privileged guest: 1:1, with a hole of the hypervisor's, and
 * firmware tables in between */
void vm_make_privileged(void);
/* RAM of fake_vm's, 1:1, where the order of slots has it */
void slot_add(u64 base, u64 size);
/* The next piece of memory, and a slot of it if it is a guest's */
void own(u64 base, u64 size, enum owner_kind kind, u32 firmware_type);

#endif
