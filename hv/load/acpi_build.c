/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables from nothing. An isolated guest gets a hardware-reduced platform:
 * CPUs, one IOAPIC, a serial port, sleep and reset registers
 * (hv/vdev/vpower.h). The privileged guest gets this only where the firmware
 * has no tables; there it finds a PC with the i440FX and the PIIX: PM1
 * registers, PM timer, PCI interrupt links; its registers come from
 * drivers/piix4.c. Called by load_guest(). No locks.
 */
#include "hv/load/acpi_tables.h"

#include "hv/load/load.h"
#include "hv/vdev/vpower.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/owner.h"

#define RTC_CENTURY 0x32

/* The chipset's reset register (PIIX3 RC register) */
#define RESET_CF9       0xcf9
#define RESET_CF9_VALUE 6

/* 32-bit PCI memory begins here, or above RAM, but never above the second */
#define PCI_WINDOW_MIN 0x80000000ull
#define PCI_WINDOW_TOP 0xf0000000ull

#define AML_DWORD_PREFIX 0x0c

static struct acpi_gas_raw io_gas(u16 port, u8 bytes)
{
	return (struct acpi_gas_raw){ .space = ACPI_SPACE_IO,
				      .bits = (u8)(bytes * 8),
				      .access = bytes == 4 ? 3 : bytes,
				      .address = port };
}

static void set_hw_reduced(struct acpi_fadt *f)
{
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_PWR_BUTTON |
		   FADT_SLP_BUTTON | FADT_FIX_RTC | FADT_RESET_REG_SUP |
		   FADT_HEADLESS | FADT_HW_REDUCED;
	f->iapc_boot_arch =
		FADT_LEGACY_DEVICES | FADT_NO_VGA | FADT_NO_CMOS_RTC;
	f->reset_reg = io_gas(VPOWER_RESET, 1);
	f->reset_value = 1;
	f->sleep_control = io_gas(VPOWER_SLEEP_CONTROL, 1);
	f->sleep_status = io_gas(VPOWER_SLEEP_STATUS, 1);
}

static void set_pm_registers(struct acpi_fadt *f)
{
	f->sci_int = acpi.sci_gsi;
	f->pm1a_evt_blk = acpi.pm1a_evt;
	f->pm1_evt_len = 4;
	f->x_pm1a_evt = io_gas(acpi.pm1a_evt, 4);
	f->pm1a_cnt_blk = acpi.pm1a_cnt;
	f->pm1_cnt_len = 2;
	f->x_pm1a_cnt = io_gas(acpi.pm1a_cnt, 2);
	f->pm_tmr_blk = acpi.pm_timer;
	f->pm_tmr_len = 4;
	f->x_pm_tmr = io_gas(acpi.pm_timer, 4);
}

/* Without PM registers there is no other platform to offer than a reduced one,
 * and its power-off has no register */
static void set_piix(struct acpi_fadt *f)
{
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON |
		   FADT_RESET_REG_SUP;
	f->iapc_boot_arch = FADT_LEGACY_DEVICES | FADT_8042;
	f->century = RTC_CENTURY;
	f->reset_reg = io_gas(RESET_CF9, 1);
	f->reset_value = RESET_CF9_VALUE;
	if (acpi.pm1a_evt && acpi.pm1a_cnt && acpi.pm_timer)
		set_pm_registers(f);
	else
		f->flags |= FADT_HW_REDUCED;
}

/* The copy in the area; NULL when it does not fit */
static struct acpi_header *copy_dsdt(struct acpi_writer *w, const u8 *aml,
				     u32 size)
{
	void *dsdt = acpi_writer_take(w, size, 8);

	if (dsdt)
		memcpy(dsdt, aml, size);
	return dsdt;
}

/* NameOp, name, DWordPrefix, value (ACPI 6.4, 20.2.5.1) */
struct aml_name_dword {
	u8 name_op;
	char name[4];
	u8 prefix;
	u32 value;
} __packed;

/* Set the value of a Name (NAME, DWord) */
static void patch_name(struct acpi_header *dsdt, const char *name, u32 value)
{
	struct aml_name_dword want = { .name_op = AML_NAME_OP,
				       .prefix = AML_DWORD_PREFIX };
	u8 *p = (u8 *)dsdt;

	memcpy(want.name, name, sizeof(want.name));
	for (u32 i = sizeof(*dsdt); i + sizeof(want) <= dsdt->length; i++) {
		if (memcmp(p + i, &want,
			   offsetof(struct aml_name_dword, value)))
			continue;
		want.value = value;
		memcpy(p + i, &want, sizeof(want));
		return;
	}
}

/* PCI memory begins behind the last RAM below 4 GiB */
static u32 pci_window_first(void)
{
	u64 top = PCI_WINDOW_MIN;

	for (u32 i = 0; i < owner_count(); i++) {
		const struct extent *e = owner_at(i);

		if (e->base < PCI_WINDOW_TOP &&
		    (e->kind == OWNER_GUEST || e->kind == OWNER_HYPERVISOR ||
		     e->kind == OWNER_FREE))
			top = MAX(top, e->base + e->size);
	}
	return (u32)MIN(top, PCI_WINDOW_TOP);
}

static struct acpi_header *add_dsdt(struct acpi_writer *w)
{
	struct acpi_header *dsdt;

	if (!w->vm->privileged)
		return copy_dsdt(w, dsdt_isolated_aml, dsdt_isolated_aml_size);
	dsdt = copy_dsdt(w, dsdt_piix_aml, dsdt_piix_aml_size);
	if (dsdt) {
		patch_name(dsdt, "MMIN", pci_window_first());
		acpi_header_sum(dsdt);
	}
	return dsdt;
}

static void add_facs(struct acpi_writer *w, struct acpi_fadt *fadt)
{
	struct acpi_facs *facs = acpi_writer_take(w, sizeof(*facs), 64);

	if (!facs)
		return;
	memcpy(facs->signature, "FACS", sizeof(facs->signature));
	facs->length = sizeof(*facs);
	facs->version = 2;
	fadt->facs = (u32)acpi_writer_gpa(w, facs);
}

static void add_fadt(struct acpi_writer *w, const struct acpi_header *dsdt)
{
	struct acpi_fadt *f = acpi_writer_take(w, sizeof(*f), 8);

	if (!f || !dsdt)
		return;
	f->x_dsdt = acpi_writer_gpa(w, dsdt);
	f->dsdt = (u32)f->x_dsdt;
	f->pm_profile = FADT_PROFILE_SERVER;
	f->p_lvl2_lat = FADT_LATENCY_NO_C2;
	f->p_lvl3_lat = FADT_LATENCY_NO_C3;
	f->minor = FADT_MINOR;
	if (w->vm->privileged)
		set_piix(f);
	else
		set_hw_reduced(f);
	if (!(f->flags & FADT_HW_REDUCED))
		add_facs(w, f);
	acpi_header_init(&f->header, "FACP", FADT_REVISION, sizeof(*f));
	acpi_header_sum(&f->header);
	acpi_writer_list(w, acpi_writer_gpa(w, f));
}

int acpi_build(struct vm *vm)
{
	struct acpi_writer w;
	int err = acpi_writer_init(&w, vm);

	if (err)
		return err;
	add_fadt(&w, add_dsdt(&w));
	acpi_write_madt(&w);
	return acpi_writer_finish(&w, 0);
}
