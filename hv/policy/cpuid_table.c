/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPUID policy: which leaves and bits of the host a guest sees, and what is
 * put in their place. Read once a VM by hv/policy/cpuid.c. A leaf that is not
 * here is zero. SDM 2A, CPUID; APM 3 appendix E. Over 400 lines: one policy, of
 * lists and what makes their exceptions.
 */
#include "hv/policy/cpuid_table.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/speculation.h"
#include "arch/x86/machine/tsc.h"
#include "arch/x86/machine/tsc_sync.h"
#include "include/bulkhead/cpuid.h"
#include "include/bulkhead/hypercall.h"
#include "include/bulkhead/kvm.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"

#define ALL 0xffffffffu
#define KEEP_ALL                                                               \
	{                                                                      \
		ALL, ALL, ALL, ALL                                             \
	}

#define MAX_BASIC_LEAF CPUID_TOPOLOGY_V2
#define MIN_BASIC_LEAF CPUID_XSAVE /* what is forced must be reachable */
#define MAX_EXT_LEAF   CPUID_EXT_FEATURES2
#define MIN_EXT_LEAF   CPUID_EXT_SIZES

/* clang-format off */
/*
 * What a guest may see of the host's, bit by bit. A bit stands here once all
 * that it promises works in a guest: instructions, registers, MSRs. Not here:
 * bits whose MSRs the policy does not have (MONITOR, EIST, CNXT-ID, PDCM,
 * thermal, performance counters, DBEXT), and other modes (VMX, SVM, SMX, SGX).
 */
#define KEEP_1_ECX ((u32)(CPUID_1_ECX_SSE3 | CPUID_1_ECX_PCLMULQDQ | \
	CPUID_1_ECX_SSSE3 | CPUID_1_ECX_FMA | CPUID_1_ECX_CX16 | \
	CPUID_1_ECX_PCID | CPUID_1_ECX_SSE4_1 | CPUID_1_ECX_SSE4_2 | \
	CPUID_1_ECX_MOVBE | CPUID_1_ECX_POPCNT | CPUID_1_ECX_AES | \
	CPUID_1_ECX_XSAVE | CPUID_1_ECX_AVX | CPUID_1_ECX_F16C | \
	CPUID_1_ECX_RDRAND))
#define FORCE_1_ECX ((u32)(CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE | \
	CPUID_1_ECX_HYPERVISOR))
#define KEEP_1_EDX ((u32)(CPUID_1_EDX_FPU | CPUID_1_EDX_VME | \
	CPUID_1_EDX_DE | CPUID_1_EDX_PSE | CPUID_1_EDX_TSC | \
	CPUID_1_EDX_MSR | CPUID_1_EDX_PAE | CPUID_1_EDX_MCE | \
	CPUID_1_EDX_CX8 | CPUID_1_EDX_SEP | CPUID_1_EDX_MTRR | \
	CPUID_1_EDX_PGE | CPUID_1_EDX_MCA | CPUID_1_EDX_CMOV | \
	CPUID_1_EDX_PAT | CPUID_1_EDX_PSE36 | CPUID_1_EDX_CLFSH | \
	CPUID_1_EDX_MMX | CPUID_1_EDX_FXSR | CPUID_1_EDX_SSE | \
	CPUID_1_EDX_SSE2 | CPUID_1_EDX_SS))

#define KEEP_7_EBX ((u32)(CPUID_7_EBX_FSGSBASE | CPUID_7_EBX_BMI1 | \
	CPUID_7_EBX_AVX2 | CPUID_7_EBX_FDP_EXCPTN_ONLY | CPUID_7_EBX_SMEP | \
	CPUID_7_EBX_BMI2 | CPUID_7_EBX_ERMS | CPUID_7_EBX_INVPCID | \
	CPUID_7_EBX_ZERO_FCS_FDS | CPUID_7_EBX_RDSEED | CPUID_7_EBX_ADX | \
	CPUID_7_EBX_SMAP | CPUID_7_EBX_CLFLUSHOPT | CPUID_7_EBX_CLWB | \
	CPUID_7_EBX_SHA | AVX512_7_EBX))
