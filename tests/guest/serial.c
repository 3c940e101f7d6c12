/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest where the hypervisor's UART is not at COM1: its own is
 * there, as ever, and the hypervisor's is out of reach. The command line says
 * where that is: "port=", and "devfn=" on bus 0 of one that is a PCI function.
 * Then it waits for an "x" to be typed.
 */
#include "tests/guest/lib/guest.h"

#define COM1        0x3f8u
#define IER         1u
#define FCR         2u
#define LCR         3u
#define MCR         4u
#define LSR         5u
#define SCR         7u
#define LSR_DR      1u
#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define COMMAND     0x04
#define BAR0        0x10

static u32 devfn;

static u32 cfg_read(u32 reg)
{
	outl(PCI_ADDRESS, 1u << 31 | devfn << 8 | reg);
	return inl(PCI_DATA);
}

static void cfg_write(u32 reg, u32 value)
{
	outl(PCI_ADDRESS, 1u << 31 | devfn << 8 | reg);
	outl(PCI_DATA, value);
}

static bool keeps(u16 port, u8 value)
{
	outb(port, value);
	return inb(port) == value;
}

static void check_ports(u16 port)
{
	u32 answers = 0;

	section("16550D 8.0");
	for (u16 i = 0; i < 8; i++)
		answers += inb((u16)(port + i)) != 0xff;
	check(!answers, "serial.ports_float", "%u answer", answers);
	check(!keeps((u16)(port + SCR), 0x5a), "serial.scratch_is_not_there",
	      "it keeps a value");
	/* A reset of the FIFOs, a loop or another rate would be seen outside */
	outb((u16)(port + LCR), 0x80);
	outb(port, 0x55);
	outb((u16)(port + IER), 0);
	outb((u16)(port + FCR), 0);
	outb((u16)(port + MCR), 0x10);
	check(keeps(COM1 + SCR, 0x5a) && keeps(COM1 + SCR, 0xa5),
	      "serial.com1_is_mine", "its scratch register keeps nothing");
}

/* Found, but as it is: neither off nor elsewhere */
static void check_function(void)
{
	u32 command = cfg_read(COMMAND), bar = cfg_read(BAR0);

	section("PCI 3.0 6.2");
	check((cfg_read(0) & 0xffff) != 0xffff, "serial.function_is_seen",
	      "there is none at %x", devfn);
	cfg_write(COMMAND, 0);
	cfg_write(BAR0, 0);
	check(cfg_read(COMMAND) == command && command & 1,
	      "serial.command_stays", "%x was %x", cfg_read(COMMAND), command);
	check(cfg_read(BAR0) == bar, "serial.bar_stays", "%x was %x",
	      cfg_read(BAR0), bar);
}

/* It comes through the hypervisor's UART and the console in focus */
static void wait_for_key(void)
{
	print("READY\n");
	while (!(inb(COM1 + LSR) & LSR_DR))
		cpu_relax();
	check(inb(COM1) == 'x', "serial.key_arrives", "another one");
}

void guest_main(void)
{
	devfn = (u32)cmdline_number("devfn=", 0);
	if (devfn) {
		check_function();
		check_ports((u16)(cfg_read(BAR0) & ~3u));
	} else {
		check_ports((u16)cmdline_number("port=", 0));
	}
	wait_for_key();
}
