/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog of Intel's chipsets, TCO (ICH9 13.9 *System Management TCO
 * Registers*), as the privileged guest has it. The hardware's resets the
 * machine when nobody feeds it, and with it all guests: it is halted, or fed
 * for good where firmware has locked it. The guest reads and writes a virtual
 * timer at the same ports; its second timeout ends that guest's life. All else
 * in these registers is the hardware's: bits of SMIs and NMIs.
 *
 * Each 16-bit register is a row of those that are virtual, with the bits that
 * are. Called from exits, any core, and by a vtimer. Lock: the device's own, a
 * leaf but for vtimer's and, never held then, vm_end()'s.
 */
#include "arch/x86/cpu/portio.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "hv/core/vcpu.h"
#include "hv/time/vtimer.h"
#include "include/hw/acpi_pm.h"
#include "include/hw/q35.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/log.h"

#define FEED_NS 1000000000u /* the shortest period is 2.4 s */

struct tco {
	struct vm *vm;
	u16 base;
	struct spinlock lock;
	bool halted, locked;
	bool timeout, second; /* status bits; @second survives a reset */
	u32 period;           /* TCO_TMR */
	u32 timeouts;         /* since it was fed */
	u64 end;              /* vtimer_now(): of this period */
	struct vtimer timer;
};

static u64 tick(void)
{
	return ns_to_tsc(TCO_TICK_NS);
}

/* Lock held: from now on the whole period is left */
static void count_from_now(struct tco *t)
{
	if (t->halted) {
		vtimer_cancel(&t->timer);
		return;
	}
	t->end = vtimer_now(t->vm) + MAX(t->period, TCO_TMR_LEAST) * tick();
	vtimer_set(&t->timer, t->end);
}

static u32 ticks_left(const struct tco *t)
{
	u64 now = vtimer_now(t->vm);

	if (t->halted)
		return t->period;
	return now < t->end ? (u32)((t->end - now) / tick()) : 0;
}

/* Its time is over, unless it was fed or halted meanwhile. True: it bites. */
static bool expire(struct tco *t)
{
	if (t->halted || vtimer_now(t->vm) < t->end)
		return false;
	if (t->timeouts++) {
		t->second = true;
		t->halted = true;
		return true;
	}
	t->timeout = true;
	count_from_now(t);
	return false;
}

static void expired(struct vtimer *timer)
{
	struct tco *t = container_of(timer, struct tco, timer);
	bool bites;

	spin_lock(&t->lock);
	bites = expire(t);
	spin_unlock(&t->lock);
	if (bites)
		vm_end(t->vm, VM_END_FAILURE, "nobody fed its watchdog");
}

/* --- registers: a word at an even offset, of which @mask is virtual --- */

static u32 word_mask(u32 at)
{
	switch (at) {
	case TCO_RLD:
	case TCO_TMR:
		return 0xffff;
	case TCO1_STS:
		return TCO1_TIMEOUT;
	case TCO2_STS:
		return TCO2_SECOND_TO;
	case TCO_CNT:
		return TCO1_HALT | TCO1_LOCK;
	default:
		return 0;
	}
}

static u32 word_read(const struct tco *t, u32 at)
{
	switch (at) {
	case TCO_RLD:
		return ticks_left(t);
	case TCO_TMR:
		return t->period;
	case TCO1_STS:
		return t->timeout ? TCO1_TIMEOUT : 0;
	case TCO2_STS:
		return t->second ? TCO2_SECOND_TO : 0;
	case TCO_CNT:
		return (t->halted ? TCO1_HALT : 0) |
		       (t->locked ? TCO1_LOCK : 0);
	default:
		return 0;
	}
}

static void feed(struct tco *t)
{
	t->timeouts = 0;
	count_from_now(t);
}

/* A locked timer can be halted no more (13.9.5, TCO_LOCK) */
static void control(struct tco *t, u32 value)
{
	bool was = t->halted;

	t->locked |= value & TCO1_LOCK;
	if (!t->locked || !(value & TCO1_HALT))
		t->halted = value & TCO1_HALT;
	if (was != t->halted)
		feed(t);
}

/* @value has what is written where @mask is set, else what was read */
static void word_write(struct tco *t, u32 at, u32 value, u32 mask)
{
	switch (at) {
	case TCO_RLD:
		feed(t);
		break;
	case TCO_TMR:
		t->period = value & TCO_TMR_BITS;
		break;
	case TCO1_STS:
		t->timeout &= !(value & mask & TCO1_TIMEOUT);
		break;
	case TCO2_STS:
		t->second &= !(value & mask & TCO2_SECOND_TO);
		break;
	case TCO_CNT:
		control(t, value);
		break;
	default:
		break;
	}
}

/* The hardware's part of what is written: its timer stays halted and open */
static u32 for_hardware(u32 at, u32 value)
{
	return at == TCO_CNT ? (value & ~(u32)TCO1_LOCK) | (u32)TCO1_HALT
			     : value;
}

/* --- accesses: a part of a word each --- */

static u8 part_bytes(u64 offset, u8 left)
{
	return offset & 1 || left == 1 ? 1 : 2;
}

static u32 part_read(struct tco *t, u32 offset, u8 size)
{
	u32 at = offset & ~1u, shift = (offset & 1) * 8;
	u32 mask = word_mask(at) >> shift & (u32)ones_of(size);
	u32 value = 0;

	if (mask != (u32)ones_of(size))
		value = port_read((u16)(t->base + offset), size);
	return (u32)merge_bits(value, word_read(t, at) >> shift, mask);
}

