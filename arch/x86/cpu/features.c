/* SPDX-License-Identifier: BSD-2-Clause */
/* See features.h: one pass over CPUID, one row a flag. Called by
 * arch/x86/machine/cpu.c and by hv/init.c; no lock. */
#include "arch/x86/cpu/features.h"

#include "arch/x86/cpu/asm.h"
#include "check/facts.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/log.h"
#include "lib/string.h"

struct cpu_features cpu_features;

struct flag_row {
	u32 leaf, subleaf;
	enum cpuid_reg reg;
	u64 mask;
	bool *flag;
	const char *name;
};

#define F(name) &cpu_features.name, #name
/* clang-format off */
static const struct flag_row flags[] = {
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_VMX, F(vmx) },
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_MONITOR, F(monitor) },
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_PCID, F(pcid) },
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_X2APIC, F(x2apic) },
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_TSC_DEADLINE, F(tsc_deadline) },
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_XSAVE, F(xsave) },
	{ CPUID_FEATURES, 0, LEAF_ECX, CPUID_1_ECX_HYPERVISOR, F(hypervisor) },
	{ CPUID_FEATURES, 0, LEAF_EDX, CPUID_1_EDX_MCE, F(mce) },
	{ CPUID_FEATURES, 0, LEAF_EDX, CPUID_1_EDX_MCA, F(mca) },
	{ CPUID_FEATURES, 0, LEAF_EDX, CPUID_1_EDX_PGE, F(pge) },
	{ CPUID_FEATURES, 0, LEAF_EDX, CPUID_1_EDX_PAT, F(pat) },
	{ CPUID_FEATURES, 0, LEAF_EDX, CPUID_1_EDX_MTRR, F(mtrr) },
	{ CPUID_POWER, 0, LEAF_EAX, BIT(2), F(arat) },
	{ CPUID_FEATURES7, 0, LEAF_EBX, CPUID_7_EBX_FSGSBASE, F(fsgsbase) },
	{ CPUID_FEATURES7, 0, LEAF_EBX, CPUID_7_EBX_TSC_ADJUST, F(tsc_adjust) },
	{ CPUID_FEATURES7, 0, LEAF_EBX, CPUID_7_EBX_SMEP, F(smep) },
	{ CPUID_FEATURES7, 0, LEAF_EBX, CPUID_7_EBX_SMAP, F(smap) },
	{ CPUID_FEATURES7, 0, LEAF_EBX, CPUID_7_EBX_INVPCID, F(invpcid) },
	{ CPUID_FEATURES7, 0, LEAF_ECX, CPUID_7_ECX_UMIP, F(umip) },
	{ CPUID_FEATURES7, 0, LEAF_ECX, CPUID_7_ECX_CET_SS, F(cet_ss) },
	{ CPUID_FEATURES7, 0, LEAF_EDX, CPUID_7_EDX_CET_IBT, F(cet_ibt) },
	{ CPUID_FEATURES7, 1, LEAF_EDX, CPUID_71_EDX_CET_SSS, F(cet_sss) },
	{ CPUID_XSAVE, 1, LEAF_EAX, CPUID_D1_EAX_XSAVEOPT, F(xsaveopt) },
	{ CPUID_XSAVE, 1, LEAF_EAX, CPUID_D1_EAX_XSAVES, F(xsaves) },
	{ CPUID_EXT_FEATURES, 0, LEAF_ECX, CPUID_81_ECX_SVM, F(svm) },
	{ CPUID_EXT_FEATURES, 0, LEAF_EDX, CPUID_81_EDX_NX, F(nx) },
	{ CPUID_EXT_FEATURES, 0, LEAF_EDX, CPUID_81_EDX_PAGE1GB, F(page_1g) },
	{ CPUID_EXT_FEATURES, 0, LEAF_EDX, CPUID_81_EDX_RDTSCP, F(rdtscp) },
	{ CPUID_EXT_POWER, 0, LEAF_EBX, CPUID_87_EBX_SMCA, F(smca) },
	{ CPUID_EXT_POWER, 0, LEAF_EDX, CPUID_87_EDX_INVARIANT_TSC,
	  F(invariant_tsc) },
};
/* clang-format on */
#undef F

