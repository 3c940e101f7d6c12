/* SPDX-License-Identifier: BSD-2-Clause */
/* See ids.h: an array in order */
#include "hv/vm/ids.h"

#include "arch/x86/cpu/nospec.h"
#include "arch/x86/cpu/spinlock.h"
#include "hv/core/vm.h"
#include "lib/assert.h"
#include "lib/string.h"

static struct spinlock lock; /* of what follows */
static u64 ids[VM_MAX];
static u32 count;

/* How many are below or equal to @id, which a guest may have named */
static u32 up_to(u64 id)
{
	u32 low = 0, high = count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (ids[middle] <= id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void ids_add(u64 id)
{
	u32 at;

	spin_lock(&lock);
	ASSERT(count < VM_MAX);
	at = up_to(id);
	memmove(&ids[at + 1], &ids[at], (count - at) * sizeof(ids[0]));
	ids[at] = id;
	count++;
	spin_unlock(&lock);
}

void ids_remove(u64 id)
{
	u32 at;

	spin_lock(&lock);
	at = up_to(id);
	if (at && ids[at - 1] == id) {
		memmove(&ids[at - 1], &ids[at], (count - at) * sizeof(ids[0]));
		count--;
	}
	spin_unlock(&lock);
}

u64 ids_above(u64 id, u32 *more)
{
	u64 above = 0;
	u32 at;

	*more = 0;
	spin_lock(&lock);
	at = up_to(id);
	if (at < count) {
		above = ids[index_nospec(at, VM_MAX)];
		*more = count - at - 1;
	}
	spin_unlock(&lock);
	return above;
}

u32 ids_count(void)
{
	return READ_ONCE(count);
}
