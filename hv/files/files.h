/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that the boot loader brought from the boot volume, by name. Upper
 * and lower case are the same. Files are untrusted: their readers check them.
 * Called by hv/init.c and by those who plan and load guests; no locks.
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
	u64 hpa; /* where it lies, and where the guest has it that owns it; page
		  * aligned */
};

/* Map all files of @bi, which must stay mapped itself. Boot CPU, once, before
 * any other function here. -ENOMEM: no room to map one, which is logged. */
int __must_check files_init(const struct boot_info *bi);
/* Find a file by @name; an empty one is found, with size 0. -ENOENT: there is
 * none. Any core. */
int __must_check file_find(const char *name, struct image *out);
/*
 * Settle who owns the memory of the files. A file that an isolated guest is
 * started from again after a reset becomes that guest's (the first of several).
 * All other files become free memory, and so the privileged guest's. That is
 * loaded from where its files lie (hv/load/place.h keeps off them); those it
 * does not use are zeroed and forgotten at once. @privileged: its manifest
 * entry, or NULL. @keep: it may start again, too, so that its files are kept
 * from it and from everybody else (OWNER_FILES), and it is loaded from there.
 * Boot CPU, once: after the isolated guests are made, before the privileged one
 * takes the rest of memory.
 */
void files_settle(const struct guest_config *privileged, bool keep);
/* The privileged guest is loaded: files that were not kept are memory of its
 * own from now on, no longer mapped or found. The core that loaded it. */
void files_forget_privileged(void);
/* What files_init() was given; NULL before. Any core, as is the next. */
const struct boot_info *files_boot_info(void);
/* The firmware's EFI memory map, mapped; NULL when not started by UEFI */
const void *files_efi_map(void);

#endif
