/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of static guests: nothing of hv/vm/dynamic.h is called, nor are
 * their files mapped */
#include "hv/vm/dynamic.h"

#include "hv/load/staged.h"
#include "tests/unit/test.h"

int staged_map(struct vm *vm)
{
	fail();
	return 0;
}

void dynamic_ended(struct vm *vm)
{
	fail();
}

void dynamic_scrubbed(struct vm *vm)
{
	fail();
}

bool dynamic_revoke_step(struct vm *vm)
{
	fail();
	return false;
}

bool dynamic_is_clean(const struct vm *vm)
{
	fail();
	return false;
}

void dynamic_cleaned(struct vm *vm)
{
	fail();
}

bool dynamic_grant_begun(const struct vm *vm)
{
	fail();
	return false;
}

bool dynamic_grant_step(struct vm *vm)
{
	fail();
	return false;
}

void dynamic_granted(struct vm *vm)
{
	fail();
}

void dynamic_runs(struct vm *vm)
{
	fail();
}

u32 dynamic_ranges(const struct vm *vm, const struct bh_ctl_range **ranges)
{
	fail();
	return 0;
}

int dynamic_take_memory(struct vm *vm)
{
	fail();
	return 0;
}

bool dynamic_give_memory_back(struct vm *vm)
{
	fail();
	return true;
}

bool dynamic_share_step(struct vm *vm)
{
	fail();
	return true;
}