static void part_write(struct tco *t, u32 offset, u8 size, u32 value)
{
	u32 at = offset & ~1u, shift = (offset & 1) * 8;
	u32 mask = (u32)ones_of(size) << shift;
	u32 word = (u32)merge_bits(word_read(t, at), value << shift, mask);

	if (word_mask(at) != 0xffff)
		port_write((u16)(t->base + offset), size,
			   for_hardware(at, value << shift) >> shift &
				   (u32)ones_of(size));
	if (word_mask(at))
		word_write(t, at, word, mask);
}

static u64 tco_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct tco *t = dev;
	u64 value = 0;
	u8 n;

	spin_lock(&t->lock);
	for (u8 i = 0; i < size; i = (u8)(i + n)) {
		n = part_bytes(offset + i, (u8)(size - i));
		value |= (u64)part_read(t, (u32)offset + i, n) << i * 8;
	}
	spin_unlock(&t->lock);
	return value;
}

static void tco_write(struct vcpu *v, void *dev, u64 offset, u8 size, u64 value)
{
	struct tco *t = dev;
	u8 n;

	spin_lock(&t->lock);
	for (u8 i = 0; i < size; i = (u8)(i + n)) {
		n = part_bytes(offset + i, (u8)(size - i));
		part_write(t, (u32)offset + i, n, (u32)(value >> i * 8));
	}
	spin_unlock(&t->lock);
}

/* --- the hardware --- */

static bool is_intel(struct pci_bdf bdf, u32 class)
{
	return pci_read(bdf, PCI_VENDOR_ID, 2) == Q35_VENDOR &&
	       pci_read(bdf, PCI_CLASS_REVISION, 4) >> 16 == class;
}

/* The PM block is where the FADT says, too: then the register is what it is in
 * ICHs. Later chipsets say it in the SMBus controller. */
static u16 find(void)
{
	const struct pci_bdf lpc = { .devfn = pci_devfn(0x1f, 0) };
	const struct pci_bdf smbus = { .devfn = pci_devfn(0x1f, 4) };
	u32 base;

	if (is_intel(smbus, SMBUS_CLASS) &&
	    pci_read(smbus, SMBUS_TCOCTL, 4) & SMBUS_TCOCTL_ON)
		return (u16)(pci_read(smbus, SMBUS_TCOBASE, 4) &
			     SMBUS_TCOBASE_BITS);
	if (!is_intel(lpc, LPC_CLASS) ||
	    !(pci_read(lpc, LPC_ACPI_CNTL, 1) & LPC_ACPI_EN))
		return 0;
	base = pci_read(lpc, LPC_PMBASE, 4) & 0xff80u;
	return base && base == acpi.pm1a_evt ? (u16)(base + PM_TCO) : 0;
}

static u16 fed; /* base of the one that cannot be halted */

static void feed_hardware(struct timer *timer)
{
	port_write((u16)(fed + TCO_RLD), 2, 1);
	timer_arm(timer, rdtsc() + ns_to_tsc(FEED_NS));
}

static void halt_hardware(u16 base)
{
	static struct timer timer = { .fn = feed_hardware };
	u16 at = (u16)(base + TCO_CNT);
	u32 control = port_read(at, 2);

	if (!(control & TCO1_HALT))
		port_write(at, 2, control | TCO1_HALT);
	if (port_read(at, 2) & TCO1_HALT)
		return;
	log_warn("tco", "the chipset's watchdog runs, and firmware has locked "
			"it: the hypervisor feeds it");
	fed = base;
	feed_hardware(&timer);
}

/* --- life --- */

static void tco_reset(struct vm *vm)
{
	struct tco *t = vm->devices[VDEV_tco];

	spin_lock(&t->lock);
	t->halted = true;
	t->locked = t->timeout = false;
	t->period = TCO_TMR_LEAST;
	t->timeouts = 0;
	spin_unlock(&t->lock);
}

static void tco_destroy(struct vm *vm)
{
	kmem_free(&vm->budget, vm->devices[VDEV_tco], sizeof(struct tco));
}

/* Firmware's base is wrong: something else has these ports */
static int leave_out(struct vm *vm, u16 base)
{
	log_warn("tco",
		 "no watchdog: firmware has it at ports %xh, which are "
		 "another device's",
		 base);
	tco_destroy(vm);
	vm->devices[VDEV_tco] = NULL;
	return 0;
}

static int tco_create(struct vm *vm)
{
	u16 base = find();
	struct tco *t = base ? kmem_alloc(&vm->budget, sizeof(*t)) : NULL;
	const struct bus_region region = {
		.base = base,
		.size = TCO_BYTES,
		.name = "tco",
		.read = tco_read,
		.write = tco_write,
		.dev = t,
	};

	int err;

	if (!t)
		return base ? -ENOMEM : 0;
	t->vm = vm;
	t->base = base;
	vtimer_init(&t->timer, vm, expired);
	vm->devices[VDEV_tco] = t;
	tco_reset(vm);
	err = bus_add(&vm->ports, &region);
	if (!err)
		halt_hardware(base);
	return err == -EEXIST ? leave_out(vm, base) : err;
}

const struct vdev tco_vdev = {
	.name = "chipset's watchdog",
	.create = tco_create,
	.destroy = tco_destroy,
	.reset = tco_reset,
};
