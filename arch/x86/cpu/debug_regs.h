/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DR0 to DR3, the addresses of breakpoints (SDM 3B 18.2.1 *Debug Address
 * Registers (DR0-DR3)*). A guest's stay in the core while its vCPU is current:
 * the hypervisor uses none. This core, any context.
 */
#ifndef ARCH_X86_CPU_DEBUG_REGS_H
#define ARCH_X86_CPU_DEBUG_REGS_H

#include "lib/types.h"

/* The core's from @dr[0] to @dr[3] */
void debug_regs_load(const u64 dr[4]);
/* The core's into @dr[0] to @dr[3] */
void debug_regs_save(u64 dr[4]);

#endif