#define KEEP_7_ECX ((u32)(CPUID_7_ECX_PREFETCHWT1 | CPUID_7_ECX_UMIP | \
	CPUID_7_ECX_PKU | CPUID_7_ECX_GFNI | CPUID_7_ECX_VAES | \
	CPUID_7_ECX_VPCLMULQDQ | CPUID_7_ECX_RDPID | CPUID_7_ECX_CLDEMOTE | \
	CPUID_7_ECX_MOVDIRI | CPUID_7_ECX_MOVDIR64B | AVX512_7_ECX))
#define KEEP_7_EDX ((u32)(CPUID_7_EDX_FSRM | CPUID_7_EDX_MD_CLEAR | \
	CPUID_7_EDX_SERIALIZE | CPUID_7_EDX_SPEC_CTRL | CPUID_7_EDX_STIBP | \
	CPUID_7_EDX_ARCH_CAP | CPUID_7_EDX_SSBD | AVX512_7_EDX))
#define KEEP_71_EAX ((u32)(CPUID_71_EAX_AVX_VNNI | CPUID_71_EAX_AVX512_BF16 | \
	CPUID_71_EAX_FZRM | CPUID_71_EAX_FSRS | CPUID_71_EAX_FSRC))

#define KEEP_81_ECX ((u32)(CPUID_81_ECX_LAHF | CPUID_81_ECX_CR8_LEGACY | \
	CPUID_81_ECX_ABM | CPUID_81_ECX_SSE4A | CPUID_81_ECX_MISALIGNSSE | \
	CPUID_81_ECX_PREFETCHW | CPUID_81_ECX_XOP | CPUID_81_ECX_FMA4 | \
	CPUID_81_ECX_TCE | CPUID_81_ECX_TBM | CPUID_81_ECX_TOPOEXT))
#define KEEP_81_EDX ((u32)(CPUID_81_EDX_SYSCALL | CPUID_81_EDX_NX | \
	CPUID_81_EDX_MMXEXT | CPUID_81_EDX_FFXSR | CPUID_81_EDX_PAGE1GB | \
	CPUID_81_EDX_RDTSCP | CPUID_81_EDX_LM | CPUID_81_EDX_3DNOWEXT | \
	CPUID_81_EDX_3DNOW))
/* CLZERO, XSAVEERPTR, WBNOINVD */
#define KEEP_88_EBX ((u32)(BIT(0) | BIT(2) | BIT(9) | CPUID_88_EBX_IBPB | \
	CPUID_88_EBX_IBRS | CPUID_88_EBX_STIBP | CPUID_88_EBX_SSBD | \
	CPUID_88_EBX_BTC_NO | CPUID_88_EBX_IBPB_RET))
/* FP128, MOVU, FP256: how wide the units are */
#define KEEP_81A_EAX ((u32)BITS(2, 0))
/* LFENCE always serializing, null selector clears base */
#define KEEP_821_EAX ((u32)(BIT(2) | BIT(6) | CPUID_821_EAX_VERW_CLEAR | \
	CPUID_821_EAX_IBPB_BRTYPE | CPUID_821_EAX_SRSO_NO | \
	CPUID_821_EAX_SRSO_USER_KERNEL_NO))
#define KEEP_821_ECX ((u32)(CPUID_821_ECX_TSA_SQ_NO | CPUID_821_ECX_TSA_L1_NO))
/* 4 and 8000001D: WBINVD's reach, inclusive, complex indexing */
#define KEEP_CACHE_EDX ((u32)BITS(2, 0))

/* What needs registers that XCR0 may not offer */
#define AVX_1_ECX ((u32)(CPUID_1_ECX_AVX | CPUID_1_ECX_FMA | CPUID_1_ECX_F16C))
#define AVX_7_EBX ((u32)CPUID_7_EBX_AVX2)
#define AVX_7_ECX ((u32)(CPUID_7_ECX_VAES | CPUID_7_ECX_VPCLMULQDQ))
#define AVX_71_EAX ((u32)CPUID_71_EAX_AVX_VNNI)
#define AVX_81_ECX ((u32)(CPUID_81_ECX_XOP | CPUID_81_ECX_FMA4))
#define AVX512_7_EBX ((u32)(CPUID_7_EBX_AVX512F | CPUID_7_EBX_AVX512DQ | \
	CPUID_7_EBX_AVX512_IFMA | CPUID_7_EBX_AVX512PF | \
	CPUID_7_EBX_AVX512ER | CPUID_7_EBX_AVX512CD | CPUID_7_EBX_AVX512BW | \
	CPUID_7_EBX_AVX512VL))
