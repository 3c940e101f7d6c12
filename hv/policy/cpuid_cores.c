/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do all cores have what guests are told of? A guest's CPUID is made of the
 * boot core's (hv/policy/cpuid.c), so a core that lacks a bit of that which the
 * policy shows cannot run a guest: an instruction would be #UD there alone.
 * Called by hv/init.c, on the boot core before others are started, and then on
 * each of them. No lock: what is noted is constant by then.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/cpuid_table.h"
#include "include/hw/cpuid.h"

/* Registers whose bits are features; all others are names and numbers */
static const struct {
	u32 leaf, sub;
	enum cpuid_reg reg;
	const char *name;
} feature_rows[] = {
	{ CPUID_FEATURES, 0, LEAF_ECX, "features of CPUID 1:ECX" },
	{ CPUID_FEATURES, 0, LEAF_EDX, "features of CPUID 1:EDX" },
	{ CPUID_FEATURES7, 0, LEAF_EBX, "features of CPUID 7:EBX" },
	{ CPUID_FEATURES7, 0, LEAF_ECX, "features of CPUID 7:ECX" },
	{ CPUID_FEATURES7, 0, LEAF_EDX, "features of CPUID 7:EDX" },
	{ CPUID_FEATURES7, 1, LEAF_EAX, "features of CPUID 7.1:EAX" },
	{ CPUID_XSAVE, 1, LEAF_EAX, "features of CPUID D.1:EAX" },
	{ CPUID_EXT_FEATURES, 0, LEAF_ECX, "features of CPUID 80000001:ECX" },
	{ CPUID_EXT_FEATURES, 0, LEAF_EDX, "features of CPUID 80000001:EDX" },
	{ CPUID_EXT_SIZES, 0, LEAF_EBX, "features of CPUID 80000008:EBX" },
	{ CPUID_EXT_FEATURES2, 0, LEAF_EAX, "features of CPUID 80000021:EAX" },
	{ CPUID_EXT_FEATURES2, 0, LEAF_ECX, "features of CPUID 80000021:ECX" },
};

static u32 noted[ARRAY_SIZE(feature_rows)];

/* The bits that the policy lets guests see */
static u32 kept(u32 leaf, u32 sub, enum cpuid_reg reg)
{
	for (u32 i = 0; i < cpuid_rule_count; i++)
		if (cpuid_rules[i].leaf == leaf &&
		    sub >= cpuid_rules[i].first && sub <= cpuid_rules[i].last)
			return cpuid_rules[i].keep[reg];
	return 0;
}

/* A core's, of those that guests may see */
static u32 seen(cpuid_reader read, u32 i)
{
	u32 leaf = feature_rows[i].leaf, sub = feature_rows[i].sub;
	u32 last = leaf >= CPUID_EXT_BASE ? cpu_features.max_ext_leaf
					  : cpu_features.max_leaf;
	struct cpuid c = { 0 };
	u32 reg[LEAF_COUNT];

	if (leaf <= last)
		c = read(leaf, sub);
	reg[LEAF_EAX] = c.eax;
	reg[LEAF_EBX] = c.ebx;
	reg[LEAF_ECX] = c.ecx;
	reg[LEAF_EDX] = c.edx;
	return reg[feature_rows[i].reg] & kept(leaf, sub, feature_rows[i].reg);
}

void cpuid_note_boot_core(cpuid_reader read)
{
	for (u32 i = 0; i < ARRAY_SIZE(noted); i++)
		noted[i] = seen(read, i);
}

const char *cpuid_core_lacks(cpuid_reader read)
{
	for (u32 i = 0; i < ARRAY_SIZE(noted); i++)
		if (noted[i] & ~seen(read, i))
			return feature_rows[i].name;
	return NULL;
}
