/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the speculation table: spec_models.c, spec_table.c,
 * speculation.c. All of it is constant or pure. */
#ifndef ARCH_X86_CPU_SPEC_TABLE_H
#define ARCH_X86_CPU_SPEC_TABLE_H

#include "arch/x86/cpu/speculation.h"

/* What the vendors' lists of models say, before capability bits */
enum spec_bug {
	BUG_L1TF = 1 << 0,
	BUG_MDS = 1 << 1,
	BUG_MULTIHIT = 1 << 2,
	BUG_MMIO = 1 << 3,
	BUG_RETBLEED = 1 << 4,
	BUG_SRSO = 1 << 5,
	BUG_ITS = 1 << 6, /* across the VM exit */
	BUG_RFDS = 1 << 7,
	BUG_TSA = 1 << 8,
	BUG_ZENBLEED = 1 << 9,
	BUG_DIV = 1 << 10,
	BUG_PBRSB = 1 << 11, /* with enhanced IBRS */
	BUG_GDS = 1 << 12,   /* with AVX */
	BUG_SRBDS = 1 << 13, /* or SBDS, whose cure it shares */
};

/* enum spec_bug of the CPU's model */
u32 spec_model_bugs(const struct spec_cpu *cpu);
/* Has its microcode the cure of Zenbleed, and VERW that of TSA? */
bool spec_zenbleed_cured(const struct spec_cpu *cpu);
bool spec_tsa_verw(const struct spec_cpu *cpu);

struct spec_row {
	const char *name;
	enum cpu_vendor vendor; /* OTHER: all */
	bool (*affected)(const struct spec_cpu *cpu);
	/* What an affected CPU gets, enum spec_action */
	u32 (*actions)(const struct spec_cpu *cpu);
	bool forced; /* mode FULL: wherever the vendor's CPU has the means */
};
extern const struct spec_row spec_rows[SPEC_ATTACKS];

#endif