#define AVX512_7_ECX ((u32)(CPUID_7_ECX_AVX512_VBMI | \
	CPUID_7_ECX_AVX512_VBMI2 | CPUID_7_ECX_AVX512_VNNI | \
	CPUID_7_ECX_AVX512_BITALG | CPUID_7_ECX_AVX512_VPOPCNT))
#define AVX512_7_EDX ((u32)(CPUID_7_EDX_4VNNIW | CPUID_7_EDX_4FMAPS | \
	CPUID_7_EDX_VP2INTERSECT | CPUID_7_EDX_AVX512_FP16))
#define AVX512_71_EAX ((u32)CPUID_71_EAX_AVX512_BF16)

#define KVM_FEATURES (BH_KVM_CLOCKSOURCE | BH_KVM_NOP_IO_DELAY | \
	BH_KVM_CLOCKSOURCE2 | BH_KVM_STEAL_TIME | BH_KVM_PV_EOI | \
	BH_KVM_PV_UNHALT | BH_KVM_PV_TLB_FLUSH | BH_KVM_PV_SEND_IPI | \
	BH_KVM_PV_SCHED_YIELD | BH_KVM_MSI_EXT_DEST_ID)
#define KVM_SIGNATURE_EBX 0x4b4d564bu /* "KVMK" */
#define KVM_SIGNATURE_ECX 0x564b4d56u /* "VMKV" */
#define KVM_SIGNATURE_EDX 0x0000004du /* "M" */
/* clang-format on */

#define XCR0_OFFERED       (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU)
#define XSAVE_FIRST_EXT    2
#define XSAVE_LAST_EXT     9
#define XSAVE_LEGACY_BYTES 576    /* FXSAVE area and XSAVE header */
#define XSAVE_ALIGNED      BIT(1) /* D.n:ECX */

static u32 log2_up(u32 n)
{
	u32 shift = 0;

	while ((1u << shift) < n)
		shift++;
	return shift;
}

/* Can a guest execute it? A CPU may have what its VMX does not give away. */
static bool runs(enum optional_insn insn)
{
	return !vcpu_ops->can_run || vcpu_ops->can_run(insn);
}

u64 cpuid_xcr0_mask(void)
{
	return cpu_features.xsave ? cpu_features.xcr0_mask & XCR0_OFFERED : 0;
}

static bool has_avx(void)
{
	return cpuid_xcr0_mask() & XCR0_AVX;
}

static bool has_avx512(void)
{
	return (cpuid_xcr0_mask() & XCR0_AVX512) == XCR0_AVX512;
}

u32 cpuid_xsave_bytes(u64 xcr0, bool compacted)
{
	u32 end = XSAVE_LEGACY_BYTES;
	u32 i;

	for (i = XSAVE_FIRST_EXT; i <= XSAVE_LAST_EXT; i++) {
		struct cpuid r;
		u32 at;

		if (!(xcr0 & BIT(i)))
			continue;
		r = cpuid_count(CPUID_XSAVE, i);
		at = r.ebx;
		if (compacted)
			at = r.ecx & XSAVE_ALIGNED ? (u32)ALIGN_UP(end, 64)
						   : end;
		end = MAX(end, at + r.eax);
	}
	return end;
}

static void build_max_basic(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	reg[LEAF_EAX] = MIN(cpu_features.max_leaf, (u32)MAX_BASIC_LEAF);
	reg[LEAF_EAX] = MAX(reg[LEAF_EAX], (u32)MIN_BASIC_LEAF);
}

static void build_max_ext(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	reg[LEAF_EAX] = MIN(reg[LEAF_EAX], MAX_EXT_LEAF);
	reg[LEAF_EAX] = MAX(reg[LEAF_EAX], MIN_EXT_LEAF);
}

/* EBX[23:16]: logical processors in the package, meant with HTT; leaf B tells
 * of more than 255 */
static void build_features(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	reg[LEAF_EBX] |= MIN(1u << log2_up(vm->vcpu_count), 0xffu) << 16;
	if (vm->vcpu_count > 1)
		reg[LEAF_EDX] |= CPUID_1_EDX_HTT;
	if (!cpuid_xcr0_mask())
		reg[LEAF_ECX] &= ~(u32)CPUID_1_ECX_XSAVE;
	if (!has_avx())
		reg[LEAF_ECX] &= ~AVX_1_ECX;
}

