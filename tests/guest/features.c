/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUID offers is there: each bit of the feature words has a row with what
 * it promises, and an offered one is tried: an instruction, a control bit, an
 * MSR. A bit without a row fails. Nothing here asks what the CPU does with it,
 * only whether the guest may have it (SDM 2A CPUID; APM 3 appendix E). Over 400
 * lines: an instruction and a row for each bit.
 */
#include "tests/guest/lib/guest.h"

#define CR4_OSFXSR  0x600ul /* and OSXMMEXCPT */
#define CR4_OSXSAVE (1ul << 18)
#define MSR_EFER    0xc0000080

enum leaf_reg { EAX, EBX, ECX, EDX };

static u8 buffer[8192] __aligned(4096);
static u64 cr4;

/* Instructions of one bit: no operand, or the buffer in RDI */
#define INSN(name, text)                                                       \
	static void name(void *arg)                                            \
	{                                                                      \
		__asm__ volatile(text ::"D"(buffer)                            \
				 : "rax", "rbx", "rcx", "rdx", "rsi", "r8",    \
				   "memory", "cc");                            \
	}

INSN(sse3, "addsubps %%xmm0, %%xmm1")
INSN(pclmul, "pclmulqdq $0, %%xmm0, %%xmm1")
INSN(ssse3, "pabsb %%xmm0, %%xmm1")
INSN(fma, "vfmadd132ps %%xmm0, %%xmm1, %%xmm2")
INSN(cx16, "cmpxchg16b (%%rdi)")
INSN(sse4_1, "pmulld %%xmm0, %%xmm1")
INSN(sse4_2, "pcmpgtq %%xmm0, %%xmm1; crc32q %%rax, %%rcx")
INSN(movbe, "movbe (%%rdi), %%eax")
INSN(popcnt, "popcnt %%eax, %%ecx")
INSN(aes, "aesenc %%xmm0, %%xmm1")
INSN(avx, "vaddps %%ymm0, %%ymm1, %%ymm2; vzeroupper")
INSN(f16c, "vcvtph2ps %%xmm0, %%xmm1")
INSN(rdrand, "rdrand %%eax")
INSN(xgetbv, "xor %%ecx, %%ecx; xgetbv")
INSN(x87, "fninit; fld1; fstp %%st(0)")
INSN(rdtsc_insn, "rdtsc")
INSN(cx8, "xor %%ecx, %%ecx; cmpxchg8b (%%rdi)")
INSN(cmov, "cmove %%eax, %%ecx; fninit; fldz; fcmove %%st(0), %%st(0); fninit")
INSN(clflush, "clflush (%%rdi)")
INSN(mmx, "paddb %%mm0, %%mm1; emms")
INSN(fxsr, "fxsave (%%rdi); fxrstor (%%rdi)")
INSN(sse, "addps %%xmm0, %%xmm1; sfence; prefetchnta (%%rdi)")
INSN(sse2, "addpd %%xmm0, %%xmm1; mfence; lfence; pause")
INSN(fsgsbase, "rdgsbase %%rax; wrgsbase %%rax; rdfsbase %%rax; wrfsbase %%rax")
INSN(bmi1, "andn %%eax, %%ecx, %%edx; tzcnt %%eax, %%ecx")
INSN(bmi2, "rorx $1, %%eax, %%ecx; pdep %%eax, %%ecx, %%edx")
INSN(avx2, "vpaddb %%ymm0, %%ymm1, %%ymm2; vzeroupper")
INSN(rep_movsb,
     "mov %%rdi, %%rsi; mov $64, %%ecx; cld; rep movsb; sub $64, %%rdi")
INSN(rep_short, "xor %%ecx, %%ecx; mov %%rdi, %%rsi; cld; rep movsb; rep "
		"stosb; repe cmpsb; repe scasb")
