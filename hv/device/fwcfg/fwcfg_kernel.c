/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel of the manifest as fw_cfg items (Linux boot, *The Real-Mode Kernel
 * Header*). UEFI firmware makes an EFI image of setup and kernel again; a boot
 * ROM for BIOS loads them where the addresses say. Files are read where they
 * lie; only the setup sectors are copied, as the loader's fields are filled in.
 * Called by fwcfg_fill() while the guest is loaded. Images are untrusted.
 */
#include "hv/core/pc_map.h"
#include "hv/core/slots.h"
#include "hv/device/fwcfg/fwcfg_priv.h"
#include "include/hw/bzimage.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Where a BIOS's boot ROM puts the parts */
#define REAL_MODE_BASE 0x10000u
#define CMDLINE_BASE   0x20000u
#define KERNEL_BASE    0x100000u
#define HEAP_END       (CMDLINE_BASE - REAL_MODE_BASE - BZ_ENTRY64_OFFSET)
#define INITRD_MAX     0x37ffffffu /* of a header that does not tell */
#define TABLES_BYTES   KIB(128)    /* end of RAM: the firmware's tables */

struct parts {
	struct image kernel, initrd;
	u32 setup_bytes; /* 0: an EFI image that is no bzImage */
	u32 initrd_addr;
	struct setup_header header;
};

static bool is_efi(const struct image *k)
{
	return k->size > 2 && k->data[0] == 'M' && k->data[1] == 'Z';
}

/* A bzImage of a version whose command line is anywhere */
static bool has_setup(struct parts *p)
{
	const struct image *k = &p->kernel;
	u32 sects;

	if (k->size < BZ_HEADER_OFFSET + sizeof(p->header))
		return false;
	memcpy(&p->header, k->data + BZ_HEADER_OFFSET, sizeof(p->header));
	if (p->header.header != BZ_MAGIC ||
	    p->header.version < BZ_VERSION_CMDLINE ||
	    !(p->header.loadflags & BZ_LOADED_HIGH))
		return false;
	sects = p->header.setup_sects ? p->header.setup_sects
				      : BZ_SETUP_SECTS_DEFAULT;
	p->setup_bytes = (sects + 1) * BZ_SECTOR;
	return p->setup_bytes < k->size;
}

/* As high as the kernel and RAM allow; false: there is no room */
static bool place_initrd(const struct vm *vm, struct parts *p)
{
	u64 max = INITRD_MAX, end = vm_ram_end(vm, PC_LOW_RAM_END);

	if (p->setup_bytes && p->header.version >= BZ_VERSION_INITRD_MAX)
		max = p->header.initrd_addr_max;
	max = MIN(max + 1, end > TABLES_BYTES ? end - TABLES_BYTES : 0);
	if (max < KERNEL_BASE + p->kernel.size ||
	    max - KERNEL_BASE - p->kernel.size < p->initrd.size)
		return false;
	p->initrd_addr = (u32)ALIGN_DOWN(max - p->initrd.size, PAGE_SIZE);
	return p->initrd_addr >= KERNEL_BASE + p->kernel.size;
}

static int add_pair(struct vm *vm, u16 addr_key, u32 addr, u16 size_key,
		    u32 size)
{
	int err = fwcfg_add_u32(vm, addr_key, addr);

	return err ? err : fwcfg_add_u32(vm, size_key, size);
}

static int fill_setup(struct vm *vm, struct parts *p)
{
	struct setup_header *h = &p->header;
	u8 *setup;
	int err = add_pair(vm, FWCFG_SETUP_ADDR, REAL_MODE_BASE,
			   FWCFG_SETUP_SIZE, p->setup_bytes);

	if (err || !p->setup_bytes)
		return err;
	setup = pmm_alloc_bytes(&vm->budget, p->setup_bytes);
	if (!setup)
		return -ENOMEM;
	h->type_of_loader = BZ_LOADER_QEMU;
	h->loadflags |= (u8)BZ_CAN_USE_HEAP;
	h->heap_end_ptr = HEAP_END;
	h->cmd_line_ptr = CMDLINE_BASE;
	h->ramdisk_image = p->initrd_addr;
	h->ramdisk_size = (u32)p->initrd.size;
	memcpy(setup, p->kernel.data, p->setup_bytes);
	memcpy(setup + BZ_HEADER_OFFSET, h, sizeof(*h));
	err = fwcfg_add(vm, FWCFG_SETUP_DATA, setup, p->setup_bytes);
	pmm_free_bytes(&vm->budget, setup, p->setup_bytes);
	return err;
}

