/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI power management block of an isolated guest (vpm.h; ICH9 13.8.3, ACPI
 * 6.4 4.8). Registers are rows of a table, with the lanes of an access they
 * overlap, so that any width and split works. The PM timer is the TSC in other
 * units; a timer runs only while its overflow would raise the SCI.
 *
 * There is no SMM: SMI_EN says that firmware has already set it up and locked
 * it, and writes to the APM port act at once. The TCO watchdog keeps its
 * registers and never bites.
 *
 * Over 400 lines: one block of registers with one lock.
 */
#include "hv/device/pc/vpm.h"

#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/pc_map.h"
#include "hv/core/vcpu.h"
#include "hv/irq/lines.h"
#include "hv/time/vclock.h"
#include "hv/time/vtimer.h"
#include "include/hw/acpi_pm.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

struct vpm {
	struct vm *vm;
	struct spinlock lock;
	u64 pm1_sts, pm1_en, pm1_cnt;
	u64 gpe0_sts, gpe0_en;
	u8 tco[PM_TCO_END - PM_TCO];
	u8 apm_cnt, apm_sts;
	bool sci;   /* the line as last set */
	bool sleep; /* SLP_EN was written; its type is in pm1_cnt */

	struct vclock clock;
	u64 start;   /* vtimer_now() at count 0 */
	u64 toggles; /* of TMR_STS's bit, that were looked at */
	struct vtimer timer;
};

static struct vpm *vpm_of(const struct vm *vm)
{
	return vm->devices[VDEV_vpm];
}

/* --- timer and interrupt --- */

static u64 pm_count(const struct vpm *p)
{
	return vclock_ticks(&p->clock, vtimer_now(p->vm) - p->start);
}

/* TMR_STS is set by each change of the counter's highest bit (ICH9 13.8.3.1) */
static void timer_settle(struct vpm *p)
{
	u64 toggles = pm_count(p) >> PM_TMR_TOGGLE;

	/* Fewer: the last look was a core's whose TSC is a little ahead */
	if (toggles <= p->toggles)
		return;
	p->toggles = toggles;
	p->pm1_sts |= PM1_TMR;
}

static bool sci_wanted(const struct vpm *p)
{
	return (p->pm1_cnt & PM1_CNT_SCI_EN) &&
	       ((p->pm1_sts & p->pm1_en) || (p->gpe0_sts & p->gpe0_en));
}

static void timer_plan(struct vpm *p)
{
	u64 ticks = (p->toggles + 1) << PM_TMR_TOGGLE;

	if ((p->pm1_cnt & PM1_CNT_SCI_EN) && (p->pm1_en & PM1_TMR) &&
	    !(p->pm1_sts & PM1_TMR))
		vtimer_set(&p->timer, p->start + vclock_tsc(&p->clock, ticks));
	else
		vtimer_cancel(&p->timer);
}

static void sci_update(struct vpm *p)
{
	bool level = sci_wanted(p);

	if (level == p->sci)
		return;
	p->sci = level;
	line_set_source(p->vm, PC_IRQ_SCI, LINE_SOURCE_SCI, level);
}

static void pm_timer_fired(struct vtimer *t)
{
	struct vpm *p = container_of(t, struct vpm, timer);

	spin_lock(&p->lock);
	timer_settle(p);
	timer_plan(p);
	sci_update(p);
	spin_unlock(&p->lock);
}

/* Set a status bit of PM1. True: software asked for its SCI. */
static bool pm1_event(struct vm *vm, u64 bit)
{
	struct vpm *p = vpm_of(vm);
	bool heard;

	spin_lock(&p->lock);
	p->pm1_sts |= bit;
	heard = (p->pm1_cnt & PM1_CNT_SCI_EN) && (p->pm1_en & bit);
	sci_update(p);
	spin_unlock(&p->lock);
	return heard;
}

bool vpm_power_button(struct vm *vm)
{
	return pm1_event(vm, PM1_PWRBTN);
}

void vpm_rtc_alarm(struct vm *vm)
{
	(void)pm1_event(vm, PM1_RTC);
}

/* --- registers --- */

static u64 sts_read(struct vpm *p)
{
	return p->pm1_sts;
}

/* Written ones clear; bits outside @mask stay as they are */
static void sts_write(struct vpm *p, u64 value, u64 mask)
{
	p->pm1_sts &= ~(value & mask);
}

static u64 en_read(struct vpm *p)
{
	return p->pm1_en;
}

