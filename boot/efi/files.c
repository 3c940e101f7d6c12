/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The folder \bulkhead of the volume that the loader came from, see loader.h.
 * Apart from bulkhead.elf and old logs every file whose name does not start
 * with a dot becomes a module. Called by main.c. UEFI 2.10, 13.4 *Simple File
 * System Protocol*, 13.5 *File Protocol*.
 */
#include "boot/common/facts.h"
#include "boot/efi/loader.h"
#include "lib/string.h"

#define READ_CHUNK   MIB(1)
#define SHOWN_BYTES  MIB(8) /* a file of less is there at once */
#define STEP_PERCENT 5u
#define INFO_BYTES   1024 /* EFI_FILE_INFO and a name of 255 characters */
#define BELOW_4G     0xffffffffull
#define PATH_PREFIX  "\\" BOOT_DIR "\\"

struct entry {
	_Alignas(8) u8 bytes[INFO_BYTES];
};

static EFI_FILE_INFO *entry_info(struct entry *e)
{
	return (EFI_FILE_INFO *)e->bytes;
}

int volume_open(EFI_HANDLE self, EFI_FILE_HANDLE *root)
{
	EFI_GUID image = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_GUID fs = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *li = NULL;
	EFI_FILE_IO_INTERFACE *io = NULL;
	EFI_STATUS st;

	st = efi_bs->HandleProtocol(self, &image, (void **)&li);
	if (!EFI_ERROR(st))
		st = efi_bs->HandleProtocol(li->DeviceHandle, &fs,
					    (void **)&io);
	if (!EFI_ERROR(st))
		st = io->OpenVolume(io, root);
	if (EFI_ERROR(st))
		return fail("the volume this loader came from cannot be read "
			    "as a file system (EFI status 0x%lx); start it "
			    "from a FAT volume.",
			    st);
	return 0;
}

static int folder_open(EFI_FILE_HANDLE root, EFI_FILE_HANDLE *dir)
{
	static CHAR16 path[] = LOADER_FOLDER;

	if (EFI_ERROR(root->Open(root, dir, path, EFI_FILE_MODE_READ, 0)))
		return fail("there is no folder \\" BOOT_DIR " on the volume "
			    "this loader came from; copy the folder of the "
			    "release there.");
	return 0;
}

/* 0 with @name; of a long or foreign name, what fits is shown */
static int name_to_ascii(const CHAR16 *from, char name[BOOT_NAME_LEN])
{
	u32 i;

	for (i = 0; from[i] && i < BOOT_NAME_LEN - 1; i++) {
		bool ascii = from[i] >= ' ' && from[i] <= '~';

		name[i] = ascii ? (char)from[i] : '?';
		if (ascii)
			continue;
		name[i + 1] = 0;
		return fail("the file name " PATH_PREFIX "%s... has a "
			    "character outside ASCII; rename or remove the "
			    "file.",
			    name);
	}
	name[i] = 0;
	if (from[i])
		return fail("the file name " PATH_PREFIX "%s... is longer "
			    "than %d characters; rename or remove the file.",
			    name, BOOT_NAME_LEN - 1);
	return 0;
}

static int pages_alloc(const char *name, u64 size, u64 *base)
{
	UINTN pages = ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE;
	EFI_PHYSICAL_ADDRESS addr = BELOW_4G;

	if (EFI_ERROR(efi_bs->AllocatePages(AllocateMaxAddress, EfiLoaderData,
					    pages, &addr)) &&
	    EFI_ERROR(efi_bs->AllocatePages(AllocateAnyPages, EfiLoaderData,
					    pages, &addr)))
		return fail("there is no room in memory for " PATH_PREFIX
			    "%s (%llu KiB); use a smaller file or a machine "
			    "with more memory.",
			    name, (size / KIB(1)));
	*base = addr;
	return 0;
}

/* A line that is written over itself, twenty times a file for a serial line's
 * sake. *@next: from which percentage on it is due again. */
static void progress(const char *name, u64 done, u64 size, u32 *next)
{
	u32 percent = (u32)(done * 100 / size);

	if (size < SHOWN_BYTES || (done < size && percent < *next))
		return;
	*next = percent + STEP_PERCENT;
	console_progress(done == size, "Bulkhead: %s, %llu of %llu MiB (%u %%)",
			 name, (done >> 20), (size >> 20), percent);
}

