/* SPDX-License-Identifier: BSD-2-Clause */
/* Files by name, see files.h */
#include "tests/unit/fakes/files.h"

#include "lib/errno.h"
#include "tests/unit/fakes/loader.h"

struct image fake_files[2];
const void *fake_efi_map;

int file_find(const char *name, struct image *out)
{
	for (u32 i = 0; i < ARRAY_SIZE(fake_files); i++) {
		if (!fake_files[i].name || strcmp(fake_files[i].name, name))
			continue;
		*out = fake_files[i];
		return 0;
	}
	return -ENOENT;
}

const struct boot_info *files_boot_info(void)
{
	return &fake_boot_info;
}

const void *files_efi_map(void)
{
	return fake_efi_map;
}
