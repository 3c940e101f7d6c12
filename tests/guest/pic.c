/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259 pair, and its three ways to the CPU: PIC mode, virtual wire through
 * LINT0, virtual wire through the IOAPIC. The PIT's channel 0 and the RTC pull
 * the lines. */
#include "tests/guest/lib/board.h"

#define LINT0_EXTINT 0x700
#define LINT0_OFF    0x10000
#define IRQ0         PIC_VECTOR
#define IRQ8         (PIC_VECTOR + 8)

static volatile u8 isr_seen, slave_isr_seen, order[8];
static volatile u32 taken;

static u8 read_isr(u16 port)
{
	outb(port, 0x0b);
	return inb(port);
}

static u8 read_irr(u16 port)
{
	outb(port, 0x0a);
	return inb(port);
}

/* Leaves the interrupt in service: the test ends it */
static void on_irq(struct trap_frame *f)
{
	isr_seen = read_isr(0x20);
	slave_isr_seen = read_isr(0xa0);
	order[taken++ & 7] = (u8)f->vector;
}

/* IRQ 0 once, shortly: mode 0 */
static void pit_once(void)
{
	pit_set(0, 0x30, pit_us(200));
}

static void registers(void)
{
	section("8259A data sheet, Operation Control Word 1");
	outb(0x21, 0xa5);
	outb(0xa1, 0x5a);
	check(inb(0x21) == 0xa5 && inb(0xa1) == 0x5a, "pic.mask_reads_back",
	      "%x %x", inb(0x21), inb(0xa1));
	section("ICH9 13.4.9");
	outb(0x4d0, 0xff);
	outb(0x4d1, 0xff);
	check(inb(0x4d0) == 0xf8, "pic.elcr1_fixed_edges", "%x", inb(0x4d0));
	check(inb(0x4d1) == 0xde, "pic.elcr2_fixed_edges", "%x", inb(0x4d1));
	outb(0x4d0, 0);
	outb(0x4d1, 0);
	section("8259A data sheet, Initialization Command Words");
	pic_init(1);
	outb(0x21, 0x00);
	pic_init(1);
	check(read_irr(0x20) == 0 && read_isr(0x20) == 0, "pic.icw1_clears",
	      "irr %x isr %x", read_irr(0x20), read_isr(0x20));
}

/* Masked, a request waits; unmasked, it comes */
static void mask(void)
{
	u64 before = irq_count[IRQ0];

	section("8259A data sheet, Interrupt Mask Register");
	pic_init(1);
	pit_once();
	sleep_us(1000);
	check(read_irr(0x20) == 1, "pic.masked_is_latched", "irr %x",
	      read_irr(0x20));
	check(irq_count[IRQ0] == before, "pic.masked_does_not_come", "");
	outb(0x21, 0xfe);
	check(wait_irq(IRQ0, 10000), "pic.unmasked_comes", "");
	section("8259A data sheet, In-Service Register");
	check(isr_seen == 1, "pic.in_service", "isr %x", isr_seen);
	check(read_irr(0x20) == 0, "pic.request_taken", "%x", read_irr(0x20));
	before = irq_count[IRQ0];
	pit_once();
	sleep_us(1000);
	check(irq_count[IRQ0] == before, "pic.in_service_holds_it", "");
	section("8259A data sheet, End of Interrupt");
	outb(0x20, 0x20);
	check(wait_irq(IRQ0, 10000), "pic.eoi_lets_it_in", "");
	outb(0x20, 0x60); /* specific */
	check(read_isr(0x20) == 0, "pic.specific_eoi", "%x", read_isr(0x20));
}

static void automatic_eoi(void)
{
	section("8259A data sheet, Automatic End of Interrupt Mode");
	pic_init(3);
	outb(0x21, 0xfe);
	pit_once();
	check(wait_irq(IRQ0, 10000) && isr_seen == 0, "pic.automatic_eoi",
	      "isr %x", isr_seen);
}

static void poll(void)
{
	u8 first;

	section("8259A data sheet, Poll Command");
	pic_init(1);
	outb(0x20, 0x0c);
	check(!(inb(0x20) & 0x80), "pic.poll_nothing", "");
	outb(0x21, 0xfe);
	wrmsr(X2APIC_LVT_LINT0, LINT0_OFF);
	pit_once();
	sleep_us(1000);
	outb(0x20, 0x0c);
	first = inb(0x20);
	check(first == 0x80, "pic.poll_acknowledges", "%x", first);
	check(read_isr(0x20) == 1, "pic.poll_in_service", "");
	outb(0x20, 0x20);
	wrmsr(X2APIC_LVT_LINT0, LINT0_EXTINT);
}

