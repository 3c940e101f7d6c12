/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which UART is the hypervisor's. Called once at boot, when the manifest and
 * the ACPI tables are read; a boot that ends before takes a port of the
 * firmware's console, COM1 or COM2. Tables and manifest may be wrong: nothing
 * is tried where something else is known to be, and uart_open() looks before it
 * writes. So a wrong address costs its console, and the next one is tried
 * (serial_taken.c has what is known). No lock; constant afterwards.
 */
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "hv/console/console.h"
#include "hv/console/priv.h"
#include "include/hw/acpi.h"
#include "include/hw/pci.h"
#include "include/hw/uart16550.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/owner.h"

#define WHERE_LEN   48u
#define NO_FUNCTION 0xffffu
/* Lines that a UART on the ISA bus may have. The others are the board's own,
 * and those above 15 are shared with devices that guests have. */
#define SERIAL_IRQS (BIT(3) | BIT(4) | BIT(5) | BIT(7) | BIT(10) | BIT(11))

/* Classes a UART may have: communication controllers, and Intel's serial
 * blocks, which are signal processing controllers */
#define CLASS_COMMUNICATION 0x07u
#define CLASS_SIGNAL        0x11u

/* Also of one that was given up since: its registers stay the hypervisor's */
static struct console_serial chosen;
static const char *chosen_by;
static const struct boot_info *firmware; /* what its loader found */
static bool settled;

void serial_note(const struct boot_info *bi)
{
	firmware = bi;
}

const struct console_serial *console_serial(void)
{
	return chosen.at.base ? &chosen : NULL;
}

static bool is_com1(const struct uart_place *at)
{
	return at->space == UART_IN_PORTS && at->base == COM1_PORT;
}

bool console_serial_is_kept(void)
{
	return chosen.at.base && !is_com1(&chosen.at);
}

/* With the rate that is asked for, else with the one it has */
static bool open_at(struct uart_place *at)
{
	int err;

	if (serial_is_taken(at))
		return false;
	err = uart_open(at);
	if (err != -EINVAL || !at->baud)
		return !err;
	at->baud = 0;
	return !uart_open(at);
}

/* Registers in memory: as @at says, if it does, else in the two usual ways */
static bool open_any(struct uart_place *at)
{
	const struct {
		u8 stride, width;
	} ways[] = { { at->stride, at->width }, { 1, 1 }, { 4, 4 } };

	if (at->space == UART_IN_PORTS)
		return open_at(at);
	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		at->stride = ways[i].stride;
		at->width = ways[i].width;
		if (at->stride && open_at(at))
			return true;
	}
	return false;
}

static void where_text(const struct console_serial *s, char *buf, size_t size)
{
	const char *what = s->at.space == UART_IN_PORTS ? "port" : "address";
	int n = bh_snprintf(buf, size, "%s %#llx", what, s->at.base);

	if (s->has_function && n > 0 && (size_t)n < size)
		bh_snprintf(buf + n, size - (size_t)n, " of %04x:%02x:%02x.%x",
			    s->bdf.segment, s->bdf.bus, pci_device(s->bdf),
			    pci_function(s->bdf));
}

/* The UART that @by names is @s. False: it does not answer. */
static bool take(const struct console_serial *s, u32 baud, const char *by)
{
	struct console_serial c = *s;
	char where[WHERE_LEN];

	c.at.baud = baud;
	where_text(&c, where, sizeof(where));
	if (!open_any(&c.at)) {
		log_warn("console", "no UART answers at %s, which %s names",
			 where, by);
		return false;
	}
	chosen = c;
	chosen_by = by;
	return true;
}

static bool is_present(struct pci_bdf bdf)
{
	return pci_read(bdf, PCI_VENDOR_ID, 2) != NO_FUNCTION;
}

/* Its registers are behind the first port BAR, or else memory BAR, that has an
 * address. False: it has none. */
