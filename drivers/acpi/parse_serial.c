/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables that name a UART: SPCR has the one of the firmware's console, DBG2
 * those for debuggers. See parse.h; called by acpi.c at boot. Nothing is looked
 * at beyond the table, and nothing is tried at the addresses: hv/console does.
 * No lock.
 */
#include "drivers/acpi/parse.h"

#include "include/hw/pci.h"
#include "lib/string.h"

static bool is_16550(u32 interface)
{
	return interface == ACPI_UART_16550 || interface == ACPI_UART_16450 ||
	       interface == ACPI_UART_16550_BY_GAS;
}

/* NULL: there is no room, or @gas names no registers (0: redirection is off) */
static struct acpi_serial *serial_add(struct acpi_facts *f,
				      const struct acpi_gas_raw *gas)
{
	struct acpi_serial *s = &f->serials[f->serial_count];

	if (!gas->address || gas->space > ACPI_SPACE_IO ||
	    acpi_list_full(f, LIST_SERIALS, f->serial_count))
		return NULL;
	f->serial_count++;
	*s = (struct acpi_serial){ .at = { .space = gas->space,
					   .bits = gas->bits,
					   .offset = gas->offset,
					   .access = gas->access,
					   .address = gas->address } };
	return s;
}

static u32 spcr_baud(const struct acpi_spcr *t)
{
	static const u32 rates[] = {
		[SPCR_BAUD_9600] = 9600,
		[SPCR_BAUD_19200] = 19200,
		[SPCR_BAUD_57600] = 57600,
		[SPCR_BAUD_115200] = 115200,
	};

	if (t->precise_baud)
		return t->precise_baud;
	return t->baud < ARRAY_SIZE(rates) ? rates[t->baud] : 0;
}

static void spcr_function(struct acpi_serial *s, const struct acpi_spcr *t)
{
	if (!t->pci_vendor || t->pci_vendor == SPCR_NO_FUNCTION ||
	    t->pci_device == SPCR_NO_FUNCTION || t->pci_slot >= PCI_DEVICES ||
	    t->pci_function >= PCI_FUNCTIONS)
		return;
	s->has_function = true;
	s->segment = t->pci_segment;
	s->bus = t->pci_bus;
	s->devfn = (u8)(t->pci_slot << 3 | t->pci_function);
	s->vendor = t->pci_vendor;
	s->device = t->pci_device;
}

void acpi_parse_spcr(struct acpi_facts *f, const struct acpi_header *t)
{
	struct acpi_serial *s;
	struct acpi_spcr spcr;

	if (t->length < SPCR_BYTES_MIN)
		return;
	/* Fields past the end of an older table are zero: not told */
	memset(&spcr, 0, sizeof(spcr));
	memcpy(&spcr, t, MIN(t->length, (u32)sizeof(spcr)));
	s = is_16550(spcr.interface) ? serial_add(f, &spcr.base) : NULL;
	if (!s)
		return;
	s->clock_hz = spcr.clock_hz;
	s->baud = spcr_baud(&spcr);
	s->has_irq = spcr.interrupts & SPCR_INTERRUPT_8259;
	s->has_gsi = spcr.interrupts & SPCR_INTERRUPT_IOAPIC;
	s->irq = spcr.irq;
	s->gsi = spcr.gsi;
	spcr_function(s, &spcr);
}

/* Of a device at @p, which has @bytes: its first registers */
static void dbg2_device(struct acpi_facts *f, const u8 *p, u32 bytes)
{
	struct acpi_gas_raw gas;
	struct acpi_serial *s;
	struct dbg2_device d;

	memcpy(&d, p, sizeof(d));
	if (d.type != DBG2_SERIAL || !is_16550(d.subtype) || !d.address_count ||
	    bytes < sizeof(gas) || d.address_offset > bytes - sizeof(gas))
		return;
	memcpy(&gas, p + d.address_offset, sizeof(gas));
	s = serial_add(f, &gas);
	if (s)
		s->debug = true;
}

void acpi_parse_dbg2(struct acpi_facts *f, const struct acpi_header *t)
{
	const u8 *p = (const u8 *)t;
	struct acpi_dbg2 head;
	struct dbg2_device d;
	u32 at;

	if (t->length < sizeof(head))
		return;
	memcpy(&head, t, sizeof(head));
	at = MAX(head.offset, (u32)sizeof(head));
	for (u32 i = 0; i < head.count; i++) {
		if (at > t->length || t->length - at < sizeof(d))
			return;
		memcpy(&d, p + at, sizeof(d));
		if (d.length < sizeof(d) || d.length > t->length - at)
			return;
		dbg2_device(f, p + at, d.length);
		at += d.length;
	}
}
