/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MADT: the guest's vCPUs, and the host's interrupt controllers for the
 * privileged guest, a PC's for the others (ACPI 6.4, 5.2.12). Called by
 * acpi_build.c and acpi_rewrite.c. No locks.
 */
#include "hv/core/vcpu.h"
#include "hv/irq/vioapic.h"
#include "hv/load/acpi_tables.h"
#include "include/hw/lapic.h"

/* The ACPI processor UID of a vCPU: the host's own where its DSDT names them */
static u32 vcpu_uid(const struct vm *vm, u32 id)
{
	if (vm->privileged && id < acpi.cpu_count)
		return acpi.cpu_acpi_uids[id];
	return id;
}

/*
 * A type 0 entry has a byte for id and UID. Where both kinds are there, Linux
 * takes one of the longer kind only for an id that needs it: a UID that needs
 * it makes all entries of that kind.
 */
static bool all_x2apic(const struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpus[i]->id <= XAPIC_ID_MAX &&
		    vcpu_uid(vm, i) >= MADT_ALL_CPUS)
			return true;
	return false;
}

static void add_cpu(struct acpi_writer *w, u32 id, u32 uid, bool x2apic)
{
	if (x2apic) {
		struct madt_x2apic *x = acpi_writer_take(w, sizeof(*x), 1);

		if (x)
			*x = (struct madt_x2apic){ .entry = { MADT_X2APIC,
							      sizeof(*x) },
						   .apic_id = id,
						   .flags = MADT_CPU_ENABLED,
						   .uid = uid };
	} else {
		struct madt_lapic *l = acpi_writer_take(w, sizeof(*l), 1);

		if (l)
			*l = (struct madt_lapic){ .entry = { MADT_LAPIC,
							     sizeof(*l) },
						  .uid = (u8)uid,
						  .apic_id = (u8)id,
						  .flags = MADT_CPU_ENABLED };
	}
}

static void add_ioapic(struct acpi_writer *w, u32 id, u64 base, u32 gsi_base)
{
	struct madt_ioapic *io = acpi_writer_take(w, sizeof(*io), 1);

	if (io)
		*io = (struct madt_ioapic){ .entry = { MADT_IOAPIC,
						       sizeof(*io) },
					    .id = (u8)id,
					    .base = (u32)base,
					    .gsi_base = gsi_base };
}

static void add_override(struct acpi_writer *w, u8 isa_irq, u32 gsi, u16 flags)
{
	struct madt_override *o = acpi_writer_take(w, sizeof(*o), 1);

	if (o)
		*o = (struct madt_override){ .entry = { MADT_OVERRIDE,
							sizeof(*o) },
					     .irq = isa_irq,
					     .gsi = gsi,
					     .flags = flags };
}

/* NMI on LINT1 of every CPU, as a PC has it */
static void add_nmi(struct acpi_writer *w)
{
	struct madt_lapic_nmi *n = acpi_writer_take(w, sizeof(*n), 1);

	if (n)
		*n = (struct madt_lapic_nmi){ .entry = { MADT_LAPIC_NMI,
							 sizeof(*n) },
					      .uid = MADT_ALL_CPUS,
					      .lint = 1 };
}

static void add_x2apic_nmi(struct acpi_writer *w)
{
	struct madt_x2apic_nmi *n = acpi_writer_take(w, sizeof(*n), 1);

	if (n)
		*n = (struct madt_x2apic_nmi){ .entry = { MADT_X2APIC_NMI,
							  sizeof(*n) },
					       .uid = MADT_ALL_X2APICS,
					       .lint = 1 };
}

/* The vIOAPIC and a PC's overrides: the PIT on pin 2, the SCI level */
static void add_pc_controllers(struct acpi_writer *w)
{
	add_ioapic(w, 0, VIOAPIC_BASE, 0);
	add_override(w, PC_IRQ_TIMER, PC_GSI_TIMER, 0);
	add_override(w, PC_IRQ_SCI, PC_IRQ_SCI, MADT_LEVEL_HIGH);
}

static void add_host_controllers(struct acpi_writer *w)
{
	if (!acpi.ioapic_count)
		add_ioapic(w, 0, VIOAPIC_BASE, 0);
	for (u32 i = 0; i < acpi.ioapic_count; i++)
		add_ioapic(w, acpi.ioapics[i].id, acpi.ioapics[i].base,
			   acpi.ioapics[i].gsi_base);
	for (u32 i = 0; i < acpi.override_count; i++)
		add_override(w, acpi.overrides[i].isa_irq,
			     acpi.overrides[i].gsi, acpi.overrides[i].flags);
}

void acpi_write_madt(struct acpi_writer *w)
{
	struct acpi_madt *m = acpi_writer_take(w, sizeof(*m), 8);
	const struct vm *vm = w->vm;
	bool all = all_x2apic(vm), any = all;

	if (!m)
		return;
	m->lapic_base = PC_LAPIC_BASE;
	m->flags = MADT_PCAT_COMPAT;
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		u32 id = vm->vcpus[i]->id;
		bool x2apic = all || id > XAPIC_ID_MAX;

		add_cpu(w, id, vcpu_uid(vm, i), x2apic);
		any = any || x2apic;
	}
	if (vm->privileged)
		add_host_controllers(w);
	else
		add_pc_controllers(w);
	add_nmi(w);
	if (any)
		add_x2apic_nmi(w);
	acpi_writer_add(w, &m->header, "APIC", MADT_REVISION,
			(u32)(w->buf + w->used - (u8 *)m));
}
