/* SPDX-License-Identifier: BSD-2-Clause */
/* See before.h. One core, no locks. */
#include "tests/firmware/before.h"

#define LOADER      L"\\EFI\\BOOT\\LOADER.EFI"
#define LOADER_ROOM MIB(8)

EFI_SYSTEM_TABLE *st;
EFI_BOOT_SERVICES *bs;

void say(const char *text)
{
	CHAR16 c[2] = { 0, 0 };

	for (; *text; text++) {
		c[0] = (CHAR16)*text;
		st->ConOut->OutputString(st->ConOut, c);
	}
}

static EFI_STATUS read_loader(EFI_HANDLE device, void **data, UINTN *size)
{
	EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	static CHAR16 path[] = LOADER;
	EFI_FILE_IO_INTERFACE *io = NULL;
	EFI_FILE_HANDLE volume, file;
	EFI_STATUS status;

	status = bs->HandleProtocol(device, &guid, (void **)&io);
	if (!EFI_ERROR(status))
		status = io->OpenVolume(io, &volume);
	if (!EFI_ERROR(status))
		status = volume->Open(volume, &file, path, EFI_FILE_MODE_READ,
				      0);
	if (!EFI_ERROR(status))
		status = bs->AllocatePool(EfiBootServicesData, *size, data);
	return EFI_ERROR(status) ? status : file->Read(file, size, *data);
}

/* The image asks its own handle for the device that it came from */
static EFI_STATUS load(EFI_HANDLE self, EFI_HANDLE *image)
{
	EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *own = NULL, *its = NULL;
	UINTN size = LOADER_ROOM;
	void *data = NULL;
	EFI_STATUS status;

	status = bs->HandleProtocol(self, &guid, (void **)&own);
	if (!EFI_ERROR(status))
		status = read_loader(own->DeviceHandle, &data, &size);
	if (!EFI_ERROR(status))
		status = bs->LoadImage(FALSE, self, own->FilePath, data, size,
				       image);
	if (!EFI_ERROR(status))
		status = bs->HandleProtocol(*image, &guid, (void **)&its);
	if (!EFI_ERROR(status))
		its->DeviceHandle = own->DeviceHandle;
	return status;
}

EFI_HANDLE before_load(EFI_HANDLE self, EFI_SYSTEM_TABLE *table)
{
	EFI_HANDLE image = NULL;

	st = table;
	bs = table->BootServices;
	if (!EFI_ERROR(load(self, &image)))
		return image;
	say("before: there is no LOADER.EFI\r\n");
	return NULL;
}
