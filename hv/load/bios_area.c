/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BIOS of an isolated guest that is started at its kernel: code at the
 * reset vector that resets the guest by the chipset's reset register. A kernel
 * jumps there when it knows no better way. Called by load_guest(). No locks.
 */
#include "hv/core/gmem.h"
#include "hv/core/pc_map.h"
#include "hv/load/load.h"

/* F000:FFF0, SDM 3A 10.1.4 *First Instruction Executed*, below 1 MiB */
#define RESET_VECTOR 0xffff0ull

int bios_area_write(struct vm *vm)
{
	static const u8 code[] = {
		0xba,          PC_RESET & 0xff,
		PC_RESET >> 8,                 /* mov dx, port */
		0xb0,          PC_RESET_VALUE, /* mov al, value */
		0xee,                          /* out dx, al */
		0xf4,                          /* hlt */
		0xeb,          0xfd,           /* jmp to the hlt */
	};

	return gmem_write(vm, GPA(RESET_VECTOR), code, sizeof(code));
}
