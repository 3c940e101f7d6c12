/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the CPUID policy (hv/policy/cpuid_table.c: which bits a guest sees)
 * and what builds and serves the finished table (hv/policy/cpuid.c).
 */
#ifndef HV_POLICY_CPUID_TABLE_H
#define HV_POLICY_CPUID_TABLE_H

#include "hv/core/vm.h"
#include "hv/policy/cpuid.h"
#include "lib/types.h"

/* What depends on the vCPU or its state: done at the exit */
enum cpuid_fix {
	FIX_NONE,
	FIX_FEATURES,     /* 1: APIC id, OSXSAVE */
	FIX_FEATURES7,    /* 7.0: OSPKE */
	FIX_TOPOLOGY,     /* B, 1F: subleaf, x2APIC id */
	FIX_XSAVE,        /* D.0: EBX, size of what XCR0 enables */
	FIX_XSAVEC,       /* D.1: EBX, the same, compacted */
	FIX_EXT_FEATURES, /* 80000001: APIC (AMD), SYSCALL (Intel) */
	FIX_EXT_TOPOLOGY, /* 8000001E: APIC id, core id */
	FIX_CONSOLE,      /* 40000102: the port, chosen later */
};

/*
 * One or several subleaves: guest = (host & keep) | force, then @build. A row
 * with subleaves false answers whatever ECX holds. One with @host_has is there
 * only where the host has the leaf. One with @rate tells the TSC's. Rows are
 * sorted by leaf and subleaf, the subleaves of a leaf without a gap from 0.
 */
struct cpuid_rule {
	u32 leaf;
	bool subleaves, host_has, rate;
	u8 first, last;
	u32 keep[LEAF_COUNT], force[LEAF_COUNT];
	void (*build)(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT]);
	enum cpuid_fix fix;
};

/* Sorted; hv/policy/cpuid_table.c */
extern const struct cpuid_rule cpuid_rules[];
extern const u32 cpuid_rule_count;

/* XCR0 bits a guest may set on this host; constant after cpu_features_init() */
u64 cpuid_xcr0_mask(void);
/* Bytes of an XSAVE area for the components in @xcr0: in standard format, or
 * compacted (SDM 1 13.4 *XSAVE Area*) */
u32 cpuid_xsave_bytes(u64 xcr0, bool compacted);

#endif