static void en_write(struct vpm *p, u64 value, u64 mask)
{
	p->pm1_en = merge_bits(p->pm1_en, value, mask) & PM1_EN_BITS;
}

static u64 cnt_read(struct vpm *p)
{
	return p->pm1_cnt;
}

static void cnt_write(struct vpm *p, u64 value, u64 mask)
{
	p->pm1_cnt = merge_bits(p->pm1_cnt, value, mask) & PM1_CNT_KEEPS;
	p->sleep = value & mask & PM1_CNT_SLP_EN;
}

static u64 tmr_read(struct vpm *p)
{
	return pm_count(p) & BITS(PM_TMR_BITS - 1, 0);
}

static u64 gpe_sts_read(struct vpm *p)
{
	return p->gpe0_sts;
}

static void gpe_sts_write(struct vpm *p, u64 value, u64 mask)
{
	p->gpe0_sts &= ~(value & mask);
}

static u64 gpe_en_read(struct vpm *p)
{
	return p->gpe0_en;
}

static void gpe_en_write(struct vpm *p, u64 value, u64 mask)
{
	p->gpe0_en = merge_bits(p->gpe0_en, value, mask);
}

static u64 smi_en_read(struct vpm *p)
{
	return SMI_EN_APMC_EN;
}

struct pm_reg {
	u8 offset, bytes;
	u64 (*read)(struct vpm *p);
	void (*write)(struct vpm *p, u64 value, u64 mask); /* NULL: ignored */
};

/* clang-format off */
static const struct pm_reg pm_regs[] = {
	{ PM_PM1_STS,  2, sts_read,     sts_write },
	{ PM_PM1_EN,   2, en_read,      en_write },
	{ PM_PM1_CNT,  4, cnt_read,     cnt_write },
	{ PM_PM1_TMR,  4, tmr_read,     NULL },
	{ PM_GPE0_STS, 8, gpe_sts_read, gpe_sts_write },
	{ PM_GPE0_EN,  8, gpe_en_read,  gpe_en_write },
	{ PM_SMI_EN,   4, smi_en_read,  NULL },
};
/* clang-format on */

/* True for the watchdog's bytes that are kept; status and reload are not */
static bool tco_keeps(u64 offset)
{
	return offset >= PM_TCO + TCO_CNT && offset < PM_TCO_END;
}

static u64 tco_read(const struct vpm *p, u64 offset, u8 size)
{
	u64 value = 0;

	for (u8 i = 0; i < size; i++)
		if (tco_keeps(offset + i))
			value |= (u64)p->tco[offset + i - PM_TCO] << i * 8;
	return value;
}

static void tco_write(struct vpm *p, u64 offset, u8 size, u64 value)
{
	for (u8 i = 0; i < size; i++)
		if (tco_keeps(offset + i))
			p->tco[offset + i - PM_TCO] = (u8)(value >> i * 8);
}

/* The part of register @r that an access of @size bytes at @offset touches:
 * *@mask has its bits in the register. False: it touches none. */
static bool lanes(const struct pm_reg *r, u64 offset, u8 size, u64 *mask)
{
	u64 from = MAX(offset, (u64)r->offset);
	u64 to = MIN(offset + size, (u64)r->offset + r->bytes);

	if (from >= to)
		return false;
	*mask = ones_of((u32)(to - from)) << (from - r->offset) * 8;
	return true;
}

/* Shift a value whose byte 0 is at offset @from so that its byte 0 is at @to */
static u64 lane_shift(u64 value, u64 from, u64 to)
{
	return from >= to ? value << (from - to) * 8 : value >> (to - from) * 8;
}

static u64 block_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vpm *p = dev;
	u64 value, mask;

	spin_lock(&p->lock);
	timer_settle(p);
	value = tco_read(p, offset, size);
	for (u32 i = 0; i < ARRAY_SIZE(pm_regs); i++) {
		const struct pm_reg *r = &pm_regs[i];

		if (lanes(r, offset, size, &mask))
			value |= lane_shift(r->read(p) & mask, r->offset,
					    offset);
	}
	spin_unlock(&p->lock);
	return value & ones_of(size);
}

static void sleep_now(struct vm *vm, u64 cnt)
{
	u32 type = (u32)(cnt >> PM1_CNT_SLP_TYP_SHIFT) & PM1_CNT_SLP_TYP_MASK;

	if (type == PC_SLP_TYP_S5 || type == PC_SLP_TYP_S5_ICH9)
		vm_end(vm, VM_END_POWER_OFF, "it powered off");
	else if (ratelimit_pass(&vm->log_limit, vtimer_wall(), tsc_khz * 1000,
				4))
		log_warn("power", "%s asked for sleep type %u: refused",
			 vm->name, type);
}

