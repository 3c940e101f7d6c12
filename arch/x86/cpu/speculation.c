/* SPDX-License-Identifier: BSD-2-Clause */
/* See speculation.h: what this CPU is, and what was chosen for it. Called by
 * hv/init.c; no lock. */
#include "arch/x86/cpu/speculation.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cet.h"
#include "arch/x86/cpu/spec_table.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/log.h"
#include "lib/printf.h"

#define CHOICE_LEN 200

struct speculation speculation;

/* Words for the log, for each action */
/* clang-format off */
static const struct {
	u32 action;
	const char *words;
} words[] = {
	{ SPEC_RETPOLINE, "retpolines" },
	{ SPEC_IBRS, "enhanced IBRS" },
	{ SPEC_AUTO_IBRS, "automatic IBRS" },
	{ SPEC_STIBP, "STIBP" },
	{ SPEC_BHI_DIS, "BHI_DIS_S" },
	{ SPEC_TSX_OFF, "TSX off" },
	{ SPEC_FP_FIX, "FP backup fix" },
	{ SPEC_REDUCE, "reduced speculation" },
	{ SPEC_SPLIT, "large pages split at the first fetch" },
	{ SPEC_ALIGNED, "aligned branches" },
	{ SPEC_GATHER_MITG, "gathers held back by microcode" },
	{ SPEC_RNG_MITG, "random numbers' buffer cleared by microcode" },
	{ SPEC_IBRS_EXIT, "IBRS at each exit" },
	{ SPEC_IBPB_EXIT, "IBPB at each exit" },
	{ SPEC_RSB_FILL, "return stack filled at each exit" },
	{ SPEC_RSB_ONE, "one call at each exit" },
	{ SPEC_BHB_CLEAR, "branch history cleared at each exit" },
	{ SPEC_VERW, "VERW at each entry" },
	{ SPEC_L1D_FLUSH, "L1D flushed at each entry" },
	{ SPEC_DIVIDE, "a division at each entry" },
	{ SPEC_IBPB_SWITCH, "IBPB between guests" },
	{ SPEC_VULNERABLE, "VULNERABLE, newer microcode may help" },
};
/* clang-format on */

/* A leaf or subleaf that the CPU does not have reads as zero */
static struct cpuid leaf(u32 number, u32 subleaf)
{
	u32 max = number >= CPUID_EXT_BASE ? cpu_features.max_ext_leaf
					   : cpu_features.max_leaf;

	if (number > max)
		return (struct cpuid){ 0 };
	if (number == CPUID_FEATURES7 && subleaf > cpuid(number).eax)
		return (struct cpuid){ 0 };
	return cpuid_count(number, subleaf);
}

static void read_cpu(struct spec_cpu *c)
{
	struct cpuid features7 = leaf(CPUID_FEATURES7, 0);

	*c = (struct spec_cpu){ .vendor = cpu_features.vendor,
				.family = cpu_features.family,
				.model = cpu_features.model,
				.stepping = cpu_features.stepping,
				.leaf7_edx = features7.edx,
				.rtm = features7.ebx & CPUID_7_EBX_RTM,
				.avx = leaf(CPUID_FEATURES, 0).ecx &
				       CPUID_1_ECX_AVX,
				.smt = cpu_features.smt_shift,
				.shadow_stack = cet_has_shadow_stacks() };
	c->leaf72_edx = leaf(CPUID_FEATURES7, 2).edx;
	c->leaf88_ebx = leaf(CPUID_EXT_SIZES, 0).ebx;
	c->leaf821_eax = leaf(CPUID_EXT_FEATURES2, 0).eax;
	c->leaf821_ecx = leaf(CPUID_EXT_FEATURES2, 0).ecx;
	if (features7.edx & CPUID_7_EDX_ARCH_CAP)
		c->arch_caps = rdmsr(MSR_ARCH_CAPABILITIES);
	/* AMD's revision: Intel's models need no such list */
	if (c->vendor == VENDOR_AMD)
		c->microcode = (u32)rdmsr(MSR_UCODE_REV);
}

static void log_row(const struct spec_row *row, u32 actions)
{
	char line[CHOICE_LEN] = "";
	size_t used = 0;

	for (u32 i = 0; i < ARRAY_SIZE(words) && used < sizeof(line); i++) {
		if (!(actions & words[i].action))
			continue;
		used += (size_t)bh_snprintf(line + used, sizeof(line) - used,
					    "%s%s", used ? ", " : "",
					    words[i].words);
	}
	log_info("speculation", "%s: %s", row->name, line);
}

static void log_choice(const struct speculation *s)
{
	static const char *const modes[] = { "auto", "full", "off" };
	char others[CHOICE_LEN] = "";
	size_t used = 0;

	for (u32 i = 0; i < SPEC_ATTACKS; i++) {
		if (s->rows[i]) {
			log_row(&spec_rows[i], s->rows[i]);
			continue;
		}
		if (used < sizeof(others))
			used += (size_t)bh_snprintf(
				others + used, sizeof(others) - used, "%s%s",
				used ? ", " : "", spec_rows[i].name);
	}
	log_info("speculation", "speculation = %s; nothing against %s",
		 modes[s->mode], used ? others : "none");
}

void speculation_init(enum speculation_mode mode)
{
	struct spec_cpu cpu;

	read_cpu(&cpu);
	speculation_choose(&cpu, mode, &speculation);
	log_choice(&speculation);
}

u64 speculation_ctrl(u64 guest)
{
	if (speculation.actions & SPEC_IBRS_EXIT)
		return speculation.host_ctrl;
	return guest | speculation.host_ctrl;
}
