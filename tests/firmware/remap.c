/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IOMMUs as firmware with DMA protection leaves them, for residue.c: remapping
 * is on, and lets all of the firmware's DMA pass, and none of its interrupts.
 */
#include "include/hw/acpi.h"
#include "include/hw/amdvi.h"
#include "include/hw/vtd.h"
#include "lib/string.h"
#include "tests/firmware/before.h"

#define BELOW_4G 0xffffffffull
#define SPINS    1000000u

/* VT-d 4.1, 11.4: what the hypervisor has no use for */
#define VTD_RTADDR   0x20
#define VTD_IQA      0x90
#define VTD_IRTA     0xb8
#define VTD_G_SRTP   BIT(30)
#define VTD_G_SIRTP  BIT(24)
#define ROOT_PRESENT BIT(0)
/* 9.3: all of a device's addresses pass, as domain 1; how many bits of them
 * comes beside it */
#define CONTEXT_LOW  (BIT(0) | 2u << 2)
#define CONTEXT_HIGH (1u << 8)
#define CONTEXTS     256u
/* 6.5.2.11 */
#define WAIT_AND_WRITE (5u | BIT(5))

/* 48882 3.4 */
#define AMDVI_DEVTAB 0x00
#define AMDVI_CMDBUF 0x08
#define AMDVI_EVTLOG 0x10
#define RING_256     (8ull << 56) /* entries */
#define DEVTAB_PAGES 512u         /* 65,536 devices of 32 bytes */

static u64 pages_of(EFI_MEMORY_TYPE type, UINTN count)
{
	EFI_PHYSICAL_ADDRESS at = BELOW_4G;

	if (EFI_ERROR(bs->AllocatePages(AllocateMaxAddress, type, count, &at)))
		return 0;
	memset((void *)at, 0, count * PAGE_SIZE);
	return at;
}

/* What is anybody's once the firmware has let go */
static u64 pages(UINTN count)
{
	return pages_of(EfiBootServicesData, count);
}

static const struct acpi_header *table(const char *signature)
{
	EFI_GUID guid = ACPI_20_TABLE_GUID;
	const struct acpi_rsdp *rsdp = NULL;
	const struct acpi_header *xsdt;

	for (UINTN i = 0; i < st->NumberOfTableEntries; i++)
		if (!memcmp(&st->ConfigurationTable[i].VendorGuid, &guid,
			    sizeof(guid)))
			rsdp = st->ConfigurationTable[i].VendorTable;
	xsdt = rsdp ? (const void *)rsdp->xsdt : NULL;
	for (u32 at = sizeof(*xsdt); xsdt && at + 8 <= xsdt->length; at += 8) {
		const struct acpi_header *t;

		memcpy(&t, (const u8 *)xsdt + at, sizeof(t));
		if (!memcmp(t->signature, signature, 4))
			return t;
	}
	return NULL;
}

static volatile u32 *reg32(u64 base, u32 offset)
{
	return (volatile u32 *)(base + offset);
}

static volatile u64 *reg64(u64 base, u32 offset)
{
	return (volatile u64 *)(base + offset);
}

static void command(u64 base, u32 bit)
{
	*reg32(base, VTD_GCMD) = (*reg32(base, VTD_GSTS) & VTD_G_LASTING) | bit;
	for (u32 i = 0; i < SPINS; i++)
		if (*reg32(base, VTD_GSTS) & bit)
			return;
}

static void intel(u64 base)
{
	u64 root = pages(1), contexts = pages(1), queue = pages(1),
	    vectors = pages(1);
	u32 sagaw = *reg64(base, VTD_CAP) >> 8 & 0x1f, width = 0;

	if (!root || !contexts || !queue || !vectors)
		return;
	while (sagaw >> (width + 1))
		width++;
	for (u32 i = 0; i < CONTEXTS; i++) {
		((u64 *)root)[i * 2] = contexts | ROOT_PRESENT;
		((u64 *)contexts)[i * 2] = CONTEXT_LOW;
		((u64 *)contexts)[i * 2 + 1] = CONTEXT_HIGH | width;
	}
	*reg64(base, VTD_RTADDR) = root;
	command(base, VTD_G_SRTP);
	*reg64(base, VTD_IQT) = 0;
	*reg64(base, VTD_IQA) = queue;
	command(base, VTD_G_QIE);
	/* The last command is a wait, which writes a word of the same page */
	((u64 *)queue)[0] = WAIT_AND_WRITE;
	((u64 *)queue)[1] = queue + PAGE_SIZE / 2;
	*reg64(base, VTD_IQT) = 16;
	*reg64(base, VTD_IRTA) = vectors | 7; /* 256 of them */
	command(base, VTD_G_SIRTP);
	command(base, VTD_G_TE);
	command(base, VTD_G_IRE);
	if ((*reg32(base, VTD_GSTS) & (VTD_G_TE | VTD_G_IRE)) ==
	    (VTD_G_TE | VTD_G_IRE))
		say("residue: VT-d on\r\n");
}

/*
 * An entry that is not valid lets all pass.
 *
 * QUIRK(tcg-7.2): its IOMMU takes the table of devices for each MSI, even when
 * it is off again (hw/i386/amd_iommu.c asks whether the table has a length).
 * In memory that is a guest's by then, it would hold anything.
 */
static void amd(u64 base)
{
	u64 devices = pages_of(EfiReservedMemoryType, DEVTAB_PAGES),
	    commands = pages(1), events = pages(1);

	if (!devices || !commands || !events)
		return;
	*reg64(base, AMDVI_DEVTAB) = devices | (DEVTAB_PAGES - 1);
	*reg64(base, AMDVI_CMDBUF) = commands | RING_256;
	*reg64(base, AMDVI_EVTLOG) = events | RING_256;
	*reg64(base, AMDVI_CONTROL) =
		AMDVI_IOMMU_EN | AMDVI_CMD_BUF_EN | AMDVI_EVENT_LOG_EN;
	if (*reg64(base, AMDVI_CONTROL) & AMDVI_IOMMU_EN)
		say("residue: AMD-Vi on\r\n");
}

/* The first entry of a table, which tells of the only unit */
static const void *first(const struct acpi_header *t, u64 offset)
{
	return (const u8 *)t + offset;
}

void plant_remapping(void)
{
	const struct acpi_header *dmar = table("DMAR"), *ivrs = table("IVRS");
	const struct dmar_drhd *drhd = first(dmar, DMAR_ENTRIES_OFFSET);
	const struct ivrs_ivhd *ivhd = first(ivrs, IVRS_ENTRIES_OFFSET);

	if (dmar)
		intel(drhd->base);
	if (ivrs)
		amd(ivhd->base);
}
