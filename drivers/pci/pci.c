/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host PCI configuration space, see pci.h. Called by drivers/power and by
 * hv/assign. The privileged guest chooses offset and size, so they are checked
 * here.
 *
 * Lock: pci_lock protects the address port from its write to the data access,
 * and the mapping of an ECAM range at its first use. That takes the locks of
 * mm/owner.c and mm/hostmap.c inside it. Once mapped, an ECAM access takes no
 * lock.
 */
#include "drivers/pci/pci.h"

#include "arch/x86/cpu/portio.h"
#include "arch/x86/cpu/spinlock.h"
#include "drivers/acpi/acpi.h"
#include "include/hw/pci.h"
#include "lib/bytes.h"
#include "lib/log.h"
#include "mm/hostmap.h"
#include "mm/owner.h"
#include "mm/pt.h"

#define NO_FUNCTION 0xffffu
/* Capabilities are 4 bytes at least: a longer chain is a loop */
#define CAPS_MAX ((PCI_CONFIG_BYTES - PCI_CAP_FIRST) / 4)
/* There are some 50 kinds, and a core may be in an exit meanwhile */
#define EXT_CAPS_MAX 64u

static u8 *ecam_va[ACPI_MAX_ECAM];
static bool ecam_failed[ACPI_MAX_ECAM];
static struct spinlock pci_lock;

/* Is the MCFG table wrong, and puts configuration space into memory? */
static bool ecam_in_ram(u64 base)
{
	enum owner_kind kind = owner_find(HPA(base)).kind;

	if (kind == OWNER_FIRMWARE || kind == OWNER_DEVICE ||
	    kind == OWNER_KEPT)
		return false;
	log_warn("pci",
		 "the MCFG table puts configuration space into memory, "
		 "at %#llx: it is not used",
		 base);
	return true;
}

static u8 *ecam_map(u32 i)
{
	const struct acpi_ecam *e = &acpi.ecam[i];
	u64 first = e->bus_first * PCI_ECAM_BUS_BYTES;
	u64 bytes = (e->bus_last - e->bus_first + 1u) * PCI_ECAM_BUS_BYTES;
	u8 *va;

	spin_lock(&pci_lock);
	va = ecam_va[i];
	if (!va && !ecam_failed[i]) {
		if (!ecam_in_ram(e->base + first))
			va = ioremap(HPA(e->base + first), bytes,
				     PT_R | PT_W | PT_UC);
		ecam_failed[i] = !va;
		WRITE_ONCE(ecam_va[i], va);
	}
	spin_unlock(&pci_lock);
	return va;
}

/* Where the function's 4 KiB are mapped; NULL: not covered by MCFG */
static u8 *ecam_function(struct pci_bdf bdf)
{
	for (u32 i = 0; i < acpi.ecam_count; i++) {
		const struct acpi_ecam *e = &acpi.ecam[i];
		u8 *va = READ_ONCE(ecam_va[i]);

		if (e->unused || e->segment != bdf.segment ||
		    bdf.bus < e->bus_first || bdf.bus > e->bus_last)
			continue;
		if (!va)
			va = ecam_map(i);
		if (!va)
			return NULL;
		return va +
		       pci_ecam_offset(bdf.bus - (u32)e->bus_first, bdf.devfn);
	}
	return NULL;
}

static bool access_ok(u16 offset, u8 size, u32 limit)
{
	return (size == 1 || size == 2 || size == 4) &&
	       IS_ALIGNED(offset, size) && offset < limit;
}

/* The port that shows the wanted bytes, once the address is set */
static u16 port_select(struct pci_bdf bdf, u16 offset)
{
	port_write(PCI_PORT_ADDRESS, 4, pci_port_address(bdf, offset));
	return (u16)(PCI_PORT_DATA + (offset & 3));
}

static u32 by_port_read(struct pci_bdf bdf, u16 offset, u8 size)
{
	u32 value;

	spin_lock(&pci_lock);
	value = port_read(port_select(bdf, offset), size);
	spin_unlock(&pci_lock);
	return value;
}

static void by_port_write(struct pci_bdf bdf, u16 offset, u8 size, u32 value)
{
	spin_lock(&pci_lock);
	port_write(port_select(bdf, offset), size, value);
	spin_unlock(&pci_lock);
}

/* One access of the size, through EAX or its parts: some CPUs take no other
 * register (AMD family 10h BKDG, 2.11 *Configuration Space*) */
static u32 ecam_read(const u8 *p, u8 size)
{
	u32 value = 0;

	if (size == 1)
		__asm__ volatile("movb %1, %%al" : "+a"(value) : "m"(*p));
	else if (size == 2)
		__asm__ volatile("movw %1, %%ax"
				 : "+a"(value)
				 : "m"(*(const u16 *)(const void *)p));
	else
		__asm__ volatile("movl %1, %%eax"
				 : "+a"(value)
				 : "m"(*(const u32 *)(const void *)p));
	return value;
}

static void ecam_write(u8 *p, u8 size, u32 value)
{
	if (size == 1)
		__asm__ volatile("movb %%al, %0" : "=m"(*p) : "a"(value));
	else if (size == 2)
		__asm__ volatile("movw %%ax, %0"
				 : "=m"(*(u16 *)(void *)p)
				 : "a"(value));
	else
		__asm__ volatile("movl %%eax, %0"
				 : "=m"(*(u32 *)(void *)p)
				 : "a"(value));
}

