/* SPDX-License-Identifier: BSD-2-Clause */
/* See served.h */
#include "tests/unit/fakes/served.h"

u32 served_fake_unbinds, served_fake_leaves, served_fake_ends;
u32 served_fake_looks;
void (*served_fake_notify)(u32 vector);

void served_on_notify(void (*notify)(u32 vector))
{
	served_fake_notify = notify;
}

void served_on_change(void (*fn)(void))
{
}

void served_unbind_all(void)
{
	served_fake_unbinds++;
}

void served_leave(void)
{
	served_fake_leaves++;
}

void served_end(const struct vm *vm)
{
	served_fake_ends++;
}

bool served_is_over(const struct vm *vm)
{
	if (!served_fake_looks)
		return true;
	served_fake_looks--;
	return false;
}
