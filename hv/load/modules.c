/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files the loader brought, by name. Mapped once by modules_init() on the
 * boot CPU, read-only; constant afterwards, so that any core may look one up
 * without a lock when it starts a guest again.
 */
#include "hv/load/load.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/hostmap.h"
#include "mm/pt.h"

static const struct boot_info *boot;
static const void *efi_map;
static struct image images[BOOT_MAX_MODULES];
static u32 image_count;

/* ioremap() of a range that need not be page aligned */
static const void *map(u64 base, u64 size)
{
	u64 first = ALIGN_DOWN(base, PAGE_SIZE);
	const u8 *va = ioremap(HPA(first),
			       ALIGN_UP(base + size, PAGE_SIZE) - first, PT_R);

	return va ? va + (base - first) : NULL;
}

static int map_module(const struct boot_module *m)
{
	struct image *image = &images[image_count];

	*image = (struct image){ .name = m->name, .size = m->size };
	if (m->size) {
		image->data = map(m->base, m->size);
		if (!image->data) {
			log_error("load", "no room to map the file %s",
				  m->name);
			return -ENOMEM;
		}
	}
	image_count++;
	return 0;
}

int modules_init(const struct boot_info *bi)
{
	int err = 0;

	boot = bi;
	image_count = 0;
	for (u32 i = 0; i < bi->module_count && i < BOOT_MAX_MODULES && !err;
	     i++)
		err = map_module(&bi->modules[i]);
	if (!err && bi->efi.system_table && bi->efi.memory_map_size) {
		efi_map = map(bi->efi.memory_map, bi->efi.memory_map_size);
		if (!efi_map)
			err = -ENOMEM;
	}
	return err;
}

int module_find(const char *name, struct image *out)
{
	for (u32 i = 0; i < image_count; i++) {
		if (strncmp(images[i].name, name, BOOT_NAME_LEN))
			continue;
		*out = images[i];
		return 0;
	}
	return -ENOENT;
}

const struct boot_info *modules_boot_info(void)
{
	return boot;
}

const void *modules_efi_map(void)
{
	return efi_map;
}
