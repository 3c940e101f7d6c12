/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UARTs of the firmware's console, see loader.h: what a service processor
 * shows as Serial over LAN is mostly one of them, and often not the first.
 * Called by machine.c. UEFI 2.10, 10 *Protocols - Device Path Protocol*, 14.4
 * *EFI PCI I/O Protocol*.
 */
#include "boot/common/devpath.h"
#include "boot/efi/loader.h"
#include "boot/efi/sio.h"
#include "lib/string.h"

#define RESOURCE_BYTES_MAX 64u

/* The first handle on the way to @path that has protocol @guid; NULL: none */
static void *protocol_above(EFI_GUID guid, EFI_DEVICE_PATH *path)
{
	EFI_HANDLE handle = NULL;
	void *found = NULL;

	if (EFI_ERROR(efi_bs->LocateDevicePath(&guid, &path, &handle)) ||
	    EFI_ERROR(efi_bs->HandleProtocol(handle, &guid, &found)))
		return NULL;
	return found;
}

/* The port that the firmware's driver knows, whatever the number says */
static void port_find(EFI_DEVICE_PATH *path, struct boot_serial *s)
{
	EFI_GUID guid = SIO_GUID;
	struct sio *sio = protocol_above(guid, path);
	const void *list = NULL;
	u16 port;

	if (!sio || EFI_ERROR(sio->get_resources(sio, &list)) || !list)
		return;
	port = devpath_port(list, RESOURCE_BYTES_MAX);
	if (port)
		s->port = port;
}

static bool function_find(EFI_DEVICE_PATH *path, struct boot_serial *s)
{
	EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
	EFI_PCI_IO_PROTOCOL *io = protocol_above(guid, path);
	UINTN segment = 0, bus = 0, device = 0, function = 0;

	if (!io ||
	    EFI_ERROR(io->GetLocation(io, &segment, &bus, &device, &function)))
		return false;
	s->segment = (u16)segment;
	s->bus = (u8)bus;
	s->devfn = (u8)(device << 3 | function);
	return true;
}

static void take(EFI_HANDLE handle, struct boot_info *bi)
{
	EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
	EFI_DEVICE_PATH *path = NULL;
	struct boot_serial s;

	if (EFI_ERROR(efi_bs->HandleProtocol(handle, &guid, (void **)&path)) ||
	    !path || !devpath_uart(path, &s))
		return;
	if (s.way == BOOT_SERIAL_PORT)
		port_find(path, &s);
	else if (!function_find(path, &s))
		return;
	for (u32 i = 0; i < bi->serial_count; i++)
		if (!memcmp(&bi->serials[i], &s, sizeof(s)))
			return;
	if (bi->serial_count < BOOT_MAX_SERIALS)
		bi->serials[bi->serial_count++] = s;
}

void serial_find(struct boot_info *bi)
{
	EFI_GUID guid = EFI_CONSOLE_OUT_DEVICE_GUID;
	EFI_HANDLE *handles = NULL;
	UINTN count = 0;

	if (EFI_ERROR(efi_bs->LocateHandleBuffer(ByProtocol, &guid, NULL,
						 &count, &handles)))
		return;
	for (UINTN i = 0; i < count; i++)
		take(handles[i], bi);
	efi_bs->FreePool(handles);
}
