/* SPDX-License-Identifier: BSD-2-Clause */
/* See iommu.h. Called by hv/init.c at boot; no lock. */
#include "drivers/irq/iommu.h"

#include "arch/x86/cpu/portio.h"
#include "drivers/acpi/acpi.h"
#include "include/hw/vtd.h"
#include "lib/log.h"
#include "mm/hostmap.h"
#include "mm/owner.h"
#include "mm/pt.h"

/* An older DMAR table does not say how many pages a VT-d unit has; its
 * registers do */
static u64 vtd_bytes(u64 base)
{
	u8 *va = ioremap(HPA(base), PAGE_SIZE, PT_R | PT_UC);
	u64 cap, ecap, end;

	if (!va)
		return PAGE_SIZE;
	cap = mmio_read(va + VTD_CAP, 8);
	ecap = mmio_read(va + VTD_ECAP, 8);
	iounmap(va, PAGE_SIZE);
	if (cap == ~0ull)
		return PAGE_SIZE;
	end = MAX(VTD_CAP_FRO(cap) + VTD_CAP_NFR(cap) * 16,
		  VTD_ECAP_IRO(ecap) + 16);
	return MAX(ALIGN_UP(end, PAGE_SIZE), (u64)PAGE_SIZE);
}

void iommu_keep_all(void)
{
	for (u32 i = 0; i < acpi.iommu_count; i++) {
		const struct acpi_iommu *u = &acpi.iommus[i];
		u64 size = u->size > PAGE_SIZE ? u->size : vtd_bytes(u->base);

		if (owner_keep_device(u->base, size))
			log_warn("iommu",
				 "the IOMMU at %#llx is not where registers "
				 "can be: guests may reach it",
				 u->base);
	}
}