/* IRQ 0 and 8 wait: 0 comes first; with another lowest priority, not */
static void priorities(void)
{
	section("8259A data sheet, Fully Nested Mode");
	pic_init(1);
	taken = 0;
	cmos(0x0c);
	cmos_set(0x0a, 0x26);
	cmos_set(0x0b, cmos(0x0b) | 0x40);
	pit_once();
	sleep_us(3000);
	outb(0xa1, 0xfe);
	outb(0x21, 0xfa);
	check(wait_irq(IRQ0, 10000) && order[0] == IRQ0,
	      "pic.lower_number_first", "%x", order[0]);
	check(irq_count[IRQ8] == 0, "pic.lower_priority_waits", "");
	outb(0x20, 0x20);
	check(wait_irq(IRQ8, 10000), "pic.cascade", "");
	section("8259A data sheet, Cascade Mode");
	check(isr_seen == 4 && slave_isr_seen == 1, "pic.cascade_in_service",
	      "master %x slave %x", isr_seen, slave_isr_seen);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
	section("8259A data sheet, Specific Rotation");
	outb(0x21, 0xff);
	outb(0x20, 0xc0); /* IRQ 0 the lowest: 1 to 7 before it */
	cmos(0x0c);
	pit_once();
	sleep_us(3000);
	taken = 0;
	outb(0x21, 0xfa);
	check(wait_irq(IRQ8, 10000) && order[0] == IRQ8, "pic.rotated_priority",
	      "%x", order[0]);
	cmos_set(0x0b, cmos(0x0b) & 0x8f);
	cmos(0x0c);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
	wait_irq(IRQ0, 10000);
	outb(0x20, 0x20);
}

/* SDM 3A 10.5.1: LINT0's mask is the wire's switch */
static void lint0(void)
{
	u64 before;

	section("SDM 3A 11.5.1");
	pic_init(1);
	outb(0x21, 0xfe);
	wrmsr(X2APIC_LVT_LINT0, LINT0_OFF);
	before = irq_count[IRQ0];
	pit_once();
	sleep_us(1000);
	check(irq_count[IRQ0] == before, "pic.lint0_masked", "");
	wrmsr(X2APIC_LVT_LINT0, LINT0_EXTINT);
	check(wait_irq(IRQ0, 10000), "pic.virtual_wire_by_lint0", "");
	outb(0x20, 0x20);
}

static void by_ioapic(void)
{
	section("MP Specification 3.6.2.2");
	pic_init(1);
	outb(0x21, 0xfe);
	wrmsr(X2APIC_LVT_LINT0, LINT0_OFF);
	ioapic_set(0, 0x700);
	pit_once();
	check(wait_irq(IRQ0, 10000), "pic.virtual_wire_by_ioapic", "");
	outb(0x20, 0x20);
	ioapic_set(0, IOAPIC_MASKED);
}

/* With the local APIC off, INTR is a pin of the CPU. Nothing but the PIT wakes
 * from the halt: a watchdog in RAM would not. */
static void pic_mode(void)
{
	u64 base = rdmsr(MSR_APIC_BASE), before = irq_count[IRQ0], end;

	section("MP Specification 3.6.2.1");
	pic_init(1);
	wrmsr(MSR_APIC_BASE, base & ~0xc00ull);
	outb(0x21, 0xfe);
	pit_once();
	end = tsc_after(100000);
	irq_on();
	while (irq_count[IRQ0] == before && rdtsc() < end)
		cpu_relax();
	irq_off();
	check(irq_count[IRQ0] == before + 1, "pic.pic_mode", "");
	outb(0x20, 0x20);
	pit_once();
	irq_wait();
	check(irq_count[IRQ0] == before + 2, "pic.pic_mode_ends_halt", "");
	outb(0x20, 0x20);
	wrmsr(MSR_APIC_BASE, (base & ~0xc00ull) | 0x800);
	apic_enable();
}

static void symmetric(void)
{
	u64 before = irq_count[IRQ0];

	section("MP Specification 3.6.2.3");
	pic_init(1);
	ioapic_set(2, 0x61);
	irq_handler[0x61] = irq_ack;
	pit_once();
	check(wait_irq(0x61, 10000), "pic.symmetric_mode_pin_2", "");
	check(irq_count[IRQ0] == before, "pic.masked_in_symmetric_mode", "");
	ioapic_set(2, IOAPIC_MASKED);
}

void guest_main(void)
{
	board_start();
	wrmsr(X2APIC_LVT_LINT0, LINT0_EXTINT);
	for (u32 i = 0; i < 16; i++)
		irq_handler[PIC_VECTOR + i] = on_irq;
	registers();
	mask();
	automatic_eoi();
	poll();
	priorities();
	lint0();
	by_ioapic();
	pic_mode();
	symmetric();
}
