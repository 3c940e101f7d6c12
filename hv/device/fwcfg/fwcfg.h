/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's firmware configuration device (QEMU docs/specs/fw_cfg.rst): selector
 * and data ports, DMA, the file directory. An item is either bytes of which the
 * device owns a copy, or a file, read from where it lies: of the boot volume,
 * or in memory of the guest's that it cannot reach (hv/vm/shape.h).
 *
 * Items are added while no vCPU of the guest runs: while it is built, or loaded
 * (again after a reset), by one core. While it runs they are constant, except
 * for the bytes of writable ones. So adding takes no lock.
 */
#ifndef HV_DEVICE_FWCFG_FWCFG_H
#define HV_DEVICE_FWCFG_FWCFG_H

#include "hv/core/vm.h"
#include "hv/files/files.h"
#include "include/hw/fwcfg.h"

/* How a guest's files are found by name: 0 or -ENOENT */
typedef int (*fwcfg_find)(const struct vm *vm, const char *name,
			  struct image *out);

/*
 * Add an item: by @key (a selector value below 20h, or one of the first eight
 * from 8000h), or as a file by @name, at most 55 characters. @len is in bytes,
 * @data is copied. A later item of the same key or name replaces the earlier.
 * -EINVAL: no such key, or the name does not fit; -ENOMEM: the guest's budget
 * is used up; -ENOSPC: 64 files are there. After an error nothing has changed.
 */
int __must_check fwcfg_add(struct vm *vm, u16 key, const void *data, u32 len);
int __must_check fwcfg_add_u32(struct vm *vm, u16 key, u32 value);
int __must_check fwcfg_add_file(struct vm *vm, const char *name,
				const void *data, u32 len);
/* Add a file of @len zero bytes, at most 64, that the guest may write by DMA.
 * They are zero again at its next start. Errors as above. */
int __must_check fwcfg_add_writable_file(struct vm *vm, const char *name,
					 u32 len);
/* Add [@offset, @offset + @len) of a file, or all of it, which is not copied.
 * It is of the boot volume and stays mapped; a dynamic guest's is kept in its
 * memory at image->hpa, so that it may be gone from image->data later. -EINVAL:
 * beyond its end, or not kept. */
int __must_check fwcfg_add_image(struct vm *vm, u16 key,
				 const struct image *image, u64 offset,
				 u32 len);
int __must_check fwcfg_add_image_file(struct vm *vm, const char *name,
				      const struct image *image);
/* Add what every isolated guest is told, from its manifest entry and its RAM.
 * For load_guest(); ACPI and SMBIOS files come from hv/load/. Errors as above,
 * and -ENOENT after a sentence: the manifest names a file that is not there. */
int __must_check fwcfg_fill(struct vm *vm, fwcfg_find find);

#endif