/* A leaf that the boot CPU does not have reads as zero */
static struct cpuid leaf_of(cpuid_reader read, u32 leaf, u32 subleaf)
{
	u32 max = leaf >= CPUID_EXT_BASE ? cpu_features.max_ext_leaf
					 : cpu_features.max_leaf;

	return leaf <= max ? read(leaf, subleaf) : (struct cpuid){ 0 };
}

static struct cpuid leaf_or_zero(u32 leaf, u32 subleaf)
{
	return leaf_of(cpuid_count, leaf, subleaf);
}

static u32 pick(const struct cpuid *c, enum cpuid_reg reg)
{
	const u32 regs[] = { c->eax, c->ebx, c->ecx, c->edx };

	return regs[reg];
}

/* Twelve characters in three registers */
static void read_name(char name[static 13], u32 first, u32 second, u32 third)
{
	memcpy(name, &first, 4);
	memcpy(name + 4, &second, 4);
	memcpy(name + 8, &third, 4);
	name[12] = '\0';
}

static enum cpu_vendor read_vendor(const struct cpuid *c)
{
	static const struct {
		const char *name;
		enum cpu_vendor vendor;
	} known[] = {
		{ "GenuineIntel", VENDOR_INTEL },
		{ "AuthenticAMD", VENDOR_AMD },
		{ "HygonGenuine", VENDOR_AMD },
	};
	char name[13];

	read_name(name, c->ebx, c->edx, c->ecx);
	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(name, known[i].name) == 0)
			return known[i].vendor;
	return VENDOR_OTHER;
}

static void read_hypervisor(void)
{
	struct cpuid c;

	if (!cpu_features.hypervisor)
		return;
	c = cpuid(CPUID_HV_BASE);
	read_name(cpu_features.hypervisor_name, c.ebx, c.ecx, c.edx);
}

/* SDM 2A CPUID, leaf 01H, *Version Information* */
static void read_model(u32 eax)
{
	u32 family = eax >> 8 & 0xf;
	u32 model = eax >> 4 & 0xf;

	cpu_features.stepping = eax & 0xf;
	if (family == 0x6 || family == 0xf)
		model |= (eax >> 16 & 0xf) << 4;
	if (family == 0xf)
		family += eax >> 20 & 0xff;
	cpu_features.family = family;
	cpu_features.model = model;
}

static void read_brand(void)
{
	struct cpuid c;

	for (u32 i = 0; i < 3; i++) {
		c = leaf_or_zero(CPUID_EXT_BRAND + i, 0);
		memcpy(cpu_features.brand + i * sizeof(c), &c, sizeof(c));
	}
}

#define VIRT_BITS_DEFAULT 48

static u32 read_phys_bits(u32 sizes)
{
	struct cpuid c = leaf_or_zero(CPUID_EXT_ENCRYPTION, 0);
	u64 syscfg = c.eax & CPUID_81F_EAX_SME ? rdmsr(MSR_AMD_SYSCFG) : 0;

	return MIN(check_phys_bits(sizes, c.eax, c.ebx, syscfg), PHYS_BITS_MAX);
}

static void read_sizes(void)
{
	struct cpuid c = leaf_or_zero(CPUID_EXT_SIZES, 0);

	cpu_features.phys_bits = read_phys_bits(c.eax);
	cpu_features.virt_bits = c.eax >> 8 & 0xff;
	if (!cpu_features.virt_bits)
		cpu_features.virt_bits = VIRT_BITS_DEFAULT;
	if (cpu_features.svm) {
		c = leaf_or_zero(CPUID_EXT_SVM, 0);
		cpu_features.svm_features = c.edx;
		cpu_features.svm_asids = c.ebx;
	}
	if (cpu_features.xsave) {
		c = leaf_or_zero(CPUID_XSAVE, 0);
		cpu_features.xcr0_mask = (u64)c.edx << 32 | c.eax;
		cpu_features.xsave_max_bytes = c.ecx;
	}
}

#define TOPOLOGY_LEVEL(ecx) ((ecx) >> 8 & 0xff)
#define TOPOLOGY_SMT        1
#define AMD_THREADS(ebx)    (((ebx) >> 8 & 0xff) + 1)

