/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog of AMD's southbridges (include/hw/fch.h), as the privileged
 * guest has it. The hardware's resets the machine when nobody feeds it, and
 * with it all guests: it is stopped, or fed for good where it cannot be. The
 * guest reads and writes a virtual timer at the same addresses, which bites by
 * the end of that guest's life.
 *
 * The two registers are at a base that the chipset has, and once more in its
 * ACPI MMIO: each page that has them is a trap, and all else in it is the
 * hardware's. PM registers say how long a tick is, and may switch the timer on:
 * their ports are a trap, too, so that after each write of the guest's the
 * hardware's is stopped again. Where none of these southbridges is, nothing is
 * touched but the function's ids.
 *
 * Called from exits, any core, and by a vtimer. Lock: the device's own, a leaf
 * but for vtimer's and, never held then, vm_end()'s. Over 400 lines: one chip,
 * of five ages.
 */
#include "arch/x86/cpu/portio.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/pci/pci.h"
#include "hv/core/vcpu.h"
#include "hv/time/vtimer.h"
#include "include/hw/fch.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/hostmap.h"
#include "mm/owner.h"

#define FEED_NS    1000000000u /* the longest count of the shortest tick: 2 s */
#define PLACES_MAX 2u

enum fch_kind { FCH_NONE, FCH_SB700, FCH_SB800, FCH_EFCH, FCH_EFCH_MMIO };

struct fch_wdt;

/* A page with the registers at @at */
struct fch_place {
	struct fch_wdt *wdt;
	u64 page;
	u8 *va;
	u32 at;
};

struct fch_wdt {
	struct vm *vm;
	enum fch_kind kind;
	struct spinlock lock;
	struct fch_place places[PLACES_MAX];
	u32 place_count;
	u8 index; /* of the PM register that the guest has chosen */
	bool running, counting, power_off;
	bool fired; /* survives a reset */
	u16 count;
	u64 tick; /* of what is counted, in ticks of the TSC */
	u64 end;  /* vtimer_now() */
	struct vtimer timer;
};

/* --- the hardware --- */

/* A read by the ports leaves the index as the guest has it. Lock held,
 * or no guest runs yet. */
static u8 pm_read(const struct fch_wdt *w, u8 reg)
{
	u8 value;

	port_write(FCH_PM_INDEX, 1, reg);
	value = (u8)port_read(FCH_PM_DATA, 1);
	port_write(FCH_PM_INDEX, 1, w->index);
	return value;
}

static u32 pm_read_4(const struct fch_wdt *w, u8 reg)
{
	u32 value = 0;

	for (u8 i = 0; i < 4; i++)
		value |= (u32)pm_read(w, (u8)(reg + i)) << i * 8;
	return value;
}

/* Of the last one, PM registers lie where the second place is */
static u8 unit_read(const struct fch_wdt *w)
{
	switch (w->kind) {
	case FCH_SB700:
		return pm_read(w, SB700_PM_WDT) >> SB700_WDT_UNIT_SHIFT;
	case FCH_SB800:
		return pm_read(w, SB800_PM_WDT_CONFIG);
	case FCH_EFCH:
		return pm_read(w, EFCH_PM_DECODE_3);
	default:
		break;
	}
	for (u32 i = 0; i < w->place_count; i++)
		if (w->places[i].page == FCH_ACPI_MMIO)
			return (u8)mmio_read(w->places[i].va + FCH_MMIO_PM +
						     EFCH_PM_DECODE_3,
					     1);
	return WDT_UNIT_MASK; /* as Linux's driver sets it */
}

static u64 tick_now(const struct fch_wdt *w)
{
	static const u32 units_ns[] = WDT_UNITS_NS;

	return ns_to_tsc(units_ns[unit_read(w) & WDT_UNIT_MASK]);
}

/* Its registers where they are decoded now, or NULL: nowhere */
static u8 *decoded(const struct fch_wdt *w)
{
	for (u32 i = 0; i < w->place_count; i++) {
		u8 *va = w->places[i].va + w->places[i].at;

		if ((u32)mmio_read(va + WDT_CONTROL, 4) != ~0u)
			return va;
	}
	return NULL;
}

/* WDT_FIRED is cleared by a 1 */
static u32 control_read(const u8 *va)
{
	return (u32)mmio_read(va + WDT_CONTROL, 4) & ~WDT_FIRED;
}

