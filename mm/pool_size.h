/* SPDX-License-Identifier: BSD-2-Clause */
/* How large the hypervisor's pool is made, for mm/hostmap.c. Boot CPU, after
 * owner_init(), while no guest owns anything; takes owner_lock. */
#ifndef MM_POOL_SIZE_H
#define MM_POOL_SIZE_H

#include "lib/types.h"

/* Bytes of the pool for @cores and the memory that owner.h knows. In whole 2
 * MiB and with the image, and with the tables of the next on a CPU that needs
 * them, it is at most 8 MiB, 256 KiB for each core and 0.001 % of RAM, unless
 * memory has more than a thousand edges. */
u64 pool_size(u32 cores);

/* A CPU with iTLB multihit: so many tables for split pages all guests together
 * have (hv/core/split.h), by the @cores and by the memory, *@ram_bytes. Besides
 * them a guest of so many vCPUs has the next: an instruction may lie on two
 * pages. */
u64 pool_split_tables(u32 cores, u64 *ram_bytes);
#define SPLIT_TABLES_MIN(vcpus) (16u + 2u * (vcpus))

#endif
