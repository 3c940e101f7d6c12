/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual functions on the machine's bus 0, beside the real ones. Each has a
 * device number that is free, with all its eight functions: what is written
 * there never reaches the machine. The guest places the BARs, as it does those
 * of a card that was plugged in.
 *
 * The buses are searched without a lock, so a BAR moves while every core stands
 * still (passthrough_move.c). It decodes where nothing else is: a BAR on top of
 * RAM, of the hypervisor's memory or of another trap decodes nothing, with a
 * line in the log. A trap in front of a real device is the guest's affair, as
 * it is on a machine.
 */
#include "arch/x86/machine/tsc.h"
#include "hv/assign/passthrough_priv.h"
#include "hv/core/slots.h"
#include "hv/core/vcpu.h"
#include "include/hw/pci.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/log.h"

#define PORTS_END 0x10000u

/*
 * Device numbers in the order in which they are tried. Chipsets of either
 * vendor have none of their own at the first ones, nor do tables of ACPI name
 * them; those behind may be a function's that firmware has turned off.
 */
static const u8 devices[] = { 0x0f, 0x0c, 0x09, 0x0b, 0x05, 0x03, 0x0a,
			      0x0e, 0x0d, 0x08, 0x07, 0x06, 0x04, 0x10,
			      0x11, 0x13, 0x1b, 0x19, 0x1e, 0x1d };

static bool is_free(const struct passthrough *pci, u32 device)
{
	for (u32 i = 0; i < pci->virtual_count; i++)
		if (pci->virtuals[i].f->devfn >> 3 == device)
			return false;
	for (u32 i = 0; i < PCI_FUNCTIONS; i++) {
		const struct pci_bdf bdf = { .devfn = pci_devfn(device, i) };

		if (pci_read(bdf, PCI_VENDOR_ID, 4) != ~0u)
			return false;
	}
	return true;
}

int passthrough_virtual_add(struct pci_fn *f, const u8 header[64])
{
	struct passthrough *pci = f->vm->devices[VDEV_passthrough];
	struct virtual_slot *s;
	u32 i = 0;
	u8 *pages;

	if (pci->virtual_count == PASSTHROUGH_VIRTUALS)
		return -ENOSPC;
	while (i < ARRAY_SIZE(devices) && !is_free(pci, devices[i]))
		i++;
	if (i == ARRAY_SIZE(devices))
		return -ENODEV;
	pages = pmm_alloc_bytes(&f->vm->budget, PCI_FN_BYTES);
	if (!pages)
		return -ENOMEM;
	f->devfn = pci_devfn(devices[i], 0);
	pci_fn_init(f, pages, header);
	s = &pci->virtuals[pci->virtual_count++];
	s->f = f;
	s->pages = pages;
	for (i = 0; i < PCI_FN_BARS; i++) {
		s->bars[i].f = f;
		s->bars[i].index = (u8)i;
	}
	return 0;
}

void passthrough_virtual_remove(struct pci_fn *f)
{
	struct passthrough *pci = f->vm->devices[VDEV_passthrough];

	pci->virtual_count--;
	pmm_free_bytes(&f->vm->budget, pci->virtuals[pci->virtual_count].pages,
		       PCI_FN_BYTES);
}

struct virtual_slot *passthrough_virtual_at(struct passthrough *pci,
					    struct pci_bdf bdf)
{
	if (bdf.segment || bdf.bus)
		return NULL;
	for (u32 i = 0; i < pci->virtual_count; i++)
		if (pci->virtuals[i].f->devfn >> 3 == bdf.devfn >> 3)
			return &pci->virtuals[i];
	return NULL;
}

/* Functions 1 to 7 are not there */
static bool is_there(const struct virtual_slot *s, struct pci_address a,
		     u8 size)
{
	return a.bdf.devfn == s->f->devfn && a.reg + size <= PAGE_SIZE;
}

u32 passthrough_virtual_read(struct passthrough *pci, struct virtual_slot *s,
			     struct pci_address a, u8 size)
{
	u32 value = (u32)ones_of(size);

	if (!is_there(s, a, size))
		return value;
	spin_lock(&pci->lock);
	value = (u32)pci_fn_config_read(s->f, a.reg, size);
	spin_unlock(&pci->lock);
	return value;
}

static u64 virtual_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	const struct virtual_bar *b = dev;

	return b->f->ops->bar_read(v, b->f, b->index, offset, size);
}

static void virtual_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			  u64 value)
{
	const struct virtual_bar *b = dev;

	b->f->ops->bar_write(v, b->f, b->index, offset, size, value);
}

static struct bus *bus_of(const struct virtual_bar *b)
{
	struct vm *vm = b->f->vm;

	return b->f->bar[b->index].io ? &vm->ports : &vm->mmio;
}

static void intercept(const struct virtual_bar *b, enum intercept on)
{
	if (!b->f->bar[b->index].io)
		return;
	b->f->vm->intercept_changes++;
	for (u64 i = 0; i < b->f->bar[b->index].size; i++)
		vcpu_ops->intercept_port(&b->f->vm->intercepts,
					 (u16)(b->placed + i), on);
}

