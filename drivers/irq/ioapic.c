/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical IOAPICs, see ioapic.h. Called by hv/init.c at boot, by
 * hv/irq/route.c for devices of guests, and by hv/console/input.c for the UART.
 *
 * Lock: each IOAPIC's own, around its select and window registers; a leaf.
 * Interrupt handlers take it, too: they never come while the hypervisor holds a
 * lock.
 */
#include "drivers/irq/ioapic.h"

#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/portio.h"
#include "arch/x86/cpu/spinlock.h"
#include "drivers/acpi/acpi.h"
#include "include/hw/ioapic.h"
#include "include/hw/lapic.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/hostmap.h"
#include "mm/owner.h"
#include "mm/pmm.h"
#include "mm/pt.h"

struct ioapic {
	u64 base;
	u8 *page;
	u32 gsi_base, pins;
	u32 low[IOAPIC_MAX_PINS]; /* what the low half of each RTE holds */
	struct spinlock lock;
};

static struct ioapic *ioapics[ACPI_MAX_IOAPICS];
static u32 ioapic_count;

static u32 reg_read(const struct ioapic *io, u32 reg)
{
	mmio_write(io->page + IOREGSEL, 4, reg);
	return (u32)mmio_read(io->page + IOWIN, 4);
}

static void reg_write(const struct ioapic *io, u32 reg, u32 value)
{
	mmio_write(io->page + IOREGSEL, 4, reg);
	mmio_write(io->page + IOWIN, 4, value);
}

/* The IOAPIC that has @gsi, and its pin; NULL: none */
static struct ioapic *ioapic_of(u32 gsi, u32 *pin)
{
	for (u32 i = 0; i < ioapic_count; i++) {
		*pin = gsi - ioapics[i]->gsi_base;
		if (gsi >= ioapics[i]->gsi_base && *pin < ioapics[i]->pins)
			return ioapics[i];
	}
	return NULL;
}

static void mask_all(struct ioapic *io)
{
	for (u32 pin = 0; pin < io->pins; pin++) {
		io->low[pin] = (u32)RTE_MASKED;
		reg_write(io, IOREDTBL_LOW(pin), (u32)RTE_MASKED);
		reg_write(io, IOREDTBL_HIGH(pin), 0);
	}
}

/* Maps it and reads how many pins it has; what is wrong, or NULL */
static const char *ioapic_open(struct ioapic *io)
{
	u32 version;

	if (io->gsi_base >= IOAPIC_GSI_END)
		return "its interrupts have impossible numbers";
	/* Its registers would be written, and that may be memory */
	if (owner_keep_device(io->base, IOAPIC_BYTES))
		return "that is not where registers can be";
	io->page = ioremap(HPA(io->base), IOAPIC_BYTES, PT_R | PT_W | PT_UC);
	if (!io->page)
		return "it cannot be mapped";
	version = reg_read(io, IOAPICVER);
	if (version == ~0u) {
		iounmap(io->page, IOAPIC_BYTES);
		return "none answers";
	}
	io->pins = MIN(IOAPICVER_PINS(version), IOAPIC_MAX_PINS);
	io->pins = MIN(io->pins, IOAPIC_GSI_END - io->gsi_base);
	return NULL;
}

static void ioapic_add(u64 base, u32 gsi_base)
{
	struct ioapic *io = ioapics[ioapic_count];
	const char *wrong = "there is no memory for it";

	if (!io)
		io = kmem_alloc(&pmm_self, sizeof(*io));
	ioapics[ioapic_count] = io; /* or for the next, if this is none */
	if (io) {
		*io = (struct ioapic){ .base = base, .gsi_base = gsi_base };
		wrong = ioapic_open(io);
	}
	if (wrong) {
		log_warn("ioapic",
			 "interrupts of the IOAPIC at %#llx will not arrive: "
			 "%s",
			 base, wrong);
		return;
	}
	mask_all(io);
	ioapic_count++;
}

/* A chipset of Intel's decodes its IOAPIC anywhere there, by a register of its
 * bridge that is the guest's, among others (PIIX4, *APICBASE*) */
static void keep_space(void)
{
	if (cpu_features.vendor == VENDOR_INTEL &&
	    owner_keep_device(IOAPIC_DEFAULT_BASE, IOAPIC_SPACE_BYTES))
		log_info("ioapic", "there is RAM at %#llx",
			 IOAPIC_DEFAULT_BASE);
}

int ioapic_init(u64 mp_base)
{
	keep_space();
	ioapic_count = 0;
	for (u32 i = 0; i < acpi.ioapic_count; i++)
		ioapic_add(acpi.ioapics[i].base, acpi.ioapics[i].gsi_base);
	if (!acpi.ioapic_count)
		ioapic_add(mp_base ? mp_base : IOAPIC_DEFAULT_BASE, 0);
	return ioapic_count ? 0 : -ENODEV;
}

u32 ioapic_gsi_count(void)
{
	u32 count = 0;

	for (u32 i = 0; i < ioapic_count; i++)
		count = MAX(count, ioapics[i]->gsi_base + ioapics[i]->pins);
	return count;
}

/* @low has the other bits, which spares a read of a slow register */
static void set_mask(u32 gsi, bool masked)
{
	u32 pin;
	struct ioapic *io = ioapic_of(gsi, &pin);

	if (!io)
		return;
	spin_lock(&io->lock);
	if (masked)
		io->low[pin] |= (u32)RTE_MASKED;
	else
		io->low[pin] &= ~(u32)RTE_MASKED;
	reg_write(io, IOREDTBL_LOW(pin), io->low[pin]);
	spin_unlock(&io->lock);
}

static u32 rte_low(u8 vector, bool level, bool active_low)
{
	u32 low = (u32)RTE_MASKED | vector;

	if (level)
		low |= (u32)RTE_LEVEL;
	if (active_low)
		low |= (u32)RTE_ACTIVE_LOW;
	return low;
}

int ioapic_route(u32 gsi, u8 vector, u32 apic_id, bool level, bool active_low)
{
	u32 pin, low = rte_low(vector, level, active_low);
	struct ioapic *io = ioapic_of(gsi, &pin);

	if (!io)
		return 0;
	if (apic_id > XAPIC_ID_MAX) {
		set_mask(gsi, true);
		log_error("ioapic",
			  "GSI %u cannot reach APIC id %u: without "
			  "interrupt remapping only ids below 255",
			  gsi, apic_id);
		return -ENOTSUP;
	}
	spin_lock(&io->lock);
	/* The half with the mask comes first: no pin is half old, half new */
	io->low[pin] = low;
	reg_write(io, IOREDTBL_LOW(pin), low);
	reg_write(io, IOREDTBL_HIGH(pin), apic_id << (RTE_DEST_SHIFT - 32));
	spin_unlock(&io->lock);
	return 0;
}

void ioapic_aim(u32 gsi, u32 apic_id)
{
	u32 pin;
	struct ioapic *io = ioapic_of(gsi, &pin);

	if (!io)
		return;
	spin_lock(&io->lock);
	reg_write(io, IOREDTBL_HIGH(pin), apic_id << (RTE_DEST_SHIFT - 32));
	spin_unlock(&io->lock);
}

void ioapic_mask(u32 gsi)
{
	set_mask(gsi, true);
}

void ioapic_unmask(u32 gsi)
{
	set_mask(gsi, false);
}
