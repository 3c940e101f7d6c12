/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load a guest's image by its kind. Called by hv/vm/life.c on the boot vCPU's
 * home core, once memory, devices and vCPUs are there, and again after a reset.
 * No locks: no vCPU of the guest runs, and its files are constant.
 */
#include "drivers/acpi/acpi.h"
#include "hv/core/stretch.h"
#include "hv/device/fwcfg/fwcfg.h"
#include "hv/load/fill.h"
#include "hv/load/platform.h"
#include "hv/load/reload.h"
#include "hv/load/staged.h"
#include "lib/errno.h"
#include "lib/log.h"

struct image_kind {
	enum boot_way way;
	const char *name;
	enum image_fit (*probe)(const struct image *kernel);
	int (*load)(struct vm *vm, const struct image *kernel,
		    const struct image *initrd);
};

/* In the order in which a file is tried */
static const struct image_kind kinds[] = {
	{ BOOT_WAY_LINUX, "Linux bzImage", bzimage_probe, bzimage_load },
	{ BOOT_WAY_PVH, "PVH ELF", pvh_probe, pvh_load },
	{ BOOT_WAY_MULTIBOOT2, "multiboot 2", multiboot2_probe,
	  multiboot2_load },
	{ BOOT_WAY_MULTIBOOT, "multiboot", multiboot1_probe, multiboot1_load },
};

int load_find(struct vm *vm, const char *key, const char *name,
	      struct image *out)
{
	int err = staged_find(vm, name, out);

	if (err && vm->staged) {
		log_error("load",
			  "guest %s: %s = %s: no such file was handed over",
			  vm->name, key, name);
		return err;
	}
	if (err) {
		log_error("load",
			  "guest %s: %s = %s: there is no such file; copy it "
			  "to the folder %s of the boot volume",
			  vm->name, key, name, BOOT_DIR);
		return err;
	}
	if (!out->size) {
		log_error("load",
			  "guest %s: %s = %s: the file is empty; copy it to "
			  "the folder %s again",
			  vm->name, key, name, BOOT_DIR);
		return -ENOEXEC;
	}
	return 0;
}

/* The first kind of @way that is at least @fit to @kernel */
static const struct image_kind *find_kind(const struct image *kernel,
					  enum boot_way way, enum image_fit fit)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((way == BOOT_WAY_AUTO || way == kinds[i].way) &&
		    kinds[i].probe(kernel) >= fit)
			return &kinds[i];
	return NULL;
}

enum boot_way load_way(const struct image *file)
{
	const struct image_kind *kind;

	if (!file->size)
		return BOOT_WAY_AUTO;
	kind = find_kind(file, BOOT_WAY_AUTO, IMAGE_FITS);
	if (kind)
		return kind->way;
	if (firmware_probe(file))
		return BOOT_WAY_FIRMWARE;
	kind = find_kind(file, BOOT_WAY_AUTO, IMAGE_UNFIT);
	return kind ? kind->way : BOOT_WAY_AUTO;
}

static const struct image_kind *choose(struct vm *vm,
				       const struct image *kernel)
{
	enum boot_way way = vm->config->boot;
	const struct image_kind *kind = find_kind(kernel, way, IMAGE_FITS);

	if (!kind)
		kind = find_kind(kernel, way, IMAGE_UNFIT);
	if (!kind && way == BOOT_WAY_AUTO && firmware_probe(kernel))
		log_error("load",
			  "guest %s: kernel = %s is a firmware; write firmware "
			  "= %s instead",
			  vm->name, kernel->name, kernel->name);
	else if (!kind && way == BOOT_WAY_AUTO)
		log_error("load",
			  "guest %s: kernel = %s is neither a Linux bzImage, "
			  "a PVH ELF, a multiboot image nor a firmware; name a "
			  "kernel",
			  vm->name, kernel->name);
	else if (!kind)
		log_error("load",
			  "guest %s: kernel = %s is not what boot = says; name "
			  "another kernel, or leave boot out",
			  vm->name, kernel->name);
	return kind;
}

