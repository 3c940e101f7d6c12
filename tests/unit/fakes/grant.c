/* SPDX-License-Identifier: BSD-2-Clause */
/* There is no pool of dynamic guests (hv/vm/pool.h, grant.h) */
#include "hv/vm/grant.h"
#include "hv/vm/pool.h"
#include "tests/unit/test.h"

bool pool_has(u64 hpa)
{
	return false;
}

int grant_touched(struct vm *vm, u64 gpa)
{
	fail();
	return 0;
}
