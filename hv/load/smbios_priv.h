/* SPDX-License-Identifier: BSD-2-Clause */
/* Between smbios.c (anchors, and where everything goes) and smbios_records.c */
#ifndef HV_LOAD_SMBIOS_PRIV_H
#define HV_LOAD_SMBIOS_PRIV_H

#include "hv/core/vm.h"

struct smbios_table {
	const struct vm *vm;
	u8 *bytes; /* zeroed */
	u32 room;  /* of them */
	u32 used, count, largest;
	bool full;
};

/* All records of @t->vm into @t->bytes, which has @t->room. -ENOSPC. */
int smbios_fill(struct smbios_table *t);

#endif
