/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine's cores can do: read once from CPUID on the boot CPU, then
 * constant. All cores are taken to be alike. */
#ifndef ARCH_X86_CPU_FEATURES_H
#define ARCH_X86_CPU_FEATURES_H

#include "lib/types.h"

enum cpu_vendor { VENDOR_OTHER, VENDOR_INTEL, VENDOR_AMD };

struct cpu_features {
	enum cpu_vendor vendor; /* AMD includes Hygon */
	char brand[49];
	u32 family, model, stepping; /* extended parts added */
	u32 max_leaf, max_ext_leaf;
	u32 phys_bits, virt_bits;
	bool vmx, svm;
	bool nx, page_1g, smep, smap, pge, mce, mca, pat;
	bool x2apic, tsc_deadline, invariant_tsc, arat;
	bool xsave, xsaves, xsaveopt;
	u64 xcr0_mask;       /* bits XCR0 may have: D.0:EDX:EAX */
	u32 xsave_max_bytes; /* area for all of xcr0_mask: D.0:ECX */
	bool fsgsbase, pcid, invpcid, rdtscp, umip, monitor;
	bool hypervisor; /* runs below another hypervisor or in an emulator */
	char hypervisor_name[13]; /* what it says it is, or "" */
	u32 svm_features;         /* 8000000A:EDX */
	u32 svm_asids;            /* 8000000A:EBX */
};

extern struct cpu_features cpu_features;

/* Boot CPU, first thing */
void cpu_features_init(void);
/* One log line a person can read */
void cpu_features_log(void);

#endif
