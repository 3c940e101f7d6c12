/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done on this machine against attacks by speculative execution, and
 * against iTLB multihit. A table (spec_table.c) has a row for each attack:
 * which CPUs it concerns, and what is done at boot, at each exit, at each
 * entry and between guests. docs/speculation.md has the same table for people.
 *
 * The choice is made once, on the boot CPU, before other cores and guests run,
 * and is constant afterwards. No lock.
 */
#ifndef ARCH_X86_CPU_SPECULATION_H
#define ARCH_X86_CPU_SPECULATION_H

#include "arch/x86/cpu/features.h"
#include "lib/types.h"

/* The manifest's key. AUTO: what this CPU is known to need. FULL: whatever it
 * has the means for. OFF: nothing, but for iTLB multihit, which lets a guest
 * stop the machine. */
enum speculation_mode { SPECULATION_AUTO, SPECULATION_FULL, SPECULATION_OFF };

/* What the choice depends on; CPUID leaves that the CPU does not have are 0 */
struct spec_cpu {
	enum cpu_vendor vendor; /* AMD includes Hygon, family 18h */
	u32 family, model, stepping;
	u32 microcode;
	u32 leaf7_edx, leaf72_edx; /* 7.0 and 7.2 */
	u32 leaf88_ebx;            /* 80000008 */
	u32 leaf821_eax, leaf821_ecx;
	u64 arch_caps;     /* IA32_ARCH_CAPABILITIES, or 0 */
	bool rtm;          /* has TSX */
	bool avx;          /* without it, no gathers */
	bool smt;          /* cores may have two threads */
	bool shadow_stack; /* the host runs with CET shadow stacks */
};

/* In the order of the table's rows */
enum spec_attack {
	SPEC_SPECTRE_V2,
	SPEC_BHI,
	SPEC_RETBLEED,
	SPEC_SRSO,
	SPEC_ITS,
	SPEC_L1TF,
	SPEC_MDS,
	SPEC_TAA,
	SPEC_MMIO,
	SPEC_RFDS,
	SPEC_GDS,
	SPEC_SRBDS,
	SPEC_TSA,
	SPEC_ZENBLEED,
	SPEC_DIV,
	SPEC_MULTIHIT,
	SPEC_ATTACKS
};

/* What can be done; each has its words in speculation.c */
enum spec_action {
	/* At boot, on each core */
	SPEC_RETPOLINE = 1 << 0, /* indirect branches (lib/thunk.asm) */
	SPEC_IBRS = 1 << 1,      /* enhanced IBRS, set once */
	SPEC_AUTO_IBRS = 1 << 2,
	SPEC_STIBP = 1 << 3,
	SPEC_BHI_DIS = 1 << 4,
	SPEC_TSX_OFF = 1 << 5,
	SPEC_FP_FIX = 1 << 6,       /* Zen 2's chicken bit */
	SPEC_REDUCE = 1 << 7,       /* BP_CFG.BpSpecReduce */
	SPEC_SPLIT = 1 << 8,        /* no executable large leaves (mm/pt.h) */
	SPEC_ALIGNED = 1 << 9,      /* as lib/thunk.asm always is */
	SPEC_GATHER_MITG = 1 << 10, /* MCU_OPT_CTRL's GDS_MITG */
	SPEC_RNG_MITG = 1 << 11,    /* MCU_OPT_CTRL's RNGDS_MITG */
	/* At each exit */
	SPEC_IBRS_EXIT = 1 << 12, /* IBRS written, the guest's at the entry */
	SPEC_IBPB_EXIT = 1 << 13,
	SPEC_RSB_FILL = 1 << 14,
	SPEC_RSB_ONE = 1 << 15,
	SPEC_BHB_CLEAR = 1 << 16,
	/* At each entry */
	SPEC_VERW = 1 << 17,
	SPEC_L1D_FLUSH = 1 << 18,
	SPEC_DIVIDE = 1 << 19,
	/* When a core turns to another guest */
	SPEC_IBPB_SWITCH = 1 << 20,
	/* The CPU is affected, and something is missing */
	SPEC_VULNERABLE = 1 << 21,
};

struct speculation {
	enum speculation_mode mode;
	u32 rows[SPEC_ATTACKS]; /* enum spec_action; 0: not affected, or off */
	u32 actions;            /* of all rows */
	u32 host_ctrl;          /* of SPEC_CTRL, while the hypervisor runs */
	bool shadow_stack;
	bool verw_at_halt; /* guest_barrier.h */
};

/* Nothing before speculation_init(); any core reads it */
extern struct speculation speculation;

/* Chooses for @cpu: fills *@out. Pure; any core. */
void speculation_choose(const struct spec_cpu *cpu, enum speculation_mode mode,
			struct speculation *out);
/* Reads this CPU, after its microcode was loaded and after cet_init(), and
 * fills `speculation`; logs a line for each attack. Boot CPU, once. */
void speculation_init(enum speculation_mode mode);
/*
 * The value that SPEC_CTRL has on this core while a vCPU is current whose own
 * is @guest. With SPEC_IBRS_EXIT that is the host's, and the entry code loads
 * the guest's. Else one value serves both, and nothing is written at exits.
 */
u64 speculation_ctrl(u64 guest);

#endif
