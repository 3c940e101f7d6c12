/* SPDX-License-Identifier: BSD-2-Clause */
/* IA-PC HPET Specification 1.0a, 2.3 *Memory Mapped Registers* */
#ifndef HW_HPET_H
#define HW_HPET_H

#include "lib/types.h"

#define HPET_BYTES  1024u
#define HPET_HZ     100000000u
#define HPET_TIMERS 3u

#define HPET_CAP         0x000
#define HPET_CONFIG      0x010
#define HPET_STATUS      0x020
#define HPET_COUNTER     0x0f0
#define HPET_TIMER0      0x100
#define HPET_TIMER_BYTES 0x20u
#define HPET_TIMER_CONF  0x00
#define HPET_TIMER_CMP   0x08

/* 2.3.4: revision 1, three timers, 64 bits, legacy routes, and the period in
 * femtoseconds */
#define HPET_FS_PER_S      1000000000000000ull
#define HPET_PERIOD_FS     (HPET_FS_PER_S / HPET_HZ)
#define HPET_PERIOD_MAX_FS 100000000ull /* 100 ns, 2.3.4 */
#define HPET_PERIOD_MIN_FS 1000000ull   /* 1 ns: no counter is quicker */
#define HPET_CAP_VALUE                                                         \
	(1ull | (HPET_TIMERS - 1) << 8 | BIT(13) | BIT(15) | 0x8086ull << 16 | \
	 HPET_PERIOD_FS << 32)

#define HPET_CAP_TIMERS(cap) (((cap) >> 8 & 0x1f) + 1)

/* 2.3.5 */
#define HPET_CONFIG_ENABLE BIT(0)
#define HPET_CONFIG_LEGACY BIT(1)

/* 2.3.8 */
#define HPET_T_LEVEL       BIT(1)
#define HPET_T_ENABLE      BIT(2)
#define HPET_T_PERIODIC    BIT(3)
#define HPET_T_PERIODIC_OK BIT(4)
#define HPET_T_64BIT       BIT(5)
#define HPET_T_VAL_SET     BIT(6)
#define HPET_T_32MODE      BIT(8)
#define HPET_T_ROUTE_SHIFT 9
#define HPET_T_ROUTE       BITS(13, 9)
#define HPET_T_FSB         BIT(14) /* a message instead of a pin */
#define HPET_T_ROUTES      32      /* shift of the pins it may be routed to */

#endif
