/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSI capability of a passed-through function (PCI 3.0, 6.8.1). Enable,
 * address and data are the guest's in a shadow; the device gets what
 * irq_route_msi() makes of them. A function has one message, as several would
 * need neighbouring host vectors. Its registers change one by one, and mask
 * bits are optional, so that it keeps its vector: a move is one write to the
 * address. Called under passthrough.lock, but for the storm hook, which takes
 * it.
 */
#include "hv/assign/passthrough_priv.h"
#include "hv/core/vm.h"
#include "include/hw/pci.h"
#include "lib/log.h"

/* Control is the upper half of dword 0 */
#define CONTROL(bits)       ((u32)(bits) << 16)
#define MSI_CONTROL_VIRTUAL CONTROL(PCI_MSI_ENABLE | PCI_MSI_MMC | PCI_MSI_MME)

#define WORD_CONTROL 0u
#define WORD_ADDRESS 1u

static u32 word_high(const struct vfunc *f)
{
	return f->msi.is_64 ? 2 : ~0u;
}

static u32 word_data(const struct vfunc *f)
{
	return f->msi.is_64 ? 3 : 2;
}

static u32 word_mask(const struct vfunc *f)
{
	return f->msi.maskable ? word_data(f) + 1 : ~0u;
}

static u16 word_offset(const struct vfunc *f, u32 word)
{
	return (u16)(f->msi.cap + word * 4);
}

static u32 hw_read(const struct vfunc *f, u32 word)
{
	return pci_read(f->bdf, word_offset(f, word), 4);
}

static void hw_write(const struct vfunc *f, u32 word, u32 value)
{
	pci_write(f->bdf, word_offset(f, word), 4, value);
}

static void hw_enable(const struct vfunc *f, bool on)
{
	u32 control = hw_read(f, WORD_CONTROL) &
		      ~CONTROL(PCI_MSI_ENABLE | PCI_MSI_MME);

	hw_write(f, WORD_CONTROL, control | (on ? CONTROL(PCI_MSI_ENABLE) : 0));
}

static bool throttled(const struct vfunc *f)
{
	return f->msi.route && irq_msi_throttled(f->msi.route);
}

static void hw_mask(const struct vfunc *f)
{
	if (f->msi.maskable)
		hw_write(f, word_mask(f), throttled(f) ? ~0u : f->msi.mask);
}

/* On, unless it storms. With no mask bits MSI itself is turned off then. */
static void hw_open(const struct vfunc *f)
{
	hw_mask(f);
	hw_enable(f, f->msi.maskable || !throttled(f));
}

static void on_storm(void *dev)
{
	struct vfunc *f = dev;

	spin_lock(&f->pci->lock);
	if (f->msi.route && passthrough_func_present(f))
		hw_open(f);
	spin_unlock(&f->pci->lock);
}

void passthrough_msi_forget(struct vfunc *f)
{
	if (f->msi.route)
		irq_unroute_msi(f->msi.route);
	f->msi.route = NULL;
}

static void msi_off(struct vfunc *f)
{
	hw_enable(f, false);
	passthrough_msi_forget(f);
}

void passthrough_msi_quiet(struct vfunc *f, bool present)
{
	f->msi.enabled = false;
	f->msi.address_low = f->msi.address_high = 0;
	f->msi.data = f->msi.mask = 0;
	if (!f->msi.cap)
		return;
	if (present)
		hw_enable(f, false);
	passthrough_msi_forget(f);
	if (present)
		hw_mask(f);
}

static void msi_sync(struct vfunc *f)
{
	const struct msi_message guest = {
		(u64)f->msi.address_high << 32 | f->msi.address_low,
		f->msi.data & 0xffff,
	};
	struct msi_message host;

	if (!f->msi.enabled ||
	    irq_route_msi(&f->msi.source, &guest, &f->msi.route, &host)) {
		msi_off(f);
		return;
	}
	irq_msi_on_storm(f->msi.route, on_storm, f);
	hw_write(f, WORD_ADDRESS, (u32)host.addr);
	if (f->msi.is_64)
		hw_write(f, word_high(f), (u32)(host.addr >> 32));
	pci_write(f->bdf, word_offset(f, word_data(f)), 2, host.data);
	hw_open(f);
}

u32 passthrough_msi_read(const struct vfunc *f, u32 word)
{
	if (word == WORD_CONTROL)
		return (hw_read(f, word) & ~MSI_CONTROL_VIRTUAL) |
		       (f->msi.enabled ? CONTROL(PCI_MSI_ENABLE) : 0);
	if (word == WORD_ADDRESS)
		return f->msi.address_low;
	if (word == word_high(f))
		return f->msi.address_high;
	if (word == word_data(f))
		return f->msi.data;
	if (word == word_mask(f))
		return f->msi.mask;
	return hw_read(f, word); /* pending bits */
}

void passthrough_msi_write(struct vfunc *f, u32 word, u32 value)
{
	if (word == word_mask(f)) {
		f->msi.mask = value;
		hw_mask(f);
		return;
	}
	if (word == WORD_CONTROL)
		f->msi.enabled = value & CONTROL(PCI_MSI_ENABLE);
	else if (word == WORD_ADDRESS)
		f->msi.address_low = value & ~3u;
	else if (word == word_high(f))
		f->msi.address_high = value;
	else if (word == word_data(f))
		f->msi.data = value & 0xffff;
	else
		return;
	if (f->msi.enabled || word == WORD_CONTROL)
		msi_sync(f);
}

void passthrough_msi_init(struct vfunc *f)
{
	u32 control;

	if (!f->msi.cap)
		return;
	control = hw_read(f, WORD_CONTROL) >> 16;
	f->msi.is_64 = control & PCI_MSI_64;
	f->msi.maskable = control & PCI_MSI_MASKABLE;
	f->msi.source = (struct irq_source){ .vm = f->pci->vm,
					     .bdf = f->bdf,
					     .in_steps = true };
	f->msi.words = (u8)(3 + f->msi.is_64 + 2 * f->msi.maskable);
	/* What firmware left there must not fire into our vectors */
	hw_enable(f, false);
	hw_mask(f);
}

void passthrough_msi_release(struct vfunc *f)
{
	if (f->msi.cap)
		msi_off(f);
}
