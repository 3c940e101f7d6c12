/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds a VM's CPUID table from the policy (hv/policy/cpuid_table.c) and
 * serves the exits from it. Leaves are found by index: four blocks of 64 leaves
 * (basic, KVM's, extended, Bulkhead's). Constant once built; no lock. Most
 * leaves of the first block need one look at the table and no more.
 */
#include "hv/policy/cpuid.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/nospec.h"
#include "hv/core/exit.h"
#include "hv/policy/cpuid_table.h"
#include "include/bulkhead/console_port.h"
#include "include/bulkhead/cpuid.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/errno.h"

#define BLOCK_LEAVES 64u
#define BLOCKS       4u
#define OWN_BLOCK    3u
#define MAX_ENTRIES  100u

/* Above enum cpuid_fix: subleaves follow, @subleaves of them */
#define FIX_SUBLEAF BIT(8)
/* No leaf */
#define NOT_PLAIN BIT(32)

struct cpuid_entry {
	u32 reg[LEAF_COUNT];
	u32 fix; /* enum cpuid_fix, FIX_SUBLEAF */
	u32 subleaves;
	u64 plain; /* the leaf, if its answer is just reg[]; or NOT_PLAIN */
};
static_assert(sizeof(struct cpuid_entry) == 32, "an index is a shift");

/* entries[0] is the absent leaf: all zero */
struct cpuid_table {
	struct cpuid_entry entries[MAX_ENTRIES];
	u8 leaves[BLOCKS * BLOCK_LEAVES]; /* index of the first subleaf */
	u32 count;
	u32 beyond; /* index of what answers for a leaf of no block */
};
static_assert(sizeof(struct cpuid_table) <= PAGE_SIZE, "one page a VM");
static_assert(MAX_ENTRIES <= 256, "an index is a byte");

/* Number of @leaf in leaves[]; one past them: there is no such block */
static u32 leaf_number(u32 leaf)
{
	u32 slot = leaf & (u32)BITS(29, 0);

	if (slot < BLOCK_LEAVES && leaf < BIT(30) * OWN_BLOCK)
		return (leaf >> 30) * BLOCK_LEAVES + slot;
	slot = leaf - BH_CPUID_BASE;
	return OWN_BLOCK * BLOCK_LEAVES + MIN(slot, BLOCK_LEAVES);
}

/* The first subleaf of a leaf of any block */
static const struct cpuid_entry *find_leaf(const struct cpuid_table *t,
					   u32 leaf)
{
	u32 number = leaf_number(leaf);

	if (number >= ARRAY_SIZE(t->leaves))
		return &t->entries[t->beyond];
	number = (u32)index_nospec(number, ARRAY_SIZE(t->leaves));
	return &t->entries[t->leaves[number]];
}

static enum cpuid_fix fix_of(const struct cpuid_entry *e)
{
	return (enum cpuid_fix)(e->fix & ~(u32)FIX_SUBLEAF);
}

/* Beyond the last subleaf: zero, but levels of topology repeat the last one,
 * which is invalid (SDM 2A CPUID, leaves 0BH and 1FH) */
static const struct cpuid_entry *find_subleaf(const struct cpuid_table *t,
					      const struct cpuid_entry *first,
					      u32 sub)
{
	if (sub < first->subleaves)
		return first + index_nospec(sub, first->subleaves);
	if (fix_of(first) == FIX_TOPOLOGY)
		return first + first->subleaves - 1;
	return &t->entries[0];
}

static const struct cpuid_entry *cpuid_find(const struct cpuid_table *t,
					    u32 leaf, u32 sub)
{
	const struct cpuid_entry *e = find_leaf(t, leaf);

	return e->fix & FIX_SUBLEAF ? find_subleaf(t, e, sub) : e;
}

static bool host_has(u32 leaf)
{
	if (leaf >= CPUID_EXT_BASE)
		return leaf <= cpu_features.max_ext_leaf;
	return leaf < CPUID_HV_BASE && leaf <= cpu_features.max_leaf;
}

/* The host's leaf; zero beyond the last it has */
static void host_leaf(u32 leaf, u32 sub, u32 reg[LEAF_COUNT])
{
	struct cpuid r = { 0 };

	if (host_has(leaf))
		r = cpuid_count(leaf, sub);
	reg[LEAF_EAX] = r.eax;
	reg[LEAF_EBX] = r.ebx;
	reg[LEAF_ECX] = r.ecx;
	reg[LEAF_EDX] = r.edx;
}

