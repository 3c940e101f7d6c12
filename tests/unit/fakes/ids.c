/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/vm/ids.c's, of the guests that a test has put into vms[] */
#include "hv/vm/ids.h"

#include "hv/core/vm.h"

u64 ids_above(u64 id, u32 *more)
{
	u64 first = 0;

	*more = 0;
	for (u32 i = 0; i < vm_count; i++) {
		u64 number = vms[i] ? vm_number(vms[i]) : 0;

		if (number <= id)
			continue;
		*more += first != 0;
		if (!first || number < first)
			first = number;
	}
	return first;
}

u32 ids_count(void)
{
	u32 more;

	return ids_above(0, &more) ? more + 1 : 0;
}
