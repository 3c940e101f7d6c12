/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports of QEMU's pc-testdev, and the debug console, as their users expect
 * them. The word "off": the guest's manifest does not ask for them. */
#include "tests/guest/lib/board.h"

#define SPEC   "QEMU pc-testdev.c "
#define MEMORY 0xff000000u
#define VECTOR 0x60

static void absent(void)
{
	section("docs/manifest.md testdev");
	outl(0xe0, 0x12345678);
	check(inl(0xe0) == 0xffffffff, "testdev.off_ports", "%x", inl(0xe0));
	*(volatile u32 *)(u64)MEMORY = 0x12345678;
	check(*(volatile u32 *)(u64)MEMORY == 0xffffffff, "testdev.off_memory",
	      "");
	section("docs/manifest.md debug_console");
	check(inb(0x402) == 0xff, "testdev.off_debug_console", "%x",
	      inb(0x402));
}

static void word(void)
{
	section(SPEC "ioport");
	outl(0xe0, 0x12345678);
	check(inl(0xe0) == 0x12345678, "testdev.dword", "%x", inl(0xe0));
	check(inw(0xe0) == 0x5678 && inw(0xe2) == 0x1234, "testdev.words", "%x",
	      inw(0xe0));
	check(inb(0xe1) == 0x56 && inb(0xe3) == 0x12, "testdev.bytes", "%x",
	      inb(0xe1));
	outb(0xe2, 0xab);
	check(inl(0xe0) == 0x12ab5678, "testdev.byte_write", "%x", inl(0xe0));
	check(inl(0xe8) == 0x12ab5678, "testdev.byte_port", "%x", inl(0xe8));
	outl(0xe8, 0x0badcafe);
	check(inl(0xe0) == 0x0badcafe, "testdev.byte_port_write", "%x",
	      inl(0xe0));
}

static void strings(void)
{
	static const u32 in = 0x55aa1234;
	u32 out = 0;
	const void *from = &in;
	void *to = &out;
	u64 n = 1;

	section(SPEC "ioport");
	__asm__ volatile("rep outsl"
			 : "+S"(from), "+c"(n)
			 : "d"(0xe0)
			 : "memory");
	n = 1;
	__asm__ volatile("rep insl" : "+D"(to), "+c"(n) : "d"(0xe0) : "memory");
	check(out == in, "testdev.string_io", "%x", out);
}

static void memory(void)
{
	volatile u64 *p64 = (volatile u64 *)(u64)MEMORY;
	volatile u8 *p8 = (volatile u8 *)(u64)MEMORY;
	volatile u32 *last = (volatile u32 *)(u64)(MEMORY + 0xfffc);

	section(SPEC "iomem");
	*p64 = 0x1122334455667788;
	check(*p64 == 0x1122334455667788, "testdev.memory_qword", "%llx", *p64);
	check(p8[3] == 0x55 && *(volatile u16 *)(p8 + 6) == 0x1122,
	      "testdev.memory_sizes", "%x", p8[3]);
	p8[1] = 0;
	check(*p64 == 0x1122334455660088, "testdev.memory_byte_write", "%llx",
	      *p64);
	*last = 0xdeadbeef;
	check(*last == 0xdeadbeef, "testdev.memory_end", "%x", *last);
	check(*(volatile u32 *)(u64)(MEMORY + 0x10000) == 0xffffffff,
	      "testdev.memory_behind_end", "");
}

static void flush(void)
{
	static volatile u32 page[1024] __aligned(4096);

	section(SPEC "flush-page");
	page[7] = 0x77;
	outl(0xe4, (u32)(u64)page);
	check(page[7] == 0x77, "testdev.flush_keeps_page", "%x", page[7]);
}

static void lines(void)
{
	section(SPEC "irq-line");
	apic_enable();
	irq_handler[VECTOR] = irq_ack;
	irq_handler[VECTOR + 1] = irq_ack;
	ioapic_set(10, VECTOR);
	ioapic_set(20, VECTOR + 1);
	outb(0x200a, 1);
	irq_window();
	check(irq_count[VECTOR] == 1, "testdev.line_rises", "%llu",
	      irq_count[VECTOR]);
	outb(0x200a, 0);
	outb(0x200a, 1);
	irq_window();
	check(irq_count[VECTOR] == 2, "testdev.line_again", "%llu",
	      irq_count[VECTOR]);
	outb(0x200a, 0);
	outb(0x2014, 1);
	irq_window();
	check(irq_count[VECTOR + 1] == 1, "testdev.line_20", "%llu",
	      irq_count[VECTOR + 1]);
	outb(0x2014, 0);
	ioapic_set(10, 0x10000);
	ioapic_set(20, 0x10000);
}

static void debug_console(void)
{
	static const char text[] = "seen by\tnobody else\r\n";

	section("QEMU debugcon.c");
	check(inb(0x402) == 0xe9, "testdev.debug_console_there", "%x",
	      inb(0x402));
	for (u32 i = 0; text[i]; i++)
		outb(0x402, (u8)text[i]);
	for (u32 i = 0; i < 30000; i++)
		outb(0x402, i % 2 ? 'x' : '\n');
	check(true, "testdev.debug_console_flood", "");
}

void guest_main(void)
{
	if (cmdline_has("off")) {
		absent();
		return;
	}
	word();
	strings();
	memory();
	flush();
	lines();
	debug_console();
}