static u8 *fed; /* the registers of one that cannot be stopped */

static void feed_hardware(struct timer *timer)
{
	mmio_write(fed + WDT_COUNT, 4, WDT_COUNT_MAX);
	mmio_write(fed + WDT_CONTROL, 4, control_read(fed) | WDT_TRIGGER);
	timer_arm(timer, rdtsc() + ns_to_tsc(FEED_NS));
}

/* Lock held */
static void stop_hardware(const struct fch_wdt *w)
{
	static struct timer timer = { .fn = feed_hardware };
	u8 *va = decoded(w);

	if (!va || fed || !(control_read(va) & WDT_RUN))
		return;
	mmio_write(va + WDT_CONTROL, 4, control_read(va) & ~WDT_RUN);
	if (!(control_read(va) & WDT_RUN))
		return;
	log_warn("fch", "the chipset's watchdog runs and cannot be stopped: "
			"the hypervisor feeds it");
	fed = va;
	feed_hardware(&timer);
}

/* --- the timer; lock held --- */

static void stop(struct fch_wdt *w)
{
	w->running = w->counting = false;
	vtimer_cancel(&w->timer);
}

static void count_from_now(struct fch_wdt *w)
{
	w->tick = tick_now(w);
	w->end = vtimer_now(w->vm) + MAX(w->count, 1u) * w->tick;
	w->counting = true;
	vtimer_set(&w->timer, w->end);
}

static u32 ticks_left(const struct fch_wdt *w)
{
	u64 now = vtimer_now(w->vm);

	if (!w->counting)
		return w->count;
	return now < w->end ? (u32)((w->end - now) / w->tick) : 0;
}

static bool expire(struct fch_wdt *w)
{
	if (!w->counting || vtimer_now(w->vm) < w->end)
		return false;
	stop(w);
	w->fired = true;
	return true;
}

static void expired(struct vtimer *timer)
{
	struct fch_wdt *w = container_of(timer, struct fch_wdt, timer);
	bool bites;

	spin_lock(&w->lock);
	bites = expire(w);
	spin_unlock(&w->lock);
	if (bites)
		vm_end(w->vm, VM_END_FAILURE, "nobody fed its watchdog");
}

/* --- registers: the first is the low half --- */

#define VIRTUAL (WDT_RUN | WDT_FIRED | WDT_POWER_OFF | WDT_TRIGGER)

/* All else is the hardware's: is it there, is it disabled? */
static u64 registers_read(const struct fch_wdt *w)
{
	const u8 *va = decoded(w);
	u32 control = va ? (u32)mmio_read(va + WDT_CONTROL, 4) : 0;

	if (!va)
		return ~0ull;
	control &= ~VIRTUAL;
	control |= (w->running ? WDT_RUN : 0) | (w->fired ? WDT_FIRED : 0) |
		   (w->power_off ? WDT_POWER_OFF : 0);
	return (u64)ticks_left(w) << WDT_COUNT * 8 | control;
}

/* Running is one thing, counting another: that begins with a trigger */
static void control_write(struct fch_wdt *w, u32 value)
{
	w->fired &= !(value & WDT_FIRED);
	w->power_off = value & WDT_POWER_OFF;
	if (!(value & WDT_RUN)) {
		stop(w);
		return;
	}
	w->running = true;
	if (value & WDT_TRIGGER)
		count_from_now(w);
}

static void registers_write(struct fch_wdt *w, u64 value, u64 mask)
{
	u64 counts = mask >> WDT_COUNT * 8 & WDT_COUNT_MAX;

	if (mask & VIRTUAL)
		control_write(w, (u32)(value & mask));
	if (counts)
		w->count = (u16)merge_bits(w->count, value >> WDT_COUNT * 8,
					   counts);
}

/* --- accesses --- */

static bool is_wdt(const struct fch_place *p, u64 offset, u8 size)
{
	return offset + size > p->at && offset < p->at + WDT_BYTES;
}

/* One that reaches beyond both registers is none of any software's */
static bool is_whole(const struct fch_place *p, u64 offset, u8 size)
{
	return offset >= p->at && offset + size <= p->at + WDT_BYTES;
}

