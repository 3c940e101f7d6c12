/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hypervisor that did not end in order has left in its RAM ring
 * (lib/log_ring.h) goes to a file of the boot volume, see loader.h. Called by
 * files.c. The ring is whatever lay in memory: its header is
 * checked, and its text is filtered. Nothing here keeps a start from going on.
 */
#include "boot/common/facts.h"
#include "boot/efi/loader.h"
#include "lib/log_ring.h"
#include "lib/printf.h"

#define NAME_CHARS (sizeof("crash-001.txt"))

static const u64 places[] = LOG_RING_PLACES;
static bool held[ARRAY_SIZE(places)];

/* What is free is kept free of the files. It is not given back: there is
 * firmware that overwrites what it gets back. The hypervisor takes loader's
 * data for free memory. */
static void places_hold(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		EFI_PHYSICAL_ADDRESS at = places[i];

		held[i] = !EFI_ERROR(
			efi_bs->AllocatePages(AllocateAddress, EfiLoaderData,
					      LOG_RING_BYTES / PAGE_SIZE, &at));
	}
}

/* The ring of a boot that was cut off and is in no file yet; NULL: none */
static void *ring_find(struct log_ring_view *v)
{
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		void *at = (void *)places[i];

		if (held[i] && log_ring_look(at, LOG_RING_BYTES, v) &&
		    v->end != LOG_END_ORDERLY && !v->saved)
			return at;
	}
	return NULL;
}

static void name_widen(const char *name, CHAR16 *wide)
{
	while ((*wide++ = (CHAR16)*name++))
		;
}

/* The first name that no file has; @name is "" if all have. */
static EFI_STATUS file_create(EFI_FILE_HANDLE dir, char *name,
			      EFI_FILE_HANDLE *f)
{
	CHAR16 wide[NAME_CHARS];

	for (u32 n = 1; n <= CRASH_FILES_MAX; n++) {
		bh_snprintf(name, NAME_CHARS, "crash-%03u.txt", n);
		name_widen(name, wide);
		if (!EFI_ERROR(
			    dir->Open(dir, f, wide, EFI_FILE_MODE_READ, 0))) {
			(*f)->Close(*f);
			continue;
		}
		return dir->Open(dir, f, wide,
				 EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE |
					 EFI_FILE_MODE_CREATE,
				 0);
	}
	name[0] = 0;
	return EFI_SUCCESS;
}

/* A file that is not whole goes again */
static EFI_STATUS file_fill(EFI_FILE_HANDLE f, const char *text, size_t bytes)
{
	UINTN len = bytes;
	EFI_STATUS st = f->Write(f, &len, (void *)text);

	if (!EFI_ERROR(st) && len != bytes)
		st = EFI_VOLUME_FULL;
	if (EFI_ERROR(st))
		f->Delete(f);
	else
		f->Close(f);
	return st;
}

static void save(EFI_FILE_HANDLE dir, void *ring, const char *text,
		 size_t bytes)
{
	char name[NAME_CHARS];
	EFI_FILE_HANDLE f = NULL;
	EFI_STATUS st = file_create(dir, name, &f);

	if (!EFI_ERROR(st) && !name[0]) {
		console_print("Bulkhead: the log of the boot before is not "
			      "saved: remove crash-001.txt to crash-%03u.txt "
			      "from \\" BOOT_DIR ".",
			      CRASH_FILES_MAX);
		return;
	}
	if (!EFI_ERROR(st))
		st = file_fill(f, text, bytes);
	if (EFI_ERROR(st)) {
		console_print("Bulkhead: \\" BOOT_DIR "\\%s cannot be written "
			      "(EFI status 0x%lx): the log of the boot before "
			      "is not saved.",
			      name, st);
		return;
	}
	log_ring_set_saved(ring);
	console_print("Bulkhead: the log of the boot before is in \\" BOOT_DIR
		      "\\%s.",
		      name);
}

void crash_save(EFI_FILE_HANDLE root)
{
	static CHAR16 path[] = LOADER_FOLDER;
	struct log_ring_view v;
	EFI_FILE_HANDLE dir = NULL;
	char *text = NULL;
	void *ring;

	places_hold();
	ring = ring_find(&v);
	if (!ring || EFI_ERROR(efi_bs->AllocatePool(
			     EfiLoaderData, LOG_RING_BYTES, (void **)&text)))
		return;
	if (!EFI_ERROR(root->Open(root, &dir, path,
				  EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE,
				  0)) ||
	    !EFI_ERROR(root->Open(root, &dir, path, EFI_FILE_MODE_READ, 0))) {
		save(dir, ring, text, log_ring_copy(&v, text, LOG_RING_BYTES));
		dir->Close(dir);
	}
	efi_bs->FreePool(text);
}
