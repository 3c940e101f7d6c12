/* SPDX-License-Identifier: BSD-2-Clause */
/* Port and MMIO isolation: the guest reaches no device of the machine */
#include "tests/guest/lib/guest.h"

/* Ports that a real machine has and this guest must not: they float */
static const struct {
	const char *name;
	u16 port;
} absent[] = {
	{ "io.com2_absent", 0x2fd },       { "io.ide_absent", 0x1f7 },
	{ "io.vga_absent", 0x3da },        { "io.unclaimed", 0x1234 },
	{ "io.debug_port_absent", 0x402 },
};

static void ports(void)
{
	section("SDM 1 19.3");
	for (u32 i = 0; i < ARRAY_SIZE(absent); i++) {
		u8 v = inb(absent[i].port);

		check(v == 0xff, absent[i].name, "port %x reads %x",
		      absent[i].port, v);
	}
	check(inw(0x1f0) == 0xffff, "io.word_floats", "%x", inw(0x1f0));
	check(inl(0x1f0) == 0xffffffff, "io.dword_floats", "%x", inl(0x1f0));
}

/* Writes that would hurt the machine if they got through */
static void harmful_writes(void)
{
	section("SDM 1 19.3");
	outb(0xf4, 0x00);
	outw(0xb004, 0x2000);
	check(true, "io.harmful_writes_survived", "");
}

static void string_io(void)
{
	static u8 buf[256];
	u8 *p = buf;
	u64 n = sizeof(buf);

	section("SDM 1 19.4");
	__asm__ volatile("rep insb"
			 : "+D"(p), "+c"(n)
			 : "d"((u16)0x1234)
			 : "memory");
	check(n == 0 && p == buf + sizeof(buf), "io.rep_insb_registers",
	      "rcx %llu", n);
	for (u32 i = 0; i < sizeof(buf); i++)
		if (buf[i] != 0xff) {
			check(false, "io.rep_insb_data", "byte %u is %x", i,
			      buf[i]);
			return;
		}
	check(true, "io.rep_insb_data", "");
	p = buf;
	n = 64;
	__asm__ volatile("rep outsb"
			 : "+S"(p), "+c"(n)
			 : "d"((u16)0x1234)
			 : "memory");
	check(n == 0 && p == buf + 64, "io.rep_outsb_registers", "rcx %llu", n);
}

static void uart(void)
{
	u8 lcr = inb(0x3fb);

	section("PC16550D 8.0");
	outb(0x3ff, 0x5a);
	check(inb(0x3ff) == 0x5a, "io.uart_scratch", "%x", inb(0x3ff));
	outb(0x3fb, 0x80 | lcr);
	outb(0x3f8, 0x0c);
	check(inb(0x3f8) == 0x0c, "io.uart_divisor", "%x", inb(0x3f8));
	outb(0x3f8, 0x01);
	outb(0x3fb, lcr & 0x7f);
	/* As long as the terminal takes for what was printed */
	while ((inb(0x3fd) & 0x60) != 0x60)
		cpu_relax();
	check((inb(0x3fd) & 0x60) == 0x60, "io.uart_idle", "LSR %x",
	      inb(0x3fd));
}

/* Physical addresses where machines keep devices: nothing answers */
static const struct {
	const char *name;
	u64 gpa;
} holes[] = {
	{ "mmio.flash_absent", 0xfffffff0 },
	{ "mmio.pci_absent", 0xe0000000 },
	{ "mmio.past_ram", 0x40000000 },
	{ "mmio.tpm_absent", 0xfed40000 },
};

static void mmio(void)
{
	section("SDM 1 19.3.1");
	for (u32 i = 0; i < ARRAY_SIZE(holes); i++) {
		volatile u32 *p = (volatile u32 *)holes[i].gpa;
		u32 v = *p;

		*p = 0x12345678;
		check(v == 0xffffffff && *p == 0xffffffff, holes[i].name,
		      "%llx reads %x", holes[i].gpa, v);
	}
}

void guest_main(void)
{
	ports();
	harmful_writes();
	string_io();
	uart();
	mmio();
}
