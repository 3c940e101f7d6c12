/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MC146818A; see vrtc.h. Section names are those of its data sheet. The clock
 * is a count of 32.768 kHz periods: seconds, the periodic rates and UIP are
 * parts of it, so that they keep their phases. Flags are brought up to date
 * when somebody looks, or a device timer does where one of them interrupts.
 */
#include "hv/device/pc/vrtc.h"

#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/clock/rtc.h"
#include "hv/core/pc_map.h"
#include "hv/core/vcpu.h"
#include "hv/device/pc/vhpet.h"
#include "hv/device/pc/vpm.h"
#include "hv/device/pc/vrtc_time.h"
#include "hv/irq/lines.h"
#include "hv/time/vclock.h"
#include "hv/time/vtimer.h"
#include "include/hw/mc146818.h"
#include "lib/errno.h"
#include "lib/string.h"

#define ANY   (~0u)
#define NEVER (~0ull)

struct vrtc {
	struct vm *vm;
	struct spinlock lock;
	u8 index, upper_index;
	u8 ram[CMOS_BYTES], upper[CMOS_BYTES];
	u8 reg_a, reg_b, reg_c;
	bool line;

	struct vclock clock;
	u64 start;   /* host TSC at period 0 of the divider */
	s64 seconds; /* since 1970, at that period */
	u64 seen;    /* periods that flags were made for */
	u32 weekday_offset;
	struct vtimer timer;
};

static struct vrtc *vrtc_of(const struct vm *vm)
{
	return vm->devices[VDEV_vrtc];
}

/* --- the clock --- */

/* SET or a divider held in reset: time stands still (Register A, DV; Register
 * B, SET) */
static bool divider_held(const struct vrtc *r)
{
	return (r->reg_a >> RTC_A_DIV_SHIFT & RTC_A_DIV_MASK) >=
	       RTC_A_DIV_RESET;
}

static bool halted(const struct vrtc *r)
{
	return divider_held(r) || (r->reg_b & RTC_B_SET);
}

static u64 periods(const struct vrtc *r)
{
	return vclock_ticks(&r->clock, vtimer_now() - r->start);
}

static s64 seconds_at(const struct vrtc *r, u64 period)
{
	return r->seconds + (s64)(period / RTC_HZ);
}

/* The second of the day */
static u32 day_second(s64 seconds)
{
	s64 rest = seconds % SECONDS_A_DAY;

	return (u32)(rest < 0 ? rest + SECONDS_A_DAY : rest);
}

/* --- formats (Register B, DM and 24/12) --- */

static u8 encode(const struct vrtc *r, u32 v)
{
	return (u8)(r->reg_b & RTC_B_DM ? v : v / 10 % 10 << 4 | v % 10);
}

static u32 decode(const struct vrtc *r, u8 v)
{
	return r->reg_b & RTC_B_DM ? v : (v >> 4) * 10u + (v & 0xf);
}

static u8 encode_hour(const struct vrtc *r, u32 hour)
{
	if (r->reg_b & RTC_B_24H)
		return encode(r, hour);
	return encode(r, hour % 12 ? hour % 12 : 12) |
	       (hour >= 12 ? RTC_HOUR_PM : 0);
}

static u32 decode_hour(const struct vrtc *r, u8 v)
{
	u32 hour;

	if (r->reg_b & RTC_B_24H)
		return decode(r, v);
	hour = decode(r, v & (u8)~RTC_HOUR_PM);
	return hour % 12 + (v & RTC_HOUR_PM ? 12 : 0);
}

/* The time registers in the RAM, from the clock */
static void show_time(struct vrtc *r, u64 period)
{
	s64 seconds = seconds_at(r, period);
	struct civil c = civil_from_seconds(seconds);
	u32 days = (u32)((seconds - day_second(seconds)) / SECONDS_A_DAY);

	r->ram[RTC_SECOND] = encode(r, c.second);
	r->ram[RTC_MINUTE] = encode(r, c.minute);
	r->ram[RTC_HOUR] = encode_hour(r, c.hour);
	r->ram[RTC_WEEKDAY] = encode(r, (days + r->weekday_offset) % 7 + 1);
	r->ram[RTC_DAY] = encode(r, c.day);
	r->ram[RTC_MONTH] = encode(r, c.month);
	r->ram[RTC_YEAR] = encode(r, c.year % 100);
	r->ram[RTC_CENTURY] = encode(r, c.year / 100);
}

/* And the clock from them: the second that runs is the one that they name */
static void take_time(struct vrtc *r, u64 period)
{
	struct civil c = {
		.second = decode(r, r->ram[RTC_SECOND]),
		.minute = decode(r, r->ram[RTC_MINUTE]),
		.hour = decode_hour(r, r->ram[RTC_HOUR]),
		.day = decode(r, r->ram[RTC_DAY]),
		.month = decode(r, r->ram[RTC_MONTH]),
		.year = decode(r, r->ram[RTC_YEAR]) % 100 +
			decode(r, r->ram[RTC_CENTURY]) * 100,
	};
	s64 seconds = civil_to_seconds(&c);
	u32 days = (u32)((seconds - day_second(seconds)) / SECONDS_A_DAY);

	r->seconds = seconds - (s64)(period / RTC_HZ);
	r->weekday_offset =
		(decode(r, r->ram[RTC_WEEKDAY]) + 6 + 7 - days % 7) % 7;
}

