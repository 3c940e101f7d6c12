/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table: a row for each attack, in the order of enum spec_attack, and the
 * choice by it. Pure; called by speculation.c and by tests. The capability bits
 * are in SDM 4 2.1 *Architectural MSRs* (IA32_ARCH_CAPABILITIES) and APM 3
 * E.4; Intel's *Software Security Guidance* and AMD's bulletins (spec_models.c)
 * say what to do.
 */
#include "arch/x86/cpu/spec_table.h"

#include "include/hw/cpuid.h"
#include "include/hw/msr.h"

static bool has_cap(const struct spec_cpu *c, u64 bit)
{
	return c->arch_caps & bit;
}

static bool has_bug(const struct spec_cpu *c, u32 bug)
{
	return spec_model_bugs(c) & bug;
}

static bool is_intel(const struct spec_cpu *c)
{
	return c->vendor == VENDOR_INTEL;
}

/* SPEC_CTRL with IBRS, which is to be written at each exit */
static bool has_ibrs(const struct spec_cpu *c)
{
	return (c->leaf7_edx & CPUID_7_EDX_SPEC_CTRL) ||
	       (c->leaf88_ebx & CPUID_88_EBX_IBRS);
}

static bool has_ibpb(const struct spec_cpu *c)
{
	return (c->leaf7_edx & CPUID_7_EDX_SPEC_CTRL) ||
	       (c->leaf88_ebx & CPUID_88_EBX_IBPB);
}

/* VERW that clears buffers, which also MMIO's FB_CLEAR and RFDS's say */
static u32 verw_if(bool there)
{
	return there ? SPEC_VERW : SPEC_VULNERABLE;
}

static bool always(const struct spec_cpu *c)
{
	return true;
}

/* How the hypervisor's own indirect branches are kept from a guest's training.
 * A retpoline's RET is no match for a shadow stack, and Skylake predicts RET
 * from where it should not. */
static u32 own_branches(const struct spec_cpu *c)
{
	if (is_intel(c) && has_cap(c, ARCH_CAP_IBRS_ALL))
		return has_bug(c, BUG_PBRSB) && !has_cap(c, ARCH_CAP_PBRSB_NO)
			       ? SPEC_IBRS | SPEC_RSB_ONE
			       : SPEC_IBRS;
	if (c->leaf821_eax & CPUID_821_EAX_AUTO_IBRS)
		return SPEC_AUTO_IBRS;
	if (has_ibrs(c) &&
	    (c->shadow_stack || (is_intel(c) && has_bug(c, BUG_RETBLEED))))
		return SPEC_IBRS_EXIT | SPEC_RSB_FILL;
	if (c->shadow_stack)
		return SPEC_VULNERABLE;
	return SPEC_RETPOLINE | SPEC_RSB_FILL;
}

static u32 spectre_v2_actions(const struct spec_cpu *c)
{
	return own_branches(c) |
	       (has_ibpb(c) ? SPEC_IBPB_SWITCH : SPEC_VULNERABLE);
}

/* Only where enhanced IBRS is what keeps the predictions apart */
static bool bhi_affected(const struct spec_cpu *c)
{
	return has_cap(c, ARCH_CAP_IBRS_ALL) && !has_cap(c, ARCH_CAP_BHI_NO);
}

static u32 bhi_actions(const struct spec_cpu *c)
{
	return c->leaf72_edx & CPUID_72_EDX_BHI_CTRL ? SPEC_BHI_DIS
						     : SPEC_BHB_CLEAR;
}

static bool retbleed_affected(const struct spec_cpu *c)
{
	return !(c->leaf88_ebx & CPUID_88_EBX_BTC_NO) &&
	       (has_bug(c, BUG_RETBLEED) || has_cap(c, ARCH_CAP_RSBA));
}

/* AMD's sibling thread goes on training while this one is in the host */
static u32 retbleed_amd(const struct spec_cpu *c)
{
	u32 actions = has_ibpb(c) ? SPEC_IBPB_EXIT : SPEC_VULNERABLE;

	if (!c->smt)
		return actions;
	return actions | (c->leaf88_ebx & CPUID_88_EBX_STIBP ? SPEC_STIBP
							     : SPEC_VULNERABLE);
}

