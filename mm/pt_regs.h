/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of page-table entries: host and NPT (SDM 3A 4.5.4 *Linear-Address
 * Translation with 4-Level Paging*; APM 2 5.3, 15.25.4 *Nested Page Table
 * Walk*), EPT (SDM 3C 29.3.2 *EPT Translation Mechanism*). */
#ifndef MM_PT_REGS_H
#define MM_PT_REGS_H

#include "lib/types.h"

#define PT_ENTRIES  512u
#define PT_LEVELS   4u
#define PT_ADDR_MAX BIT(48)

#define PTE_ADDR BITS(51, 12)

/* Host and NPT */
#define PTE_P	     BIT(0)
#define PTE_W	     BIT(1)
#define PTE_U	     BIT(2)
#define PTE_PWT	     BIT(3)
#define PTE_PCD	     BIT(4)
#define PTE_A	     BIT(5)
#define PTE_D	     BIT(6)
#define PTE_PS	     BIT(7) /* levels 2 and 3 */
#define PTE_PAT_4K   BIT(7) /* level 1 */
#define PTE_G	     BIT(8)
#define PTE_PAT_LARGE BIT(12) /* levels 2 and 3 */
#define PTE_NX	     BIT(63)

/* EPT */
#define EPTE_R	     BIT(0)
#define EPTE_W	     BIT(1)
#define EPTE_X	     BIT(2)
#define EPTE_TYPE_UC (0ull << 3)
#define EPTE_TYPE_WC (1ull << 3)
#define EPTE_TYPE_WB (6ull << 3)
#define EPTE_TYPE    BITS(5, 3)
#define EPTE_PS	     BIT(7) /* levels 2 and 3 */

#endif