/* SDM 2A CPUID, leaf 0BH; APM 3 E.4.18 *Function 8000_001Eh* */
static u32 read_smt_shift(void)
{
	struct cpuid c = leaf_or_zero(CPUID_TOPOLOGY, 0);
	u32 shift = 0, threads = 1;

	if (TOPOLOGY_LEVEL(c.ecx) == TOPOLOGY_SMT && (c.ebx & 0xffff))
		return (c.ebx & 0xffff) > 1 ? c.eax & 0x1f : 0;
	if (cpu_features.vendor == VENDOR_AMD &&
	    (leaf_or_zero(CPUID_EXT_FEATURES, 0).ecx & CPUID_81_ECX_TOPOEXT))
		threads = AMD_THREADS(leaf_or_zero(CPUID_EXT_TOPOLOGY, 0).ebx);
	while (1u << shift < threads)
		shift++;
	return shift;
}

void cpu_features_init(void)
{
	struct cpuid base = cpuid(CPUID_VENDOR);

	cpu_features.max_leaf = base.eax;
	cpu_features.max_ext_leaf = cpuid(CPUID_EXT_BASE).eax;
	if (cpu_features.max_ext_leaf < CPUID_EXT_BASE)
		cpu_features.max_ext_leaf = 0;
	cpu_features.vendor = read_vendor(&base);
	read_model(leaf_or_zero(CPUID_FEATURES, 0).eax);
	read_brand();
	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		const struct flag_row *f = &flags[i];
		struct cpuid c = leaf_or_zero(f->leaf, f->subleaf);

		*f->flag = (pick(&c, f->reg) & f->mask) != 0;
	}
	read_sizes();
	cpu_features.smt_shift = read_smt_shift();
	read_hypervisor();
}

static const char *trimmed_brand(void)
{
	const char *s = cpu_features.brand;

	while (*s == ' ')
		s++;
	return *s ? s : "unnamed CPU";
}

/* Its numbers, of which a core may have more */
static const char *lacking_number(cpuid_reader read)
{
	const struct cpu_features *f = &cpu_features;
	u32 phys_bits = leaf_of(read, CPUID_EXT_SIZES, 0).eax & 0xff;
	struct cpuid xsave = leaf_of(read, CPUID_XSAVE, 0);
	struct cpuid svm = leaf_of(read, CPUID_EXT_SVM, 0);

	if (phys_bits && phys_bits < f->phys_bits)
		return "physical address bits";
	if (f->xsave && f->xcr0_mask & ~((u64)xsave.edx << 32 | xsave.eax))
		return "components of XSAVE";
	if (f->svm && f->svm_features & ~svm.edx)
		return "features of SVM";
	if (f->svm && svm.ebx < f->svm_asids)
		return "ASIDs";
	return NULL;
}

const char *cpu_features_lacking(cpuid_reader read)
{
	struct cpuid base = read(CPUID_VENDOR, 0);

	if (read_vendor(&base) != cpu_features.vendor)
		return "the vendor";
	if (base.eax < cpu_features.max_leaf ||
	    read(CPUID_EXT_BASE, 0).eax < cpu_features.max_ext_leaf)
		return "leaves of CPUID";
	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		const struct flag_row *f = &flags[i];
		struct cpuid c = leaf_of(read, f->leaf, f->subleaf);

		if (*f->flag && !(pick(&c, f->reg) & f->mask))
			return f->name;
	}
	return lacking_number(read);
}

void cpu_features_log(void)
{
	const struct cpu_features *f = &cpu_features;

	log_info("cpu", "%s, family %#x model %#x stepping %u%s%s%s%s%s%s%s",
		 trimmed_brand(), f->family, f->model, f->stepping,
		 f->vmx ? ", VMX" : "", f->svm ? ", SVM" : "",
		 f->x2apic ? ", x2APIC" : "",
		 f->tsc_deadline ? ", TSC-deadline" : "",
		 f->page_1g ? ", 1G pages" : "", f->nx ? "" : ", no NX",
		 f->hypervisor ? ", under a hypervisor or emulator" : "");
}