static u32 retbleed_actions(const struct spec_cpu *c)
{
	if (!is_intel(c))
		return retbleed_amd(c);
	if (has_cap(c, ARCH_CAP_IBRS_ALL))
		return SPEC_IBRS;
	return has_ibrs(c) ? SPEC_IBRS_EXIT | SPEC_RSB_FILL : SPEC_VULNERABLE;
}

/* Zen 1 and 2 need a second thread for it */
static bool srso_affected(const struct spec_cpu *c)
{
	return has_bug(c, BUG_SRSO) &&
	       !(c->leaf821_eax & CPUID_821_EAX_SRSO_NO) &&
	       (c->family > 0x18 || c->smt);
}

/* Zen 3 and 4: IBPB drops return predictions with newer microcode only */
static u32 srso_actions(const struct spec_cpu *c)
{
	if (c->leaf821_eax & CPUID_821_EAX_SRSO_MSR_FIX)
		return SPEC_REDUCE;
	if (!has_ibpb(c))
		return SPEC_VULNERABLE;
	if (c->family <= 0x18 || (c->leaf821_eax & CPUID_821_EAX_IBPB_BRTYPE))
		return SPEC_IBPB_EXIT;
	return SPEC_IBPB_EXIT | SPEC_VULNERABLE;
}

static bool its_affected(const struct spec_cpu *c)
{
	return has_bug(c, BUG_ITS) && !has_cap(c, ARCH_CAP_ITS_NO);
}

/* RETs are concerned only when the return stack has run empty */
static u32 its_actions(const struct spec_cpu *c)
{
	return SPEC_ALIGNED | SPEC_RSB_FILL;
}

static bool l1tf_affected(const struct spec_cpu *c)
{
	return has_bug(c, BUG_L1TF) && !has_cap(c, ARCH_CAP_RDCL_NO) &&
	       !has_cap(c, ARCH_CAP_SKIP_L1DFL_VMENTRY);
}

static u32 l1tf_actions(const struct spec_cpu *c)
{
	return c->leaf7_edx & CPUID_7_EDX_FLUSH_L1D ? SPEC_L1D_FLUSH
						    : SPEC_VULNERABLE;
}

static bool mds_affected(const struct spec_cpu *c)
{
	return has_bug(c, BUG_MDS) && !has_cap(c, ARCH_CAP_MDS_NO);
}

static u32 mds_actions(const struct spec_cpu *c)
{
	return verw_if(c->leaf7_edx & CPUID_7_EDX_MD_CLEAR);
}

static bool taa_affected(const struct spec_cpu *c)
{
	return !has_cap(c, ARCH_CAP_TAA_NO) &&
	       (c->rtm || has_cap(c, ARCH_CAP_TSX_CTRL));
}

/* On a CPU without MDS, VERW clears the buffers from that microcode on which
 * also brings TSX_CTRL */
static u32 taa_actions(const struct spec_cpu *c)
{
	if (has_cap(c, ARCH_CAP_TSX_CTRL))
		return SPEC_TSX_OFF;
	return has_cap(c, ARCH_CAP_MDS_NO) ? SPEC_VULNERABLE : mds_actions(c);
}

static bool mmio_affected(const struct spec_cpu *c)
{
	return has_bug(c, BUG_MMIO) &&
	       !(has_cap(c, ARCH_CAP_SBDR_SSDP_NO) &&
		 has_cap(c, ARCH_CAP_FBSDP_NO) && has_cap(c, ARCH_CAP_PSDP_NO));
}

static u32 mmio_actions(const struct spec_cpu *c)
{
	u64 both = CPUID_7_EDX_MD_CLEAR | CPUID_7_EDX_FLUSH_L1D;

	return verw_if(has_cap(c, ARCH_CAP_FB_CLEAR) ||
		       ((c->leaf7_edx & both) == both &&
			!has_cap(c, ARCH_CAP_MDS_NO)));
}

