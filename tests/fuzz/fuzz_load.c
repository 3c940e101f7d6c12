/* SOURCES: hv/load/pvh.c hv/load/elf.c hv/load/multiboot.c hv/load/multiboot1.c hv/load/multiboot2.c hv/load/firmware.c hv/load/bzimage.c hv/load/zero_page.c hv/load/efi_map.c hv/load/place.c hv/load/e820.c hv/load/entry.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for the kernel loaders: any file at all is either refused or
 * lands inside the guest's RAM (gmem_write() of the fakes sees to that), in any
 * of the ways in.
 */
#include "tests/unit/fakes/files.h"
#include "tests/unit/fakes/loader.h"

#include "hv/load/acpi_area.h"

int load_find(struct vm *v, const char *key, const char *name,
	      struct image *out)
{
	return file_find(name, out);
}

bool load_knows(const struct image *file)
{
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u8 initrd_bytes[64];
	const struct image initrd = { "initrd", initrd_bytes, 64, 0 };
	const struct image kernel = { "kernel", data, size, 0 };

	if (!fake_ram)
		(void)vm_setup(NULL);
	fake_config.module_count = size && (data[size - 1] & 1) ? 1 : 0;
	strcpy(fake_config.modules[0].file, "initrd");
	fake_files[0] = initrd;
	fake_vm.acpi_rsdp = ACPI_AREA_ISOLATED;
	if (bzimage_probe(&kernel))
		(void)!bzimage_load(&fake_vm, &kernel, &initrd);
	if (pvh_probe(&kernel))
		(void)!pvh_load(&fake_vm, &kernel, &initrd);
	if (multiboot1_probe(&kernel))
		(void)!multiboot1_load(&fake_vm, &kernel, &initrd);
	if (multiboot2_probe(&kernel))
		(void)!multiboot2_load(&fake_vm, &kernel, &initrd);
	(void)firmware_probe(&kernel);
	if (fake_pool_live)
		abort();
	return 0;
}
