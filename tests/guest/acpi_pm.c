/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI fixed hardware of the ICH9: PM1, PM timer, GPE0, SMI and APM registers,
 * and the SCI */
#include "tests/guest/lib/board.h"

#define VECTOR   0x66
#define PM       0x600
#define PM1_STS  (PM + 0x00)
#define PM1_EN   (PM + 0x02)
#define PM1_CNT  (PM + 0x04)
#define PM_TMR   (PM + 0x08)
#define GPE0_STS (PM + 0x20)
#define GPE0_EN  (PM + 0x28)
#define SMI_EN   (PM + 0x30)
#define TCO_TMR  (PM + 0x72)
#define APM_CNT  0xb2
#define PWRBTN   0x100
#define PM_HZ    3579545

static void timer(void)
{
	u64 tsc, us;
	u32 a, b;

	section("ICH9 13.8.3.4");
	a = inl(PM_TMR);
	check(!(a >> 24), "pm.timer_has_24_bits", "%x", a);
	tsc = rdtsc();
	a = inl(PM_TMR);
	sleep_us(20000);
	b = (inl(PM_TMR) - a) & 0xffffff;
	us = (rdtsc() - tsc) * 1000 / tsc_khz();
	check(near(b, us * PM_HZ / 1000000, 3), "pm.timer_rate",
	      "%u counts in %llu us", b, us);
	section("ACPI 6.4 4.8.3.3");
	a = inl(PM_TMR);
	outl(PM_TMR, 0);
	b = inl(PM_TMR);
	check(((b - a) & 0xffffff) < 0x10000, "pm.timer_is_read_only", "%x %x",
	      a, b);
	check(inb(PM_TMR + 3) == 0, "pm.timer_by_bytes", "");
}

static void registers(void)
{
	section("ICH9 13.7.1 APM_CNT");
	outb(APM_CNT, 3);
	check(!(inw(PM1_CNT) & 1), "pm.acpi_disable", "%x", inw(PM1_CNT));
	outb(APM_CNT, 2);
	check(inw(PM1_CNT) & 1, "pm.acpi_enable", "%x", inw(PM1_CNT));
	check(inb(APM_CNT) == 2, "pm.apm_reads_back", "%x", inb(APM_CNT));
	section("ICH9 13.8.3.2");
	outw(PM1_EN, 0xffff);
	check((inw(PM1_EN) & ~0x4000u) == 0x0721, "pm.enable_bits", "%x",
	      inw(PM1_EN));
	outb(PM1_EN, 0);
	check(inw(PM1_EN) >> 8 == 0x07, "pm.enable_by_bytes", "%x",
	      inw(PM1_EN));
	outw(PM1_EN, 0);
	section("ICH9 13.8.3.3");
	outw(PM1_CNT, 0x0401 | 0x2000); /* S1: there is none */
	check(inw(PM1_CNT) == 0x0401, "pm.sleep_enable_reads_0", "%x",
	      inw(PM1_CNT));
	outw(PM1_CNT, 1);
	section("ICH9 13.8.3.9");
	check(inl(SMI_EN) & 0x20, "pm.smi_is_set_up", "%x", inl(SMI_EN));
	outl(SMI_EN, 0);
	check(inl(SMI_EN) & 0x20, "pm.smi_is_locked", "%x", inl(SMI_EN));
	section("ACPI 6.4 4.8.4.1");
	outl(GPE0_EN, 0xa5a5);
	check(inl(GPE0_EN) == 0xa5a5 && inb(GPE0_EN + 1) == 0xa5,
	      "pm.gpe_enable", "%x", inl(GPE0_EN));
	outl(GPE0_EN, 0);
	check(inl(GPE0_STS) == 0, "pm.gpe_none", "%x", inl(GPE0_STS));
	section("ICH9 13.9");
	outw(TCO_TMR, 0x155);
	check(inw(TCO_TMR) == 0x155, "pm.tco_keeps", "%x", inw(TCO_TMR));
}

static volatile u32 events;

/* As an ACPI driver does: clear what came, then end the interrupt */
static void on_sci(struct trap_frame *f)
{
	u16 status = inw(PM1_STS);

	events |= status;
	outw(PM1_STS, status);
	wrmsr(X2APIC_EOI, 0);
}

/* The RTC's alarm, each second, is a fixed event */
static void sci(void)
{
	u64 n = irq_count[VECTOR];

	section("ICH9 13.8.3.1");
	irq_handler[VECTOR] = on_sci;
	ioapic_set(9, VECTOR | IOAPIC_LEVEL);
	outw(PM1_STS, 0xffff);
	cmos_set(1, 0xff), cmos_set(3, 0xff), cmos_set(5, 0xff);
	cmos(0x0c);
	cmos_set(0x0b, 0x22);
	sleep_us(1200000);
	check(inw(PM1_STS) & 0x400, "pm.rtc_status", "%x", inw(PM1_STS));
	check(irq_count[VECTOR] == n, "pm.not_enabled_no_sci", "");
	cmos_set(0x0b, 0x02);
	section("ACPI 6.4 4.8.3.1");
	outw(PM1_EN, 0x400);
	sleep_us(1000);
	check(irq_count[VECTOR] == n + 1, "pm.sci_is_level", "%llu",
	      irq_count[VECTOR] - n);
	check(events & 0x400 && !(inw(PM1_STS) & 0x400), "pm.status_clears",
	      "%x %x", events, inw(PM1_STS));
	outw(PM1_EN, 0);
	section("ICH9 13.8.3.1 TMROF_STS");
	outw(PM1_STS, 1);
	events = 0;
	outw(PM1_EN, 1);
	check(wait_irq(VECTOR, 2500000) && events & 1, "pm.timer_overflow",
	      "%x", events);
	outw(PM1_EN, 0);
	ioapic_set(9, IOAPIC_MASKED);
}

/* Whoever ends the machine presses it */
static void power_button(void)
{
	section("ACPI 6.4 4.8.2.2.1.1");
	irq_handler[VECTOR] = on_sci;
	ioapic_set(9, VECTOR | IOAPIC_LEVEL);
	outw(PM1_STS, 0xffff);
	outb(APM_CNT, 2);
	outw(PM1_EN, PWRBTN);
	print("READY\n");
	while (cmdline_has("deaf") || !(events & PWRBTN))
		irq_wait();
	check(irq_count[VECTOR] == 1 && !(inw(PM1_STS) & PWRBTN),
	      "pm.power_button", "%llu, status %x", irq_count[VECTOR],
	      inw(PM1_STS));
}

void guest_main(void)
{
	board_start();
	pic_init(1);
	if (cmdline_has("button")) {
		power_button();
		return;
	}
	timer();
	registers();
	sci();
}