static bool rfds_affected(const struct spec_cpu *c)
{
	return !has_cap(c, ARCH_CAP_RFDS_NO) &&
	       (has_bug(c, BUG_RFDS) || has_cap(c, ARCH_CAP_RFDS_CLEAR));
}

static u32 rfds_actions(const struct spec_cpu *c)
{
	return verw_if(has_cap(c, ARCH_CAP_RFDS_CLEAR));
}

/* The control is on no other CPU, whatever the list says */
static bool gds_affected(const struct spec_cpu *c)
{
	return !has_cap(c, ARCH_CAP_GDS_NO) &&
	       (has_cap(c, ARCH_CAP_GDS_CTRL) ||
		(has_bug(c, BUG_GDS) && c->avx));
}

static u32 gds_actions(const struct spec_cpu *c)
{
	return has_cap(c, ARCH_CAP_GDS_CTRL) ? SPEC_GATHER_MITG
					     : SPEC_VULNERABLE;
}

static bool has_srbds_ctrl(const struct spec_cpu *c)
{
	return c->leaf7_edx & CPUID_7_EDX_SRBDS_CTRL;
}

static bool srbds_affected(const struct spec_cpu *c)
{
	return has_bug(c, BUG_SRBDS) || has_srbds_ctrl(c);
}

static u32 srbds_actions(const struct spec_cpu *c)
{
	return has_srbds_ctrl(c) ? SPEC_RNG_MITG : SPEC_VULNERABLE;
}

static bool tsa_affected(const struct spec_cpu *c)
{
	u64 both = CPUID_821_ECX_TSA_SQ_NO | CPUID_821_ECX_TSA_L1_NO;

	return has_bug(c, BUG_TSA) && (c->leaf821_ecx & both) != both;
}

static u32 tsa_actions(const struct spec_cpu *c)
{
	return verw_if(spec_tsa_verw(c));
}

static bool zenbleed_affected(const struct spec_cpu *c)
{
	return has_bug(c, BUG_ZENBLEED) && !spec_zenbleed_cured(c);
}

static u32 zenbleed_actions(const struct spec_cpu *c)
{
	return SPEC_FP_FIX;
}

static bool div_affected(const struct spec_cpu *c)
{
	return has_bug(c, BUG_DIV);
}

static u32 div_actions(const struct spec_cpu *c)
{
	return SPEC_DIVIDE;
}

static bool multihit_affected(const struct spec_cpu *c)
{
	return has_bug(c, BUG_MULTIHIT) && !has_cap(c, ARCH_CAP_PSCHANGE_MC_NO);
}

static u32 multihit_actions(const struct spec_cpu *c)
{
	return SPEC_SPLIT;
}