/* --- flags and interrupt --- */

/* Periods of the divider from one periodic interrupt to the next (Register A,
 * table 5); 0: none. Rates 1 and 2 are 8 and 9 over again. */
static u64 periodic(const struct vrtc *r)
{
	u32 rate = r->reg_a & RTC_A_RATE;

	if (!rate || divider_held(r))
		return 0;
	return rate <= 2 ? 1ull << (rate + 6) : 1ull << (rate - 1);
}

static u32 alarm_field(const struct vrtc *r, u32 reg)
{
	u8 v = r->ram[reg];

	if ((v & RTC_ALARM_ANY_MASK) == RTC_ALARM_ANY)
		return ANY;
	return reg == RTC_HOUR_ALARM ? decode_hour(r, v) : decode(r, v);
}

/* Seconds from that period's second to the next alarm, 0: none */
static u32 alarm_in(const struct vrtc *r, u64 period)
{
	return civil_next_alarm(day_second(seconds_at(r, period)),
				alarm_field(r, RTC_HOUR_ALARM),
				alarm_field(r, RTC_MINUTE_ALARM),
				alarm_field(r, RTC_SECOND_ALARM));
}

/* What happened since the last look */
static void flags_settle(struct vrtc *r)
{
	u64 now = periods(r), rate = periodic(r);
	u64 updates = now / RTC_HZ - r->seen / RTC_HZ;
	u32 alarm;

	if (rate && now / rate != r->seen / rate)
		r->reg_c |= RTC_C_PF;
	if (updates && !halted(r)) {
		r->reg_c |= RTC_C_UF;
		alarm = alarm_in(r, r->seen);
		if (alarm && alarm <= updates) {
			r->reg_c |= RTC_C_AF;
			if (r->reg_b & RTC_B_AIE)
				vpm_rtc_alarm(r->vm);
		}
	}
	r->seen = now;
}

static bool irqf(const struct vrtc *r)
{
	return r->reg_c & r->reg_b & (RTC_C_PF | RTC_C_AF | RTC_C_UF);
}

static void line_update(struct vrtc *r)
{
	bool level = irqf(r) && !vhpet_legacy(r->vm);

	if (level == r->line)
		return;
	r->line = level;
	line_set(r->vm, PC_IRQ_RTC, level);
}

static u64 next_update(const struct vrtc *r, u32 seconds)
{
	return (r->seen / RTC_HZ + seconds) * RTC_HZ;
}

/* The period of the next flag that would raise the line, or the alarm's */
static u64 next_event(const struct vrtc *r)
{
	u64 rate = periodic(r), next = NEVER;
	u32 alarm = halted(r) ? 0 : alarm_in(r, r->seen);

	/* Set already: nothing new comes before C is read */
	if (!irqf(r)) {
		if ((r->reg_b & RTC_B_PIE) && rate)
			next = (r->seen / rate + 1) * rate;
		if ((r->reg_b & RTC_B_UIE) && !halted(r))
			next = MIN(next, next_update(r, 1));
	}
	/* The PM block's status does not wait for C */
	if ((r->reg_b & RTC_B_AIE) && alarm)
		next = MIN(next, next_update(r, alarm));
	return next;
}

static void follow(struct vrtc *r)
{
	u64 next;

	line_update(r);
	next = next_event(r);
	if (next == NEVER)
		vtimer_cancel(&r->timer);
	else
		vtimer_set(&r->timer, r->start + vclock_tsc(&r->clock, next));
}

static void rtc_fired(struct vtimer *t)
{
	struct vrtc *r = container_of(t, struct vrtc, timer);

	spin_lock(&r->lock);
	flags_settle(r);
	follow(r);
	spin_unlock(&r->lock);
}

void vrtc_look(struct vm *vm)
{
	struct vrtc *r = vrtc_of(vm);

	spin_lock(&r->lock);
	flags_settle(r);
	follow(r);
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

	return !halted(r) && left <= RTC_UIP_US * RTC_HZ / 1000000 + 1;
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
		value = r->reg_c | (irqf(r) ? RTC_C_IRQF : 0);
		r->reg_c = 0;
		return value;
	case RTC_D:
		return RTC_D_VRT;
	default:
		break;
	}
	if (is_time(reg) && !halted(r))
		show_time(r, r->seen);
	return r->ram[reg];
}

/* The divider leaves its reset so that the first update comes half a second
 * later (Register A, DV) */
static void write_a(struct vrtc *r, u8 value)
{
	bool was = divider_held(r);

	if (!halted(r))
		show_time(r, r->seen);
	r->reg_a = value & (u8)~RTC_A_UIP;
	if (!was || divider_held(r))
		return;
	r->start = vtimer_now() - vclock_tsc(&r->clock, RTC_HZ / 2);
	r->seen = RTC_HZ / 2;
	if (!halted(r))
		take_time(r, r->seen);
}

