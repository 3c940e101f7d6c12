/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard controller and port 92h. The word "resets": every way to reset
 * that the board has, one after the other. */
#include "tests/guest/lib/board.h"

#define REF        "PS/2 Hardware Interface Technical Reference "
#define DATA       0x60
#define STATUS     0x64
#define OBF        0x01
#define AUX        0x20
#define TIMEOUT    0x40
#define VECTOR_KBD 0x51
#define VECTOR_AUX 0x52
#define CMOS_STEP  0x70
#define CMOS_MAGIC 0x71
#define MAGIC      0x5b

static bool full(void)
{
	return inb(STATUS) & OBF;
}

static void drain(void)
{
	for (u32 i = 0; i < 64 && full(); i++)
		inb(DATA);
}

static u8 controller(u8 command)
{
	outb(STATUS, command);
	return full() ? inb(DATA) : 0xee;
}

static void controller_with(u8 command, u8 data)
{
	outb(STATUS, command);
	outb(DATA, data);
}

static u8 keyboard(u8 byte)
{
	outb(DATA, byte);
	return full() ? inb(DATA) : 0xee;
}

static void self_test(void)
{
	u8 v;

	section(REF "Keyboard Controller Commands");
	v = controller(0xaa);
	check(v == 0x55, "kbc.self_test", "%x", v);
	check(inb(STATUS) & 0x04, "kbc.system_flag", "%x", inb(STATUS));
	v = controller(0xab);
	check(v == 0, "kbc.keyboard_line_test", "%x", v);
	v = controller(0xa9);
	check(v == 0, "kbc.aux_line_test", "%x", v);
	check(!full(), "kbc.empty", "%x", inb(STATUS));
	outb(STATUS, 0xaa);
	check(inb(STATUS) & 0x08, "kbc.status_command", "%x", inb(STATUS));
	inb(DATA);
	controller_with(0x60, 0x61);
	check(!(inb(STATUS) & 0x08), "kbc.status_data", "%x", inb(STATUS));
}

static void config_byte(void)
{
	u8 v;

	section(REF "Controller Configuration Byte");
	controller_with(0x60, 0x74);
	v = controller(0x20);
	check(v == 0x74, "kbc.config_reads_back", "%x", v);
	outb(STATUS, 0xa8);
	v = controller(0x20);
	check(!(v & 0x20), "kbc.aux_enable", "%x", v);
	outb(STATUS, 0xa7);
	v = controller(0x20);
	check(v & 0x20, "kbc.aux_disable", "%x", v);
	outb(STATUS, 0xae);
	v = controller(0x20);
	check(!(v & 0x10), "kbc.keyboard_enable", "%x", v);
	outb(STATUS, 0xad);
	v = controller(0x20);
	check(v & 0x10, "kbc.keyboard_disable", "%x", v);
	outb(STATUS, 0xae);
	controller_with(0x65, 0x5a);
	v = controller(0x25);
	check(v == 0x5a, "kbc.controller_ram", "%x", v);
}

static void a20(void)
{
	u8 v;

	section(REF "Output Port");
	v = controller(0xd0);
	check((v & 0x03) == 0x03, "kbc.output_port", "%x", v);
	controller_with(0xd1, v & 0xfd);
	v = controller(0xd0);
	check(!(v & 0x02), "kbc.a20_told_off", "%x", v);
	*(volatile u32 *)0x500000 = 0x11111111;
	*(volatile u32 *)0x400000 = 0x22222222;
	check(*(volatile u32 *)0x500000 == 0x11111111, "kbc.a20_always_on",
	      "%x", *(volatile u32 *)0x500000);
	outb(STATUS, 0xdf);
	v = controller(0xd0);
	check(v & 0x02, "kbc.a20_on", "%x", v);
	section(REF "Port 92h");
	check(inb(0x92) & 0x02, "kbc.port92_a20", "%x", inb(0x92));
	outb(0x92, 0x00);
	check(!(inb(0x92) & 0x02), "kbc.port92_reads_back", "%x", inb(0x92));
	outb(0x92, 0x02);
}

static void commands(void)
{
	u8 v;

	section(REF "Keyboard Commands");
	drain();
	v = keyboard(0xff);
	check(v == 0xfa && inb(DATA) == 0xaa && !full(), "kbc.reset_keyboard",
	      "%x", v);
	controller_with(0x60, 0x24); /* no translation */
	v = keyboard(0xf2);
	check(v == 0xfa && inb(DATA) == 0xab && inb(DATA) == 0x83,
	      "kbc.identify", "%x", v);
	controller_with(0x60, 0x64);
	keyboard(0xf2);
	inb(DATA);
	v = inb(DATA);
	check(v == 0x41, "kbc.identify_translated", "%x", v);
	check(keyboard(0xed) == 0xfa && keyboard(0x07) == 0xfa, "kbc.leds", "");
	check(keyboard(0xf3) == 0xfa && keyboard(0x20) == 0xfa, "kbc.typematic",
	      "");
	check(keyboard(0xf4) == 0xfa && !full(), "kbc.enable_scanning", "");
	check(keyboard(0xf5) == 0xfa && !full(), "kbc.disable_scanning", "");
	check(keyboard(0xee) == 0xee, "kbc.echo", "");
	controller_with(0x60, 0x24);
	keyboard(0xf0);
	v = keyboard(0);
	check(v == 0xfa && inb(DATA) == 2, "kbc.scan_set", "%x", v);
	check(keyboard(0x99) == 0xfe, "kbc.unknown_resend", "");
	v = keyboard(0xee);
	v = inb(DATA);
	check(v == 0xee && !full(), "kbc.last_byte_stays", "%x", v);
}

