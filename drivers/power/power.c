/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power-off and reset of the machine, see power.h. Called by
 * hv/vm/machine_end.c when the last guest has ended, and by
 * hv/vm/machine_stop.c. Each way is tried in turn, with a wait for it to take
 * effect. No lock: the other cores are stopped, in a panic at any place.
 */
#include "drivers/power/power.h"

#include "arch/x86/cpu/asm.h"
#include "drivers/acpi/acpi.h"
#include "drivers/console/uart.h"
#include "drivers/pci/address.h"
#include "include/hw/acpi.h"
#include "include/hw/acpi_pm.h"
#include "include/hw/i8042.h"
#include "include/hw/pci.h"
#include "include/hw/q35.h"
#include "lib/log.h"
#include "mm/hostmap.h"
#include "mm/pt.h"

#define POWER_OFF_WAIT_US 2000000u
#define ACPI_MODE_WAIT_US 300000u
#define RESET_WAIT_US     100000u

/* A write to port 80h takes about 1 us; needs no calibrated TSC */
static void wait_us(u32 us)
{
	for (u32 i = 0; i < us; i++)
		outb(LPC_POST_PORT, 0);
}

/* PM1 control works only in ACPI mode. A guest's kernel has turned it on,
 * unless it never came that far. */
static void acpi_mode_on(void)
{
	if ((inw(acpi.pm1a_cnt) & PM1_CNT_SCI_EN) || !acpi.smi_cmd ||
	    !acpi.acpi_enable)
		return;
	outb(acpi.smi_cmd, acpi.acpi_enable);
	for (u32 us = 0; us < ACPI_MODE_WAIT_US; us++) {
		if (inw(acpi.pm1a_cnt) & PM1_CNT_SCI_EN)
			return;
		wait_us(1);
	}
}

static void pm1_sleep(u16 port, u8 type, u16 enable)
{
	u16 value;

	if (!port)
		return;
	value = (u16)(inw(port) & ~(PM1_CNT_SLP_TYP | PM1_CNT_SLP_EN));
	outw(port, (u16)(value | type << PM1_CNT_SLP_TYP_SHIFT | enable));
}

/* ACPI 6.4, 16.1.7 *Transitioning from the Working to the Soft Off State*; a
 * PIIX4 without tables has the same registers (piix4.c) */
static void off_by_acpi(void)
{
	if (!acpi.has_s5 || !acpi.pm1a_cnt)
		return;
	acpi_mode_on();
	pm1_sleep(acpi.pm1a_cnt, acpi.s5_typ_a, 0);
	pm1_sleep(acpi.pm1b_cnt, acpi.s5_typ_b, 0);
	pm1_sleep(acpi.pm1a_cnt, acpi.s5_typ_a, PM1_CNT_SLP_EN);
	pm1_sleep(acpi.pm1b_cnt, acpi.s5_typ_b, PM1_CNT_SLP_EN);
	wait_us(POWER_OFF_WAIT_US);
}

void power_off(void)
{
	uart_flush();
	off_by_acpi();
	log_error("power", "the machine does not switch itself off: do it by "
			   "hand, everything has stopped");
	cpu_halt_forever();
}

/* By the ports themselves: a core that was stopped may hold their lock */
static void reset_by_pci(void)
{
	/* ACPI 6.4, 5.2.3.2: device 47:32, function 31:16, offset 15:0 */
	u32 offset = (u8)acpi.reset.address;
	u8 devfn = pci_devfn(acpi.reset.address >> 32 & 0x1f,
			     acpi.reset.address >> 16 & 7);

	outl(PCI_PORT_ADDRESS,
	     PCI_ADDRESS_ENABLE | (u32)devfn << 8 | (offset & ~3u));
	outb((u16)(PCI_PORT_DATA + (offset & 3)), acpi.reset_value);
}

static volatile u8 *reset_va; /* NULL: it is not in memory */

void power_init(void)
{
	if (!acpi.has_reset || acpi.reset.space != ACPI_SPACE_MEMORY)
		return;
	reset_va = ioremap(HPA(acpi.reset.address), 1, PT_R | PT_W | PT_UC);
	if (!reset_va)
		log_warn("power", "no room to map the reset register");
}

static void reset_by_acpi(void)
{
	if (!acpi.has_reset)
		return;
	if (acpi.reset.space == ACPI_SPACE_IO)
		outb((u16)acpi.reset.address, acpi.reset_value);
	else if (acpi.reset.space == ACPI_SPACE_PCI)
		reset_by_pci();
	else if (reset_va)
		*reset_va = acpi.reset_value;
	wait_us(RESET_WAIT_US);
}

static void reset_by_chipset(void)
{
	outb(RST_CNT, RST_CNT_SYS_RST);
	wait_us(1);
	outb(RST_CNT, RST_CNT_SYS_RST | RST_CNT_RST_CPU);
	wait_us(RESET_WAIT_US);
}

static void reset_by_keyboard(void)
{
	for (u32 us = 0; us < RESET_WAIT_US; us++) {
		if (!(inb(KBC_STATUS) & KBC_STAT_IBF))
			break;
		wait_us(1);
	}
	outb(KBC_COMMAND, KBC_CMD_PULSE_RESET);
	wait_us(RESET_WAIT_US);
}

void power_reset(void)
{
	const struct desc_ptr no_idt = { .limit = 0, .base = 0 };

	/* A reset drops what is only in the caches: the log must reach RAM */
	wbinvd();
	uart_flush();
	reset_by_acpi();
	reset_by_chipset();
	reset_by_keyboard();
	/* A fault without handlers shuts the core down, which resets a PC */
	lidt(&no_idt);
	__asm__ volatile("ud2");
	cpu_halt_forever();
}
