/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CMOS RTC, see rtc.h. hv/init.c has it read once, for guests without a
 * clock of their own. The registers are the privileged guest's afterwards. No
 * lock.
 */
#include "drivers/clock/rtc.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/machine/tsc.h"
#include "include/hw/mc146818.h"
#include "lib/string.h"

#define TRIES     4
#define UPDATE_US 2000 /* an update takes 1984 us at most */

enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, FIELDS };
static const u8 field_reg[FIELDS] = { RTC_SECOND, RTC_MINUTE, RTC_HOUR,
				      RTC_DAY,    RTC_MONTH,  RTC_YEAR };

static u64 boot_seconds;

static u8 rtc_read(u8 reg)
{
	outb(RTC_PORT, reg);
	return inb(RTC_PORT + 1);
}

static void rtc_read_fields(u8 field[FIELDS])
{
	for (u32 i = 0; i < FIELDS; i++)
		field[i] = rtc_read(field_reg[i]);
}

/* Two equal readings with no update under way; false: there is no RTC */
static bool rtc_snapshot(u8 field[FIELDS])
{
	u8 again[FIELDS];

	for (u32 i = 0; i < TRIES; i++) {
		if (rtc_read(RTC_A) & RTC_A_UIP)
			udelay(UPDATE_US);
		rtc_read_fields(field);
		rtc_read_fields(again);
		if (!memcmp(field, again, sizeof(again)))
			return true;
	}
	return false;
}

static u32 from_bcd(u8 value)
{
	return (u32)(value >> 4) * 10 + (value & 0xf);
}

static u64 days_since_1970(u32 year, u32 month, u32 day)
{
	/* Months from March, so that the leap day is the last of its year */
	u32 y = month <= 2 ? year - 1 : year;
	u32 m = month <= 2 ? month + 9 : month - 3;
	u64 days = 365ull * y + y / 4 - y / 100 + y / 400;

	return days + (153 * m + 2) / 5 + day - 1 - 719468;
}

void rtc_init(void)
{
	u8 raw[FIELDS];
	u32 f[FIELDS];
	u8 mode;
	bool pm;

	if (!rtc_snapshot(raw))
		return;
	mode = rtc_read(RTC_B);
	pm = !(mode & RTC_B_24H) && (raw[HOUR] & RTC_HOUR_PM);
	raw[HOUR] &= (u8)~RTC_HOUR_PM;
	for (u32 i = 0; i < FIELDS; i++)
		f[i] = mode & RTC_B_DM ? raw[i] : from_bcd(raw[i]);
	if (!(mode & RTC_B_24H))
		f[HOUR] = f[HOUR] % 12 + (pm ? 12 : 0);
	if (f[MONTH] < 1 || f[MONTH] > 12 || f[DAY] < 1 || f[DAY] > 31)
		return;
	boot_seconds =
		days_since_1970(2000 + f[YEAR], f[MONTH], f[DAY]) * 86400 +
		f[HOUR] * 3600 + f[MINUTE] * 60 + f[SECOND];
	boot_seconds -= tsc_to_ns(rdtsc() - tsc_boot) / 1000000000;
}

u64 rtc_boot_seconds(void)
{
	return boot_seconds;
}
