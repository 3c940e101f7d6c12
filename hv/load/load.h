/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways a guest image gets in. A loader checks the whole image first, then
 * fills guest memory and sets the boot vCPU's registers. Images are untrusted.
 *
 * Unless a comment says otherwise, a function is called while the guest is
 * loaded: on the boot vCPU's home core, no vCPU of it runs, no locks. Errors
 * mean: -ENOEXEC: the file cannot be used; -ENOENT: it is not there; -ENOMEM,
 * -ENOSPC, -EFAULT: the guest has too little memory.
 */
#ifndef HV_LOAD_LOAD_H
#define HV_LOAD_LOAD_H

#include "hv/core/vcpu.h"
#include "hv/files/files.h"
#include "include/hw/e820.h"

/* Load the guest by its way in, which the plan has settled (guest_config.boot).
 * Builds what the way in hands over, the memory map and the platform's tables,
 * and sets the registers of vCPU 0. Again after each reset. Kernel, initrd and
 * modules are checked and placed; load_step() copies them. An error comes after
 * one sentence in the log. */
int __must_check load_guest(struct vm *vm);
/* Pages of the pool that load_guest() has at one time, at most. After the plan;
 * pure. */
u32 load_pages(const struct guest_config *c);
/* Copy a piece (hv/core/piece.h) of what load_guest() has placed. True: the
 * guest is loaded. */
bool load_step(struct vm *vm);
/* The guest ends before it is loaded: forget the rest. Nothing, if there is
 * none. */
void load_abandon(struct vm *vm);
/* Find the file @name, which the manifest gives as @key. After a sentence:
 * -ENOENT: there is none; -ENOEXEC: it is empty. */
int __must_check load_find(struct vm *vm, const char *key, const char *name,
			   struct image *out);
/* The way in that @file has by itself: the first of bzImage, PVH ELF, multiboot
 * 2, multiboot, raw firmware that fits; else the first that it merely says it
 * is; BOOT_WAY_AUTO: it is nothing known. Pure; for the plan. */
enum boot_way load_way(const struct image *file);

/* What a file is to a loader. UNFIT: it says that it is one of the kind, but
 * lacks what the kind must have; load says what. */
enum image_fit { IMAGE_OTHER, IMAGE_UNFIT, IMAGE_FITS };

/* The loaders. load: @initrd may be NULL; an error comes after one sentence.
 * probe: what the file is, by its headers alone; pure.
 *
 * hv/load/bzimage.c: the 64-bit and 32-bit boot protocol (Linux boot) */
int __must_check bzimage_load(struct vm *vm, const struct image *kernel,
			      const struct image *initrd);
enum image_fit bzimage_probe(const struct image *kernel);
/* hv/load/pvh.c: ELF with XEN_ELFNOTE_PHYS32_ENTRY */
int __must_check pvh_load(struct vm *vm, const struct image *kernel,
			  const struct image *initrd);
enum image_fit pvh_probe(const struct image *kernel);

/* hv/load/firmware.c: a raw image that ends at 4 GiB, known by its size and a
 * jump at its reset vector */
bool firmware_probe(const struct image *file);
/* The file at whose reset vector the guest starts; NULL: the plan has given it
 * another way in. Any time after the plan. */
const char *firmware_name(const struct guest_config *c);
/* What the guest's ROM holds, while its memory is built: the file, all of it.
 * False: it needs none, or the file is not there or cannot be an image, as
 * firmware_load() will say. */
bool firmware_rom(const struct vm *vm, struct image *out);
/* Copy the image into the ROM, unless that is the file itself, and its last 128
 * KiB below 1 MiB. vCPU 0 stays in power-on state. -ENOEXEC or -EFAULT, after a
 * sentence. */
int __must_check firmware_load(struct vm *vm, const struct image *file);

/* hv/load/multiboot1.c, multiboot2.c; what they share is in multiboot.h */
int __must_check multiboot1_load(struct vm *vm, const struct image *kernel,
				 const struct image *initrd);
enum image_fit multiboot1_probe(const struct image *kernel);
int __must_check multiboot2_load(struct vm *vm, const struct image *kernel,
				 const struct image *initrd);
enum image_fit multiboot2_probe(const struct image *kernel);

/* The memory map that the guest is told (ACPI 6.4, 15 *System Address Map
 * Interfaces*): fills at most @max entries, sorted and disjoint, and returns
 * the count. What does not fit is left out, and logged. */
u32 e820_build(struct vm *vm, struct e820_entry *out, u32 max);
/* The most entries that the guest's map can have, as memory is owned now */
u32 e820_max(const struct vm *vm);
/* The whole map, in memory of the guest's budget that e820_free() gives back.
 * -ENOMEM; nothing is left to free then. */
struct e820_map {
	struct e820_entry *entries;
	u32 count, max;
};
int __must_check e820_make(struct vm *vm, struct e820_map *map);
void e820_free(struct vm *vm, struct e820_map *map);

/* Write the guest's ACPI tables and set vm->acpi_rsdp. acpi_build() is for an
 * isolated guest, or the privileged one on a machine without tables: RSDP,
 * XSDT, FADT, MADT, DSDT. acpi_rewrite() is for the privileged guest otherwise:
 * the host's tables with a new MADT, less those of what the hypervisor keeps.
 * -ENOMEM, -ENOSPC, -EFAULT. */
int __must_check acpi_build(struct vm *vm);
int __must_check acpi_rewrite(struct vm *vm);

/* Set the registers of vCPU 0 for the kernel's entry (hv/load/entry.c): flat
 * segments, general registers zero. 64-bit with paging on @cr3, or 32-bit with
 * paging off. @gdt: where four descriptors lie; 0: there are none. */
void entry_long_mode(struct vcpu *v, u64 rip, u64 cr3, u64 gdt);
void entry_protected_mode(struct vcpu *v, u32 eip, u64 gdt);
/* Let the 8259's output reach @v through its LINT0, for kernels that expect a
 * BIOS to have run (MP 1.4, 3.6.2.2 *Virtual Wire Mode*) */
void entry_virtual_wire(struct vcpu *v);

#endif