static u64 page_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct fch_place *p = dev;
	u64 value = ~0ull;

	if (!is_wdt(p, offset, size))
		return mmio_read(p->va + offset, size);
	if (!is_whole(p, offset, size))
		return value;
	spin_lock(&p->wdt->lock);
	value = registers_read(p->wdt) >> (offset - p->at) * 8 & ones_of(size);
	spin_unlock(&p->wdt->lock);
	return value;
}

static bool is_pm(const struct fch_place *p, u64 offset)
{
	return p->page == FCH_ACPI_MMIO && offset >= FCH_MMIO_PM &&
	       offset < FCH_MMIO_PM_END;
}

static void page_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct fch_place *p = dev;
	u64 shift = (offset - p->at) * 8;

	spin_lock(&p->wdt->lock);
	if (!is_wdt(p, offset, size))
		mmio_write(p->va + offset, size, value);
	else if (is_whole(p, offset, size))
		registers_write(p->wdt, value << shift, ones_of(size) << shift);
	if (is_pm(p, offset))
		stop_hardware(p->wdt);
	spin_unlock(&p->wdt->lock);
}

static u64 pm_port_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct fch_wdt *w = dev;
	u64 value;

	spin_lock(&w->lock);
	value = port_read((u16)(FCH_PM_INDEX + offset), size);
	spin_unlock(&w->lock);
	return value;
}

/* A word writes the index, then the register */
static void pm_port_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			  u64 value)
{
	struct fch_wdt *w = dev;

	spin_lock(&w->lock);
	port_write((u16)(FCH_PM_INDEX + offset), size, (u32)value);
	if (!offset)
		w->index = (u8)value;
	if (offset || size > 1)
		stop_hardware(w);
	spin_unlock(&w->lock);
}

/* --- which one, and where --- */

static enum fch_kind kind_of(u32 id, u8 revision)
{
	switch (id) {
	case FCH_SBX00 << 16 | FCH_ATI_VENDOR:
		return revision < FCH_SB800_REVISION ? FCH_SB700 : FCH_SB800;
	case FCH_HUDSON << 16 | FCH_AMD_VENDOR:
		return revision < FCH_HUDSON_EFCH ? FCH_SB800 : FCH_EFCH;
	case FCH_KERNCZ << 16 | FCH_AMD_VENDOR:
		if (revision >= FCH_KERNCZ_MMIO)
			return FCH_EFCH_MMIO;
		return revision < FCH_KERNCZ_EFCH ? FCH_SB800 : FCH_EFCH;
	default:
		return FCH_NONE;
	}
}

static struct pci_bdf smbus(void)
{
	return (struct pci_bdf){ .devfn = pci_devfn(FCH_SMBUS_SLOT, 0) };
}

static enum fch_kind find(void)
{
	return kind_of(pci_read(smbus(), PCI_VENDOR_ID, 4),
		       (u8)pci_read(smbus(), PCI_CLASS_REVISION, 1));
}

/* Where ACPI MMIO is by @value, and in it the watchdog; 0: it is not */
static u32 in_acpi_mmio(u32 value)
{
	if ((value & FCH_MMIO_BITS) != FCH_MMIO_ON)
		return 0;
	return (value & ~(u32)PAGE_MASK) + FCH_MMIO_WDT;
}

/* The last two are where they are, whether they are decoded yet or not */
static void bases_find(const struct fch_wdt *w, u32 base[PLACES_MAX])
{
	switch (w->kind) {
	case FCH_SB700:
		base[0] = pm_read_4(w, SB700_PM_WDT_BASE);
		base[1] = in_acpi_mmio(pci_read(smbus(), FCH_SB700_MMIO, 4));
		break;
	case FCH_SB800:
		base[0] = pm_read_4(w, SB800_PM_WDT_BASE);
		base[1] = in_acpi_mmio(pm_read_4(w, SB800_PM_MMIO));
		break;
	case FCH_EFCH:
		base[0] = EFCH_WDT_BASE;
		base[1] = pm_read(w, EFCH_PM_ISA) & EFCH_PM_ISA_MMIO
				  ? FCH_ACPI_MMIO + FCH_MMIO_WDT
				  : 0;
		break;
	default:
		base[0] = EFCH_WDT_BASE;
		base[1] = FCH_ACPI_MMIO + FCH_MMIO_WDT;
		break;
	}
	for (u32 i = 0; i < PLACES_MAX; i++)
		base[i] &= ~(WDT_BYTES - 1);
}