#define CACHE_TYPE(eax)    ((eax)&0x1f)
#define CACHE_LEVEL(eax)   (((eax) >> 5) & 7)
#define CACHE_SHARE_SHIFT  14
#define CACHE_CORES_SHIFT  26
#define CACHE_SHARED_LEVEL 3

/* Level 3 is shared by all vCPUs of the guest, the others by one */
static void build_cache(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	u32 sharers = 1u << log2_up(vm->vcpu_count);

	if (!CACHE_TYPE(reg[LEAF_EAX]))
		return;
	reg[LEAF_EAX] &= (u32)BITS(CACHE_SHARE_SHIFT - 1, 0);
	if (CACHE_LEVEL(reg[LEAF_EAX]) >= CACHE_SHARED_LEVEL)
		reg[LEAF_EAX] |= (sharers - 1) << CACHE_SHARE_SHIFT;
}

/* Intel's leaf 4 also tells the cores in the package */
static void build_cache_intel(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	u32 cores = MIN(1u << log2_up(vm->vcpu_count), 64u);

	build_cache(vm, sub, reg);
	if (CACHE_TYPE(reg[LEAF_EAX]))
		reg[LEAF_EAX] |= (cores - 1) << CACHE_CORES_SHIFT;
}

static void build_features7(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	reg[LEAF_EAX] = MIN(reg[LEAF_EAX], 1u);
	if (!(cpuid_xcr0_mask() & XCR0_PKRU))
		reg[LEAF_ECX] &= ~(u32)CPUID_7_ECX_PKU;
	if (!runs(INSN_INVPCID))
		reg[LEAF_EBX] &= ~(u32)CPUID_7_EBX_INVPCID;
	if (!runs(INSN_RDTSCP))
		reg[LEAF_ECX] &= ~(u32)CPUID_7_ECX_RDPID;
	if (!has_avx()) {
		reg[LEAF_EBX] &= ~AVX_7_EBX;
		reg[LEAF_ECX] &= ~AVX_7_ECX;
	}
	if (!has_avx512()) {
		reg[LEAF_EBX] &= ~AVX512_7_EBX;
		reg[LEAF_ECX] &= ~AVX512_7_ECX;
		reg[LEAF_EDX] &= ~AVX512_7_EDX;
	}
}

static void build_features71(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	if (!has_avx())
		reg[LEAF_EAX] &= ~AVX_71_EAX;
	if (!has_avx512())
		reg[LEAF_EAX] &= ~AVX512_71_EAX;
}

enum { LEVEL_SMT = 1, LEVEL_CORE = 2 };

/* B and 1F: one thread a core, all cores in one package. The last subleaf is an
 * invalid level, and stands for all behind it. */
static void build_topology(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	reg[LEAF_ECX] = sub;
	if (sub == 0) {
		reg[LEAF_EBX] = 1;
		reg[LEAF_ECX] |= LEVEL_SMT << 8;
	} else if (sub == 1) {
		reg[LEAF_EAX] = log2_up(vm->vcpu_count);
		reg[LEAF_EBX] = vm->vcpu_count;
		reg[LEAF_ECX] |= LEVEL_CORE << 8;
	}
}

static void build_xsave(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	u64 mask = cpuid_xcr0_mask();

	if (!mask || (sub >= XSAVE_FIRST_EXT && !(mask & BIT(sub)))) {
		reg[LEAF_EAX] = 0;
		reg[LEAF_EBX] = 0;
		reg[LEAF_ECX] = 0;
		reg[LEAF_EDX] = 0;
	} else if (sub == 0) {
		reg[LEAF_EAX] = (u32)mask;
		reg[LEAF_ECX] = cpuid_xsave_bytes(mask, false);
		reg[LEAF_EDX] = (u32)(mask >> 32);
	}
}

/* 15: TSC = ECX * EBX / EAX Hz. AMD has no such leaf. */
static void build_tsc_ratio(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	if (cpu_features.vendor != VENDOR_INTEL)
		return;
	reg[LEAF_EAX] = 1000;
	reg[LEAF_EBX] = (u32)tsc_khz;
	reg[LEAF_ECX] = 1000000;
}

static void build_frequency(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	if (cpu_features.vendor != VENDOR_INTEL)
		return;
	reg[LEAF_EAX] = (u32)(tsc_khz / 1000);
	reg[LEAF_EBX] = reg[LEAF_EAX];
	reg[LEAF_ECX] = 100;
}

