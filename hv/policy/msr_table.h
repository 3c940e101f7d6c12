/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the MSR policy (hv/policy/msr_table.c), its handlers (msr_state.c,
 * mtrr.c) and what searches it (msr.c) */
#ifndef HV_POLICY_MSR_TABLE_H
#define HV_POLICY_MSR_TABLE_H

#include "hv/core/vcpu.h"

/* What the guest's CPUID must offer for the MSR to be there */
enum msr_gate {
	GATE_ALWAYS,
	GATE_INTEL,
	GATE_AMD,
	GATE_AMD_K8,     /* family 0Fh alone */
	GATE_AMD_PSTATE, /* family 10h on */
	GATE_AMD_COFVID, /* families 10h to 16h */
	GATE_AMD_ZEN,    /* family 17h on */
	GATE_MTRR,
	GATE_MCA,
	GATE_PAT,
	GATE_SYSENTER,
	GATE_LONG_MODE,
	GATE_RDTSCP,
	GATE_SPEC_CTRL,
	GATE_IBPB,
	GATE_ARCH_CAP,
	GATE_COUNT
};

/* The guest reaches the real register, which is its own while it runs */
enum msr_pass { PASS_NONE, PASS_READ = 1, PASS_WRITE = 2, PASS_BOTH = 3 };

/* A range of MSRs that are alike. A value promises that what it names is there:
 * other MSRs, so many of them (tests/unit/hv/policy/test_msr_promises.c).
 * Handlers run on the home core, attached, and check the value before they
 * change anything. */
struct msr_rule {
	u32 first, last;
	enum msr_gate gate;
	enum msr_pass pass;
	/* NULL: #GP. -EINVAL: #GP, nothing has changed. */
	int (*read)(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		    u64 *value);
	int (*write)(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		     u64 value);
	u64 value; /* read_const: the value; read_reg, write_reg: offset */
};

/* Sorted and disjoint */
extern const struct msr_rule msr_rules[];
extern const u32 msr_rule_count;
/* Does the guest have the feature? After cpuid_build(). */
bool msr_gate_open(const struct vm *vm, enum msr_gate gate);

/* Handlers with state; the trivial ones are beside the table */
#define MSR_HANDLERS(name)                                                     \
	int msr_read_##name(struct vcpu *v, const struct msr_rule *rule,       \
			    u32 msr, u64 *value);                              \
	int msr_write_##name(struct vcpu *v, const struct msr_rule *rule,      \
			     u32 msr, u64 value)
MSR_HANDLERS(reg);
MSR_HANDLERS(base);
MSR_HANDLERS(efer);
MSR_HANDLERS(pat);
MSR_HANDLERS(tsc);
MSR_HANDLERS(tsc_adjust);
MSR_HANDLERS(tsc_aux);
MSR_HANDLERS(spec_ctrl);
MSR_HANDLERS(misc_enable);
/* hv/policy/msr_rate.c */
#define MSR_READER(name)                                                       \
	int msr_read_##name(struct vcpu *v, const struct msr_rule *rule,       \
			    u32 msr, u64 *value)
MSR_READER(ratio);
MSR_READER(platform);
MSR_READER(hwcr);
MSR_READER(pstate);
MSR_READER(fidvid);
/* hv/policy/mca.c */
MSR_READER(mcg_cap);
MSR_HANDLERS(mca_bank);
/* hv/policy/mtrr.c */
MSR_HANDLERS(mtrr_def_type);
MSR_HANDLERS(mtrr_var);
MSR_HANDLERS(mtrr_fixed);
MSR_READER(mtrrcap);
MSR_READER(top_mem);

#endif