static void write_b(struct vrtc *r, u8 value)
{
	bool was = halted(r);

	if (!was)
		show_time(r, r->seen);
	/* SET clears UIE (Register B, SET) */
	if (value & RTC_B_SET)
		value &= (u8)~RTC_B_UIE;
	r->reg_b = value;
	/* Another format does not convert what is there: the guest writes it
	 * anew. But the clock that runs is not changed by it. */
	if (was && !halted(r))
		take_time(r, r->seen);
}

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
	if (!halted(r))
		show_time(r, r->seen);
	r->ram[reg] = value;
	if (!halted(r))
		take_time(r, r->seen);
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
		r->index = value; /* nothing here raises an NMI to be masked */
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
	flags_settle(r);
	for (u8 i = 0; i < size; i++)
		value |= (u64)rtc_byte_read(r, offset + i) << i * 8;
	follow(r);
	spin_unlock(&r->lock);
	return value;
}

static void rtc_write(struct vcpu *v, void *dev, u64 offset, u8 size, u64 value)
{
	struct vrtc *r = dev;

	spin_lock(&r->lock);
	flags_settle(r);
	for (u8 i = 0; i < size; i++)
		rtc_byte_write(r, offset + i, (u8)(value >> i * 8));
	follow(r);
	spin_unlock(&r->lock);
}

/* --- RAM --- */

static void cmos_put(struct vrtc *r, u32 at, u32 bytes, u64 value)
{
	for (u32 i = 0; i < bytes; i++)
		r->ram[at + i] = (u8)(value >> i * 8);
}

static u64 ram_between(const struct vm *vm, u64 from, u64 to)
{
	u64 sum = 0;

	for (u32 i = 0; i < vm->slot_count; i++) {
		const struct vm_slot *s = &vm->slots[i];
		u64 low = MAX(s->gpa, from), high = MIN(s->gpa + s->size, to);

		if (!s->rom && low < high)
			sum += high - low;
	}
	return sum;
}

static void cmos_memory(struct vrtc *r)
{
	const struct vm *vm = r->vm;
	u64 extended = ram_between(vm, MIB(1), PC_LOW_RAM_END) / KIB(1);

	cmos_put(r, CMOS_BASE_KIB, 2, PC_VGA_BASE / KIB(1));
	cmos_put(r, CMOS_EXT_KIB, 2, MIN(extended, 0xffffull));
	cmos_put(r, CMOS_EXT_KIB_TOO, 2, MIN(extended, 0xffffull));
	cmos_put(r, CMOS_HIGH_64K, 2,
		 ram_between(vm, MIB(16), PC_LOW_RAM_END) / KIB(64));
	cmos_put(r, CMOS_OVER_4G_64K, 3,
		 ram_between(vm, PC_HIGH_RAM_BASE, ~0ull) / KIB(64));
}

/* What firmware for this machine reads at power on */
static void cmos_fill(struct vrtc *r)
{
	u32 sum = 0;

	cmos_memory(r);
	r->ram[CMOS_EQUIPMENT] = 0x06;  /* an FPU, a PS/2 pointer */
	r->ram[CMOS_BOOT_FIRST] = 0x32; /* disk, then CD */
	r->ram[CMOS_BOOT_THIRD] = 0x41; /* network; no floppy signature test */
	r->ram[CMOS_CPUS_LESS_ONE] = (u8)(r->vm->vcpu_count - 1);
	for (u32 i = CMOS_SUM_FROM; i <= CMOS_SUM_TO; i++)
		sum += r->ram[i];
	r->ram[CMOS_SUM] = (u8)(sum >> 8);
	r->ram[CMOS_SUM + 1] = (u8)sum;
}

/* --- life --- */

/* RESET: time, alarm and RAM stay (Signal Descriptions, RESET) */
static void vrtc_reset(struct vm *vm)
{
	struct vrtc *r = vrtc_of(vm);

	spin_lock(&r->lock);
	flags_settle(r);
	r->index = r->upper_index = 0;
	r->reg_b &= (u8) ~(RTC_B_PIE | RTC_B_AIE | RTC_B_UIE | RTC_B_SQWE);
	r->reg_c = 0;
	line_update(r);
	vtimer_cancel(&r->timer);
	spin_unlock(&r->lock);
}

/* Second 0 of the divider is a whole second of the wall clock */
static void clock_start(struct vrtc *r)
{
	u64 now = vtimer_now();
	u64 ns = tsc_to_ns(now - tsc_boot);

	r->start = now - ns_to_tsc(ns % NS_PER_S);
	r->seconds = (s64)(rtc_boot_seconds() + ns / NS_PER_S);
	r->weekday_offset = 4; /* 1970 began on a Thursday */
	r->reg_a = RTC_A_DIV_32K << RTC_A_DIV_SHIFT | 6;
	r->reg_b = RTC_B_24H;
	r->seen = periods(r);
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
	clock_start(r);
	cmos_fill(r);
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
