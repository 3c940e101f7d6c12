/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a loader hands to the hypervisor: one structure for both loaders
 * (boot/efi, boot/multiboot2). Addresses are physical, sizes are in bytes.
 *
 * State at the hypervisor's entry (hv_start in hv/entry.asm), on the boot CPU:
 *  - Long mode, paging on with four levels, interrupts off, direction flag
 *    clear.
 *  - RDI is the physical address of struct boot_info.
 *  - RSP is the loader's stack; hv_start takes its own at once.
 *  - The identity map has all RAM and the framebuffer, writable; where the CPU
 *    has 1 GiB pages, also all of the lowest 512 GiB. If there was no room for
 *    it, it ends at 4 GiB and @problem says so.
 *  - The image is mapped at its link address (linker.ld), writable and
 *    executable: the hypervisor builds its own tables soon (mm/hostmap.c).
 *  - The image lies below 4 GiB, 2 MiB aligned and in one piece, as it is
 *    linked: hpa = load_hpa + va - HV_IMAGE_BASE.
 */
#ifndef BULKHEAD_BOOT_INFO_H
#define BULKHEAD_BOOT_INFO_H

#include "include/bulkhead/check.h"
#include "lib/types.h"

#define BOOT_INFO_MAGIC   0x316f666e69746f42ull /* "Bootinfo1" cut to 8 bytes */
#define BOOT_INFO_VERSION 6

#define BOOT_MAX_MEM     1024
#define BOOT_MAX_CPUS    256
#define BOOT_MAX_MODULES 32
#define BOOT_MAX_SERIALS 4
#define BOOT_NAME_LEN    64

/* The types of UEFI 2.10, 7.2.1 *EFI_BOOT_SERVICES.AllocatePages()*, kept as
 * the firmware gave them. The multiboot2 loader turns an E820 type into the
 * nearest of them. */
enum boot_mem_type {
	BOOT_MEM_RESERVED = 0,
	BOOT_MEM_LOADER_CODE = 1,
	BOOT_MEM_LOADER_DATA = 2,
	BOOT_MEM_BS_CODE = 3,
	BOOT_MEM_BS_DATA = 4,
	BOOT_MEM_RT_CODE = 5,
	BOOT_MEM_RT_DATA = 6,
	BOOT_MEM_CONVENTIONAL = 7,
	BOOT_MEM_UNUSABLE = 8,
	BOOT_MEM_ACPI_RECLAIM = 9,
	BOOT_MEM_ACPI_NVS = 10,
	BOOT_MEM_MMIO = 11,
	BOOT_MEM_MMIO_PORT = 12,
	BOOT_MEM_PAL = 13,
	BOOT_MEM_PERSISTENT = 14,
	BOOT_MEM_UNACCEPTED = 15,
	/* No type of UEFI: free memory that is set apart by EFI_MEMORY_SP
	 * (7.2.3 *EFI_BOOT_SERVICES.GetMemoryMap()*), as CXL and HBM are */
	BOOT_MEM_SPECIAL = 16,
};

/* One range of boot_info.mem[]: whole pages, ascending, disjoint */
struct boot_mem {
	u64 base;
	u64 size;
	u32 type; /* enum boot_mem_type */
	u32 reserved;
};

/* Linear, packed pixels. A color lies in a pixel at bit @..._shift and has
 * @..._bits bits. */
struct boot_framebuffer {
	u64 base; /* 0: none */
	u64 size;
	u32 width, height;
	u32 stride_bytes;
	u8 bpp; /* 24 or 32 */
	u8 red_shift, green_shift, blue_shift;
	u8 red_bits, green_bits, blue_bits;
	u8 reserved[1];
};

/* Where cpu_apic_ids[], below called cpus[], comes from */
enum boot_cpu_source {
	BOOT_CPUS_NONE,     /* cpus[] has the boot CPU alone */
	BOOT_CPUS_MADT,     /* the hypervisor is to read the RSDP's MADT */
	BOOT_CPUS_EFI_MP,   /* cpus[] from EFI MP Services (PI 1.7 II-13.4) */
	BOOT_CPUS_MP_TABLE, /* cpus[] from the MP table (MP spec 1.4, 4) */
};

/* One file. boot_info.modules[] is sorted by name. */
struct boot_module {
	char name[BOOT_NAME_LEN]; /* file name in /bulkhead, no path */
	u64 base; /* page aligned; the hypervisor's after the hand-over */
	u64 size; /* 0: an empty file, without memory */
};

/* A UART that the firmware's console is shown on (UEFI's ConOut) */
enum boot_serial_way { BOOT_SERIAL_PORT, BOOT_SERIAL_PCI };

struct boot_serial {
	u32 way;     /* enum boot_serial_way */
	u16 port;    /* BOOT_SERIAL_PORT */
	u16 segment; /* BOOT_SERIAL_PCI: the function whose BAR has it */
	u8 bus, devfn;
	u8 reserved[2];
};

struct boot_efi {
	u64 system_table; /* 0: not started by UEFI */
	u64 memory_map;   /* the final map as the firmware gave it */
	u64 memory_map_size;
	u32 descriptor_size;
	u32 descriptor_version;
};

struct boot_info {
	u64 magic;
	u32 version;
	u32 size;        /* sizeof(struct boot_info) */
	char loader[32]; /* "UEFI loader", "GRUB 2.06 (multiboot2, BIOS)" */
	u64 entry_tsc;   /* TSC when the hypervisor was entered */

	u64 load_hpa; /* where the hypervisor's image lies */
	/* The image with its .bss, and what is lent behind it. From the UEFI
	 * loader that is this structure, the stack, the page tables and the
	 * copy of the firmware's map. At least the link's size. */
	u64 load_size;

	u64 rsdp; /* 0: no ACPI tables */
	u64 smbios;
	struct boot_efi efi;
	struct boot_framebuffer fb;

	/* "", or a sentence: what the loader had to leave out, and what to
	 * change. The hypervisor logs it and goes on, or with @fatal stops: the
	 * loader cannot say it itself, because boot services and with them the
	 * firmware's screen are gone. */
	char problem[192];
	u32 fatal;
	u32 check; /* 1: start no guest, and judge the machine by @facts */

	u32 mem_count;
	u32 cpu_source; /* enum boot_cpu_source */
	u32 cpu_count;
	u32 module_count;
	u32 serial_count; /* of serials[], in the firmware's order */
	u32 reserved;
	u64 mp_ioapic_base; /* from the MP table; 0: unknown */
	struct boot_mem mem[BOOT_MAX_MEM];
	/* [0] is the boot CPU. With BOOT_CPUS_MADT the list is what the other
	 * sources said, for a MADT that is broken; it has the boot CPU at
	 * least. */
	u32 cpu_apic_ids[BOOT_MAX_CPUS];
	struct boot_module modules[BOOT_MAX_MODULES];
	struct boot_serial serials[BOOT_MAX_SERIALS];
	struct check_facts facts; /* where @check is set */
};

/*
 * The files, by one rule for both loaders. Each file in the folder /bulkhead of
 * the boot volume is handed over as a module under its name. Left out are
 * folders, names that start with a dot, bulkhead.elf, the hypervisor itself,
 * and crash-NNN.txt: logs that the UEFI loader saved. bulkhead.conf is the
 * manifest.
 */
#define BOOT_DIR        "bulkhead"
#define BOOT_ELF        "bulkhead.elf"
#define BOOT_MANIFEST   "bulkhead.conf"
#define CRASH_FILES_MAX 16 /* crash-001.txt and on */

#endif
