/* SPDX-License-Identifier: BSD-2-Clause */
/* How large the hypervisor's pool is made, for mm/hostmap.c. Boot CPU, after
 * owner_init(), while no guest owns anything; takes owner_lock. */
#ifndef MM_POOL_SIZE_H
#define MM_POOL_SIZE_H

#include "lib/types.h"

/* Bytes of the pool for @cores and the memory that owner.h knows, in steps of 2
 * MiB. With the image it is at most 8 MiB, 256 KiB for each core and 0.001 % of
 * RAM, unless memory has more than a thousand edges. */
u64 pool_size(u32 cores);

#endif
