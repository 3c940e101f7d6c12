/* SPDX-License-Identifier: BSD-2-Clause */
/* See boot/common/check.h. Tables are not to be trusted: an address is followed
 * only to where something is mapped. */
#include "boot/common/check.h"

#include "boot/common/boot_mem.h"
#include "check/facts.h"
#include "include/hw/acpi.h"
#include "include/hw/amdvi.h"
#include "include/hw/cpu.h"
#include "include/hw/pci.h"
#include "include/hw/uart16550.h"
#include "include/hw/vtd.h"
#include "lib/string.h"

#define LOW_MEMORY_END 0xa0000ull
#define TABLE_ROOM     MIB(16)
#define ENTRIES_MAX    256u /* of a root table */
#define SCRATCH        0xa5u
#define PCI_NOTHING    0xffffu
#define PCI_INTEL      0x8086u

static void core_cpuid(u32 leaf, u32 subleaf, u32 r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(subleaf));
}

static int core_msr(u32 msr, u64 *value)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	*value = (u64)high << 32 | low;
	return 0;
}

static u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static u32 in32(u16 port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void out32(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

/* --- tables --- */

struct walk {
	struct check_facts *f;
	const struct boot_info *bi;
	u64 end; /* of what is mapped */
};

static bool mapped(const struct walk *w, u64 base, u64 size)
{
	return base && size <= w->end && base <= w->end - size;
}

/* The table at @hpa, with the length that it says, cut to what is mapped; NULL:
 * there can be none */
static const struct acpi_header *table_at(const struct walk *w, u64 hpa,
					  u32 *size)
{
	const struct acpi_header *h = (const void *)(uintptr_t)hpa;
	u64 room;

	if (!mapped(w, hpa, sizeof(*h)))
		return NULL;
	room = MIN(w->end - hpa, TABLE_ROOM);
	*size = (u32)MIN((u64)h->length, room);
	*size = MAX(*size, (u32)sizeof(*h));
	return h;
}

/* May registers be there, by the firmware's map? As owner_keep_device() */
static bool may_be_registers(const struct boot_info *bi, u64 base, u64 bytes)
{
	const u32 types = 1u << BOOT_MEM_RESERVED | 1u << BOOT_MEM_MMIO |
			  1u << BOOT_MEM_MMIO_PORT | 1u << BOOT_MEM_PAL;

	for (u32 i = 0; i < bi->mem_count; i++) {
		const struct boot_mem *m = &bi->mem[i];

		if (base < m->base + m->size && m->base < base + bytes &&
		    !(m->type < 32 && types >> m->type & 1))
			return false;
	}
	return true;
}

static u32 reg32(u64 base, u32 offset)
{
	return *(const volatile u32 *)(uintptr_t)(base + offset);
}

static u64 reg64(u64 base, u32 offset)
{
	return *(const volatile u64 *)(uintptr_t)(base + offset);
}

static enum check_unit intel_take(struct check_facts *f, u64 base)
{
	enum check_unit unit =
		check_vtd(reg32(base, VTD_VER), reg64(base, VTD_CAP));
	u32 status = unit == CHECK_UNIT_THERE ? reg32(base, VTD_GSTS) : 0;

	check_add(f, FACT_IOMMU_DMA_ON, (status & VTD_G_TE) != 0);
	check_add(f, FACT_IOMMU_IRQ_ON, (status & VTD_G_IRE) != 0);
	return unit;
}

static enum check_unit amd_take(struct check_facts *f, u64 base)
{
	u64 control = reg64(base, AMDVI_CONTROL);
	enum check_unit unit = check_amdvi(control, reg64(base, AMDVI_STATUS));

	if (unit == CHECK_UNIT_THERE)
		check_add(f, FACT_IOMMU_DMA_ON, control & AMDVI_IOMMU_EN);
	return unit;
}

/* An address that cannot be one is noted already, by the table */
static void unit_take(void *ctx, const struct check_iommu *u)
{
	struct walk *w = ctx;
	u64 bytes = u->amd ? AMD_IOMMU_BYTES : PAGE_SIZE;
	u32 bits = (u32)w->f->value[FACT_PHYS_BITS];
	enum check_unit unit = CHECK_UNIT_OTHER;

	if (u->again || check_iommu_fault(!u->amd, u->base, bits))
		return;
	if (may_be_registers(w->bi, u->base, bytes)) {
		if (u->base > GIB(4) - bytes) {
			check_add(w->f, FACT_IOMMUS_UNSEEN, 1);
			return;
		}
		unit = u->amd ? amd_take(w->f, u->base)
			      : intel_take(w->f, u->base);
	}
	if (unit == CHECK_UNIT_OTHER)
		check_add(w->f, FACT_IOMMUS_WRONG, 1);
}

static void dsdt_take(struct walk *w, const struct acpi_header *fadt, u32 size)
{
	const struct acpi_header *t;
	u64 hpa = 0;

	if (size >= offsetof(struct acpi_fadt, x_dsdt) + sizeof(hpa))
		memcpy(&hpa,
		       (const u8 *)fadt + offsetof(struct acpi_fadt, x_dsdt),
		       sizeof(hpa));
	if (!hpa && size >= offsetof(struct acpi_fadt, dsdt) + sizeof(u32))
		memcpy(&hpa,
		       (const u8 *)fadt + offsetof(struct acpi_fadt, dsdt),
		       sizeof(u32));
	t = table_at(w, hpa, &size);
	if (t)
		check_table(w->f, t, size);
}

static void table_take(struct walk *w, u64 hpa)
{
	const struct acpi_header *t;
	u32 size;

	t = table_at(w, hpa, &size);
	if (!t) {
		check_add(w->f, FACT_TABLES, 1);
		check_add(w->f, FACT_TABLES_UNREAD, 1);
		return;
	}
	size = check_table(w->f, t, size);
	if (!memcmp(t->signature, "FACP", 4))
		dsdt_take(w, t, size);
	check_iommus(t, size, unit_take, w);
}

/* As by drivers/acpi/acpi.c: one of an impossible length is not used; @summed:
 * nor one with a wrong sum */
static bool root_take(struct walk *w, u64 hpa, const char *signature, u32 width,
		      bool summed)
{
	const struct acpi_header *root;
	u32 size, count;

	root = table_at(w, hpa, &size);
	if (!root || memcmp(root->signature, signature, 4))
		return false;
	size = check_table(w->f, root, size);
	if (size != root->length || (summed && !check_adds_up(root, size)))
		return false;
	count = (size - (u32)sizeof(*root)) / width;
	for (u32 i = 0; i < MIN(count, ENTRIES_MAX); i++) {
		u64 entry = 0;

		memcpy(&entry, (const u8 *)(root + 1) + i * width, width);
		if (entry)
			table_take(w, entry);
	}
	return true;
}

static bool roots_take(struct walk *w, struct acpi_rsdp *rsdp)
{
	return check_rsdp(rsdp) != CHECK_RSDP_NONE &&
	       (root_take(w, rsdp->xsdt, "XSDT", sizeof(u64), rsdp->rsdt) ||
		root_take(w, rsdp->rsdt, "RSDT", sizeof(u32), false));
}

static void take_tables(struct boot_info *bi)
{
	struct walk w = { .f = &bi->facts,
			  .bi = bi,
			  .end = MAX(boot_mem_top(bi), GIB(4)) };
	struct acpi_rsdp rsdp;
	u32 size = ACPI_RSDP_V1_BYTES;

	check_tables_begin(w.f);
	check_set(w.f, FACT_IOMMU_DMA_ON, 0);
	check_set(w.f, FACT_IOMMU_IRQ_ON, 0);
	check_set(w.f, FACT_IOMMUS_UNSEEN, 0);
	memset(&rsdp, 0, sizeof(rsdp));
	if (mapped(&w, bi->rsdp, sizeof(rsdp))) {
		memcpy(&rsdp, (const void *)(uintptr_t)bi->rsdp, size);
		if (rsdp.revision >= ACPI_RSDP_REV_XSDT)
			memcpy(&rsdp, (const void *)(uintptr_t)bi->rsdp,
			       sizeof(rsdp));
	}
	if (bi->rsdp && !roots_take(&w, &rsdp))
		check_add(w.f, FACT_TABLES_UNREAD, 1);
	check_tables_end(w.f);
}

/* --- memory --- */

static bool is_free_later(u32 type)
{
	return type == BOOT_MEM_CONVENTIONAL ||
	       (type >= BOOT_MEM_LOADER_CODE && type <= BOOT_MEM_BS_DATA);
}

static void take_memory(struct boot_info *bi)
{
	u64 ram = 0, special = 0, low = 0, files = 0;

	for (u32 i = 0; i < bi->mem_count; i++) {
		const struct boot_mem *m = &bi->mem[i];

		if (m->type == BOOT_MEM_SPECIAL)
			special += m->size;
		else if (boot_mem_is_ram(m->type))
			ram += m->size;
		/* Page 0 is nobody's */
		if (is_free_later(m->type) && m->base < LOW_MEMORY_END)
			low += MIN(m->base + m->size, LOW_MEMORY_END) -
			       MAX(m->base, (u64)PAGE_SIZE);
	}
	for (u32 i = 0; i < bi->module_count; i++)
		files += bi->modules[i].size;
	check_set(&bi->facts, FACT_RAM_MIB, ram >> 20);
	check_set(&bi->facts, FACT_SPECIAL_MIB, special >> 20);
	check_set(&bi->facts, FACT_MAP_ENTRIES, bi->mem_count);
	check_set(&bi->facts, FACT_LOW_PAGES, low / PAGE_SIZE);
	check_set(&bi->facts, FACT_FILES_MIB, files >> 20);
}

/* --- devices --- */

/* 16550D 8.10 *Scratchpad Register*: it keeps what is written */
static bool uart_answers(u16 base)
{
	u8 old = in8(base + UART_SCR);
	bool answers;

	out8(base + UART_SCR, SCRATCH);
	answers = in8(base + UART_SCR) == SCRATCH;
	out8(base + UART_SCR, old);
	return answers;
}

static u32 pci_read(u32 function, u32 offset)
{
	out32(PCI_PORT_ADDRESS, PCI_ADDRESS_ENABLE | function << 8 | offset);
	return in32(PCI_PORT_DATA);
}

/* The devices that Linux's driver names */
static bool is_vmd(u32 id)
{
	static const u16 devices[] = { 0x201d, 0x28c0, 0x467f, 0x4c3d, 0x7d0b,
				       0x9a0b, 0xa77f, 0xad0b, 0xb06f, 0xb60b };

	if ((id & 0xffff) != PCI_INTEL)
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(devices); i++)
		if (id >> 16 == devices[i])
			return true;
	return false;
}

static u32 vmds_of(u32 device)
{
	u32 id = pci_read(device, PCI_VENDOR_ID), count = is_vmd(id);

	if ((id & 0xffff) == PCI_NOTHING ||
	    !(pci_read(device, PCI_HEADER_TYPE & ~3u) >> 16 & PCI_HEADER_MULTI))
		return count;
	for (u32 i = 1; i < PCI_FUNCTIONS; i++)
		count += is_vmd(pci_read(device + i, PCI_VENDOR_ID));
	return count;
}

static void take_devices(struct boot_info *bi)
{
	struct check_facts *f = &bi->facts;
	u32 vmds = 0;

	check_set(f, FACT_SCREEN, bi->fb.base != 0);
	check_set(f, FACT_SERIAL,
		  check_is(f, FACT_SPCR) || check_is(f, FACT_DBG2) ||
			  bi->serial_count || uart_answers(COM1_PORT) ||
			  uart_answers(COM2_PORT));
	for (u32 i = 0; i < PCI_BUSES * PCI_DEVICES; i++)
		vmds += vmds_of(i * PCI_FUNCTIONS);
	check_set(f, FACT_VMD, vmds);
}

bool boot_check_file(const struct boot_info *bi)
{
	for (u32 i = 0; i < bi->module_count; i++)
		if (str_equal_nocase(bi->modules[i].name, CHECK_NAME,
				     BOOT_NAME_LEN))
			return true;
	return false;
}

void boot_check(struct boot_info *bi, enum check_finder by)
{
	static const struct check_core core = { core_cpuid, core_msr };
	struct check_facts *f = &bi->facts;
	u64 cr4;

	bi->check = 1;
	check_set(f, FACT_FOUND_BY, by);
	check_set(f, FACT_UEFI, bi->efi.system_table != 0);
	check_cpu(f, &core);
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	check_set(f, FACT_LA57_ON, (cr4 & CR4_LA57) != 0);
	take_tables(bi);
	take_memory(bi);
	take_devices(bi);
}