INSN(invpcid, "mov $2, %%eax; invpcid 4096(%%rdi), %%rax")
INSN(rdseed, "rdseed %%eax")
INSN(adx, "adcx %%eax, %%ecx; adox %%eax, %%ecx")
INSN(stac_clac, "stac; clac")
INSN(clflushopt, "clflushopt (%%rdi)")
INSN(clwb, "clwb (%%rdi)")
INSN(sha, "sha1msg1 %%xmm0, %%xmm1; sha256msg1 %%xmm0, %%xmm1")
INSN(avx512f, "vpaddd %%zmm0, %%zmm1, %%zmm2; kmovw %%k0, %%eax; vzeroupper")
INSN(avx512dq, "vpmullq %%zmm0, %%zmm1, %%zmm2")
INSN(avx512ifma, "vpmadd52luq %%zmm0, %%zmm1, %%zmm2")
INSN(avx512pf, "kxorw %%k1, %%k1, %%k1; vgatherpf0dps (%%rdi,%%zmm0,4)%{%%k1%}")
INSN(avx512er, "vexp2ps %%zmm0, %%zmm1")
INSN(avx512cd, "vpconflictd %%zmm0, %%zmm1")
INSN(avx512bw, "vpaddb %%zmm0, %%zmm1, %%zmm2")
INSN(avx512vl, "vpaddd %%xmm0, %%xmm1, %%xmm17")
INSN(prefetchwt1, "prefetchwt1 (%%rdi)")
INSN(vbmi, "vpermb %%zmm0, %%zmm1, %%zmm2")
INSN(rdpkru, "xor %%ecx, %%ecx; rdpkru; wrpkru")
INSN(vbmi2, "vpcompressb %%zmm0, %%zmm1")
INSN(gfni, "gf2p8mulb %%xmm0, %%xmm1")
INSN(vaes, "vaesenc %%ymm0, %%ymm1, %%ymm2")
INSN(vpclmul, "vpclmulqdq $0, %%ymm0, %%ymm1, %%ymm2")
INSN(vnni, "vpdpbusd %%zmm0, %%zmm1, %%zmm2")
INSN(bitalg, "vpopcntb %%zmm0, %%zmm1")
INSN(vpopcnt, "vpopcntd %%zmm0, %%zmm1")
INSN(rdpid, "rdpid %%rax")
INSN(cldemote, "cldemote (%%rdi)")
INSN(movdiri, "movdiri %%eax, (%%rdi)")
INSN(movdir64b, "movdir64b (%%rdi), %%rdi")
INSN(vnniw4, "vp4dpwssd (%%rdi), %%zmm0, %%zmm4")
INSN(fmaps4, "v4fmaddps (%%rdi), %%zmm0, %%zmm4")
INSN(vp2intersect, "vp2intersectd %%zmm0, %%zmm1, %%k0")
INSN(verw, "mov %%ds, %%eax; verw %%ax")
INSN(serialize, "serialize")
INSN(fp16, "vaddph %%zmm0, %%zmm1, %%zmm2")
INSN(avx_vnni, "%{vex%} vpdpbusd %%ymm0, %%ymm1, %%ymm2")
INSN(bf16, "vdpbf16ps %%zmm0, %%zmm1, %%zmm2")
INSN(xsaveopt, "mov $1, %%eax; xor %%edx, %%edx; xsaveopt 1024(%%rdi)")
INSN(xsavec, "mov $1, %%eax; xor %%edx, %%edx; xsavec 2048(%%rdi)")
INSN(xgetbv1, "mov $1, %%ecx; xgetbv")
INSN(lahf, "lahf; sahf")
INSN(alt_cr8, ".byte 0xf0; mov %%cr0, %%rax; .byte 0xf0; mov %%rax, %%cr0")
INSN(lzcnt, "lzcnt %%eax, %%ecx")
INSN(sse4a,
     "extrq $0, $0, %%xmm0; insertq %%xmm0, %%xmm1; movntsd %%xmm0, (%%rdi)")
INSN(misalign, "stmxcsr (%%rdi); orl $1 << 17, (%%rdi); ldmxcsr (%%rdi); addps "
	       "4(%%rdi), %%xmm0; andl $~(1 << 17), (%%rdi); ldmxcsr (%%rdi)")
INSN(prefetchw, "prefetchw (%%rdi)")
INSN(xop, "vphaddbw %%xmm0, %%xmm1")
INSN(fma4, "vfmaddps %%xmm0, %%xmm1, %%xmm2, %%xmm3")
INSN(tbm, "blcs %%eax, %%ecx")
INSN(mmxext, "pminub %%mm0, %%mm1; emms")
INSN(rdtscp, "rdtscp")
INSN(now_ext, "pswapd %%mm0, %%mm1; femms")
INSN(now, "pfadd %%mm0, %%mm1; femms")
INSN(clzero, "mov %%rdi, %%rax; clzero")
INSN(xsave_erptr,
     "mov $1, %%eax; xor %%edx, %%edx; xsave 3072(%%rdi); xrstor 3072(%%rdi)")