static int read_whole(EFI_FILE_HANDLE f, const char *name, u8 *dst, u64 size)
{
	EFI_STATUS st = EFI_SUCCESS;
	u32 next = 0;
	u64 done = 0;

	progress(name, 0, size, &next);
	while (done < size) {
		UINTN len = MIN(READ_CHUNK, size - done);

		st = f->Read(f, &len, dst + done);
		if (EFI_ERROR(st) || len == 0)
			return fail(PATH_PREFIX "%s cannot be read at byte "
						"%llu of %llu (EFI status "
						"0x%lx); copy it again or "
						"check the medium.",
				    name, done, size, st);
		done += len;
		progress(name, done, size, &next);
	}
	return 0;
}

/* An empty file is handed over as it is: size 0, no memory */
static int file_load(EFI_FILE_HANDLE dir, EFI_FILE_INFO *info, const char *name,
		     u64 *base)
{
	EFI_FILE_HANDLE f = NULL;
	int err;

	*base = 0;
	if (info->FileSize == 0)
		return 0;
	if (EFI_ERROR(
		    dir->Open(dir, &f, info->FileName, EFI_FILE_MODE_READ, 0)))
		return fail(PATH_PREFIX "%s cannot be opened; copy it again "
					"or check the medium.",
			    name);
	err = pages_alloc(name, info->FileSize, base);
	if (!err)
		err = read_whole(f, name, (u8 *)*base, info->FileSize);
	f->Close(f);
	return err;
}

/* FAT keeps upper case for short names: compare without case */
static bool name_is_elf(const char *name)
{
	return str_equal_nocase(name, BOOT_ELF, BOOT_NAME_LEN);
}

static int entry_take(EFI_FILE_HANDLE dir, EFI_FILE_INFO *info,
		      struct boot_info *bi, struct file_data *elf)
{
	struct boot_module m;
	int err;

	if ((info->Attribute & EFI_FILE_DIRECTORY) || info->FileName[0] == '.')
		return 0;
	memset(&m, 0, sizeof(m));
	err = name_to_ascii(info->FileName, m.name);
	if (err || facts_is_crash_file(m.name))
		return err;
	if (!name_is_elf(m.name) && bi->module_count == BOOT_MAX_MODULES)
		return fail("there are more than %d files in \\" BOOT_DIR
			    "; remove the ones that no guest needs.",
			    BOOT_MAX_MODULES);
	err = file_load(dir, info, m.name, &m.base);
	if (err)
		return err;
	m.size = info->FileSize;
	if (name_is_elf(m.name)) {
		elf->data = (void *)m.base;
		elf->size = m.size;
	} else {
		bi->modules[bi->module_count++] = m;
	}
	return 0;
}

static int folder_load(EFI_FILE_HANDLE dir, struct boot_info *bi,
		       struct file_data *elf)
{
	static struct entry e;

	for (;;) {
		UINTN len = sizeof(e.bytes);
		EFI_STATUS st = dir->Read(dir, &len, e.bytes);
		int err;

		if (EFI_ERROR(st))
			return fail("the folder \\" BOOT_DIR " cannot be read "
				    "(EFI status 0x%lx); check the medium.",
				    st);
		if (len == 0)
			return 0;
		err = entry_take(dir, entry_info(&e), bi, elf);
		if (err)
			return err;
	}
}

int files_load(EFI_HANDLE self, struct boot_info *bi, struct file_data *elf)
{
	EFI_FILE_HANDLE root, dir;
	int err = volume_open(self, &root);

	if (err)
		return err;
	crash_save(root);
	err = folder_open(root, &dir);
	root->Close(root);
	if (err)
		return err;
	memset(elf, 0, sizeof(*elf));
	err = folder_load(dir, bi, elf);
	dir->Close(dir);
	if (err)
		return err;
	if (!elf->data)
		return fail(PATH_PREFIX BOOT_ELF
			    " is missing or empty; copy "
			    "the file of the release there.");
	facts_sort_modules(bi);
	return 0;
}
