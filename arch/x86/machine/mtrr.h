/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's memory types, as firmware left them in the memory type range
 * registers (SDM 3A 12.11 *Memory Type Range Registers (MTRRs)*; APM 2 7.7
 * *Memory-Type Range Registers*). The boot CPU's are every core's. Constant
 * once it has read them; any core, any context, no lock.
 */
#ifndef ARCH_X86_MACHINE_MTRR_H
#define ARCH_X86_MACHINE_MTRR_H

#include "lib/types.h"

#define MTRR_VAR_MAX     16u /* pairs; CPUs have 8 to 10 */
#define MTRR_FIXED_COUNT 11u

/* All zero: the CPU has none. Of MTRRCAP VCNT is at most MTRR_VAR_MAX. */
struct mtrrs {
	u64 cap, def_type;
	u64 var[2 * MTRR_VAR_MAX];   /* base and mask alternate */
	u64 fixed[MTRR_FIXED_COUNT]; /* one of 64K, two of 16K, eight of 4K */
};

extern struct mtrrs host_mtrrs;

/* Reads host_mtrrs on the boot CPU. Another core whose registers differ gets
 * them. Each core once, with interrupts off, after cpu_features_init(). SDM 3A
 * 12.11.8 *MTRR Considerations in MP Systems*. */
void mtrr_init_cpu(void);
/* Logs how many cores got them. Boot CPU, once the others are up. */
void mtrr_report(void);
/* Loads this core's registers from @m, whose MTRRCAP is this core's */
void mtrr_write(const struct mtrrs *m);

/*
 * The type (MEM_UC to MEM_WB, include/hw/cpu.h) of all of [@base, @base +
 * @size), a power of two of at least a page and aligned to it, to *@type.
 * False: it may have several. A single page has one. SDM 3A 12.11.4.1 *MTRR
 * Precedences*.
 */
bool mtrr_type(u64 base, u64 size, u8 *type);

#endif