INSN(wbnoinvd, "wbnoinvd")

static void cr4_bit(void *arg)
{
	write_cr4(cr4 | 1ul << (u64)arg);
	write_cr4(cr4);
}

static void efer_bit(void *arg)
{
	u64 efer = rdmsr(MSR_EFER);

	wrmsr(MSR_EFER, efer | 1ul << (u64)arg);
	wrmsr(MSR_EFER, efer);
}

static void msr_there(void *arg)
{
	(void)rdmsr((u32)(u64)arg);
}

static void ibpb(void *arg)
{
	wrmsr(0x49, 1);
}

/* What a row tries: @fn(@arg), nothing where it is NULL */
struct row {
	u32 leaf;
	u8 sub, reg, bit;
	const char *name;
	void (*fn)(void *);
	u64 arg;
};

/* clang-format off */
#define R(leaf, sub, reg, bit, name, fn) \
	{ leaf, sub, reg, bit, "features." name, fn, 0 }
#define CR4(leaf, sub, reg, bit, name, cr4_bit_number) \
	{ leaf, sub, reg, bit, "features." name, cr4_bit, cr4_bit_number }
#define EFER(leaf, sub, reg, bit, name, efer_bit_number) \
	{ leaf, sub, reg, bit, "features." name, efer_bit, efer_bit_number }
#define MSR(leaf, sub, reg, bit, name, msr) \
	{ leaf, sub, reg, bit, "features." name, msr_there, msr }

