/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MC146818A: registers, ports and life. vrtc.h says who calls it and which lock
 * it has; vrtc_priv.h names the files of the clock and the interrupt.
 */
#include "hv/device/pc/vrtc.h"

#include "arch/x86/machine/tsc.h"
#include "drivers/clock/rtc.h"
#include "hv/device/pc/vrtc_priv.h"
#include "lib/errno.h"

static struct vrtc *vrtc_of(const struct vm *vm)
{
	return vm->devices[VDEV_vrtc];
}

void vrtc_look(struct vm *vm)
{
	struct vrtc *r = vrtc_of(vm);

	spin_lock(&r->lock);
	rtc_settle(r);
	rtc_follow(r);
	spin_unlock(&r->lock);
}

/* --- registers --- */

static bool is_time(u8 reg)
{
	return reg == RTC_CENTURY ||
	       (reg <= RTC_YEAR && reg != RTC_SECOND_ALARM &&
		reg != RTC_MINUTE_ALARM && reg != RTC_HOUR_ALARM);
}

/* UIP: the update comes within 244 us, or is under way (Register A) */
static bool updating(const struct vrtc *r)
{
	u64 left = RTC_HZ - r->seen % RTC_HZ;

	return !rtc_halted(r) && left <= RTC_UIP_US * RTC_HZ / 1000000 + 1;
}

static u8 reg_read(struct vrtc *r, u8 reg)
{
	u8 value;

	switch (reg) {
	case RTC_A:
		return r->reg_a | (updating(r) ? RTC_A_UIP : 0);
	case RTC_B:
		return r->reg_b;
	case RTC_C:
		value = r->reg_c | (rtc_irqf(r) ? RTC_C_IRQF : 0);
		r->reg_c = 0;
		return value;
	case RTC_D:
		return RTC_D_VRT;
	default:
		break;
	}
	if (is_time(reg))
		rtc_show_time(r);
	return r->ram[reg];
}

/* The divider leaves its reset so that the first update comes half a second
 * later (Register A, DV) */
static void write_a(struct vrtc *r, u8 value)
{
	bool was = rtc_divider_held(r);

	rtc_show_time(r);
	r->reg_a = value & (u8)~RTC_A_UIP;
	if (!was || rtc_divider_held(r))
		return;
	r->start = vtimer_wall() - vclock_tsc(&r->clock, RTC_HZ / 2);
	r->seen = RTC_HZ / 2;
	if (!rtc_halted(r))
		rtc_take_time(r);
}

static void write_b(struct vrtc *r, u8 value)
{
	bool was = rtc_halted(r);
	u8 changed = value ^ r->reg_b;

	/* What was written is in the old format */
	if (!was && r->written && changed & (RTC_B_DM | RTC_B_24H))
		rtc_take_time(r);
	rtc_show_time(r);
	/* SET clears UIE (Register B, SET) */
	if (value & RTC_B_SET)
		value &= (u8)~RTC_B_UIE;
	r->reg_b = value;
	/* Another format does not convert what is there: the guest writes it
	 * anew. But the clock that runs is not changed by it. */
	if (was && !rtc_halted(r))
		rtc_take_time(r);
}

/* The time that runs may be set field by field. No field follows from another
 * before the next update takes them all: 31 January becomes 15 February by the
 * month and then the day. */
static void reg_write(struct vrtc *r, u8 reg, u8 value)
{
	switch (reg) {
	case RTC_A:
		write_a(r, value);
		return;
	case RTC_B:
		write_b(r, value);
		return;
	case RTC_C:
	case RTC_D:
		return;
	default:
		break;
	}
	if (!is_time(reg)) {
		r->ram[reg] = value;
		return;
	}
	rtc_show_time(r);
	r->ram[reg] = value;
	r->written = true;
}

/* --- ports --- */

/* Even ports select and cannot be read; odd ones are the data */
static u8 rtc_byte_read(struct vrtc *r, u64 port)
{
	if (!(port & 1))
		return 0xff;
	if (port > 1)
		return r->upper[r->upper_index];
	return reg_read(r, r->index & (u8)~RTC_INDEX_NMI);
}

static void rtc_byte_write(struct vrtc *r, u64 port, u8 value)
{
	switch (port) {
	case 0:
		r->index = value; /* no NMI is ever raised, so none is masked */
		return;
	case 1:
		reg_write(r, r->index & (u8)~RTC_INDEX_NMI, value);
		return;
	case 2:
		r->upper_index = value % CMOS_BYTES;
		return;
	default:
		r->upper[r->upper_index] = value;
	}
}

static u64 rtc_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vrtc *r = dev;
	u64 value = 0;

	spin_lock(&r->lock);
	rtc_settle(r);
	for (u8 i = 0; i < size; i++)
		value |= (u64)rtc_byte_read(r, offset + i) << i * 8;
	rtc_follow(r);
	spin_unlock(&r->lock);
	return value;
}

static void rtc_write(struct vcpu *v, void *dev, u64 offset, u8 size, u64 value)
{
	struct vrtc *r = dev;

	spin_lock(&r->lock);
	rtc_settle(r);
	for (u8 i = 0; i < size; i++)
		rtc_byte_write(r, offset + i, (u8)(value >> i * 8));
	rtc_follow(r);
	spin_unlock(&r->lock);
}

/* --- life --- */

/* RESET: time, alarm and RAM stay (Signal Descriptions, RESET) */
static void vrtc_reset(struct vm *vm)
{
	struct vrtc *r = vrtc_of(vm);

	spin_lock(&r->lock);
	rtc_settle(r);
	r->index = r->upper_index = 0;
	r->reg_b &= (u8) ~(RTC_B_PIE | RTC_B_AIE | RTC_B_UIE | RTC_B_SQWE);
	r->reg_c = 0;
	rtc_line_update(r);
	vtimer_cancel(&r->timer);
	spin_unlock(&r->lock);
}

/* Second 0 of the divider is a whole second of the wall clock */
static void clock_start(struct vrtc *r)
{
	u64 now = vtimer_wall();
	u64 ns = tsc_to_ns(now - tsc_boot);

	r->start = now - ns_to_tsc(ns % NS_PER_S);
	r->seconds = (s64)(rtc_boot_seconds() + ns / NS_PER_S);
	r->weekday_offset = 4; /* 1970 began on a Thursday */
	r->reg_a = RTC_A_DIV_32K << RTC_A_DIV_SHIFT | 6;
	r->reg_b = RTC_B_24H;
	r->seen = rtc_periods(r);
}

static int vrtc_create(struct vm *vm)
{
	struct bus_region region = {
		.base = RTC_PORT,
		.size = RTC_PORTS,
		.name = "RTC",
		.read = rtc_read,
		.write = rtc_write,
	};
	struct vrtc *r = kmem_alloc(&vm->budget, sizeof(*r));

	if (!r)
		return -ENOMEM;
	vm->devices[VDEV_vrtc] = r;
	r->vm = vm;
	vclock_init(&r->clock, RTC_HZ);
	vtimer_init(&r->timer, vm, rtc_fired);
	r->timer.wall = true;
	clock_start(r);
	rtc_cmos_fill(r);
	region.dev = r;
	return bus_add(&vm->ports, &region);
}

static void vrtc_destroy(struct vm *vm)
{
	kmem_free(&vm->budget, vrtc_of(vm), sizeof(struct vrtc));
}

const struct vdev vrtc_vdev = {
	.name = "RTC",
	.create = vrtc_create,
	.destroy = vrtc_destroy,
	.reset = vrtc_reset,
};