static int fill_parts(struct vm *vm, struct parts *p)
{
	const char *cmdline = vm->config->cmdline;
	u32 rest = (u32)p->kernel.size - p->setup_bytes;
	u32 cmdline_bytes = (u32)strlen(cmdline) + 1;
	int err = fill_setup(vm, p);

	if (!err)
		err = add_pair(vm, FWCFG_KERNEL_ADDR, KERNEL_BASE,
			       FWCFG_KERNEL_SIZE, rest);
	if (!err)
		err = fwcfg_add_image(vm, FWCFG_KERNEL_DATA, &p->kernel,
				      p->setup_bytes, rest);
	if (!err)
		err = add_pair(vm, FWCFG_CMDLINE_ADDR, CMDLINE_BASE,
			       FWCFG_CMDLINE_SIZE, cmdline_bytes);
	if (!err)
		err = fwcfg_add(vm, FWCFG_CMDLINE_DATA, cmdline, cmdline_bytes);
	if (!err)
		err = add_pair(vm, FWCFG_INITRD_ADDR, p->initrd_addr,
			       FWCFG_INITRD_SIZE, (u32)p->initrd.size);
	if (!err && p->initrd.size)
		err = fwcfg_add_image(vm, FWCFG_INITRD_DATA, &p->initrd, 0,
				      (u32)p->initrd.size);
	return err;
}

/* Nothing is left of what an earlier load found */
static int clear(struct vm *vm)
{
	static const u16 keys[] = {
		FWCFG_KERNEL_ADDR,  FWCFG_KERNEL_SIZE,  FWCFG_KERNEL_DATA,
		FWCFG_INITRD_ADDR,  FWCFG_INITRD_SIZE,  FWCFG_INITRD_DATA,
		FWCFG_CMDLINE_ADDR, FWCFG_CMDLINE_SIZE, FWCFG_CMDLINE_DATA,
		FWCFG_SETUP_ADDR,   FWCFG_SETUP_SIZE,   FWCFG_SETUP_DATA,
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && !err; i++)
		err = fwcfg_add(vm, keys[i], NULL, 0);
	return err;
}

/* kernel = names the firmware itself */
static bool is_firmware(const struct guest_config *c)
{
	return c->boot == BOOT_WAY_FIRMWARE && !c->firmware[0];
}

/* -ENOENT also if it does not stay in its memory, as no firmware starts it */
static int find_kept(struct vm *vm, fwcfg_find find, const char *name,
		     struct image *out)
{
	int err = find(vm, name, out);

	if (!err && vm->staged && !vm_keeps(vm, GPA(out->hpa)))
		return -ENOENT;
	return err;
}

/* A kernel of another kind, or one that does not fit, is no firmware's to
 * start: there is no item for it, and no error here */
int fwcfg_fill_kernel(struct vm *vm, fwcfg_find find)
{
	const struct guest_config *c = vm->config;
	struct parts p = { .setup_bytes = 0 };
	int err = clear(vm);

	if (err)
		return err;
	if (!c->kernel[0] || is_firmware(c) ||
	    find_kept(vm, find, c->kernel, &p.kernel) ||
	    p.kernel.size > PC_LOW_RAM_END)
		return 0;
	if (!has_setup(&p)) {
		p.setup_bytes = 0;
		if (!is_efi(&p.kernel))
			return 0;
	}
	if (c->initrd[0] && find_kept(vm, find, c->initrd, &p.initrd))
		return 0;
	if (!place_initrd(vm, &p))
		return 0;
	return fill_parts(vm, &p);
}
