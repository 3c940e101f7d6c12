/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's memory (hv/core/gmem.h, physical part) in one buffer of the
 * host's: fake_vm's slots say which part of it is where. The test links
 * hv/core/slots.c. Every access is fake_vm's and inside one slot, or -EFAULT.
 */
#ifndef TESTS_UNIT_FAKES_GUEST_RAM_H
#define TESTS_UNIT_FAKES_GUEST_RAM_H

#include "hv/core/gmem.h"
#include "tests/unit/fakes/vm.h"

extern u8 *fake_ram;          /* host-physical memory from 0 on */
extern u32 fake_ram_accesses; /* how often any of gmem.h was called */
/* Not NULL: called before each gmem_write(), and as gmem_map() gives out a
 * window; fake_ram_init() makes it NULL */
extern void (*fake_ram_writes)(u64 gpa, u64 len);

/* So many bytes, each @fill, and fake_vm with one slot of them at GPA 0. ASan
 * sees an access behind them. A VM
 * with no slots has no RAM; there is no other. */
void fake_ram_init(u64 bytes, u8 fill);
/* Where a guest's [gpa, gpa+len) is; NULL when not inside one slot */
u8 *fake_ram_at(u64 gpa, u64 len);

/* The aligned word at @gpa, which is RAM */
static inline u32 *fake_ram_u32(u64 gpa)
{
	u8 *p = fake_ram_at(gpa, sizeof(u32));

	assert_non_null(p);
	return (u32 *)p;
}

#endif
