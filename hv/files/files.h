/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that the loader brought from the boot volume, by name (without
 * case). Files are untrusted: their readers check them.
 */
#ifndef HV_FILES_FILES_H
#define HV_FILES_FILES_H

#include "hv/manifest/manifest.h"
#include "include/bulkhead/boot_info.h"

/* A file, or another piece of memory that a guest is loaded from */
struct image {
	const char *name;
	const u8 *data; /* mapped read-only */
	u64 size;
	u64 hpa; /* where it lies; page aligned */
};

/* Maps all of @bi's, which must stay mapped. Boot CPU, once. -ENOMEM */
int __must_check files_init(const struct boot_info *bi);
/* -ENOENT; an empty file is found, with size 0. Any core. */
int __must_check file_find(const char *name, struct image *out);
/*
 * Who pays for the files, once the isolated guests are there and before the
 * privileged one takes the rest of memory: what an isolated guest is started
 * from again after a reset is charged to that guest (the first of several);
 * everything else becomes free memory, so the privileged guest's, which is
 * loaded from where its files lie (hv/load/place.h keeps off them).
 * @privileged: its manifest entry, or NULL
 */
void files_settle(const struct guest_config *privileged);
/* The privileged guest is loaded: its files are memory of its own now, and no
 * longer mapped or found. The core that loaded it, once. */
void files_forget_privileged(void);
/* What files_init() was given; NULL before */
const struct boot_info *files_boot_info(void);
/* The firmware's EFI memory map, mapped; NULL when not started by UEFI */
const void *files_efi_map(void);

#endif
