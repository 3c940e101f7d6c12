/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A firmware that leaves things behind, as an EFI program that runs before the
 * loader: it cuts memory into pieces, sets what a core and a device may have
 * set, says so, and starts \EFI\BOOT\LOADER.EFI. Each is done where the machine
 * can have it.
 */
#include "boot/efi/mp_services.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "include/hw/paging.h"
#include "include/hw/pci.h"
#include "lib/string.h"
#include "tests/firmware/before.h"

#define HOLES      300u
#define TSC_STEP   1000003ull
#define BELOW_4G   0xffffffffull
#define MSI_VECTOR 0x41u

/* What follows struct mp_services in the protocol */
struct mp_start {
	struct mp_services first;
	EFI_STATUS(EFIAPI *startup_all)
	(struct mp_start *self, void(EFIAPI *fn)(void *arg), BOOLEAN one_by_one,
	 EFI_EVENT event, UINTN timeout_us, void *arg, UINTN **failed);
};

extern const u8 five_code[], five_code_end[];
void five_levels(u64 root5, void *block);

static void cpuid(u32 leaf, u32 r[4])
{
	__asm__("cpuid"
		: "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
		: "a"(leaf), "c"(0));
}

static u64 rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
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

/* --- memory in pieces --- */

static u8 map[KIB(64)];

/* The largest free range; its size in bytes */
static u64 free_range(u64 *base)
{
	UINTN size = sizeof(map), key, stride;
	UINT32 version;
	u64 best = 0;

	if (EFI_ERROR(bs->GetMemoryMap(&size, (void *)map, &key, &stride,
				       &version)))
		return 0;
	for (UINTN at = 0; at < size; at += stride) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map + at);
		u64 bytes = d->NumberOfPages * PAGE_SIZE;

		if (d->Type != EfiConventionalMemory || bytes <= best)
			continue;
		best = bytes;
		*base = d->PhysicalStart;
	}
	return best;
}

/* In the lower half, so that a kernel finds room in the upper one */
static void plant_holes(void)
{
	static const EFI_MEMORY_TYPE types[] = { EfiReservedMemoryType,
						 EfiRuntimeServicesData,
						 EfiACPIMemoryNVS };
	u64 base = 0, bytes = free_range(&base), step;
	u32 made = 0;

	step = ALIGN_DOWN(bytes / 2 / HOLES, PAGE_SIZE);
	for (u32 i = 0; i < HOLES; i++) {
		EFI_PHYSICAL_ADDRESS at = base + i * step + step / 2;

		at = ALIGN_DOWN(at, PAGE_SIZE);
		if (!EFI_ERROR(bs->AllocatePages(AllocateAddress,
						 types[i % ARRAY_SIZE(types)],
						 1, &at)))
			made++;
	}
	say(made == HOLES ? "residue: 300 holes\r\n" : "residue: no holes\r\n");
}

/* --- what cores have set --- */

static void EFIAPI move_tsc(void *arg)
{
	u32 r[4];

	cpuid(CPUID_FEATURES, r);
	wrmsr(MSR_TSC_ADJUST,
	      0 - TSC_STEP * (1 + (r[1] >> CPUID_1_EBX_APIC_ID_SHIFT)));
}

static void plant_tsc(void)
{
	EFI_GUID guid = MP_SERVICES_GUID;
	struct mp_start *mp = NULL;
	u32 r[4];

	cpuid(CPUID_FEATURES7, r);
	if (!(r[1] & CPUID_7_EBX_TSC_ADJUST) ||
	    EFI_ERROR(bs->LocateProtocol(&guid, NULL, (void **)&mp)))
		return;
	if (!EFI_ERROR(
		    mp->startup_all(mp, move_tsc, TRUE, NULL, 0, NULL, NULL)))
		say("residue: a TSC_ADJUST of each core's own\r\n");
}

static void plant_x2apic(void)
{
	u32 r[4];

	cpuid(CPUID_FEATURES, r);
	if (!(r[2] & CPUID_1_ECX_X2APIC))
		return;
	wrmsr(MSR_APIC_BASE,
	      rdmsr(MSR_APIC_BASE) | APIC_BASE_EN | APIC_BASE_EXTD);
	say("residue: x2APIC\r\n");
}

