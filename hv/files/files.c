/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that the loader brought; see files.h. Mapped by files_init() on the
 * boot CPU. No locks. Files of isolated guests stay as they are, so that any
 * core may look one up when it starts a guest again. Files of the privileged
 * guest alone are used and forgotten by the core that loads it.
 */
#include "hv/files/files.h"

#include "hv/core/vm.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/hostmap.h"
#include "mm/owner.h"
#include "mm/pt.h"
#include "mm/window.h"

static const struct boot_info *boot;
static const void *efi_map;
static struct image images[BOOT_MAX_MODULES];
static u32 image_count;
/* Bit per image: its memory is, or will be, the privileged guest's */
static u32 given;
static_assert(BOOT_MAX_MODULES <= 32, "a bit each");

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

	*image = (struct image){ .name = m->name,
				 .size = m->size,
				 .hpa = m->base };
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

int files_init(const struct boot_info *bi)
{
	int err = 0;

	boot = bi;
	image_count = 0;
	given = 0;
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

static bool is_named(const struct image *image, const char *name)
{
	/* Another core may forget it now: see files_forget_privileged() */
	const char *own = READ_ONCE(image->name);

	return own && str_equal_nocase(own, name, BOOT_NAME_LEN);
}

static bool uses(const struct guest_config *c, const struct image *image)
{
	const char *name, *key;

	for (u32 i = 0; manifest_file(c, i, &name, &key); i++)
		if (name[0] && is_named(image, name))
			return true;
	return false;
}

/* Unmap it: from now on there is no such file */
static void forget(struct image *image)
{
	if (image->data)
		iounmap(image->data, image->size);
	*image = (struct image){ .name = NULL };
}

/* The isolated guest that is started from it again; NULL: none */
static const struct vm *user_of(const struct image *image)
{
	for (u32 i = 0; i < vm_count; i++)
		if (vms[i] && !vms[i]->privileged &&
		    uses(vms[i]->config, image))
			return vms[i];
	return NULL;
}

/* Nobody reads it any more, but its memory becomes the privileged guest's: what
 * it says of others (the manifest has their command lines) goes first. The
 * core's windows close before it runs a guest. */
static void scrub(const struct image *image)
{
	for (u64 at = 0; at < image->size; at += PAGE_SIZE)
		memset(window_map(HPA(image->hpa + at)), 0, PAGE_SIZE);
}

static enum owner_kind next_owner(const struct vm *user, bool keeps)
{
	if (user)
		return OWNER_GUEST;
	return keeps ? OWNER_FILES : OWNER_FREE;
}

static void settle(u32 i, const struct guest_config *privileged, bool keep)
{
	struct image *image = &images[i];
	const struct vm *user = user_of(image);
	bool wanted = privileged && uses(privileged, image);
	u64 bytes = ALIGN_UP(image->size, PAGE_SIZE);
	int err;

	if (!bytes)
		return;
	if (!user && !wanted)
		scrub(image);
	err = owner_change(image->hpa, bytes, OWNER_HYPERVISOR,
			   next_owner(user, wanted && keep),
			   user ? user->id : 0);
	if (err) {
		log_warn("load", "the memory of the file %s stays as it is",
			 image->name);
		return;
	}
	if (user || (wanted && keep))
		return;
	if (wanted)
		given |= 1u << i;
	else
		forget(image);
}

void files_settle(const struct guest_config *privileged, bool keep)
{
	for (u32 i = 0; i < image_count; i++)
		settle(i, privileged, keep);
}

void files_forget_privileged(void)
{
	for (u32 i = 0; i < image_count; i++)
		if (given & 1u << i)
			forget(&images[i]);
	given = 0;
}

int file_find(const char *name, struct image *out)
{
	for (u32 i = 0; i < image_count; i++) {
		if (!is_named(&images[i], name))
			continue;
		*out = images[i];
		return 0;
	}
	return -ENOENT;
}

const struct boot_info *files_boot_info(void)
{
	return boot;
}

const void *files_efi_map(void)
{
	return efi_map;
}
