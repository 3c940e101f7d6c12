/* SPDX-License-Identifier: BSD-2-Clause */
/* Vector registers, see fpu.h */
#include "tests/unit/fakes/fpu.h"

#include <string.h>

#include "include/hw/cpu.h"

u64 ymm[16][FPU_WORDS], mm[8], xcr0;
bool x87_error;
u32 pkru;

static const u8 file_bytes[] = { 8, 16, 16, 32 };

static u64 *registers(enum fpu_file file, u8 reg)
{
	return file == FPU_MMX ? &mm[reg % 8] : ymm[reg];
}

void fpu_reg_read(enum fpu_file file, u8 reg, u64 value[FPU_WORDS])
{
	memcpy(value, registers(file, reg), file_bytes[file]);
}

void fpu_reg_write(enum fpu_file file, u8 reg, const u64 value[FPU_WORDS])
{
	if (file == FPU_XMM_VEX)
		memset(ymm[reg], 0, sizeof(ymm[reg]));
	memcpy(registers(file, reg), value, file_bytes[file]);
}

bool fpu_error_pending(void)
{
	return x87_error;
}

u64 fpu_xcr0(void)
{
	return xcr0;
}

u32 fpu_pkru(void)
{
	return pkru;
}

void fake_fpu_reset(void)
{
	memset(ymm, 0, sizeof(ymm));
	memset(mm, 0, sizeof(mm));
	xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
	x87_error = false;
	pkru = 0;
}