static const struct row rows[] = {
	R(1, 0, ECX, 0, "sse3", sse3),
	R(1, 0, ECX, 1, "pclmulqdq", pclmul),
	R(1, 0, ECX, 9, "ssse3", ssse3),
	R(1, 0, ECX, 12, "fma", fma),
	R(1, 0, ECX, 13, "cmpxchg16b", cx16),
	CR4(1, 0, ECX, 17, "pcid", 17),
	R(1, 0, ECX, 19, "sse4_1", sse4_1),
	R(1, 0, ECX, 20, "sse4_2", sse4_2),
	MSR(1, 0, ECX, 21, "x2apic", X2APIC_ID),
	R(1, 0, ECX, 22, "movbe", movbe),
	R(1, 0, ECX, 23, "popcnt", popcnt),
	MSR(1, 0, ECX, 24, "tsc_deadline", MSR_TSC_DEADLINE),
	R(1, 0, ECX, 25, "aes", aes),
	CR4(1, 0, ECX, 26, "xsave", 18),
	R(1, 0, ECX, 27, "osxsave", xgetbv),
	R(1, 0, ECX, 28, "avx", avx),
	R(1, 0, ECX, 29, "f16c", f16c),
	R(1, 0, ECX, 30, "rdrand", rdrand),
	R(1, 0, ECX, 31, "hypervisor", NULL),
	R(1, 0, EDX, 0, "fpu", x87),
	CR4(1, 0, EDX, 1, "vme", 0),
	CR4(1, 0, EDX, 2, "de", 3),
	CR4(1, 0, EDX, 3, "pse", 4),
	R(1, 0, EDX, 4, "tsc", rdtsc_insn),
	MSR(1, 0, EDX, 5, "msr", 0x10),
	CR4(1, 0, EDX, 6, "pae", 5),
	CR4(1, 0, EDX, 7, "mce", 6),
	R(1, 0, EDX, 8, "cmpxchg8b", cx8),
	MSR(1, 0, EDX, 9, "apic", MSR_APIC_BASE),
	MSR(1, 0, EDX, 11, "sysenter", 0x176),
	MSR(1, 0, EDX, 12, "mtrr", 0x2ff),
	CR4(1, 0, EDX, 13, "pge", 7),
	MSR(1, 0, EDX, 14, "mca", 0x179),
	R(1, 0, EDX, 15, "cmov", cmov),
	MSR(1, 0, EDX, 16, "pat", 0x277),
	R(1, 0, EDX, 17, "pse36", NULL),
	R(1, 0, EDX, 19, "clflush", clflush),
	R(1, 0, EDX, 23, "mmx", mmx),
	R(1, 0, EDX, 24, "fxsr", fxsr),
	R(1, 0, EDX, 25, "sse", sse),
	R(1, 0, EDX, 26, "sse2", sse2),
	R(1, 0, EDX, 27, "self_snoop", NULL),
	R(1, 0, EDX, 28, "htt", NULL),
	R(6, 0, EAX, 2, "arat", NULL),
	R(7, 0, EBX, 0, "fsgsbase", fsgsbase),
	MSR(7, 0, EBX, 1, "tsc_adjust", 0x3b),
	R(7, 0, EBX, 3, "bmi1", bmi1),
	R(7, 0, EBX, 5, "avx2", avx2),
	R(7, 0, EBX, 6, "fdp_excptn_only", NULL),
	CR4(7, 0, EBX, 7, "smep", 20),
	R(7, 0, EBX, 8, "bmi2", bmi2),
	R(7, 0, EBX, 9, "erms", rep_movsb),
	R(7, 0, EBX, 10, "invpcid", invpcid),
	R(7, 0, EBX, 13, "zero_fcs_fds", NULL),
	R(7, 0, EBX, 16, "avx512f", avx512f),
	R(7, 0, EBX, 17, "avx512dq", avx512dq),
	R(7, 0, EBX, 18, "rdseed", rdseed),
	R(7, 0, EBX, 19, "adx", adx),
	R(7, 0, EBX, 20, "smap", stac_clac),
	R(7, 0, EBX, 21, "avx512ifma", avx512ifma),
	R(7, 0, EBX, 23, "clflushopt", clflushopt),
	R(7, 0, EBX, 24, "clwb", clwb),
	R(7, 0, EBX, 26, "avx512pf", avx512pf),
	R(7, 0, EBX, 27, "avx512er", avx512er),
	R(7, 0, EBX, 28, "avx512cd", avx512cd),
	R(7, 0, EBX, 29, "sha", sha),
	R(7, 0, EBX, 30, "avx512bw", avx512bw),
	R(7, 0, EBX, 31, "avx512vl", avx512vl),
	R(7, 0, ECX, 0, "prefetchwt1", prefetchwt1),
	R(7, 0, ECX, 1, "avx512vbmi", vbmi),
	CR4(7, 0, ECX, 2, "umip", 11),
	CR4(7, 0, ECX, 3, "pku", 22),
	R(7, 0, ECX, 4, "ospke", rdpkru),
	R(7, 0, ECX, 6, "avx512vbmi2", vbmi2),
	R(7, 0, ECX, 8, "gfni", gfni),
	R(7, 0, ECX, 9, "vaes", vaes),
	R(7, 0, ECX, 10, "vpclmulqdq", vpclmul),
	R(7, 0, ECX, 11, "avx512vnni", vnni),
	R(7, 0, ECX, 12, "avx512bitalg", bitalg),
	R(7, 0, ECX, 14, "avx512vpopcnt", vpopcnt),
	R(7, 0, ECX, 22, "rdpid", rdpid),
	R(7, 0, ECX, 25, "cldemote", cldemote),
	R(7, 0, ECX, 27, "movdiri", movdiri),
	R(7, 0, ECX, 28, "movdir64b", movdir64b),
	R(7, 0, EDX, 2, "avx512_4vnniw", vnniw4),
	R(7, 0, EDX, 3, "avx512_4fmaps", fmaps4),
	R(7, 0, EDX, 4, "fsrm", rep_short),
	R(7, 0, EDX, 8, "avx512vp2intersect", vp2intersect),
	R(7, 0, EDX, 10, "md_clear", verw),
	R(7, 0, EDX, 14, "serialize", serialize),
	R(7, 0, EDX, 23, "avx512fp16", fp16),
	R(7, 0, EDX, 26, "ibpb", ibpb),
	MSR(7, 0, EDX, 27, "stibp", 0x48),
	MSR(7, 0, EDX, 29, "arch_capabilities", 0x10a),
	MSR(7, 0, EDX, 31, "ssbd", 0x48),
	R(7, 1, EAX, 4, "avx_vnni", avx_vnni),
	R(7, 1, EAX, 5, "avx512bf16", bf16),
	R(7, 1, EAX, 10, "fzrm", rep_short),
	R(7, 1, EAX, 11, "fsrs", rep_short),
	R(7, 1, EAX, 12, "fsrc", rep_short),
	R(0xd, 1, EAX, 0, "xsaveopt", xsaveopt),
	R(0xd, 1, EAX, 1, "xsavec", xsavec),
	R(0xd, 1, EAX, 2, "xgetbv_1", xgetbv1),
	R(0x80000001, 0, ECX, 0, "lahf", lahf),
	R(0x80000001, 0, ECX, 1, "cmp_legacy", NULL),
	R(0x80000001, 0, ECX, 4, "cr8_legacy", alt_cr8),
	R(0x80000001, 0, ECX, 5, "lzcnt", lzcnt),
	R(0x80000001, 0, ECX, 6, "sse4a", sse4a),
	R(0x80000001, 0, ECX, 7, "misalignsse", misalign),
	R(0x80000001, 0, ECX, 8, "prefetchw", prefetchw),
	R(0x80000001, 0, ECX, 11, "xop", xop),
	R(0x80000001, 0, ECX, 16, "fma4", fma4),
	EFER(0x80000001, 0, ECX, 17, "tce", 15),
	R(0x80000001, 0, ECX, 21, "tbm", tbm),
	R(0x80000001, 0, ECX, 22, "topoext", NULL),
	EFER(0x80000001, 0, EDX, 11, "syscall", 0),
	EFER(0x80000001, 0, EDX, 20, "nx", 11),
	R(0x80000001, 0, EDX, 22, "mmxext", mmxext),
	EFER(0x80000001, 0, EDX, 25, "ffxsr", 14),
	R(0x80000001, 0, EDX, 26, "page1gb", NULL),
	R(0x80000001, 0, EDX, 27, "rdtscp", rdtscp),
	MSR(0x80000001, 0, EDX, 29, "long_mode", 0xc0000100),
	R(0x80000001, 0, EDX, 30, "3dnowext", now_ext),
	R(0x80000001, 0, EDX, 31, "3dnow", now),
	R(0x80000007, 0, EDX, 8, "invariant_tsc", NULL),
	R(0x80000008, 0, EBX, 0, "clzero", clzero),
	R(0x80000008, 0, EBX, 2, "xsaveerptr", xsave_erptr),
	R(0x80000008, 0, EBX, 9, "wbnoinvd", wbnoinvd),
	R(0x80000008, 0, EBX, 12, "amd_ibpb", ibpb),
	MSR(0x80000008, 0, EBX, 14, "amd_ibrs", 0x48),
	MSR(0x80000008, 0, EBX, 15, "amd_stibp", 0x48),
	MSR(0x80000008, 0, EBX, 24, "amd_ssbd", 0x48),
	R(0x80000008, 0, EBX, 29, "btc_no", NULL),
	R(0x80000008, 0, EBX, 30, "ibpb_clears_returns", ibpb),
	R(0x80000021, 0, EAX, 2, "lfence_serializes", NULL),
	R(0x80000021, 0, EAX, 5, "verw_clear", verw),
	R(0x80000021, 0, EAX, 6, "null_clears_base", NULL),
	R(0x80000021, 0, EAX, 28, "ibpb_clears_types", ibpb),
	R(0x80000021, 0, EAX, 29, "srso_no", NULL),
	R(0x80000021, 0, EAX, 30, "srso_user_kernel_no", NULL),
	R(0x80000021, 0, ECX, 1, "tsa_sq_no", NULL),
	R(0x80000021, 0, ECX, 2, "tsa_l1_no", NULL),
};

