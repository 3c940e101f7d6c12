/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load a guest's image by its kind. Called by vm_create() (and when a guest is
 * started again after a reset) once memory and vCPUs are there. No locks; one
 * guest is loaded at a time.
 */
#include "hv/load/load.h"

#include "drivers/acpi.h"
#include "lib/errno.h"
#include "lib/log.h"

struct image_kind {
	const char *name;
	bool (*probe)(const struct image *kernel);
	int (*load)(struct vm *vm, const struct image *kernel,
		    const struct image *initrd);
};

static const struct image_kind kinds[] = {
	{ "Linux bzImage", bzimage_probe, bzimage_load },
	{ "PVH ELF", pvh_probe, pvh_load },
};

static int find_file(struct vm *vm, const char *key, const char *name,
		     struct image *out)
{
	int err = module_find(name, out);

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

static const struct image_kind *find_kind(const struct image *kernel)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].probe(kernel))
			return &kinds[i];
	return NULL;
}

static int load_platform(struct vm *vm)
{
	int err = vm->privileged && acpi.present ? acpi_rewrite(vm)
						 : acpi_build(vm);

	if (!err && !vm->privileged)
		err = bios_area_write(vm);

	if (err)
		log_error("load",
			  "guest %s: no room for its firmware area (error %d); "
			  "give it more memory",
			  vm->name, err);
	return err;
}

int load_guest(struct vm *vm)
{
	const struct guest_config *c = vm->config;
	struct image kernel = { .size = 0 }, initrd = { .size = 0 };
	const struct image_kind *kind;
	int err = find_file(vm, "kernel", c->kernel, &kernel);

	if (!err && c->initrd[0])
		err = find_file(vm, "initrd", c->initrd, &initrd);
	if (err)
		return err;
	kind = find_kind(&kernel);
	if (!kind) {
		log_error("load",
			  "guest %s: kernel = %s is neither a Linux bzImage "
			  "nor a PVH ELF; name a kernel",
			  vm->name, c->kernel);
		return -ENOEXEC;
	}
	err = load_platform(vm);
	if (!err)
		err = kind->load(vm, &kernel, initrd.size ? &initrd : NULL);
	if (vm->privileged)
		modules_forget_privileged();
	if (!err)
		log_info("load", "guest %s: %s %s, %s %s", vm->name, kind->name,
			 c->kernel, initrd.size ? "initrd" : "no initrd",
			 c->initrd);
	return err;
}
