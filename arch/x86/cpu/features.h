/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this machine's cores can do: read from CPUID once, on the boot CPU, and
 * constant afterwards. A core that can do less is left out. SDM 2A CPUID; APM 3
 * appendix E *Obtaining Processor Information Via the CPUID Instruction*.
 */
#ifndef ARCH_X86_CPU_FEATURES_H
#define ARCH_X86_CPU_FEATURES_H

#include "arch/x86/cpu/asm.h"
#include "lib/types.h"

enum cpu_vendor { VENDOR_OTHER, VENDOR_INTEL, VENDOR_AMD };

struct cpu_features {
	enum cpu_vendor vendor; /* AMD includes Hygon */
	char brand[49];
	u32 family, model, stepping; /* with the extended parts */
	u32 max_leaf, max_ext_leaf;  /* last leaf; 0: no extended ones */
	u32 phys_bits; /* 32 to PHYS_BITS_MAX; an entry's others are reserved */
	u32 virt_bits;
	bool vmx, svm;
	bool nx, page_1g, smep, smap, pge, mce, mca, smca, pat, mtrr;
	bool x2apic, tsc_deadline, tsc_adjust, invariant_tsc, arat;
	bool xsave, xsaves, xsaveopt;
	u64 xcr0_mask;       /* bits XCR0 may have: D.0:EDX:EAX */
	u32 xsave_max_bytes; /* area for all of xcr0_mask: D.0:ECX */
	bool cet_ss, cet_ibt, cet_sss;
	bool fsgsbase, pcid, invpcid, rdtscp, umip, monitor;
	bool hypervisor; /* runs below another hypervisor or in an emulator */
	char hypervisor_name[13]; /* what it says it is, or "" */
	u32 svm_features;         /* 8000000A:EDX */
	u32 svm_asids;            /* 8000000A:EBX */
	/* APIC ids of a core's threads differ in so many low bits; 0: a core
	 * has one thread */
	u32 smt_shift;
};

#define PHYS_BITS_MAX 52 /* what a page-table entry has room for */

/* Zero before cpu_features_init(); any core reads it */
extern struct cpu_features cpu_features;

/* One past the last physical address there is */
static inline u64 cpu_phys_end(void)
{
	return BIT(cpu_features.phys_bits);
}

/* Fills cpu_features. Boot CPU, before others run: by cpu_boot_init(), and once
 * more when the microcode may be another (arch/x86/machine/microcode.h). */
void cpu_features_init(void);
/* What a core lacks of cpu_features, as words for "it lacks ..."; NULL:
 * nothing. @read is its cpuid_count(), or a test's. Any core, once its
 * microcode is loaded. */
const char *cpu_features_lacking(cpuid_reader read);
/* Logs them in one line that a person can read. Any core. */
void cpu_features_log(void);

#endif