static bool is_multiboot(const struct image_kind *kind)
{
	return kind->way == BOOT_WAY_MULTIBOOT ||
	       kind->way == BOOT_WAY_MULTIBOOT2;
}

/* True if the manifest's entry suits the kind of kernel, which only the file
 * could tell */
static bool fits(const struct vm *vm, const struct image_kind *kind)
{
	if (vm->config->module_count && !is_multiboot(kind)) {
		log_error("load",
			  "guest %s: module = is for multiboot, but kernel = "
			  "%s is a %s; remove it",
			  vm->name, vm->config->kernel, kind->name);
		return false;
	}
	if (vm->privileged && is_multiboot(kind)) {
		log_error("load",
			  "guest %s: kernel = %s is a %s, which cannot own the "
			  "devices; name a Linux, or write privileged = no",
			  vm->name, vm->config->kernel, kind->name);
		return false;
	}
	return true;
}

static int load_platform(struct vm *vm)
{
	int err = vm->privileged && acpi.present ? acpi_rewrite(vm)
						 : acpi_build(vm);

	if (!err && !vm->privileged)
		err = bios_area_write(vm);
	if (!err && !vm->privileged)
		err = smbios_write(vm);
	if (err)
		log_error("load",
			  "guest %s: no room for its firmware area (error %d); "
			  "give it more memory",
			  vm->name, err);
	return err;
}

/* The platform's tables, for the firmware to place */
static int publish_platform(struct vm *vm)
{
	int err = acpi_publish(vm);

	if (!err)
		err = smbios_publish(vm);
	if (err)
		log_error("load",
			  "guest %s: fw_cfg cannot be filled (error %d)",
			  vm->name, -err);
	return err;
}

static int load_firmware(struct vm *vm, const char *name)
{
	struct image file;
	int err = load_find(vm, "firmware", name, &file);

	if (!err)
		err = publish_platform(vm);
	if (!err)
		err = firmware_load(vm, &file);
	if (!err)
		log_info("load", "guest %s: firmware %s, %llu KiB", vm->name,
			 name, (file.size >> 10));
	return err;
}

static int load_kernel(struct vm *vm)
{
	const struct guest_config *c = vm->config;
	struct image kernel = { .size = 0 }, initrd = { .size = 0 };
	const struct image_kind *kind;
	int err = load_find(vm, "kernel", c->kernel, &kernel);

	if (!err && c->initrd[0])
		err = load_find(vm, "initrd", c->initrd, &initrd);
	if (err)
		return err;
	kind = choose(vm, &kernel);
	if (!kind || !fits(vm, kind))
		return -ENOEXEC;
	err = load_platform(vm);
	stretch_look();
	if (!err)
		err = kind->load(vm, &kernel, initrd.size ? &initrd : NULL);
	if (!err)
		log_info("load", "guest %s: %s %s, %s %s", vm->name, kind->name,
			 c->kernel, initrd.size ? "initrd" : "no initrd",
			 c->initrd);
	return err;
}

/* What every isolated guest finds in fw_cfg, however it starts */
static int load_items(struct vm *vm)
{
	int err = vm->privileged ? 0 : fwcfg_fill(vm, staged_find);

	if (err)
		log_error("load",
			  "guest %s: fw_cfg cannot be filled (error %d)",
			  vm->name, -err);
	return err;
}

void load_abandon(struct vm *vm)
{
	fill_end(vm);
	staged_unmap(vm);
	reload_end(vm);
	if (vm->privileged)
		files_forget_privileged();
}

int load_guest(struct vm *vm)
{
	const char *firmware = firmware_name(vm->config);
	int err;

	reload_begin(vm);
	err = fill_begin(vm);
	if (err)
		log_error("load", "guest %s: no memory to load it with",
			  vm->name);
	else
		err = load_items(vm);
	stretch_look();
	if (!err)
		err = firmware ? load_firmware(vm, firmware) : load_kernel(vm);
	if (err)
		load_abandon(vm);
	return err;
}

bool load_step(struct vm *vm)
{
	if (!fill_step(vm))
		return false;
	load_abandon(vm); /* nothing is left */
	return true;
}