#define ATTACK(attack, name, vendor, fn, forced)                               \
	[SPEC_##attack] = { name, VENDOR_##vendor, fn##_affected,              \
			    fn##_actions, forced }
#define spectre_v2_affected always

/* clang-format off */
const struct spec_row spec_rows[SPEC_ATTACKS] = {
	ATTACK(SPECTRE_V2,	"Spectre v2",	OTHER,	spectre_v2,	true),
	ATTACK(BHI,	"BHI",		INTEL,	bhi,		true),
	ATTACK(RETBLEED,	"Retbleed",	OTHER,	retbleed,	true),
	ATTACK(SRSO,	"SRSO",		AMD,	srso,		true),
	ATTACK(ITS,	"ITS",		INTEL,	its,		true),
	ATTACK(L1TF,	"L1TF",		INTEL,	l1tf,		true),
	ATTACK(MDS,	"MDS",		INTEL,	mds,		true),
	ATTACK(TAA,	"TAA",		INTEL,	taa,		true),
	ATTACK(MMIO,	"MMIO stale data", INTEL, mmio,		true),
	ATTACK(RFDS,	"RFDS",		INTEL,	rfds,		true),
	ATTACK(GDS,	"GDS",		INTEL,	gds,		false),
	ATTACK(SRBDS,	"SRBDS",	INTEL,	srbds,		false),
	ATTACK(TSA,	"TSA",		AMD,	tsa,		true),
	ATTACK(ZENBLEED,	"Zenbleed",	AMD,	zenbleed,	false),
	ATTACK(DIV,	"DIV",		AMD,	div,		true),
	ATTACK(MULTIHIT,	"iTLB multihit", INTEL,	multihit,	true),
};
/* clang-format on */

/* Mode FULL, on a CPU that is not affected: what it can do all the same */
static u32 forced_actions(const struct spec_row *row, const struct spec_cpu *c)
{
	u32 actions;

	if (!row->forced ||
	    (row->vendor != VENDOR_OTHER && row->vendor != c->vendor))
		return 0;
	actions = row->actions(c);
	return actions & SPEC_VULNERABLE ? 0 : actions;
}

static u32 row_actions(enum spec_attack attack, const struct spec_cpu *c,
		       enum speculation_mode mode)
{
	const struct spec_row *row = &spec_rows[attack];

	if (mode == SPECULATION_OFF && attack != SPEC_MULTIHIT)
		return 0;
	if ((row->vendor == VENDOR_OTHER || row->vendor == c->vendor) &&
	    row->affected(c))
		return row->actions(c);
	return mode == SPECULATION_FULL ? forced_actions(row, c) : 0;
}

/* What another action does as well is left out. The flush overwrites the
 * buffers of MDS; on a CPU without MDS, VERW has others to clear. */
static u32 without_double(const struct spec_cpu *c, u32 actions)
{
	if ((actions & SPEC_L1D_FLUSH) && !has_cap(c, ARCH_CAP_MDS_NO))
		actions &= ~(u32)SPEC_VERW;
	if (actions & SPEC_IBPB_EXIT)
		actions &= ~(u32)SPEC_IBPB_SWITCH;
	/* Nothing is left to be predicted by, and no sibling trains anew */
	if ((actions & SPEC_IBPB_EXIT) && (!c->smt || (actions & SPEC_STIBP)))
		actions &= ~(u32)SPEC_RETPOLINE;
	if ((actions & SPEC_IBPB_EXIT) &&
	    (c->leaf88_ebx & CPUID_88_EBX_IBPB_RET))
		actions &= ~(u32)SPEC_RSB_FILL;
	if (actions & SPEC_RSB_FILL)
		actions &= ~(u32)SPEC_RSB_ONE;
	return actions;
}

static u32 host_ctrl(u32 actions)
{
	u64 ctrl = 0;

	if (actions & (SPEC_IBRS | SPEC_IBRS_EXIT))
		ctrl |= SPEC_CTRL_IBRS;
	if (actions & SPEC_STIBP)
		ctrl |= SPEC_CTRL_STIBP;
	if (actions & SPEC_BHI_DIS)
		ctrl |= SPEC_CTRL_BHI_DIS_S;
	return (u32)ctrl;
}

/* Two threads divide buffers between them: what is in the part of one that
 * halts, the other gets. And fill buffers of MMIO's go on to the uncore, with
 * one thread, too. */
static bool verw_at_halt(const struct spec_cpu *c, const u32 *rows)
{
	u32 divided = rows[SPEC_MDS] | rows[SPEC_TAA] | rows[SPEC_TSA];

	return (rows[SPEC_MMIO] & SPEC_VERW) ||
	       (c->smt && (divided & SPEC_VERW));
}

void speculation_choose(const struct spec_cpu *c, enum speculation_mode mode,
			struct speculation *out)
{
	u32 all = 0;

	for (u32 i = 0; i < SPEC_ATTACKS; i++) {
		out->rows[i] = row_actions((enum spec_attack)i, c, mode);
		all |= out->rows[i];
	}
	out->mode = mode;
	out->actions = without_double(c, all);
	out->host_ctrl = host_ctrl(out->actions);
	out->shadow_stack = c->shadow_stack;
	out->verw_at_halt = verw_at_halt(c, out->rows);
}
