/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's firmware configuration device (QEMU docs/specs/fw_cfg.rst): selector
 * and data ports, DMA, the file directory. Items are constant once the VM is
 * built, except for the bytes of writable ones. Each item is either bytes the
 * device owns a copy of, or a file of the boot volume, read
 * from where it lies.
 */
#ifndef HV_DEVICE_FWCFG_FWCFG_H
#define HV_DEVICE_FWCFG_FWCFG_H

#include "hv/core/vm.h"
#include "hv/files/files.h"

#define FWCFG_SIGNATURE    0x00
#define FWCFG_ID           0x01
#define FWCFG_RAM_SIZE     0x03
#define FWCFG_NB_CPUS      0x05
#define FWCFG_KERNEL_ADDR  0x07
#define FWCFG_KERNEL_SIZE  0x08
#define FWCFG_INITRD_ADDR  0x0a
#define FWCFG_INITRD_SIZE  0x0b
#define FWCFG_BOOT_MENU    0x0e
#define FWCFG_MAX_CPUS     0x0f
#define FWCFG_KERNEL_DATA  0x11
#define FWCFG_INITRD_DATA  0x12
#define FWCFG_CMDLINE_ADDR 0x13
#define FWCFG_CMDLINE_SIZE 0x14
#define FWCFG_CMDLINE_DATA 0x15
#define FWCFG_SETUP_ADDR   0x16
#define FWCFG_SETUP_SIZE   0x17
#define FWCFG_SETUP_DATA   0x18
#define FWCFG_FILE_DIR     0x19
#define FWCFG_FILE_FIRST   0x20
#define FWCFG_NAME_LEN     56

/* While the VM is built or loaded. A later item of the same key or name
 * replaces the earlier. -ENOMEM, -ENOSPC. @data is copied. */
int __must_check fwcfg_add(struct vm *vm, u16 key, const void *data, u32 len);
int __must_check fwcfg_add_u32(struct vm *vm, u16 key, u32 value);
int __must_check fwcfg_add_file(struct vm *vm, const char *name,
				const void *data, u32 len);
/* @len zero bytes that the guest may write, by DMA; until its next start */
int __must_check fwcfg_add_writable_file(struct vm *vm, const char *name,
					 u32 len);
/* [@offset, @offset + @len) of a file of the boot volume, not copied */
int __must_check fwcfg_add_image(struct vm *vm, u16 key,
				 const struct image *image, u64 offset,
				 u32 len);
int __must_check fwcfg_add_image_file(struct vm *vm, const char *name,
				      const struct image *image);
/* All that every isolated guest is told, from its manifest entry and its RAM;
 * for load_guest(). ACPI and SMBIOS files come from their makers. */
int __must_check fwcfg_fill(struct vm *vm);

#endif
