/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables of four levels and the bits of EPT entries (SDM 3C 29.3.2 *EPT
 * Translation Mechanism*). Those of host and NPT are in cpu.h (SDM 3A 4.5,
 * APM 2 15.25.5 *Nested Table Walk*). */
#ifndef HW_PAGING_H
#define HW_PAGING_H

#include "include/hw/cpu.h"
#include "lib/types.h"

/* clang-format off */
#define PT_ENTRIES  512u
#define PT_LEVELS   4u
#define PT_ADDR_MAX BIT(48)

/* EPT */
#define EPTE_R	     BIT(0)
#define EPTE_W	     BIT(1)
#define EPTE_X	     BIT(2)
#define EPTE_TYPE_UC (0ull << 3)
#define EPTE_TYPE_WC (1ull << 3)
#define EPTE_TYPE_WB (6ull << 3)
#define EPTE_TYPE    BITS(5, 3)
#define EPTE_PS	     BIT(7) /* levels 2 and 3 */
#define EPTE_IGNORED BIT(52) /* the CPU does not look at it */
/* clang-format on */

#endif
