/* SPDX-License-Identifier: BSD-2-Clause */
/* What one core says of itself, see facts.h. The CPUID leaves and MSRs are
 * those that arch/x86/cpu/features.c and the back-ends look at. Called by the
 * loaders and tools/bh-judge.c; no lock. */
#include "check/facts.h"
#include "include/bulkhead/cpuid.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/string.h"

#define TOPOLOGY_LEVEL_SMT 1u
#define PROC_SECONDARY     BIT(63) /* may be 1: activate secondary controls */
#define CPU2_EPT_OR_VPID   (BIT(33) | BIT(37))
#define BASIC_TRUE         BIT(55)
#define UCODE_SHIFT        32 /* Intel: bits 63:32 */

/* clang-format off */
static const struct {
	u32 leaf, subleaf;
	enum cpuid_reg reg;
	u64 mask;
	enum check_fact fact;
} flags[] = {
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_HYPERVISOR, FACT_HYPERVISOR },
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_VMX, FACT_VMX },
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_X2APIC, FACT_X2APIC },
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_TSC_DEADLINE, FACT_TSC_DEADLINE },
	{ CPUID_FEATURES7, 0, LEAF_EBX, CPUID_7_EBX_TSC_ADJUST, FACT_TSC_ADJUST },
	{ CPUID_FEATURES7, 0, LEAF_ECX, CPUID_7_ECX_LA57, FACT_LA57 },
	{ CPUID_FEATURES7, 0, LEAF_ECX, CPUID_7_ECX_CET_SS, FACT_CET_SS },
	{ CPUID_FEATURES7, 0, LEAF_EDX, CPUID_7_EDX_CET_IBT, FACT_CET_IBT },
	{ CPUID_FEATURES7, 0, LEAF_EDX, CPUID_7_EDX_HYBRID, FACT_HYBRID },
	{ CPUID_EXT_FEATURES, 0, LEAF_ECX, CPUID_81_ECX_SVM, FACT_SVM },
	{ CPUID_EXT_FEATURES, 0, LEAF_EDX, CPUID_81_EDX_NX, FACT_NX },
	{ CPUID_EXT_FEATURES, 0, LEAF_EDX, CPUID_81_EDX_PAGE1GB, FACT_PAGE_1G },
	{ CPUID_EXT_FEATURES, 0, LEAF_EDX, CPUID_81_EDX_LM, FACT_LONG_MODE },
	{ CPUID_EXT_POWER, 0, LEAF_EDX, CPUID_87_EDX_INVARIANT_TSC, FACT_TSC_INVARIANT },
};
/* clang-format on */

/* A leaf that the core does not have reads as zero */
static void leaf(const struct check_core *core, u32 number, u32 subleaf,
		 u32 r[LEAF_COUNT])
{
	core->cpuid(number & CPUID_EXT_BASE, 0, r);
	if (number > r[LEAF_EAX])
		memset(r, 0, sizeof(u32) * LEAF_COUNT);
	else
		core->cpuid(number, subleaf, r);
}

static void take_vendor(struct check_facts *f, const struct check_core *core)
{
	static const struct {
		const char *name;
		enum check_vendor vendor;
	} known[] = {
		{ "GenuineIntel", CHECK_INTEL },
		{ "AuthenticAMD", CHECK_AMD },
		{ "HygonGenuine", CHECK_AMD },
	};
	u32 r[LEAF_COUNT];
	char name[13] = "";

	core->cpuid(CPUID_VENDOR, 0, r);
	memcpy(name, &r[LEAF_EBX], 4);
	memcpy(name + 4, &r[LEAF_EDX], 4);
	memcpy(name + 8, &r[LEAF_ECX], 4);
	check_set(f, FACT_VENDOR, CHECK_OTHER);
	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(name, known[i].name))
			check_set(f, FACT_VENDOR, known[i].vendor);
}

/* SDM 2A CPUID, leaf 01H, *Version Information* */
static void take_model(struct check_facts *f, const struct check_core *core)
{
	u32 r[LEAF_COUNT], family, model;

	leaf(core, CPUID_FEATURES, 0, r);
	family = r[LEAF_EAX] >> 8 & 0xf;
	model = r[LEAF_EAX] >> 4 & 0xf;
	if (family == 0x6 || family == 0xf)
		model |= (r[LEAF_EAX] >> 16 & 0xf) << 4;
	if (family == 0xf)
		family += r[LEAF_EAX] >> 20 & 0xff;
	check_set(f, FACT_FAMILY, family);
	check_set(f, FACT_MODEL, model);
	check_set(f, FACT_STEPPING, r[LEAF_EAX] & 0xf);
	check_set(f, FACT_MCE,
		  (r[LEAF_EDX] & CPUID_1_EDX_MCE) &&
			  (r[LEAF_EDX] & CPUID_1_EDX_MCA));
}