/* The words that those bits are in. 80000001:EDX repeats bits of 1:EDX on AMD,
 * which have no row of their own. */
static const struct {
	u32 leaf;
	u8 sub, reg;
	u32 repeats; /* bits of 1:EDX */
} words[] = {
	{ 1, 0, ECX, 0 }, { 1, 0, EDX, 0 }, { 6, 0, EAX, 0 },
	{ 7, 0, EBX, 0 }, { 7, 0, ECX, 0 }, { 7, 0, EDX, 0 },
	{ 7, 1, EAX, 0 }, { 7, 1, EBX, 0 }, { 7, 1, EDX, 0 },
	{ 0xd, 1, EAX, 0 },
	{ 0x80000001, 0, ECX, 0 }, { 0x80000001, 0, EDX, 0x0183f3ff },
	{ 0x80000007, 0, EDX, 0 }, { 0x80000008, 0, EBX, 0 },
	{ 0x80000021, 0, EAX, 0 }, { 0x80000021, 0, ECX, 0 },
};
/* clang-format on */

static void write_cr0(u64 v)
{
	__asm__ volatile("mov %0, %%cr0" ::"r"(v) : "memory");
}

static u32 word(u32 leaf, u32 sub, u32 reg)
{
	u32 r[4];

	cpuid_if_any(leaf, sub, r);
	return r[reg];
}

