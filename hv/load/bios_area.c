/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an isolated guest finds where a PC has its BIOS: at the reset vector,
 * code that resets the guest through the register its FADT names. A kernel
 * jumps there when it knows no better way (Linux does on a hardware-reduced
 * platform without EFI). Called by load_guest().
 */
#include "hv/gmem.h"
#include "hv/load/load.h"
#include "hv/vdev/vpower.h"

/* F000:FFF0, SDM 3A 10.1.4 *First Instruction Executed*, below 1 MiB */
#define RESET_VECTOR 0xffff0ull

int bios_area_write(struct vm *vm)
{
	static const u8 code[] = {
		0xba,
		VPOWER_RESET & 0xff,
		VPOWER_RESET >> 8, /* mov dx, port */
		0xb0,
		0x01, /* mov al, 1 */
		0xee, /* out dx, al */
		0xf4, /* hlt */
		0xeb,
		0xfd, /* jmp to the hlt */
	};

	return gmem_write(vm, GPA(RESET_VECTOR), code, sizeof(code));
}