static bool function_bar(struct pci_bdf bdf, struct uart_place *at)
{
	at->base = 0;
	for (u32 i = 0; i < PCI_BAR_COUNT; i++) {
		u16 offset = (u16)(PCI_BAR0 + i * 4);
		u64 low = pci_read(bdf, offset, 4), high = 0;

		if (low & PCI_BAR_IO && low & PCI_BAR_IO_MASK) {
			at->space = UART_IN_PORTS;
			at->base = low & PCI_BAR_IO_MASK;
			return true;
		}
		if ((low & PCI_BAR_TYPE) == PCI_BAR_64 && !(low & PCI_BAR_IO) &&
		    ++i < PCI_BAR_COUNT)
			high = pci_read(bdf, (u16)(offset + 4), 4);
		low = (low & PCI_BAR_IO ? 0 : low & PCI_BAR_MEM_MASK) |
		      high << 32;
		if (!at->base && low) {
			at->space = UART_IN_MEMORY;
			at->base = low;
		}
	}
	return at->base;
}

/* It may be one: then it answers at its addresses from now on */
static bool function_enable(struct pci_bdf bdf, enum uart_space space)
{
	u32 class = pci_read(bdf, PCI_CLASS_REVISION, 4) >> 24;
	u32 command = pci_read(bdf, PCI_COMMAND, 2);
	u32 on = space == UART_IN_PORTS ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

	if (class != CLASS_COMMUNICATION && class != CLASS_SIGNAL)
		return false;
	if (!(command & on))
		pci_write(bdf, PCI_COMMAND, 2, command | on);
	return true;
}

static bool take_function(const struct serial_config *c, const char *by)
{
	struct console_serial s = {
		.has_function = true,
		.bdf = { .segment = c->segment,
			 .bus = c->bus,
			 .devfn = c->devfn },
		.gsi = CONSOLE_NO_GSI,
	};

	if (!is_present(s.bdf) ||
	    (pci_read(s.bdf, PCI_HEADER_TYPE, 1) & PCI_HEADER_LAYOUT) !=
		    PCI_HEADER_NORMAL ||
	    !function_bar(s.bdf, &s.at) ||
	    !function_enable(s.bdf, s.at.space)) {
		log_warn("console",
			 "%04x:%02x:%02x.%x, which %s names, is no serial port",
			 c->segment, c->bus, pci_device(s.bdf),
			 pci_function(s.bdf), by);
		return false;
	}
	return take(&s, c->baud, by);
}

static u32 port_gsi(u64 port)
{
	if (port == COM1_PORT)
		return acpi_isa_gsi(COM1_GSI);
	return port == COM2_PORT ? acpi_isa_gsi(COM2_IRQ) : CONSOLE_NO_GSI;
}

static bool take_port(u64 port, u32 baud, const char *by)
{
	const struct console_serial s = {
		.at = { .space = UART_IN_PORTS, .base = port },
		.gsi = port_gsi(port),
	};

	return take(&s, baud, by);
}

static bool take_configured(const struct serial_config *c, const char *by)
{
	const struct console_serial memory = {
		.at = { .space = UART_IN_MEMORY, .base = c->address },
		.gsi = CONSOLE_NO_GSI,
	};

	switch (c->way) {
	case SERIAL_PORT:
		return take_port(c->address, c->baud, by);
	case SERIAL_MEMORY:
		return take(&memory, c->baud, by);
	case SERIAL_PCI:
		return take_function(c, by);
	default:
		return false;
	}
}

/* A line that the UART alone has, by what the table says or else by the ports;
 * whether it works is seen later (input.c) */
static u32 table_gsi(const struct acpi_serial *t)
{
	u32 gsi = CONSOLE_NO_GSI;

	if (t->has_function)
		return gsi;
	if (t->has_irq && t->irq < 16 && SERIAL_IRQS & BIT(t->irq))
		gsi = acpi_isa_gsi(t->irq);
	else if (t->has_gsi && t->gsi < 16 && SERIAL_IRQS & BIT(t->gsi))
		gsi = t->gsi;
	else if (t->at.space == ACPI_SPACE_IO)
		gsi = port_gsi(t->at.address);
	return gsi == acpi.sci_gsi ? CONSOLE_NO_GSI : gsi;
}

static u8 access_bytes(const struct acpi_gas *gas)
{
	if (gas->access >= ACPI_ACCESS_BYTES && gas->access <= 4)
		return (u8)MIN(1u << (gas->access - 1), 4u);
	return (u8)MIN(gas->bits / 8u, 4u);
}