static const struct row *row_of(u32 leaf, u32 sub, u32 reg, u32 bit)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].leaf == leaf && rows[i].sub == sub &&
		    rows[i].reg == reg && rows[i].bit == bit)
			return &rows[i];
	return NULL;
}

static void try_row(const struct row *row)
{
	u8 v = row->fn ? guest_try(row->fn, (void *)row->arg) : NO_TRAP;

	write_cr4(cr4);
	check(v == NO_TRAP, row->name, "vector %u", v);
}

static void try_word(u32 leaf, u32 sub, u32 reg, u32 repeats)
{
	u32 bits = word(leaf, sub, reg);

	if (repeats && !cpu_is_intel()) {
		check((bits & repeats) == (word(1, 0, EDX) & repeats),
		      "features.repeated", "%x", bits);
		bits &= ~repeats;
	}
	for (u32 bit = 0; bit < 32; bit++) {
		const struct row *row = row_of(leaf, sub, reg, bit);

		if (!(bits >> bit & 1))
			continue;
		if (row)
			try_row(row);
		else
			check(false, "features.unknown",
			      "%x.%u register %u bit %u", leaf, sub, reg, bit);
	}
}

/* Everything that an instruction may need, and that is offered */
static void switch_on(void)
{
	u64 cr0 = read_cr0();

	write_cr0((cr0 & ~0xcul) | 2); /* no EM, no TS; MP */
	cr4 = read_cr4() | CR4_OSFXSR;
	if (word(7, 0, EBX) & 1)
		cr4 |= 1ul << 16;
	if (word(7, 0, EBX) & 1u << 20)
		cr4 |= 1ul << 21;
	if (word(7, 0, ECX) & 1u << 3)
		cr4 |= 1ul << 22;
	if (word(1, 0, ECX) & 1u << 26)
		cr4 |= CR4_OSXSAVE;
	write_cr4(cr4);
	if (cr4 & CR4_OSXSAVE)
		__asm__ volatile("xsetbv" ::"c"(0), "a"(word(0xd, 0, EAX)),
				 "d"(0));
}

/* Bits of EFER that are not offered, and MSRs that nothing offers */
static void not_offered(void)
{
	static const struct {
		const char *name;
		u32 reg, bit, efer;
	} efer[] = {
		{ "features.no_tce", ECX, 17, 15 },
		{ "features.no_ffxsr", EDX, 25, 14 },
	};
	static const u32 masks[] = { 0xc0011019, 0xc001101a, 0xc001101b };
	u32 there = 0;
	u64 value;

	section("APM 2 3.1.7");
	for (u32 i = 0; i < ARRAY_SIZE(efer); i++)
		if (!(word(0x80000001, 0, efer[i].reg) >> efer[i].bit & 1))
			check(guest_try(efer_bit, (void *)(u64)efer[i].efer) ==
				      13,
			      efer[i].name, "no #GP");
	section("APM 2 13.1.2");
	check(!(word(0x80000001, 0, ECX) >> 26 & 1), "features.no_dbext",
	      "offered");
	for (u32 i = 0; i < ARRAY_SIZE(masks); i++)
		there += try_rdmsr(masks[i], &value) != 13;
	check(!there, "features.no_address_masks", "%u", there);
}

void guest_main(void)
{
	apic_enable();
	switch_on();
	section("SDM 2A CPUID");
	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		try_word(words[i].leaf, words[i].sub, words[i].reg,
			 words[i].repeats);
	not_offered();
}