static void build_info(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	reg[LEAF_EAX] = BH_ABI_VERSION;
	reg[LEAF_EBX] = vm->privileged ? BH_CPUID_PRIVILEGED : 0;
	reg[LEAF_ECX] = (u32)tsc_khz;
	reg[LEAF_EDX] = vm->vcpu_count;
}

/* Does the CPU take @bit of EFER? One that has it in CPUID alone would refuse
 * to enter a guest that sets it. */
static bool efer_takes(u64 bit)
{
	u64 efer, now = 0;

	if (rdmsr_safe(MSR_EFER, &efer) || wrmsr_safe(MSR_EFER, efer | bit))
		return false;
	if (rdmsr_safe(MSR_EFER, &now) || wrmsr_safe(MSR_EFER, efer))
		return false;
	return now & bit;
}

static void build_ext_features(const struct vm *vm, u32 sub,
			       u32 reg[LEAF_COUNT])
{
	if (!efer_takes(EFER_TCE))
		reg[LEAF_ECX] &= ~(u32)CPUID_81_ECX_TCE;
	if (!efer_takes(EFER_FFXSR))
		reg[LEAF_EDX] &= ~(u32)CPUID_81_EDX_FFXSR;
	if (!has_avx())
		reg[LEAF_ECX] &= ~AVX_81_ECX;
	if (!runs(INSN_RDTSCP))
		reg[LEAF_EDX] &= ~(u32)CPUID_81_EDX_RDTSCP;
	if (cpu_features.vendor != VENDOR_AMD)
		return;
	reg[LEAF_EDX] |=
		((cpuid(CPUID_FEATURES).edx & KEEP_1_EDX) | CPUID_1_EDX_APIC) &
		CPUID_81_EDX_AS_1;
	if (vm->vcpu_count > 1)
		reg[LEAF_ECX] |= CPUID_81_ECX_CMP_LEGACY;
	else
		reg[LEAF_ECX] &= ~(u32)CPUID_81_ECX_CMP_LEGACY;
}

/* 80000021: where the microcode's revision alone tells that VERW clears what
 * TSA leaks, a kernel under a hypervisor does not go by that but by this bit */
static void build_ext_features2(const struct vm *vm, u32 sub,
				u32 reg[LEAF_COUNT])
{
	if (speculation.rows[SPEC_TSA] & SPEC_VERW)
		reg[LEAF_EAX] |= (u32)CPUID_821_EAX_VERW_CLEAR;
}

/* That the clock runs backwards on no vCPU is not kept by every machine */
static void build_kvm_features(const struct vm *vm, u32 sub,
			       u32 reg[LEAF_COUNT])
{
	if (tsc_is_stable())
		reg[LEAF_EAX] |= BH_KVM_CLOCK_STABLE;
}

static void build_ext_power(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	if (tsc_is_stable())
		reg[LEAF_EDX] |= (u32)CPUID_87_EDX_INVARIANT_TSC;
}

#define SIZES_APIC_ID_SHIFT 12

/* 80000008: address widths; ECX the cores in the package (AMD) */
static void build_sizes(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	if (cpu_features.vendor != VENDOR_AMD)
		return;
	reg[LEAF_ECX] = MIN(vm->vcpu_count - 1, 0xffu) |
			log2_up(vm->vcpu_count) << SIZES_APIC_ID_SHIFT;
}

static void build_cache_amd(const struct vm *vm, u32 sub, u32 reg[LEAF_COUNT])
{
	build_cache(vm, sub, reg);
}