static void unplace(struct virtual_bar *b)
{
	if (!b->placed)
		return;
	intercept(b, INTERCEPT_OFF);
	bus_remove(bus_of(b), b->placed);
	b->placed = 0;
}

/* Is there room for it, as far as is known? The buses know the rest. */
static int check_place(const struct virtual_bar *b, u64 base, u64 size)
{
	const struct vm *vm = b->f->vm;

	if (b->f->bar[b->index].io)
		return base + size <= PORTS_END ? 0 : -EINVAL;
	if (base + size > BIT(vm->phys_bits) || base + size < base ||
	    !passthrough_is_device(base, base + size) ||
	    vm_ram_between(vm, base, base + size))
		return -EINVAL;
	return 0;
}

static int place(struct virtual_bar *b, u64 base)
{
	struct vm *vm = b->f->vm;
	const struct bus_region region = {
		.base = base,
		.size = b->f->bar[b->index].size,
		.name = "virtual function",
		.read = virtual_read,
		.write = virtual_write,
		.dev = b,
	};
	int err = check_place(b, base, region.size);

	if (!err)
		err = bus_add(bus_of(b), &region);
	if (err)
		return err;
	b->placed = base;
	intercept(b, INTERCEPT_ON);
	if (b->f->bar[b->index].io)
		return 0;
	/* The guest may have reached the place as a plain device */
	err = pt_unmap(&vm->npt, base, region.size);
	if (err)
		unplace(b);
	return err;
}

static bool is_due(const struct virtual_bar *b)
{
	return b->f->bar[b->index].size &&
	       pci_fn_bar_base(b->f, b->index) != b->wanted;
}

static bool is_any_due(const struct virtual_slot *s)
{
	bool due = false;

	for (u32 i = 0; i < PCI_FN_BARS; i++)
		due |= is_due(&s->bars[i]);
	return due;
}

/* While all cores stand still: first all that leave, as one may come where
 * another was */
static int move_now(void *arg)
{
	struct virtual_slot *s = arg;

	for (u32 i = 0; i < PCI_FN_BARS; i++) {
		s->bars[i].moved = is_due(&s->bars[i]);
		if (s->bars[i].moved)
			unplace(&s->bars[i]);
	}
	for (u32 i = 0; i < PCI_FN_BARS; i++) {
		struct virtual_bar *b = &s->bars[i];

		if (!b->moved)
			continue;
		b->wanted = pci_fn_bar_base(b->f, i);
		b->err = b->wanted ? place(b, b->wanted) : 0;
	}
	return 0;
}

/* On each core, behind it */
static void moved(void *arg)
{
	const struct virtual_slot *s = arg;

	vm_flush_here(s->f->vm);
}

static void tell(struct virtual_slot *s, u32 bar, u64 base, int err)
{
	struct vm *vm = s->f->vm;

	if (!ratelimit_pass(&vm->log_limit, rdtsc(), tsc_khz * 1000, 4))
		return;
	log_warn("pci",
		 "00:%02x.0: BAR %u of the hypervisor's own function cannot be "
		 "at %#llx (error %d): it decodes nothing",
		 s->f->devfn >> 3u, bar, base, -err);
}

static void tell_all(struct virtual_slot *s)
{
	for (u32 i = 0; i < PCI_FN_BARS; i++) {
		int err = s->bars[i].err;

		s->bars[i].err = 0;
		if (err)
			tell(s, i, s->bars[i].wanted, err);
	}
}

static void follow(struct passthrough *pci, struct virtual_slot *s)
{
	int err = passthrough_meet(pci, move_now, moved, s);

	/* The cores did not meet. The next write of the register tries again */
	if (err)
		tell(s, 0, 0, err);
	else
		tell_all(s);
}

void passthrough_virtual_write(struct passthrough *pci, struct virtual_slot *s,
			       struct pci_address a, u8 size, u32 value)
{
	bool due;

	if (!is_there(s, a, size))
		return;
	spin_lock(&pci->lock);
	pci_fn_config_write(s->f, a.reg, size, value);
	due = is_any_due(s);
	spin_unlock(&pci->lock);
	if (due)
		follow(pci, s);
	if (s->f->ops->config_written)
		s->f->ops->config_written(s->f, a.reg, size);
}

bool passthrough_virtuals_reset(struct passthrough *pci)
{
	bool done = true;

	pci->address = 0;
	for (u32 i = 0; i < pci->virtual_count; i++) {
		struct virtual_slot *s = &pci->virtuals[i];

		spin_lock(&pci->lock);
		pci_fn_power_on(s->f);
		spin_unlock(&pci->lock);
		if (s->f->ops->reset)
			s->f->ops->reset(s->f);
		if (is_any_due(s))
			follow(pci, s);
		done &= !is_any_due(s);
	}
	return done;
}

void passthrough_virtuals_free(struct passthrough *pci)
{
	for (u32 i = 0; i < pci->virtual_count; i++)
		pmm_free_bytes(&pci->vm->budget, pci->virtuals[i].pages,
			       PCI_FN_BYTES);
	pci->virtual_count = 0;
}
