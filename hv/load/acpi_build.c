/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables from nothing. An isolated guest is a PC with a Q35 and an ICH9
 * (hv/core/pc_map.h). The privileged guest gets tables from here only where the
 * firmware has none; there it finds a PC with the i440FX and the PIIX, whose
 * registers come from drivers/power/piix4.c. Called by load_guest(). No locks.
 */
#include "hv/load/acpi_tables.h"
#include "hv/load/load.h"
#include "include/hw/mc146818.h"
#include "include/hw/q35.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/owner.h"

/* 32-bit PCI memory begins here, or above RAM, but never above the second */
#define PCI_WINDOW_MIN 0x80000000ull
#define PCI_WINDOW_TOP 0xf0000000ull

static struct acpi_gas_raw io_gas(u16 port, u8 bytes, enum acpi_access access)
{
	return (struct acpi_gas_raw){ .space = ACPI_SPACE_IO,
				      .bits = (u8)(bytes * 8),
				      .access = (u8)access,
				      .address = port };
}

static void set_pm_registers(struct acpi_fadt *f, u16 evt, u16 cnt, u16 timer)
{
	f->pm1a_evt_blk = evt;
	f->pm1_evt_len = 4;
	f->x_pm1a_evt = io_gas(evt, 4, ACPI_ACCESS_WORDS);
	f->pm1a_cnt_blk = cnt;
	f->pm1_cnt_len = 2;
	f->x_pm1a_cnt = io_gas(cnt, 2, ACPI_ACCESS_WORDS);
	f->pm_tmr_blk = timer;
	f->pm_tmr_len = 4;
	f->x_pm_tmr = io_gas(timer, 4, ACPI_ACCESS_DWORDS);
}

static void set_reset(struct acpi_fadt *f, u16 port, u8 value)
{
	f->flags |= FADT_RESET_REG_SUP;
	f->reset_reg = io_gas(port, 1, ACPI_ACCESS_BYTES);
	f->reset_value = value;
}

static void set_pc(struct acpi_fadt *f)
{
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON;
	f->iapc_boot_arch = FADT_LEGACY_DEVICES | FADT_8042 | FADT_NO_VGA;
	f->sci_int = PC_IRQ_SCI;
	f->smi_cmd = PC_APM_CNT;
	f->acpi_enable = PC_ACPI_ENABLE;
	f->acpi_disable = PC_ACPI_DISABLE;
	set_reset(f, PC_RESET, PC_RESET_VALUE);
	set_pm_registers(f, PC_PM1_STS, PC_PM1_CNT, PC_PM_TMR);
	f->gpe0_blk = PC_GPE0;
	f->gpe0_blk_len = PC_GPE0_BYTES;
	f->x_gpe0 = io_gas(PC_GPE0, PC_GPE0_BYTES, ACPI_ACCESS_BYTES);
}

/* Without PM registers there is no other platform to offer than a reduced one,
 * and its power-off has no register */
static void set_piix(struct acpi_fadt *f)
{
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON;
	f->iapc_boot_arch = FADT_LEGACY_DEVICES | FADT_8042;
	set_reset(f, RST_CNT, RST_CNT_SYS_RST | RST_CNT_RST_CPU);
	f->sci_int = acpi.sci_gsi;
	if (acpi.pm1a_evt && acpi.pm1a_cnt && acpi.pm_timer)
		set_pm_registers(f, acpi.pm1a_evt, acpi.pm1a_cnt,
				 acpi.pm_timer);
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

	if (!w->vm->privileged) {
		dsdt = copy_dsdt(w, dsdt_isolated_aml, dsdt_isolated_aml_size);
		if (dsdt)
			acpi_header_sum(w, dsdt);
		return dsdt;
	}
	dsdt = copy_dsdt(w, dsdt_piix_aml, dsdt_piix_aml_size);
	if (dsdt) {
		patch_name(dsdt, "MMIN", pci_window_first());
		acpi_header_sum(w, dsdt);
	}
	return dsdt;
}

/* Named by both fields: a Xen that finds them to differ says so and takes the
 * 32-bit one, others may use either */
static void add_facs(struct acpi_writer *w, struct acpi_fadt *fadt)
{
	struct acpi_facs *facs = acpi_writer_take(w, sizeof(*facs), 64);

	if (!facs)
		return;
	memcpy(facs->signature, "FACS", sizeof(facs->signature));
	facs->length = sizeof(*facs);
	facs->version = 2;
	acpi_writer_point(w, &fadt->facs, sizeof(fadt->facs), facs);
	acpi_writer_point(w, &fadt->x_facs, sizeof(fadt->x_facs), facs);
}

static void add_fadt(struct acpi_writer *w, const struct acpi_header *dsdt)
{
	struct acpi_fadt6 *t = acpi_writer_take(w, sizeof(*t), 8);
	struct acpi_fadt *f = &t->f;

	if (!t || !dsdt)
		return;
	acpi_writer_point(w, &f->dsdt, sizeof(f->dsdt), dsdt);
	acpi_writer_point(w, &f->x_dsdt, sizeof(f->x_dsdt), dsdt);
	f->pm_profile = FADT_PROFILE_SERVER;
	f->p_lvl2_lat = FADT_LATENCY_NO_C2;
	f->p_lvl3_lat = FADT_LATENCY_NO_C3;
	f->century = RTC_CENTURY;
	f->minor = FADT_MINOR;
	memcpy(&t->hypervisor_id, "BULKHEAD", sizeof(t->hypervisor_id));
	if (w->vm->privileged)
		set_piix(f);
	else
		set_pc(f);
	if (!(f->flags & FADT_HW_REDUCED))
		add_facs(w, f);
	acpi_writer_add(w, &f->header, "FACP", FADT_REVISION, sizeof(*t));
}

void acpi_write_tables(struct acpi_writer *w)
{
	add_fadt(w, add_dsdt(w));
	acpi_write_madt(w);
	if (!w->vm->privileged)
		acpi_write_pc(w);
	acpi_write_dmar(w);
	acpi_write_log(w);
}

int acpi_build(struct vm *vm)
{
	struct acpi_writer w;
	int err = acpi_writer_init(&w, vm, ACPI_IN_MEMORY);

	if (err)
		return err;
	acpi_write_tables(&w);
	return acpi_writer_finish(&w);
}