/* clang-format off */
const struct cpuid_rule cpuid_rules[] = {
	{ .leaf = CPUID_VENDOR, .keep = KEEP_ALL, .build = build_max_basic },
	{ .leaf = CPUID_FEATURES,
	  .keep = { ALL, 0xffff, KEEP_1_ECX, KEEP_1_EDX },
	  .force = { 0, 0, FORCE_1_ECX, CPUID_1_EDX_APIC },
	  .build = build_features, .fix = FIX_FEATURES },
	{ .leaf = 2, .keep = KEEP_ALL },
	{ .leaf = CPUID_CACHE, .subleaves = true, .last = 7,
	  .keep = { ALL, ALL, ALL, KEEP_CACHE_EDX },
	  .build = build_cache_intel },
	{ .leaf = CPUID_POWER, .force = { BIT(2) /* ARAT */ } },
	{ .leaf = CPUID_FEATURES7, .subleaves = true,
	  .keep = { ALL, KEEP_7_EBX, KEEP_7_ECX, KEEP_7_EDX },
	  .force = { 0, CPUID_7_EBX_TSC_ADJUST },
	  .build = build_features7, .fix = FIX_FEATURES7 },
	{ .leaf = CPUID_FEATURES7, .subleaves = true, .first = 1, .last = 1,
	  .keep = { KEEP_71_EAX }, .build = build_features71 },
	{ .leaf = CPUID_TOPOLOGY, .subleaves = true, .last = 2,
	  .build = build_topology, .fix = FIX_TOPOLOGY },
	{ .leaf = CPUID_XSAVE, .subleaves = true,
	  .build = build_xsave, .fix = FIX_XSAVE },
	{ .leaf = CPUID_XSAVE, .subleaves = true, .first = 1, .last = 1,
	  .keep = { CPUID_D1_EAX_XSAVEOPT | CPUID_D1_EAX_XSAVEC |
		    CPUID_D1_EAX_XGETBV1 },
	  .build = build_xsave, .fix = FIX_XSAVEC },
	{ .leaf = CPUID_XSAVE, .subleaves = true,
	  .first = XSAVE_FIRST_EXT, .last = XSAVE_LAST_EXT,
	  .keep = { ALL, ALL, XSAVE_ALIGNED }, .build = build_xsave },
	{ .leaf = CPUID_TSC_RATIO, .rate = true, .build = build_tsc_ratio },
	{ .leaf = CPUID_FREQUENCY, .rate = true, .build = build_frequency },
	{ .leaf = CPUID_TOPOLOGY_V2, .subleaves = true, .last = 2,
	  .host_has = true, .build = build_topology, .fix = FIX_TOPOLOGY },
	{ .leaf = CPUID_HV_BASE,
	  .force = { BH_KVM_CPUID_FEATURES, KVM_SIGNATURE_EBX, KVM_SIGNATURE_ECX,
		     KVM_SIGNATURE_EDX } },
	{ .leaf = BH_KVM_CPUID_FEATURES, .force = { KVM_FEATURES },
	  .build = build_kvm_features },
	{ .leaf = BH_CPUID_BASE,
	  .force = { BH_CPUID_CONSOLE, BH_CPUID_SIGNATURE_EBX,
		     BH_CPUID_SIGNATURE_ECX, BH_CPUID_SIGNATURE_EDX } },
	{ .leaf = BH_CPUID_INFO, .rate = true, .build = build_info },
	{ .leaf = BH_CPUID_CONSOLE, .fix = FIX_CONSOLE },
	{ .leaf = CPUID_EXT_BASE, .keep = KEEP_ALL, .build = build_max_ext },
	{ .leaf = CPUID_EXT_FEATURES,
	  .keep = { ALL, ALL, KEEP_81_ECX, KEEP_81_EDX },
	  .build = build_ext_features, .fix = FIX_EXT_FEATURES },
	{ .leaf = CPUID_EXT_BRAND, .keep = KEEP_ALL },
	{ .leaf = CPUID_EXT_BRAND + 1, .keep = KEEP_ALL },
	{ .leaf = CPUID_EXT_BRAND + 2, .keep = KEEP_ALL },
	{ .leaf = 0x80000005, .keep = KEEP_ALL },
	{ .leaf = 0x80000006, .keep = KEEP_ALL },
	{ .leaf = CPUID_EXT_POWER, .build = build_ext_power },
	{ .leaf = CPUID_EXT_SIZES, .keep = { 0xffff, KEEP_88_EBX },
	  .build = build_sizes },
	{ .leaf = 0x80000019, .keep = KEEP_ALL },
	{ .leaf = 0x8000001a, .keep = { KEEP_81A_EAX } },
	{ .leaf = 0x8000001d, .subleaves = true, .last = 7,
	  .keep = { ALL, ALL, ALL, KEEP_CACHE_EDX },
	  .build = build_cache_amd },
	{ .leaf = CPUID_EXT_TOPOLOGY, .fix = FIX_EXT_TOPOLOGY },
	{ .leaf = CPUID_EXT_FEATURES2, .keep = { KEEP_821_EAX, 0, KEEP_821_ECX },
	  .build = build_ext_features2 },
};
/* clang-format on */
const u32 cpuid_rule_count = ARRAY_SIZE(cpuid_rules);