static void block_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			u64 value)
{
	struct vpm *p = dev;
	u64 mask, cnt;
	bool sleep;

	spin_lock(&p->lock);
	timer_settle(p);
	tco_write(p, offset, size, value);
	for (u32 i = 0; i < ARRAY_SIZE(pm_regs); i++) {
		const struct pm_reg *r = &pm_regs[i];

		if (r->write && lanes(r, offset, size, &mask))
			r->write(p, lane_shift(value, offset, r->offset), mask);
	}
	timer_plan(p);
	sci_update(p);
	sleep = p->sleep;
	p->sleep = false;
	cnt = p->pm1_cnt;
	spin_unlock(&p->lock);
	if (sleep)
		sleep_now(v->vm, cnt);
}

/* --- APM ports (ICH9 13.7.1, 13.7.2) --- */

static u64 apm_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	const struct vpm *p = dev;
	u64 both = (u64)p->apm_cnt | (u64)p->apm_sts << 8;

	return both >> offset * 8 & ones_of(size);
}

/* Do what SMM code would with the FADT's ACPI_ENABLE and ACPI_DISABLE */
static void apm_command(struct vpm *p, u8 command)
{
	p->apm_cnt = command;
	if (command == PC_ACPI_ENABLE)
		p->pm1_cnt |= PM1_CNT_SCI_EN;
	else if (command == PC_ACPI_DISABLE)
		p->pm1_cnt &= ~PM1_CNT_SCI_EN;
	timer_settle(p);
	timer_plan(p);
	sci_update(p);
}

static void apm_write(struct vcpu *v, void *dev, u64 offset, u8 size, u64 value)
{
	struct vpm *p = dev;

	spin_lock(&p->lock);
	/* The status comes first, as the command acts on it */
	if (offset + size > 1)
		p->apm_sts = (u8)(value >> (1 - offset) * 8);
	if (offset == 0)
		apm_command(p, (u8)value);
	spin_unlock(&p->lock);
}

/* --- life --- */

static const struct {
	u8 offset, value;
} tco_defaults[] = {
	{ TCO_SW_IRQ_GEN, 0x03 }, /* 13.9.11 */
	{ TCO_TMR, 0x04 },        /* 13.9.12 */
};

static void vpm_reset(struct vm *vm)
{
	struct vpm *p = vpm_of(vm);

	spin_lock(&p->lock);
	vtimer_cancel(&p->timer);
	p->pm1_sts = p->pm1_en = p->pm1_cnt = 0;
	p->gpe0_sts = p->gpe0_en = 0;
	p->apm_cnt = p->apm_sts = 0;
	p->sleep = false;
	memset(p->tco, 0, sizeof(p->tco));
	for (u32 i = 0; i < ARRAY_SIZE(tco_defaults); i++)
		p->tco[tco_defaults[i].offset] = tco_defaults[i].value;
	p->start = vtimer_now(vm);
	p->toggles = 0;
	sci_update(p);
	spin_unlock(&p->lock);
}

static int vpm_create(struct vm *vm)
{
	struct bus_region block = {
		.base = PC_PM_BASE,
		.size = PM_BLOCK_BYTES,
		.name = "ACPI PM",
		.read = block_read,
		.write = block_write,
	};
	struct bus_region apm = {
		.base = PC_APM_CNT,
		.size = 2,
		.name = "APM",
		.read = apm_read,
		.write = apm_write,
	};
	struct vpm *p = kmem_alloc(&vm->budget, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	vm->devices[VDEV_vpm] = p;
	p->vm = vm;
	vclock_init(&p->clock, PM_TMR_HZ);
	vtimer_init(&p->timer, vm, pm_timer_fired);
	vpm_reset(vm);
	block.dev = apm.dev = p;
	err = bus_add(&vm->ports, &block);
	return err ? err : bus_add(&vm->ports, &apm);
}

static void vpm_destroy(struct vm *vm)
{
	kmem_free(&vm->budget, vpm_of(vm), sizeof(struct vpm));
}

const struct vdev vpm_vdev = {
	.name = "ACPI PM",
	.create = vpm_create,
	.destroy = vpm_destroy,
	.reset = vpm_reset,
};
