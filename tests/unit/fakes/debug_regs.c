/* SPDX-License-Identifier: BSD-2-Clause */
/* DR0 to DR3 of the core (arch/x86/cpu/debug_regs.h): they are what was loaded
 * last */
#include "arch/x86/cpu/debug_regs.h"

#include <string.h>

static u64 core[4];

void debug_regs_load(const u64 dr[4])
{
	memcpy(core, dr, sizeof(core));
}

void debug_regs_save(u64 dr[4])
{
	memcpy(dr, core, sizeof(core));
}
