/* SPDX-License-Identifier: BSD-2-Clause */
/* MC146818A, as in the ICH9 (ICH9, 13.6 *Real Time Clock Registers*), and where
 * a PC keeps what in its RAM */
#ifndef HW_MC146818_H
#define HW_MC146818_H

#include "lib/types.h"

#define RTC_PORT   0x70u /* index, data, and the same for the upper bank */
#define RTC_PORTS  4u
#define RTC_HZ     32768u
#define RTC_UIP_US 244u /* before the update, UIP says that it comes */

#define RTC_INDEX_NMI 0x80u /* port 70h: NMI off */

enum rtc_reg {
	RTC_SECOND,
	RTC_SECOND_ALARM,
	RTC_MINUTE,
	RTC_MINUTE_ALARM,
	RTC_HOUR,
	RTC_HOUR_ALARM,
	RTC_WEEKDAY,
	RTC_DAY,
	RTC_MONTH,
	RTC_YEAR,
	RTC_A,
	RTC_B,
	RTC_C,
	RTC_D,
	RTC_CENTURY = 0x32
};

#define RTC_A_UIP       0x80u
#define RTC_A_DIV_SHIFT 4
#define RTC_A_DIV_MASK  7u
#define RTC_A_DIV_32K   2u
#define RTC_A_DIV_RESET 6u /* and 7 */
#define RTC_A_RATE      0x0fu

#define RTC_B_SET  0x80u
#define RTC_B_PIE  0x40u
#define RTC_B_AIE  0x20u
#define RTC_B_UIE  0x10u
#define RTC_B_SQWE 0x08u
#define RTC_B_DM   0x04u /* binary */
#define RTC_B_24H  0x02u

/* Flags of C have the bits of their enables in B */
#define RTC_C_IRQF 0x80u
#define RTC_C_PF   RTC_B_PIE
#define RTC_C_AF   RTC_B_AIE
#define RTC_C_UF   RTC_B_UIE

#define RTC_D_VRT 0x80u

#define RTC_HOUR_PM        0x80u
#define RTC_ALARM_ANY      0xc0u /* both bits: any value matches */
#define RTC_ALARM_ANY_MASK 0xc0u

/* RAM */
#define CMOS_BYTES         128u
#define CMOS_EQUIPMENT     0x14u
#define CMOS_BASE_KIB      0x15u /* 2 bytes, up to 640 */
#define CMOS_EXT_KIB       0x17u /* 2 bytes, above 1 MiB */
#define CMOS_SUM_FROM      0x10u
#define CMOS_SUM_TO        0x2du
#define CMOS_SUM           0x2eu /* high byte first */
#define CMOS_EXT_KIB_TOO   0x30u
#define CMOS_HIGH_64K      0x34u /* 2 bytes, above 16 MiB */
#define CMOS_BOOT_THIRD    0x38u
#define CMOS_BOOT_FIRST    0x3du
#define CMOS_OVER_4G_64K   0x5bu /* 3 bytes */
#define CMOS_CPUS_LESS_ONE 0x5fu

#endif
