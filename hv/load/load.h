/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways a guest image gets in. A loader checks the whole image first, then
 * fills guest memory and sets the boot vCPU's registers. Images are untrusted.
 */
#ifndef HV_LOAD_LOAD_H
#define HV_LOAD_LOAD_H

#include "hv/core/vcpu.h"
#include "hv/files/files.h"
#include "include/hw/e820.h"

/* By boot = of the manifest, else by the file: bzImage, PVH ELF, multiboot 2,
 * multiboot, raw firmware. Copies kernel, initrd and modules, builds what the
 * way in hands over, the memory map, ACPI tables (acpi_build or acpi_rewrite),
 * and sets the registers of vCPU 0. One sentence on failure. */
int __must_check load_guest(struct vm *vm);
/* The file @name that @key of the manifest names: -ENOENT, -ENOEXEC when it is
 * empty, after a sentence */
int __must_check load_find(struct vm *vm, const char *key, const char *name,
			   struct image *out);
/* The way in that @file has by itself; BOOT_WAY_AUTO: it is nothing known. For
 * the plan. */
enum boot_way load_way(const struct image *file);

/* hv/load/bzimage.c, Documentation/x86/boot.rst, 64-bit and 32-bit boot
 * protocol */
int __must_check bzimage_load(struct vm *vm, const struct image *kernel,
			      const struct image *initrd);
bool bzimage_probe(const struct image *kernel);
/* hv/load/pvh.c: ELF with XEN_ELFNOTE_PHYS32_ENTRY */
int __must_check pvh_load(struct vm *vm, const struct image *kernel,
			  const struct image *initrd);
bool pvh_probe(const struct image *kernel);

/* hv/load/firmware.c: a raw image that ends at 4 GiB. firmware_probe(): by its
 * size and a jump at its reset vector. */
bool firmware_probe(const struct image *file);
/* The file whose reset vector the guest starts at; NULL: the plan has given it
 * another way in */
const char *firmware_name(const struct guest_config *c);
/* The ROM that the guest needs; 0: none, or its file is no image, which
 * firmware_load() says */
u64 firmware_rom_bytes(const struct guest_config *c);
/* Into ROM and shadow; vCPU 0 is in power-on state already */
int __must_check firmware_load(struct vm *vm, const struct image *file);

/* hv/load/multiboot1.c, multiboot2.c: see multiboot.h */
int __must_check multiboot1_load(struct vm *vm, const struct image *kernel,
				 const struct image *initrd);
bool multiboot1_probe(const struct image *kernel);
int __must_check multiboot2_load(struct vm *vm, const struct image *kernel,
				 const struct image *initrd);
bool multiboot2_probe(const struct image *kernel);

/* Guest memory map as the guest is told it: fills at most @max entries, sorted
 * and disjoint; returns the count */
u32 e820_build(struct vm *vm, struct e820_entry *out, u32 max);

/* ACPI for an isolated guest or a privileged one on a machine with no tables:
 * RSDP, XSDT, FADT, MADT, DSDT. For the privileged guest otherwise: the host's
 * XSDT with the MADT rewritten, DMAR/IVRS/SRAT/HPET held back. Sets
 * vm->acpi_rsdp. */
int __must_check acpi_build(struct vm *vm);
int __must_check acpi_rewrite(struct vm *vm);

/* Isolated guests: code at the PC's reset vector. -EFAULT: too little RAM */
int __must_check bios_area_write(struct vm *vm);

/* Registers of vCPU 0 at the kernel's entry (hv/load/entry.c): flat segments;
 * 64-bit with paging on @cr3, or 32-bit with paging off. @gdt: where four
 * descriptors lie, or 0: none */
void entry_long_mode(struct vcpu *v, u64 rip, u64 cr3, u64 gdt);
void entry_protected_mode(struct vcpu *v, u32 eip, u64 gdt);
/* For kernels that expect a BIOS to have run: the 8259's output reaches @v
 * through its LINT0 (MP Specification 1.4, 3.6.2.2 *Virtual Wire Mode*) */
void entry_virtual_wire(struct vcpu *v);

#endif