u32 pci_read(struct pci_bdf bdf, u16 offset, u8 size)
{
	u8 *function = ecam_function(bdf);

	if (function && access_ok(offset, size, PCI_ECAM_BYTES))
		return ecam_read(function + offset, size);
	if (function || bdf.segment ||
	    !access_ok(offset, size, PCI_CONFIG_BYTES))
		return (u32)ones_of(MIN(size, (u8)4));
	return by_port_read(bdf, offset, size);
}

void pci_write(struct pci_bdf bdf, u16 offset, u8 size, u32 value)
{
	u8 *function = ecam_function(bdf);

	if (function) {
		if (access_ok(offset, size, PCI_ECAM_BYTES))
			ecam_write(function + offset, size, value);
		return;
	}
	if (!bdf.segment && access_ok(offset, size, PCI_CONFIG_BYTES))
		by_port_write(bdf, offset, size, value);
}

void pci_find_caps(struct pci_bdf bdf, const u8 *ids, u8 *at, u32 count)
{
	u8 cap;

	for (u32 i = 0; i < count; i++)
		at[i] = 0;
	if (!(pci_read(bdf, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return;
	cap = (u8)(pci_read(bdf, PCI_CAP_POINTER, 1) & ~3u);
	for (u32 n = 0; n < CAPS_MAX && cap >= PCI_CAP_FIRST; n++) {
		u32 header = pci_read(bdf, cap, 2);

		for (u32 i = 0; i < count; i++)
			if (!at[i] && (header & 0xff) == ids[i])
				at[i] = cap;
		if (count == 1 && at[0])
			return;
		cap = (u8)(header >> 8 & ~3u);
	}
}

u8 pci_find_cap(struct pci_bdf bdf, u8 id)
{
	u8 at;

	pci_find_caps(bdf, &id, &at, 1);
	return at;
}

void pci_find_ext_caps(struct pci_bdf bdf, const u16 *ids, u16 *at, u32 count)
{
	u16 cap = PCI_EXT_CAP_FIRST;

	for (u32 i = 0; i < count; i++)
		at[i] = 0;
	for (u32 n = 0; n < EXT_CAPS_MAX && cap >= PCI_EXT_CAP_FIRST; n++) {
		u32 header = pci_read(bdf, cap, 4);

		if (!header || header == ~0u)
			return;
		for (u32 i = 0; i < count; i++)
			if (!at[i] && PCI_EXT_CAP_ID(header) == ids[i])
				at[i] = cap;
		if (count == 1 && at[0])
			return;
		cap = (u16)PCI_EXT_CAP_NEXT(header);
	}
}

u16 pci_find_ext_cap(struct pci_bdf bdf, u16 id)
{
	u16 at;

	pci_find_ext_caps(bdf, &id, &at, 1);
	return at;
}

static bool function_present(struct pci_bdf bdf)
{
	return pci_read(bdf, PCI_VENDOR_ID, 2) != NO_FUNCTION;
}

/* @all: look for each function, whatever the first one says */
static void scan_device(struct pci_bdf bdf, bool all,
			void (*fn)(struct pci_bdf bdf, void *arg), void *arg)
{
	bool present = function_present(bdf);
	bool multi = all;

	if (present) {
		multi |= pci_read(bdf, PCI_HEADER_TYPE, 1) & PCI_HEADER_MULTI;
		fn(bdf, arg);
	}
	for (u32 i = 1; multi && i < PCI_FUNCTIONS; i++) {
		bdf.devfn++;
		if (function_present(bdf))
			fn(bdf, arg);
	}
}

/* With ARI the bus is one device's, of up to 256 functions, anywhere (PCIe 4.0,
 * 6.13 *Alternative Routing-ID Interpretation (ARI)*) */
static bool has_ari(u16 segment, u32 bus)
{
	struct pci_bdf first = { .segment = segment, .bus = (u8)bus };

	return pci_find_ext_cap(first, PCI_EXT_CAP_ARI);
}

static void scan_buses(u16 segment, u32 first, u32 last,
		       void (*fn)(struct pci_bdf bdf, void *arg), void *arg)
{
	for (u32 bus = first; bus <= last; bus++) {
		bool all = has_ari(segment, bus);

		for (u32 device = 0; device < PCI_DEVICES; device++) {
			struct pci_bdf bdf = {
				.segment = segment,
				.bus = (u8)bus,
				.devfn = pci_devfn(device, 0),
			};

			scan_device(bdf, all, fn, arg);
		}
	}
}

void pci_scan(void (*fn)(struct pci_bdf bdf, void *arg), void *arg)
{
	for (u32 i = 0; i < acpi.ecam_count; i++)
		if (!acpi.ecam[i].unused)
			scan_buses(acpi.ecam[i].segment, acpi.ecam[i].bus_first,
				   acpi.ecam[i].bus_last, fn, arg);
	if (!acpi.ecam_count)
		scan_buses(0, 0, PCI_BUSES - 1, fn, arg);
}

static void clear_control(struct pci_bdf bdf, u8 cap, u16 enable)
{
	u16 at = (u16)(pci_find_cap(bdf, cap) + PCI_MSI_CONTROL);
	u32 control;

	if (at == PCI_MSI_CONTROL)
		return;
	control = pci_read(bdf, at, 2);
	if (control & enable)
		pci_write(bdf, at, 2, control & ~(u32)enable);
}

void pci_quiet_function(struct pci_bdf bdf)
{
	clear_control(bdf, PCI_CAP_ID_MSI, PCI_MSI_ENABLE);
	clear_control(bdf, PCI_CAP_ID_MSIX, PCI_MSIX_ENABLE);
}

static void quiet_found(struct pci_bdf bdf, void *arg)
{
	pci_quiet_function(bdf);
}

void pci_quiet(void)
{
	pci_scan(quiet_found, NULL);
}