static void fill_entry(const struct vm *vm, struct cpuid_entry *e,
		       const struct cpuid_rule *rule, u32 sub)
{
	host_leaf(rule->leaf, sub, e->reg);
	for (u32 i = 0; i < LEAF_COUNT; i++)
		e->reg[i] = (e->reg[i] & rule->keep[i]) | rule->force[i];
	if (rule->build)
		rule->build(vm, sub, e->reg);
}

static int add_entry(const struct vm *vm, struct cpuid_table *t,
		     const struct cpuid_rule *rule, u32 sub)
{
	struct cpuid_entry *e = &t->entries[t->count];
	u32 number = leaf_number(rule->leaf);

	if (t->count == MAX_ENTRIES || number >= ARRAY_SIZE(t->leaves))
		return -ENOSPC;
	if (rule->host_has && !host_has(rule->leaf))
		return 0;
	fill_entry(vm, e, rule, sub);
	e->fix = rule->fix;
	e->plain = number < BLOCK_LEAVES && !rule->fix && !rule->subleaves
			   ? rule->leaf
			   : NOT_PLAIN;
	if (!t->leaves[number])
		t->leaves[number] = (u8)t->count;
	if (rule->subleaves) {
		t->entries[t->leaves[number]].fix |= (u32)FIX_SUBLEAF;
		t->entries[t->leaves[number]].subleaves++;
	}
	t->count++;
	return 0;
}

/* A leaf beyond the last of its block, or of no block, is the last basic one to
 * a CPU of Intel's, with its subleaves (SDM 2A CPUID, *INPUT EAX*), and zero to
 * one of AMD's. A guest has the host's vendor. */
static void fill_beyond(struct cpuid_table *t)
{
	u32 top = t->entries[t->leaves[0]].reg[LEAF_EAX];

	if (cpu_features.vendor != VENDOR_INTEL)
		return;
	t->beyond = t->leaves[top % BLOCK_LEAVES];
	for (u32 block = 0; block < ARRAY_SIZE(t->leaves);
	     block += BLOCK_LEAVES) {
		top = t->entries[t->leaves[block]].reg[LEAF_EAX];
		for (u32 i = top % BLOCK_LEAVES + 1; i < BLOCK_LEAVES; i++)
			t->leaves[block + i] = (u8)t->beyond;
	}
}

int cpuid_build(struct vm *vm)
{
	struct cpuid_table *t = pmm_alloc(&vm->budget, 0);
	u32 i, sub;
	int err = 0;

	if (!t)
		return -ENOMEM;
	t->entries[0].plain = NOT_PLAIN;
	t->count = 1;
	for (i = 0; i < cpuid_rule_count && !err; i++)
		for (sub = cpuid_rules[i].first;
		     sub <= cpuid_rules[i].last && !err; sub++)
			err = add_entry(vm, t, &cpuid_rules[i], sub);
	if (err) {
		pmm_free(&vm->budget, t, 0);
		return err;
	}
	fill_beyond(t);
	vm->cpuid = t;
	vm->xcr0_mask = cpuid_xcr0_mask();
	vm->phys_bits = (u8)cpuid_find(t, CPUID_EXT_SIZES, 0)->reg[LEAF_EAX];
	return 0;
}

/* Not where another leaf answers for it, being beyond its block's last */
static bool is_its_own(const struct cpuid_table *t, u32 number)
{
	u32 block = number - number % BLOCK_LEAVES;
	u32 top = t->entries[t->leaves[block]].reg[LEAF_EAX];

	return number % BLOCK_LEAVES <= top % BLOCK_LEAVES;
}

void cpuid_renew_rate(struct vm *vm)
{
	struct cpuid_table *t = vm->cpuid;

	for (u32 i = 0; i < cpuid_rule_count; i++) {
		const struct cpuid_rule *rule = &cpuid_rules[i];
		u32 number = leaf_number(rule->leaf);

		if (rule->rate && is_its_own(t, number))
			fill_entry(vm, &t->entries[t->leaves[number]], rule, 0);
	}
}

void cpuid_destroy(struct vm *vm)
{
	if (vm->cpuid)
		pmm_free(&vm->budget, vm->cpuid, 0);
	vm->cpuid = NULL;
}

/* ECX of a topology leaf: the kind of level, and ECX as it was */
static u32 level(const struct cpuid_entry *e, u32 sub)
{
	return (e->reg[LEAF_ECX] & ~(u32)CPUID_B_ECX_SUBLEAF) |
	       (sub & CPUID_B_ECX_SUBLEAF);
}