static void plant_cr4(void)
{
	u64 cr4;
	u32 r[4];

	cpuid(CPUID_FEATURES7, r);
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 |= CR4_DE | CR4_MCE | CR4_PGE;
	cr4 |= r[1] & CPUID_7_EBX_SMEP ? CR4_SMEP : 0;
	cr4 |= r[1] & CPUID_7_EBX_SMAP ? CR4_SMAP : 0;
	cr4 |= r[1] & CPUID_7_EBX_FSGSBASE ? CR4_FSGSBASE : 0;
	cr4 |= r[2] & CPUID_7_ECX_UMIP ? CR4_UMIP : 0;
	cr4 |= r[2] & CPUID_7_ECX_PKU ? CR4_PKE : 0;
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
	say("residue: bits of CR4\r\n");
}

static EFI_PHYSICAL_ADDRESS root, block;
static EFI_EXIT_BOOT_SERVICES exit_boot_services;

/* As firmware that had five levels all along: OVMF's other cores would not
 * follow earlier */
static EFI_STATUS EFIAPI exit_to_five_levels(EFI_HANDLE self, UINTN key)
{
	EFI_STATUS status = exit_boot_services(self, key);
	u64 cr3;

	if (EFI_ERROR(status))
		return status;
	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	*(u64 *)root = (cr3 & PTE_ADDR) | PTE_P | PTE_W;
	five_levels(root, (void *)block);
	return status;
}

static void plant_five_levels(void)
{
	u32 r[4];

	root = block = BELOW_4G;
	cpuid(CPUID_FEATURES7, r);
	if (!(r[2] & CPUID_7_ECX_LA57) ||
	    EFI_ERROR(bs->AllocatePages(AllocateMaxAddress, EfiBootServicesData,
					1, &root)) ||
	    EFI_ERROR(bs->AllocatePages(AllocateMaxAddress, EfiBootServicesCode,
					2, &block)))
		return;
	memset((void *)root, 0, PAGE_SIZE);
	memcpy((void *)block, five_code, (size_t)(five_code_end - five_code));
	exit_boot_services = bs->ExitBootServices;
	bs->ExitBootServices = exit_to_five_levels;
	say("residue: five levels of paging\r\n");
}

/* --- devices --- */

static u32 pci_read(u32 devfn, u32 offset)
{
	out32(PCI_PORT_ADDRESS, PCI_ADDRESS_ENABLE | devfn << 8 | offset);
	return in32(PCI_PORT_DATA);
}

static void pci_write(u32 devfn, u32 offset, u32 value)
{
	out32(PCI_PORT_ADDRESS, PCI_ADDRESS_ENABLE | devfn << 8 | offset);
	out32(PCI_PORT_DATA, value);
}

static bool msi_on(u32 devfn, u32 cap)
{
	u32 control = pci_read(devfn, cap);
	u32 data = control >> 16 & PCI_MSI_64 ? 12 : 8;

	pci_write(devfn, cap + PCI_MSI_ADDRESS, 0xfee00000);
	pci_write(devfn, cap + data, MSI_VECTOR);
	pci_write(devfn, cap, control | PCI_MSI_ENABLE << 16);
	return pci_read(devfn, cap) >> 16 & PCI_MSI_ENABLE;
}

static bool plant_msi_in(u32 devfn)
{
	u32 at;

	if ((pci_read(devfn, PCI_VENDOR_ID) & 0xffff) == 0xffff ||
	    !(pci_read(devfn, PCI_COMMAND) >> 16 & PCI_STATUS_CAP_LIST))
		return false;
	at = pci_read(devfn, PCI_CAP_POINTER) & 0xfc;
	for (u32 n = 0; n < 48 && at >= PCI_CAP_FIRST; n++) {
		u32 header = pci_read(devfn, at);

		if ((header & 0xff) == PCI_CAP_ID_MSI)
			return msi_on(devfn, at);
		at = header >> 8 & 0xfc;
	}
	return false;
}

static void plant_msi(void)
{
	bool any = false;

	for (u32 devfn = 0; devfn < 256; devfn++)
		any |= plant_msi_in(devfn);
	if (any)
		say("residue: MSIs on\r\n");
}

EFI_STATUS efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table)
{
	EFI_HANDLE image = before_load(self, table);

	if (!image)
		return EFI_LOAD_ERROR;
	plant_holes();
	plant_tsc();
	plant_msi();
	plant_remapping();
	plant_x2apic();
	plant_cr4();
	plant_five_levels();
	return bs->StartImage(image, NULL, NULL);
}
