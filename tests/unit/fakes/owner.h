/* SPDX-License-Identifier: BSD-2-Clause */
/* Who owns physical memory (mm/owner.h), as a list that the test writes */
#ifndef TESTS_UNIT_FAKES_OWNER_H
#define TESTS_UNIT_FAKES_OWNER_H

#include "mm/owner.h"

#define FAKE_OWNERS_MAX 1024u

extern struct extent fake_owners[FAKE_OWNERS_MAX];
extern u32 fake_owner_count;

/* Append an extent; the test keeps them in order and apart */
void fake_owner_add(u64 base, u64 size, enum owner_kind kind,
		    u32 firmware_type);

#endif
