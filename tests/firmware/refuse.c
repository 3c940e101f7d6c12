/* SPDX-License-Identifier: BSD-2-Clause */
/* A firmware that never lets go: ExitBootServices() fails, however often it is
 * asked, so that the loader's last error has no console of the firmware's. */
#include "tests/firmware/before.h"

static EFI_STATUS EFIAPI refuse(EFI_HANDLE self, UINTN key)
{
	return EFI_INVALID_PARAMETER;
}

EFI_STATUS efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *table)
{
	EFI_HANDLE image = before_load(self, table);

	if (!image)
		return EFI_LOAD_ERROR;
	bs->ExitBootServices = refuse;
	return bs->StartImage(image, NULL, NULL);
}