static bool is_device(u64 page)
{
	enum owner_kind kind = owner_find(HPA(page)).kind;

	return kind == OWNER_DEVICE || kind == OWNER_FIRMWARE;
}

static bool has_place(const struct fch_wdt *w, u64 page)
{
	return w->place_count && w->places[0].page == page;
}

/* -EEXIST: it is no device's, or another's. -ENOMEM, -ENOSPC. */
static int place_add(struct fch_wdt *w, u32 base)
{
	struct fch_place *p = &w->places[w->place_count];
	const struct bus_region region = {
		.base = base & ~(u32)PAGE_MASK,
		.size = PAGE_SIZE,
		.name = "fch_wdt",
		.read = page_read,
		.write = page_write,
		.dev = p,
	};
	int err;

	if (!is_device(region.base))
		return -EEXIST;
	*p = (struct fch_place){ .wdt = w,
				 .page = region.base,
				 .at = base & (u32)PAGE_MASK };
	p->va = ioremap(HPA(p->page), PAGE_SIZE, PT_R | PT_W | PT_UC);
	if (!p->va)
		return -ENOMEM;
	err = bus_add(&w->vm->mmio, &region);
	if (err)
		iounmap(p->va, PAGE_SIZE);
	else
		w->place_count++;
	return err;
}

static int places_add(struct fch_wdt *w)
{
	u32 base[PLACES_MAX];

	bases_find(w, base);
	for (u32 i = 0; i < PLACES_MAX; i++) {
		int err = base[i] && !has_place(w, base[i] & ~(u32)PAGE_MASK)
				  ? place_add(w, base[i])
				  : 0;

		if (err == -EEXIST)
			log_warn("fch",
				 "no watchdog at %#x: firmware has it where "
				 "something else is",
				 base[i]);
		else if (err)
			return err;
	}
	return 0;
}

static int ports_add(struct fch_wdt *w)
{
	const struct bus_region region = {
		.base = FCH_PM_INDEX,
		.size = FCH_PM_PORTS,
		.name = "fch_pm",
		.read = pm_port_read,
		.write = pm_port_write,
		.dev = w,
	};
	int err = bus_add(&w->vm->ports, &region);

	/* Somebody traps one of them already, and it stays his */
	return err == -EEXIST ? 0 : err;
}

/* --- life --- */

static void fch_wdt_reset(struct vm *vm)
{
	struct fch_wdt *w = vm->devices[VDEV_fch_wdt];

	spin_lock(&w->lock);
	stop(w);
	w->power_off = false;
	w->count = 0;
	stop_hardware(w);
	spin_unlock(&w->lock);
}

static void fch_wdt_destroy(struct vm *vm)
{
	struct fch_wdt *w = vm->devices[VDEV_fch_wdt];

	for (u32 i = 0; i < w->place_count; i++)
		if (fed != w->places[i].va + w->places[i].at)
			iounmap(w->places[i].va, PAGE_SIZE);
	kmem_free(&vm->budget, w, sizeof(*w));
}

static int fch_wdt_create(struct vm *vm)
{
	enum fch_kind kind = find();
	struct fch_wdt *w =
		kind != FCH_NONE ? kmem_alloc(&vm->budget, sizeof(*w)) : NULL;
	const u8 *va;
	int err;

	if (!w)
		return kind == FCH_NONE ? 0 : -ENOMEM;
	w->vm = vm;
	w->kind = kind;
	w->index = (u8)port_read(FCH_PM_INDEX, 1);
	vtimer_init(&w->timer, vm, expired);
	vm->devices[VDEV_fch_wdt] = w;
	err = places_add(w);
	if (!err)
		err = ports_add(w);
	if (err)
		return err;
	va = decoded(w);
	w->fired = va && (u32)mmio_read(va + WDT_CONTROL, 4) & WDT_FIRED;
	fch_wdt_reset(vm);
	return 0;
}

const struct vdev fch_wdt_vdev = {
	.name = "chipset's watchdog (AMD)",
	.create = fch_wdt_create,
	.destroy = fch_wdt_destroy,
	.reset = fch_wdt_reset,
};
