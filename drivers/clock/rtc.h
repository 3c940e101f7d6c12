/* SPDX-License-Identifier: BSD-2-Clause */
/* The wall clock at boot, from the CMOS RTC (MC146818A; UTC is assumed) */
#ifndef DRIVERS_CLOCK_RTC_H
#define DRIVERS_CLOCK_RTC_H

#include "lib/types.h"

/* Boot CPU, before a guest owns the RTC: read it once, without waiting for an
 * edge (half a second of error at most) */
void rtc_init(void);
/* Seconds since 1970 when the hypervisor was entered; 0: no usable RTC */
u64 rtc_boot_seconds(void);

#endif
