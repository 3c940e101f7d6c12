/* SOURCES: hv/load/pvh.c hv/load/elf.c hv/load/bzimage.c hv/load/efi_map.c hv/load/place.c hv/load/e820.c hv/load/entry.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for the kernel loaders: any file at all is either refused or
 * lands inside the guest's RAM (gmem_write() of the fakes sees to that). Build:
 *   clang -g -O1 -I. -fsanitize=fuzzer,address,undefined -o build/fuzz_load \
 *     -Wno-unused-function tests/fuzz/fuzz_load.c
 * hv/load/{pvh,bzimage,efi_map}.c \ hv/load/{place,e820,entry}.c -lcmocka
 *   build/fuzz_load -max_len=16384 -max_total_time=60
 */
#include "tests/unit/load_fakes.h"

#include "hv/load/acpi_area.h"

const struct boot_info *modules_boot_info(void)
{
	return &boot_facts;
}

const void *modules_efi_map(void)
{
	return boot_efi_map;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u8 initrd_bytes[64];
	const struct image initrd = { "initrd", initrd_bytes, 64, 0 };
	const struct image kernel = { "kernel", data, size, 0 };

	if (!ram)
		(void)vm_setup(NULL);
	vm.acpi_rsdp = ACPI_AREA_ISOLATED;
	if (bzimage_probe(&kernel))
		(void)!bzimage_load(&vm, &kernel, &initrd);
	if (pvh_probe(&kernel))
		(void)!pvh_load(&vm, &kernel, &initrd);
	if (pool_blocks)
		abort();
	return 0;
}