static void aux(void)
{
	u8 status, v;

	section(REF "Auxiliary Device");
	controller_with(0xd3, 0x5a);
	status = inb(STATUS);
	v = inb(DATA);
	check((status & (OBF | AUX)) == (OBF | AUX) && v == 0x5a,
	      "kbc.aux_loop", "%x %x", status, v);
	controller_with(0xd2, 0xa5);
	status = inb(STATUS);
	v = inb(DATA);
	check((status & (OBF | AUX)) == OBF && v == 0xa5, "kbc.keyboard_loop",
	      "%x %x", status, v);
	controller_with(0xd4, 0xff);
	status = inb(STATUS);
	v = inb(DATA);
	check((status & (AUX | TIMEOUT)) == (AUX | TIMEOUT) && v == 0xfe,
	      "kbc.no_mouse", "%x %x", status, v);
}

static void interrupts(void)
{
	section(REF "Interrupts");
	apic_enable();
	irq_handler[VECTOR_KBD] = irq_ack;
	irq_handler[VECTOR_AUX] = irq_ack;
	drain();
	ioapic_set(1, VECTOR_KBD);
	ioapic_set(12, VECTOR_AUX);
	controller_with(0x60, 0x44);
	controller_with(0xd2, 0x11);
	irq_window();
	check(!irq_count[VECTOR_KBD], "kbc.irq1_off", "%llu",
	      irq_count[VECTOR_KBD]);
	drain();
	controller_with(0x60, 0x47);
	controller_with(0xd2, 0x11);
	irq_window();
	check(irq_count[VECTOR_KBD] == 1, "kbc.irq1", "%llu",
	      irq_count[VECTOR_KBD]);
	irq_window();
	check(irq_count[VECTOR_KBD] == 1, "kbc.irq1_once", "%llu",
	      irq_count[VECTOR_KBD]);
	controller_with(0xd2, 0x12); /* behind the first */
	inb(DATA);
	irq_window();
	check(irq_count[VECTOR_KBD] == 2 && full(), "kbc.irq1_next_byte",
	      "%llu", irq_count[VECTOR_KBD]);
	drain();
	controller_with(0xd3, 0x13);
	irq_window();
	check(irq_count[VECTOR_AUX] == 1 && irq_count[VECTOR_KBD] == 2,
	      "kbc.irq12", "%llu", irq_count[VECTOR_AUX]);
	drain();
	ioapic_set(1, IOAPIC_MASKED);
	ioapic_set(12, IOAPIC_MASKED);
}

static void overrun(void)
{
	section(REF "Keyboard Commands");
	for (u32 i = 0; i < 100; i++)
		outb(DATA, 0xee);
	for (u32 i = 0; i < 100 && full(); i++)
		inb(DATA);
	check(!full() && keyboard(0xee) == 0xee, "kbc.overrun_recovers", "%x",
	      inb(STATUS));
}

static void reset_pulse(void)
{
	outb(STATUS, 0xfe);
}

static void reset_output_port(void)
{
	controller_with(0xd1, 0xde);
}

static void reset_port92(void)
{
	outb(0x92, 0x01);
}

static void reset_cf9(void)
{
	outb(0xcf9, 0x06);
}

static const struct {
	const char *name;
	void (*fn)(void);
} resets[] = {
	{ "kbc.reset_by_pulse", reset_pulse },
	{ "kbc.reset_by_output_port", reset_output_port },
	{ "kbc.reset_by_port92", reset_port92 },
	{ "kbc.reset_by_cf9", reset_cf9 },
};

/* Each way once: CMOS, which a reset leaves alone, counts them. What RAM holds
 * and what the controller was told are gone. */
static void all_resets(void)
{
	static volatile u32 in_ram;
	u32 step = cmos(CMOS_MAGIC) == MAGIC ? cmos(CMOS_STEP) : 0;

	section(REF "Output Port");
	if (step)
		check(!in_ram && controller(0x25) == 0 && inb(0x92) == 0x02,
		      resets[step - 1].name, "%x, controller %x", in_ram,
		      controller(0x25));
	if (step == ARRAY_SIZE(resets))
		return;
	in_ram = 1;
	controller_with(0x65, 0x5a);
	outb(0x92, 0x08);
	cmos_set(CMOS_STEP, (u8)(step + 1));
	cmos_set(CMOS_MAGIC, MAGIC);
	resets[step].fn();
	for (;;)
		cpu_relax();
}

void guest_main(void)
{
	if (cmdline_has("resets")) {
		all_resets();
		return;
	}
	self_test();
	config_byte();
	a20();
	commands();
	aux();
	interrupts();
	overrun();
}
