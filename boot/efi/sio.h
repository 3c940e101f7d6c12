/* SPDX-License-Identifier: BSD-2-Clause */
/* EFI_SIO_PROTOCOL (PI 1.7, volume 5, 17.2 *Super I/O Protocol*), as far as the
 * loader uses it */
#ifndef BOOT_EFI_SIO_H
#define BOOT_EFI_SIO_H

#include <efi.h>

#define SIO_GUID                                                               \
	{                                                                      \
		0x215fdd18, 0xbd50, 0x4feb,                                    \
		{                                                              \
			0x89, 0x0b, 0x58, 0xca, 0x0b, 0x47, 0x39, 0xe9         \
		}                                                              \
	}

struct sio {
	void *access;
	/* *@list: ACPI resources up to an end tag, of the firmware's memory */
	EFI_STATUS(EFIAPI *get_resources)
	(struct sio *self, const void **list);
};

#endif
