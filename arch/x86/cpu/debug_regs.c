/* SPDX-License-Identifier: BSD-2-Clause */
/* The core's breakpoint addresses, as a guest changes (debug_regs.h) */
#include "arch/x86/cpu/debug_regs.h"

#include "arch/x86/cpu/asm.h"

void debug_regs_load(const u64 dr[4])
{
	write_dr0(dr[0]);
	write_dr1(dr[1]);
	write_dr2(dr[2]);
	write_dr3(dr[3]);
}

void debug_regs_save(u64 dr[4])
{
	dr[0] = read_dr0();
	dr[1] = read_dr1();
	dr[2] = read_dr2();
	dr[3] = read_dr3();
}