void cpuid_query(const struct vm *vm, u32 leaf, u32 subleaf, u32 out[4])
{
	const struct cpuid_entry *e = cpuid_find(vm->cpuid, leaf, subleaf);
	u32 i;

	for (i = 0; i < LEAF_COUNT; i++)
		out[i] = e->reg[i];
	if (fix_of(e) == FIX_TOPOLOGY)
		out[LEAF_ECX] = level(e, subleaf);
}

static bool cr4_has(struct vcpu *v, u64 bit)
{
	vcpu_need(v, RG_CR);
	return vcpu_regs(v)->cr4 & bit;
}

/* 80000001:EDX: APIC is 1:EDX's on AMD; SYSCALL is there in 64-bit code alone
 * on Intel (SDM 2A CPUID; APM 3 E.4.2) */
static void fix_ext_features(struct vcpu *v, u64 *gpr)
{
	vcpu_need(v, RG_CR | RG_SEG);
	if (!(v->apic_base_msr & APIC_BASE_EN))
		gpr[GPR_RDX] &= ~(u64)CPUID_1_EDX_APIC;
	if (cpu_features.vendor == VENDOR_INTEL &&
	    !vcpu_hw_long_mode(vcpu_regs(v)))
		gpr[GPR_RDX] &= ~(u64)CPUID_81_EDX_SYSCALL;
}

/* What no table can know beforehand; @sub: ECX as it was */
static void fix_up(struct vcpu *v, const struct cpuid_entry *e, u32 sub,
		   u64 *gpr)
{
	switch (fix_of(e)) {
	case FIX_FEATURES:
		gpr[GPR_RBX] |= v->id << CPUID_1_EBX_APIC_ID_SHIFT;
		if (cr4_has(v, CR4_OSXSAVE))
			gpr[GPR_RCX] |= CPUID_1_ECX_OSXSAVE;
		if (!(v->apic_base_msr & APIC_BASE_EN))
			gpr[GPR_RDX] &= ~(u64)CPUID_1_EDX_APIC;
		break;
	case FIX_FEATURES7:
		if (cr4_has(v, CR4_PKE))
			gpr[GPR_RCX] |= CPUID_7_ECX_OSPKE;
		break;
	case FIX_TOPOLOGY:
		gpr[GPR_RCX] = level(e, sub);
		gpr[GPR_RDX] = v->id;
		break;
	case FIX_XSAVE:
		gpr[GPR_RBX] = cpuid_xsave_bytes(vcpu_regs(v)->xcr0, false);
		break;
	case FIX_XSAVEC:
		gpr[GPR_RBX] = cpuid_xsave_bytes(vcpu_regs(v)->xcr0, true);
		break;
	case FIX_EXT_FEATURES:
		fix_ext_features(v, gpr);
		break;
	case FIX_EXT_TOPOLOGY:
		gpr[GPR_RAX] = v->id;
		gpr[GPR_RBX] = v->id & 0xff;
		break;
	case FIX_CONSOLE:
		gpr[GPR_RAX] = v->vm->console_port;
		gpr[GPR_RBX] = v->vm->console_port ? BH_CONSOLE_VERSION : 0;
		break;
	default:
		break;
	}
}

static void answer(u64 *gpr, const struct cpuid_entry *e)
{
	gpr[GPR_RAX] = e->reg[LEAF_EAX];
	gpr[GPR_RBX] = e->reg[LEAF_EBX];
	gpr[GPR_RCX] = e->reg[LEAF_ECX];
	gpr[GPR_RDX] = e->reg[LEAF_EDX];
}

static __attribute__((noinline)) enum verdict exit_slow(struct vcpu *v)
{
	u64 *gpr = vcpu_regs(v)->gpr;
	u32 leaf = (u32)gpr[GPR_RAX], sub = (u32)gpr[GPR_RCX];
	const struct cpuid_entry *e = cpuid_find(v->vm->cpuid, leaf, sub);

	answer(gpr, e);
	fix_up(v, e, sub, gpr);
	return VERDICT_ADVANCE;
}

enum verdict cpuid_exit(struct vcpu *v, const struct vcpu_exit *exit)
{
	const struct cpuid_table *t = v->vm->cpuid;
	u64 *gpr = vcpu_regs(v)->gpr;
	u32 leaf = (u32)gpr[GPR_RAX];
	const struct cpuid_entry *e =
		&t->entries[t->leaves[leaf % BLOCK_LEAVES]];

	if (unlikely(e->plain != leaf))
		return exit_slow(v);
	answer(gpr, e);
	return VERDICT_ADVANCE;
}
