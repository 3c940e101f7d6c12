/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See iommu.h. Called by hv/init.c at boot; no lock. The tables that name the
 * units are the firmware's: a register is touched only where no memory is.
 */
#include "drivers/irq/iommu.h"

#include "arch/x86/cpu/portio.h"
#include "drivers/acpi/acpi.h"
#include "drivers/irq/iommu_priv.h"
#include "include/hw/acpi.h"
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

static void keep(u64 base, u64 size)
{
	if (owner_keep_device(base, size))
		log_warn("iommu",
			 "the IOMMU at %#llx is not where registers can be: "
			 "guests may reach it",
			 base);
}

static bool vtd_take(const struct acpi_iommu *u)
{
	u8 *regs = ioremap(HPA(u->base), PAGE_SIZE, PT_R | PT_W | PT_UC);
	bool off = false;

	if (!regs)
		return false;
	/* One that setup has turned off may still be in the table */
	if (mmio_read(regs + VTD_CAP, 8) == ~0ull) {
		off = true;
	} else {
		if (u->size <= PAGE_SIZE)
			keep(u->base, vtd_bytes(regs));
		off = vtd_off(regs, u->base);
	}
	iounmap(regs, PAGE_SIZE);
	return off;
}

static bool amd_take(const struct acpi_iommu *u)
{
	u8 *regs = ioremap(HPA(u->base), AMD_IOMMU_BYTES, PT_R | PT_W | PT_UC);
	bool off;

	if (!regs)
		return false;
	off = amdvi_off(regs, u->base);
	iounmap(regs, AMD_IOMMU_BYTES);
	return off;
}

int iommu_take_all(void)
{
	int err = 0;

	for (u32 i = 0; i < acpi.iommu_count; i++) {
		const struct acpi_iommu *u = &acpi.iommus[i];
		bool off;

		/* Nothing there is touched, then */
		if (owner_keep_device(u->base,
				      u->amd ? AMD_IOMMU_BYTES : PAGE_SIZE)) {
			keep(u->base, u->size);
			continue;
		}
		keep(u->base, u->size);
		off = u->amd ? amd_take(u) : vtd_take(u);
		if (off)
			continue;
		log_error("iommu",
			  "the IOMMU at %#llx cannot be turned off: turn VT-d "
			  "or the AMD IOMMU, and DMA protection before the "
			  "system starts, off in the firmware's setup",
			  u->base);
		err = -EIO;
	}
	if (acpi.dma_opt_in)
		log_info("iommu",
			 "firmware wants devices kept from memory that is not "
			 "theirs (DMAR's opt-in); no IOMMU is used yet: trust "
			 "what you plug in");
	return err;
}
