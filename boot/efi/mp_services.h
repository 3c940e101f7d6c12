/* SPDX-License-Identifier: BSD-2-Clause */
/* EFI_MP_SERVICES_PROTOCOL (PI 1.7, volume 2, 13.4 *MP Services Protocol*), as
 * far as the loader uses it */
#ifndef BOOT_EFI_MP_SERVICES_H
#define BOOT_EFI_MP_SERVICES_H

#include <efi.h>

#include "lib/types.h"

#define MP_SERVICES_GUID                                                       \
	{                                                                      \
		0x3fdda605, 0xa76e, 0x4f46,                                    \
		{                                                              \
			0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08         \
		}                                                              \
	}

#define MP_CPU_IS_BSP  BIT(0)
#define MP_CPU_ENABLED BIT(1)

struct mp_cpu_info {
	u64 processor_id; /* the APIC id */
	u32 status;
	u32 location[3];
	u64 extended[3]; /* since PI 1.6; room to spare */
};
static_assert(offsetof(struct mp_cpu_info, location) == 12, "PI 1.7 II-13.4");

struct mp_services {
	EFI_STATUS(EFIAPI *get_count)
	(struct mp_services *self, UINTN *count, UINTN *enabled);
	EFI_STATUS(EFIAPI *get_info)
	(struct mp_services *self, UINTN index, struct mp_cpu_info *info);
};

#endif