static void take_name(struct check_facts *f, const struct check_core *core)
{
	char brand[49] = "";
	const char *s = brand;

	for (u32 i = 0; i < 3; i++) {
		u32 r[LEAF_COUNT];

		leaf(core, CPUID_EXT_BRAND + i, 0, r);
		memcpy(brand + i * sizeof(r), r, sizeof(r));
	}
	while (*s == ' ')
		s++;
	str_copy(f->string[CHECK_CPU_NAME], s, CHECK_STRING_BYTES);
}

static void take_below(struct check_facts *f, const struct check_core *core)
{
	u32 r[LEAF_COUNT] = { 0 };

	if (check_is(f, FACT_HYPERVISOR))
		core->cpuid(BH_CPUID_BASE, 0, r);
	check_set(f, FACT_BULKHEAD,
		  r[LEAF_EBX] == BH_CPUID_SIGNATURE_EBX &&
			  r[LEAF_ECX] == BH_CPUID_SIGNATURE_ECX &&
			  r[LEAF_EDX] == BH_CPUID_SIGNATURE_EDX);
}

/* SDM 2A CPUID, leaf 0BH; APM 3 E.4.18 *Function 8000_001Eh* */
static void take_threads(struct check_facts *f, const struct check_core *core)
{
	u32 r[LEAF_COUNT], threads = 1;

	leaf(core, CPUID_TOPOLOGY, 0, r);
	if ((r[LEAF_ECX] >> 8 & 0xff) == TOPOLOGY_LEVEL_SMT &&
	    (r[LEAF_EBX] & 0xffff)) {
		threads = r[LEAF_EBX] & 0xffff;
	} else if (f->value[FACT_VENDOR] == CHECK_AMD) {
		leaf(core, CPUID_EXT_FEATURES, 0, r);
		if (r[LEAF_ECX] & CPUID_81_ECX_TOPOEXT) {
			leaf(core, CPUID_EXT_TOPOLOGY, 0, r);
			threads = (r[LEAF_EBX] >> 8 & 0xff) + 1;
		}
	}
	check_set(f, FACT_THREADS, threads);
}

static void take_sizes(struct check_facts *f, const struct check_core *core)
{
	u32 r[LEAF_COUNT], sizes;

	leaf(core, CPUID_EXT_SIZES, 0, r);
	sizes = r[LEAF_EAX];
	leaf(core, CPUID_EXT_ENCRYPTION, 0, r);
	check_set(f, FACT_PHYS_BITS,
		  check_phys_bits(sizes, r[LEAF_EAX], r[LEAF_EBX],
				  f->value[FACT_SYSCFG]));
	if (!check_is(f, FACT_SVM))
		return;
	leaf(core, CPUID_EXT_SVM, 0, r);
	check_set(f, FACT_SVM_FEATURES, r[LEAF_EDX]);
	check_set(f, FACT_SVM_ASIDS, r[LEAF_EBX]);
}

/* True with the fact set */
static bool take_msr(struct check_facts *f, const struct check_core *core,
		     u32 msr, enum check_fact fact)
{
	u64 value = 0;

	if (core->msr(msr, &value))
		return false;
	check_set(f, fact, value);
	return true;
}

/* SDM 3D A.2 *Reserved Controls and Default Settings*: with the true controls
 * less is forced */
static void take_vmx(struct check_facts *f, const struct check_core *core)
{
	bool is_true;

	take_msr(f, core, MSR_FEATURE_CONTROL, FACT_FEATURE_CONTROL);
	if (!take_msr(f, core, MSR_VMX_BASIC, FACT_VMX_BASIC))
		return;
	is_true = f->value[FACT_VMX_BASIC] & BASIC_TRUE;
	take_msr(f, core,
		 is_true ? MSR_VMX_TRUE_PINBASED_CTLS : MSR_VMX_PINBASED_CTLS,
		 FACT_VMX_PIN);
	take_msr(f, core,
		 is_true ? MSR_VMX_TRUE_PROCBASED_CTLS : MSR_VMX_PROCBASED_CTLS,
		 FACT_VMX_CPU);
	take_msr(f, core, is_true ? MSR_VMX_TRUE_EXIT_CTLS : MSR_VMX_EXIT_CTLS,
		 FACT_VMX_EXIT);
	take_msr(f, core,
		 is_true ? MSR_VMX_TRUE_ENTRY_CTLS : MSR_VMX_ENTRY_CTLS,
		 FACT_VMX_ENTRY);
	if (!(f->value[FACT_VMX_CPU] & PROC_SECONDARY))
		check_set(f, FACT_VMX_CPU2, 0);
	else if (take_msr(f, core, MSR_VMX_PROCBASED_CTLS2, FACT_VMX_CPU2) &&
		 (f->value[FACT_VMX_CPU2] & CPU2_EPT_OR_VPID))
		take_msr(f, core, MSR_VMX_EPT_VPID_CAP, FACT_VMX_EPT_VPID);
}