static void table_place(const struct acpi_serial *t, struct uart_place *at)
{
	at->space =
		t->at.space == ACPI_SPACE_IO ? UART_IN_PORTS : UART_IN_MEMORY;
	at->base = t->at.address;
	at->clock_hz = t->clock_hz;
	at->baud_if_unset = t->baud;
	if (at->space == UART_IN_PORTS)
		return;
	at->width = access_bytes(&t->at);
	at->stride = (u8)MAX((u32)at->width, MIN(t->at.bits / 8u, 4u));
}

static bool take_table(const struct acpi_serial *t, u32 baud)
{
	struct console_serial s = {
		.has_function = t->has_function,
		.bdf = { .segment = t->segment,
			 .bus = t->bus,
			 .devfn = t->devfn },
		.gsi = table_gsi(t),
	};

	table_place(t, &s.at);
	if (t->has_function &&
	    (pci_read(s.bdf, PCI_VENDOR_ID, 4) !=
		     ((u32)t->vendor | (u32)t->device << 16) ||
	     !function_enable(s.bdf, s.at.space)))
		s.has_function = false;
	return take(&s, baud, t->debug ? "DBG2" : "SPCR");
}

static bool take_tables(bool debug, u32 baud)
{
	for (u32 i = 0; i < acpi.serial_count; i++)
		if (acpi.serials[i].debug == debug &&
		    take_table(&acpi.serials[i], baud))
			return true;
	return false;
}

static bool take_probed(u16 port, u32 baud)
{
	struct console_serial s = {
		.at = { .space = UART_IN_PORTS, .base = port, .baud = baud },
		.gsi = port_gsi(port),
	};

	if (!open_at(&s.at))
		return false;
	chosen = s;
	chosen_by = "a look";
	return true;
}

static bool take_firmwares(const struct boot_serial *f, u32 baud)
{
	const struct serial_config c = {
		.way = f->way == BOOT_SERIAL_PORT ? SERIAL_PORT : SERIAL_PCI,
		.address = f->port,
		.segment = f->segment,
		.bus = f->bus,
		.devfn = f->devfn,
		.baud = baud,
	};

	return take_configured(&c, "the firmware's console");
}

/* Of the firmware's console. @early: no table has told where configuration
 * space is, and nothing is said. */
static bool take_firmware(u32 baud, bool early)
{
	u32 count = firmware ? firmware->serial_count : 0;

	for (u32 i = 0; i < MIN(count, (u32)BOOT_MAX_SERIALS); i++) {
		const struct boot_serial *f = &firmware->serials[i];

		if (!early && take_firmwares(f, baud))
			return true;
		if (early && f->way == BOOT_SERIAL_PORT &&
		    take_probed(f->port, baud))
			return true;
	}
	return false;
}

static bool choose(const struct serial_config *c)
{
	u32 baud = c ? c->baud : 0;

	if (c &&
	    (take_configured(c, "bulkhead.conf") || take_tables(false, baud)))
		return true;
	return take_firmware(baud, !c) || (c && take_tables(true, baud)) ||
	       take_probed(COM1_PORT, baud) || take_probed(COM2_PORT, baud);
}

static void report(u32 baud)
{
	char where[WHERE_LEN];

	where_text(&chosen, where, sizeof(where));
	log_info("console", "serial line at %s, by %s", where, chosen_by);
	if (chosen.at.baud != baud)
		log_warn("console",
			 "the UART cannot do %u baud: its rate is kept", baud);
	if (chosen.at.space == UART_IN_MEMORY &&
	    owner_keep_device(chosen.at.base,
			      (u64)UART_PORTS * chosen.at.stride))
		log_warn("console", "guests may reach the UART at %s", where);
}

/* In a panic and where the boot ends nothing is said of the choice */
void console_serial_init(const struct manifest *m)
{
	if (settled)
		return;
	settled = true;
	if (m && m->serial.way == SERIAL_NONE)
		return;
	if (!choose(m ? &m->serial : NULL))
		return;
	console_lock();
	history_replay_log();
	console_unlock();
	if (m)
		report(m->serial.baud);
}
