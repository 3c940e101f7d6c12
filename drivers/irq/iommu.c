/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See iommu.h. Called by hv/init.c at boot; no lock. The tables that name the
 * units are the firmware's: a register is touched only where no memory is. A
 * unit that cannot be looked at stops the boot, as one that stays on does: its
 * tables may lie in what is a guest's by then. "Check this machine" judges by
 * the same rules (check/iommu.c).
 */
#include "drivers/irq/iommu.h"

#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/portio.h"
#include "check/facts.h"
#include "drivers/acpi/acpi.h"
#include "drivers/irq/iommu_priv.h"
#include "include/hw/acpi.h"
#include "include/hw/amdvi.h"
#include "include/hw/vtd.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/hostmap.h"
#include "mm/owner.h"
#include "mm/pt.h"

/* An older DMAR table does not say how many pages a VT-d unit has; its
 * registers do */
static u64 vtd_bytes(const u8 *regs)
{
	u64 cap = mmio_read(regs + VTD_CAP, 8);
	u64 ecap = mmio_read(regs + VTD_ECAP, 8);
	u64 end = MAX(VTD_CAP_FRO(cap) + VTD_CAP_NFR(cap) * 16,
		      VTD_ECAP_IRO(ecap) + 16);

	return MAX(ALIGN_UP(end, PAGE_SIZE), (u64)PAGE_SIZE);
}

static void keep_all(u64 base, u64 size)
{
	if (owner_keep_device(base, size))
		log_warn("iommu",
			 "the IOMMU at %#llx is not where registers can be: "
			 "guests may reach a part of it",
			 base);
}

static const char *firmware_switch(bool amd)
{
	return amd ? "the AMD IOMMU" : "VT-d";
}

/* What is not looked at may be on. Returns false. */
static bool cannot_look(const struct acpi_iommu *u, const char *why)
{
	log_error("iommu",
		  "%s names an IOMMU at %#llx that cannot be looked at and may "
		  "be on (%s): turn %s off in the firmware's setup, or update "
		  "the firmware",
		  u->amd ? "IVRS" : "DMAR", u->base, why,
		  firmware_switch(u->amd));
	return false;
}

static bool stays_on(const struct acpi_iommu *u)
{
	log_error("iommu",
		  "the IOMMU at %#llx cannot be turned off: turn %s, and DMA "
		  "protection before the system starts, off in the firmware's "
		  "setup",
		  u->base, firmware_switch(u->amd));
	return false;
}

/* One that setup has switched off may still be in the table. Returns true. */
static bool is_absent(const struct acpi_iommu *u)
{
	log_warn("iommu",
		 "nothing answers at %#llx, where %s has an IOMMU: it is taken "
		 "as switched off; turn %s off in the firmware's setup if it "
		 "is on there",
		 u->base, u->amd ? "IVRS" : "DMAR", firmware_switch(u->amd));
	return true;
}

/* As setup leaves one that it has switched off, too. Returns true. */
static bool is_nowhere(const struct acpi_iommu *u)
{
	log_warn("iommu",
		 "%s has an IOMMU without an address: it is taken as switched "
		 "off; turn %s off in the firmware's setup if it is on there, "
		 "or update the firmware",
		 u->amd ? "IVRS" : "DMAR", firmware_switch(u->amd));
	return true;
}

static bool vtd_take(const struct acpi_iommu *u, u8 *regs)
{
	switch (check_vtd((u32)mmio_read(regs + VTD_VER, 4),
			  mmio_read(regs + VTD_CAP, 8))) {
	case CHECK_UNIT_ABSENT:
		return is_absent(u);
	case CHECK_UNIT_OTHER:
		return cannot_look(u, "no VT-d unit is there");
	default:
		if (u->size <= PAGE_SIZE)
			keep_all(u->base, vtd_bytes(regs));
		return vtd_off(regs, u->base) || stays_on(u);
	}
}

static bool amd_take(const struct acpi_iommu *u, u8 *regs)
{
	if (check_amdvi(mmio_read(regs + AMDVI_CONTROL, 8),
			mmio_read(regs + AMDVI_STATUS, 8)) == CHECK_UNIT_ABSENT)
		return is_absent(u);
	return amdvi_off(regs, u->base) || stays_on(u);
}

/* Is it off now, or not there? Else an error says why not. */
static bool take(const struct acpi_iommu *u)
{
	u64 bytes = u->amd ? AMD_IOMMU_BYTES : PAGE_SIZE;
	const char *why =
		check_iommu_fault(!u->amd, u->base, cpu_features.phys_bits);
	u8 *regs;
	bool off;
	int err;

	if (!u->base)
		return is_nowhere(u);
	if (why)
		return cannot_look(u, why);
	/* Nothing there is touched, then */
	err = owner_keep_device(u->base, bytes);
	if (err)
		return cannot_look(u, err == -EBUSY
					      ? "there is memory"
					      : "the memory map has no room");
	keep_all(u->base, u->size);
	regs = ioremap(HPA(u->base), bytes, PT_R | PT_W | PT_UC);
	if (!regs)
		return cannot_look(u, "no memory is left to map it");
	off = u->amd ? amd_take(u, regs) : vtd_take(u, regs);
	iounmap(regs, bytes);
	return off;
}

/* No reason to stop: firmware that has lost a table has seldom left remapping
 * on, and machines with entries that lead nowhere do run */
static void report_unknown(void)
{
	if (!acpi.table_unread || acpi.iommu_count || acpi.iommu_unread)
		return;
	log_warn("iommu",
		 "no table names an IOMMU, but one that cannot be read may: "
		 "what firmware left on stays on, and devices may fail; if "
		 "they do, turn VT-d or the AMD IOMMU off in the firmware's "
		 "setup, or update the firmware");
}

int iommu_take_all(void)
{
	int err = 0;

	for (u32 i = 0; i < acpi.iommu_count; i++)
		if (!take(&acpi.iommus[i]))
			err = -EIO;
	if (acpi.iommu_unread) {
		log_error("iommu",
			  "the table %s cannot be read whole, and an IOMMU "
			  "that is on may be in the rest: turn VT-d or the AMD "
			  "IOMMU off in the firmware's setup, or update the "
			  "firmware",
			  acpi.iommu_unread);
		err = -EIO;
	}
	report_unknown();
	if (acpi.dma_opt_in)
		log_info("iommu",
			 "firmware wants devices kept from memory that is not "
			 "theirs (DMAR's opt-in); no IOMMU is used yet: trust "
			 "what you plug in");
	return err;
}