static void take_intel(struct check_facts *f, const struct check_core *core)
{
	u32 r[LEAF_COUNT];
	u64 capabilities = 0;

	if (f->value[FACT_FAMILY] >= 6)
		take_msr(f, core, MSR_MISC_ENABLE, FACT_MISC_ENABLE);
	leaf(core, CPUID_FEATURES7, 0, r);
	if ((r[LEAF_EDX] & CPUID_7_EDX_ARCH_CAP) &&
	    !core->msr(MSR_ARCH_CAPABILITIES, &capabilities) &&
	    (capabilities & ARCH_CAP_XAPIC_DISABLE) &&
	    take_msr(f, core, MSR_XAPIC_DISABLE_STATUS, FACT_XAPIC_DISABLED))
		f->value[FACT_XAPIC_DISABLED] &= XAPIC_DISABLED;
	if (check_is(f, FACT_VMX))
		take_vmx(f, core);
}

static void take_amd(struct check_facts *f, const struct check_core *core)
{
	u32 r[LEAF_COUNT];

	leaf(core, CPUID_EXT_ENCRYPTION, 0, r);
	if (r[LEAF_EAX] & CPUID_81F_EAX_SME)
		take_msr(f, core, MSR_AMD_SYSCFG, FACT_SYSCFG);
	if (check_is(f, FACT_SVM))
		take_msr(f, core, MSR_AMD_VM_CR, FACT_VM_CR);
}

/* SDM 3A 11.11.1 *Update Signature*: after a CPUID the register has it; a
 * kernel's read has had one long before */
static void take_microcode(struct check_facts *f, const struct check_core *core)
{
	if (!take_msr(f, core, MSR_UCODE_REV, FACT_MICROCODE))
		return;
	if (f->value[FACT_VENDOR] == CHECK_INTEL)
		f->value[FACT_MICROCODE] >>= UCODE_SHIFT;
}

static void take_msrs(struct check_facts *f, const struct check_core *core)
{
	u32 r[LEAF_COUNT];

	leaf(core, CPUID_FEATURES, 0, r);
	if (r[LEAF_EDX] & CPUID_1_EDX_APIC)
		take_msr(f, core, MSR_APIC_BASE, FACT_APIC_BASE);
	if ((r[LEAF_EDX] & CPUID_1_EDX_MCA) &&
	    take_msr(f, core, MSR_MCG_CAP, FACT_MCE_BANKS))
		f->value[FACT_MCE_BANKS] &= MCG_CAP_COUNT_MASK;
	if (check_is(f, FACT_TSC_ADJUST))
		take_msr(f, core, MSR_TSC_ADJUST, FACT_TSC_ADJUST_VALUE);
	if (f->value[FACT_VENDOR] == CHECK_INTEL)
		take_intel(f, core);
	if (f->value[FACT_VENDOR] == CHECK_AMD)
		take_amd(f, core);
	if (f->value[FACT_VENDOR] != CHECK_OTHER && f->value[FACT_FAMILY] >= 6)
		take_microcode(f, core);
}

void check_cpu(struct check_facts *f, const struct check_core *core)
{
	take_vendor(f, core);
	take_model(f, core);
	take_name(f, core);
	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		u32 r[LEAF_COUNT];

		leaf(core, flags[i].leaf, flags[i].subleaf, r);
		check_set(f, flags[i].fact,
			  (r[flags[i].reg] & flags[i].mask) != 0);
	}
	take_below(f, core);
	take_threads(f, core);
	if (core->msr)
		take_msrs(f, core);
	take_sizes(f, core); /* by SYSCFG, too */
}

const char *check_core_lacks(const struct check_facts *boot,
			     const struct check_facts *other)
{
	if (other->value[FACT_VENDOR] != boot->value[FACT_VENDOR])
		return "vendor";
	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		enum check_fact fact = flags[i].fact;

		if (check_is(boot, fact) && !check_is(other, fact) &&
		    fact != FACT_HYBRID)
			return check_fact_name(fact);
	}
	if (other->value[FACT_PHYS_BITS] < boot->value[FACT_PHYS_BITS])
		return check_fact_name(FACT_PHYS_BITS);
	if (boot->value[FACT_SVM_FEATURES] & ~other->value[FACT_SVM_FEATURES])
		return check_fact_name(FACT_SVM_FEATURES);
	return NULL;
}
