/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory map in Linux' zero page, for bzimage.c. While the guest is loaded;
 * no locks. */
#ifndef HV_LOAD_ZERO_PAGE_H
#define HV_LOAD_ZERO_PAGE_H

#include "hv/core/vm.h"
#include "include/hw/bzimage.h"

/* Bytes that the guest's map needs besides the zero page; 0: it fits in there.
 * At most: the map may turn out shorter. */
u64 zero_page_more_bytes(const struct vm *vm);
/* Fills in the map of @bp. Entries that do not fit go to @more, the guest's
 * address of zero_page_more_bytes(), as an item of setup_data. -ENOMEM;
 * -EFAULT: that is not RAM. */
int __must_check zero_page_e820(struct vm *vm, struct boot_params *bp,
				u64 more);

#endif
