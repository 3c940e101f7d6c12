/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The framebuffer, see loader.h. A machine may have several graphics cards,
 * each with a protocol of its own, and one that stands for all consoles and
 * often has no memory that could be written to. The first that can be used is
 * taken: the console's, a card that the console is shown on, any card. Called
 * by machine.c. UEFI 2.10, 12.9 *Graphics Output Protocol*.
 */
#include "boot/common/facts.h"
#include "boot/efi/loader.h"
#include "lib/string.h"

/* False: this format has no pixels in memory */
static bool pixel_masks(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info,
			struct facts_screen *s)
{
	const EFI_PIXEL_BITMASK *mask = &info->PixelInformation;

	switch (info->PixelFormat) {
	case PixelRedGreenBlueReserved8BitPerColor:
		s->red = 0xff;
		s->green = 0xff00;
		s->blue = 0xff0000;
		s->other = 0xff000000;
		return true;
	case PixelBlueGreenRedReserved8BitPerColor:
		s->red = 0xff0000;
		s->green = 0xff00;
		s->blue = 0xff;
		s->other = 0xff000000;
		return true;
	case PixelBitMask:
		s->red = mask->RedMask;
		s->green = mask->GreenMask;
		s->blue = mask->BlueMask;
		s->other = mask->ReservedMask;
		return true;
	default:
		return false;
	}
}

/* True: the screen behind @handle can be used, and is in @bi */
static bool take(EFI_HANDLE handle, struct boot_info *bi)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = NULL;
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
	struct facts_screen s = { 0 };

	if (!handle ||
	    EFI_ERROR(efi_bs->HandleProtocol(handle, &guid, (void **)&gop)) ||
	    !gop || !gop->Mode || !gop->Mode->Info)
		return false;
	info = gop->Mode->Info;
	if (!pixel_masks(info, &s))
		return false;
	s.base = gop->Mode->FrameBufferBase;
	s.width = info->HorizontalResolution;
	s.height = info->VerticalResolution;
	s.line_pixels = info->PixelsPerScanLine;
	return facts_framebuffer(&s, &bi->fb);
}

/* The first that can be used, of those with protocol @guid */
static bool take_any(EFI_GUID guid, struct boot_info *bi)
{
	EFI_HANDLE *handles = NULL;
	UINTN count = 0;
	bool taken = false;

	if (EFI_ERROR(efi_bs->LocateHandleBuffer(ByProtocol, &guid, NULL,
						 &count, &handles)))
		return false;
	for (UINTN i = 0; i < count && !taken; i++)
		taken = take(handles[i], bi);
	efi_bs->FreePool(handles);
	return taken;
}

void screen_find(struct boot_info *bi)
{
	EFI_GUID console = EFI_CONSOLE_OUT_DEVICE_GUID;
	EFI_GUID graphics = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;

	if (!take(efi_st->ConsoleOutHandle, bi) && !take_any(console, bi))
		(void)take_any(graphics, bi);
}
