/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same instruction twice: on RAM, where the CPU does it, and on memory that
 * traps (QEMU's pc-testdev, `testdev = yes`), where the hypervisor does. What
 * is left in registers, flags and memory must be the same, for random contents.
 * Over 400 lines: the table of instructions.
 */
#include "tests/guest/lib/folded.h"
#include "tests/guest/lib/guest.h"

#define DEVICE  0xff000000ul
#define ROUNDS  24
#define OPERAND 64 /* bytes around it that are compared */
#define MIDDLE  32
#define ALU     0x8d5ull /* CF PF AF ZF SF OF */
#define DF      0x400ull
#define ALIAS   (1ul << 39)

#define CR4_OSXSAVE (1ul << 18)
#define XSAVE       (1u << 26) /* CPUID 1 ECX */
#define AVX_BIT     (1u << 28)

/* What a row needs of the CPU */
enum need {
	ANY,
	SSSE3,
	FMA,
	SSE41,
	SSE42,
	AES,
	AVX,
	F16C,
	AVX2,
	BMI1,
	BMI2,
	ADX,
	SHA
};
static const struct {
	u32 leaf, reg, bit; /* of CPUID; reg 0 is EAX */
} needs[] = {
	[ANY] = { 1, 3, 0 },    [SSSE3] = { 1, 2, 9 },  [FMA] = { 1, 2, 12 },
	[SSE41] = { 1, 2, 19 }, [SSE42] = { 1, 2, 20 }, [AES] = { 1, 2, 25 },
	[AVX] = { 1, 2, 28 },   [F16C] = { 1, 2, 29 },  [AVX2] = { 7, 1, 5 },
	[BMI1] = { 7, 1, 3 },   [BMI2] = { 7, 1, 8 },   [ADX] = { 7, 1, 19 },
	[SHA] = { 7, 1, 29 },
};

extern u64 boot_pml4[];

struct state {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rflags;
	u8 memory[OPERAND] __aligned(8);
};

static bool avx_is_on;
static u8 code[32] __aligned(64);
static u8 ram[8192] __aligned(4096);
static u64 tables[3 * 512] __aligned(4096);

static bool has(enum need need)
{
	bool of_avx =
		need == AVX || need == AVX2 || need == F16C || need == FMA;
	u32 r[4];

	if (of_avx && !avx_is_on)
		return false;
	cpuid_if_any(needs[need].leaf, 0, r);
	return r[needs[need].reg] >> needs[need].bit & 1;
}

static void avx_on(void)
{
	u32 r[4];

	__asm__ volatile("fninit");
	cpuid(1, 0, r);
	avx_is_on = (r[2] & XSAVE) && (r[2] & AVX_BIT);
	if (!avx_is_on)
		return;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	__asm__ volatile("xsetbv" ::"a"(7), "d"(0), "c"(0));
}

static u64 rnd_value(void)
{
	static const u64 corners[] = { 0, ~0ull, 0x8080808080808080ull,
				       0x7f7f7f7f7f7f7f7full };
	u64 v = rnd();

	return v & 3 ? v : corners[v >> 2 & 3];
}

static void run(struct state *s)
{
	__asm__ volatile("push %[flags]\n\tpopfq\n\t"
			 "call *%[code]\n\t"
			 "pushfq\n\tpop %[flags]\n\tcld"
			 : "+a"(s->rax), "+b"(s->rbx), "+c"(s->rcx),
			   "+d"(s->rdx), "+S"(s->rsi),
			   "+D"(s->rdi), [flags] "+r"(s->rflags)
			 : [code] "r"((u64)code)
			 : "memory", "cc");
}

/* Eight bytes at a time: each access to a device is an exit */
static void run_at(struct state *s, u64 at)
{
	volatile u64 *memory = (volatile u64 *)(at - MIDDLE);
	u64 *copy = (u64 *)s->memory;
	u32 i;

	for (i = 0; i < OPERAND / 8; i++)
		memory[i] = copy[i];
	s->rdi += at;
	run(s);
	s->rdi -= at;
	for (i = 0; i < OPERAND / 8; i++)
		copy[i] = memory[i];
}

static bool same(const struct state *a, const struct state *b)
{
	for (u32 i = 0; i < OPERAND; i++)
		if (a->memory[i] != b->memory[i])
			return false;
	return a->rax == b->rax && a->rbx == b->rbx && a->rcx == b->rcx &&
	       a->rdx == b->rdx && a->rsi == b->rsi && a->rdi == b->rdi &&
	       !((a->rflags ^ b->rflags) & (ALU | DF));
}

static void fill(struct state *s, u32 round)
{
	u32 i;

	s->rax = rnd_value();
	s->rbx = rnd_value();
	s->rcx = rnd_value();
	s->rdx = rnd_value();
	s->rsi = (u64)ram + 4096;
	s->rdi = 0;
	s->rflags = 2 | (rnd_value() & ALU);
	for (i = 0; i < OPERAND; i++)
		s->memory[i] = (u8)(rnd_value() >> 8);
	if (round % 2) /* CMPXCHG finds what it looks for */
		for (i = 0; i < 8; i++)
			s->memory[MIDDLE + i] = (u8)(s->rax >> (8 * i));
}

static void put_code(const char *bytes, u32 len)
{
	for (u32 i = 0; i < len; i++)
		code[i] = (u8)bytes[i];
	code[len] = 0xc3;
}

/* clang-format off */
static const struct insn_test {
	const char *name, *section;
	const char *bytes; /* the operand is [rdi] */
	u8 len;
	bool string; /* RCX is a small count, RFLAGS.DF either way */
	enum need need;
} tests[] = {
#define N(name, need, section, bytes) { "emulate." name, section, bytes, sizeof(bytes) - 1, false, need }
#define T(name, section, bytes) N(name, ANY, section, bytes)
#define V(name, section, bytes) N(name, AVX, section, bytes)
#define S(name, section, bytes) { "emulate." name, section, bytes, sizeof(bytes) - 1, true, ANY }
	T("mov_store8", "SDM 2B MOV", "\x88\x27"),
	T("mov_store16", "SDM 2B MOV", "\x66\x89\x07"),
	T("mov_store64", "SDM 2B MOV", "\x48\x89\x0f"),
	T("mov_load8", "SDM 2B MOV", "\x8a\x2f"),
	T("mov_load32", "SDM 2B MOV", "\x8b\x0f"),
	T("mov_imm", "SDM 2B MOV", "\x48\xc7\x07\x78\x56\x34\x92"),
	T("mov_segment", "SDM 2B MOV", "\x8c\x1f"),
	T("movzx8", "SDM 2B MOVZX", "\x0f\xb6\x0f"),
	T("movsx16", "SDM 2B MOVSX/MOVSXD", "\x48\x0f\xbf\x0f"),
	T("movsxd", "SDM 2B MOVSX/MOVSXD", "\x48\x63\x0f"),
	T("movnti", "SDM 2B MOVNTI", "\x48\x0f\xc3\x0f"),
	T("add8", "SDM 2A ADD", "\x00\x2f"),
	T("add_load", "SDM 2A ADD", "\x48\x03\x0f"),
	T("or_imm8", "SDM 2B OR", "\x83\x0f\x81"),
	T("adc", "SDM 2A ADC", "\x48\x11\x0f"),
	T("sbb", "SDM 2B SBB", "\x66\x19\x0f"),
	T("and", "SDM 2A AND", "\x81\x27\x78\x56\x34\x92"),
	T("sub", "SDM 2B SUB", "\x29\x0f"),
	T("xor_lock", "SDM 2D XOR", "\xf0\x48\x31\x0f"),
	T("cmp", "SDM 2A CMP", "\x39\x0f"),
	T("test", "SDM 2B TEST", "\xf7\x07\x78\x56\x34\x92"),
	T("not", "SDM 2B NOT", "\xf6\x17"),
	T("neg", "SDM 2B NEG", "\x48\xf7\x1f"),
	T("inc", "SDM 2A INC", "\xfe\x07"),
	T("dec_lock", "SDM 2A DEC", "\xf0\xff\x0f"),
	T("mul", "SDM 2B MUL", "\x48\xf7\x27"),
	T("imul", "SDM 2A IMUL", "\x48\x0f\xaf\x0f"),
	T("imul_imm", "SDM 2A IMUL", "\x6b\x0f\x81"),
	T("div", "SDM 2A DIV", "\x83\x0f\x01\x31\xd2\xf7\x37\x85\xd2"),
	T("idiv", "SDM 2A IDIV", "\x83\x0f\x01\x31\xd2\x25\xff\xff\x00\x00\xf7\x3f\x85\xd2"),
	T("bsf", "SDM 2A BSF", "\x48\x0f\xbc\x0f"),
	T("bsr", "SDM 2A BSR", "\x0f\xbd\x0f"),
	T("popcnt", "SDM 2B POPCNT", "\xf3\x0f\xb8\x0f"),
	T("rol", "SDM 2B RCL/RCR/ROL/ROR", "\xd3\x07"),
	T("rcr", "SDM 2B RCL/RCR/ROL/ROR", "\xd0\x1f"),
	T("shl_imm", "SDM 2B SAL/SAR/SHL/SHR", "\xc1\x27\x05"),
	T("sar", "SDM 2B SAL/SAR/SHL/SHR", "\x48\xd3\x3f"),
	T("shld", "SDM 2B SHLD", "\x0f\xa4\x0f\x07"),
	T("shrd", "SDM 2B SHRD", "\x48\x0f\xad\x17"),
	T("bt", "SDM 2A BT", "\x0f\xba\x27\x05"),
	T("bts_lock", "SDM 2A BTS", "\xf0\x48\x0f\xba\x2f\x25"),
	T("btr", "SDM 2A BTR", "\x0f\xba\x37\x1f"),
	T("btc", "SDM 2A BTC", "\x66\x0f\xba\x3f\x0f"),
	T("setcc", "SDM 2B SETcc", "\x0f\x9c\x07"),
	T("cmovcc", "SDM 2A CMOVcc", "\x0f\x47\x0f"),
	T("xchg", "SDM 2D XCHG", "\x87\x0f"),
	T("xadd", "SDM 2D XADD", "\xf0\x48\x0f\xc1\x0f"),
	T("cmpxchg", "SDM 2A CMPXCHG", "\xf0\x48\x0f\xb1\x0f"),
	T("cmpxchg8b", "SDM 2A CMPXCHG8B/CMPXCHG16B", "\xf0\x0f\xc7\x0f"),
	T("cmpxchg16b", "SDM 2A CMPXCHG8B/CMPXCHG16B", "\xf0\x48\x0f\xc7\x0f"),
	T("push_pop", "SDM 2B PUSH", "\xff\x37\x59"),
	T("pop", "SDM 2B POP", "\x51\x8f\x07"),
	/* RSP is there meanwhile */
	T("enter_leave", "SDM 2A ENTER", "\x48\x87\xfc\xc8\x08\x00\x00\x51\xc9\x48\x87\xfc"),
	T("pushf_popf", "SDM 2B PUSHF", "\x48\x87\xfc\x9c\x9d\x48\x87\xfc"),
	T("push_fs", "SDM 2B PUSH", "\x48\x87\xfc\x0f\xa0\x59\x48\x87\xfc"),
	T("smsw", "SDM 2B SMSW", "\x0f\x01\x27"),
	T("str", "SDM 2B STR", "\x0f\x00\x0f"),
	T("sgdt", "SDM 2B SGDT", "\x0f\x01\x07"),
	T("lgdt", "SDM 2A LGDT/LIDT", "\x0f\x01\x07\x0f\x01\x17"),
	T("mov_to_segment", "SDM 2B MOV", "\x8c\x1f\x8e\x1f\x8c\x17\x8e\x17"),
	T("clflush", "SDM 2A CLFLUSH", "\x0f\xae\x3f"),
	T("movq_mmx", "SDM 2B MOVQ", "\x0f\x6f\x07\x0f\x7f\x47\x08\x0f\x77"),
	T("movups", "SDM 2B MOVUPS", "\x0f\x10\x07\x0f\x11\x47\x08"),
	T("movdqa", "SDM 2B MOVDQA", "\x66\x0f\x6f\x07\x66\x0f\x7f\x47\x10"),
	T("movq", "SDM 2B MOVQ", "\xf3\x0f\x7e\x07\x66\x48\x0f\x7e\xc1"),
	V("vmovups", "SDM 2B MOVUPS", "\xc5\xfc\x10\x07\xc5\xfc\x11\x47\x08"),
	V("vmovdqa", "SDM 2B MOVDQA", "\xc5\xf9\x6f\x07\xc5\xfe\x7f\x47\xf8"),
	V("vmovntdq", "SDM 2B MOVNTDQ", "\xc5\xfe\x6f\x47\xf0\xc5\xfd\xe7\x07"),
	V("vmovq", "SDM 2B MOVQ", "\xc4\xe1\xf9\x6e\x07\xc5\xfe\x7f\x07"),
	/* XMM0 from [rsi], the operation with [rdi], XMM0 to [rdi] */
#define X(name, need, section, op) N(name, need, section, "\x0f\x10\x06" op "\x0f\x11\x07")
	X("pxor", ANY, "SDM 2B PXOR", "\x66\x0f\xef\x07"),
	X("pshufd", ANY, "SDM 2B PSHUFD", "\x66\x0f\x70\x07\x1b"),
	X("punpcklbw", ANY, "SDM 2B PUNPCKLBW", "\x66\x0f\x60\x07"),
	X("psllq", ANY, "SDM 2B PSLLW/PSLLD/PSLLQ", "\x66\x0f\xf3\x07"),
	X("pinsrw", ANY, "SDM 2B PINSRW", "\x66\x0f\xc4\x47\x02\x03"),
	X("addps", ANY, "SDM 2A ADDPS", "\x0f\x58\x07"),
	X("cvtsi2sd", ANY, "SDM 2A CVTSI2SD", "\xf2\x48\x0f\x2a\x07"),
	X("cvtps2pd", ANY, "SDM 2A CVTPS2PD", "\x0f\x5a\x07"),
	X("pshufb", SSSE3, "SDM 2B PSHUFB", "\x66\x0f\x38\x00\x07"),
	X("palignr", SSSE3, "SDM 2B PALIGNR", "\x66\x0f\x3a\x0f\x07\x05"),
	X("pmovzxbw", SSE41, "SDM 2B PMOVZX", "\x66\x0f\x38\x30\x47\x03"),
	X("pblendvb", SSE41, "SDM 2B PBLENDVB", "\x66\x0f\x38\x10\x07"),
	X("pinsrq", SSE41, "SDM 2B PINSRB/PINSRD/PINSRQ", "\x66\x48\x0f\x3a\x22\x07\x01"),
	X("aesenc", AES, "SDM 2A AESENC", "\x66\x0f\x38\xdc\x07"),
	X("sha1nexte", SHA, "SDM 2B SHA1NEXTE", "\x0f\x38\xc8\x07"),
	X("vpaddd", AVX, "SDM 2B PADDB/PADDW/PADDD/PADDQ", "\xc5\xf9\xfe\x07"),
	X("vcvtph2ps", F16C, "SDM 2C VCVTPH2PS", "\xc4\xe2\x79\x13\x07"),
	X("vfmadd", FMA, "SDM 2C VFMADD132PD", "\xc4\xe2\xf9\x98\x07"),
	X("vpermq", AVX2, "SDM 2C VPERMQ", "\xc4\xe3\xfd\x00\x47\xf0\x1b"),
	X("vpbroadcastw", AVX2, "SDM 2C VPBROADCAST", "\xc4\xe2\x7d\x79\x47\x06"),
	X("vpsllvd", AVX2, "SDM 2C VPSLLVW/VPSLLVD/VPSLLVQ", "\xc4\xe2\x79\x47\x07"),
	X("vinserti128", AVX2, "SDM 2C VINSERTI128", "\xc4\xe3\x7d\x38\x07\x01\xc4\xe3\x7d\x39\x47\xf0\x01"),
	T("paddb_mmx", "SDM 2B PADDB/PADDW/PADDD/PADDQ", "\x0f\x6f\x06\x0f\xfc\x07\x0f\x7f\x47\x08\x0f\x77"),
	T("cvttsd2si", "SDM 2A CVTTSD2SI", "\xf2\x48\x0f\x2c\x0f"),
	T("comisd", "SDM 2A COMISD", "\x0f\x10\x06\x66\x0f\x2f\x07"),
	N("pextrb", SSE41, "SDM 2B PEXTRB/PEXTRD/PEXTRQ", "\x0f\x10\x06\x66\x0f\x3a\x14\x07\x09"),
	N("pcmpestri", SSE42, "SDM 2B PCMPESTRI", "\x0f\x10\x06\x66\x0f\x3a\x61\x47\x01\x0c"),
	N("crc32", SSE42, "SDM 2A CRC32", "\xf2\x48\x0f\x38\xf1\x0f"),
	N("andn", BMI1, "SDM 2A ANDN", "\xc4\xe2\xe8\xf2\x0f"),
	N("bextr", BMI1, "SDM 2A BEXTR", "\xc4\xe2\x70\xf7\x07"),
	N("blsr", BMI1, "SDM 2A BLSR", "\xc4\xe2\xf0\xf3\x0f"),
	N("mulx", BMI2, "SDM 2B MULX", "\xc4\xe2\xf3\xf6\x07"),
	N("pdep", BMI2, "SDM 2B PDEP", "\xc4\xe2\xf3\xf5\x07"),
	N("shlx", BMI2, "SDM 2B SARX/SHLX/SHRX", "\xc4\xe2\xf1\xf7\x07"),
	N("rorx", BMI2, "SDM 2B RORX", "\xc4\xe3\xfb\xf0\x0f\x09"),
	N("adcx", ADX, "SDM 2A ADCX", "\x66\x48\x0f\x38\xf6\x0f"),
	T("fild", "SDM 2A FILD", "\xdb\x07\xdd\x5f\x08"),
	T("fadd", "SDM 2A FADD/FADDP/FIADD", "\xdb\x07\xde\x47\x06\xdb\x7f\x08"),
	T("fbld", "SDM 2A FBLD", "\xdb\x07\xdf\x77\x08\xdf\x67\x08\xdd\x5f\x12"),
	T("fldcw", "SDM 2A FLDCW", "\xd9\x3f\xd9\x2f\xdb\xe3"),
	T("fnstsw", "SDM 2A FSTSW/FNSTSW", "\xdd\x3f"),
	T("stmxcsr", "SDM 2B STMXCSR", "\x0f\xae\x1f\x0f\xae\x17"),
	/* Not all of them write FOP: it is zero before */
	T("fxsave", "SDM 2A FXSAVE", "\x48\x83\x27\x00\x0f\x10\x06\xdb\xe3\x0f\xae\x07\x48\x8b\x87\xa0\x00\x00\x00"),
	T("fxrstor", "SDM 2A FXRSTOR", "\x0f\x10\x06\xdb\xe3\x0f\xae\x07\x0f\x57\xc0\x0f\xae\x0f\x0f\x11\x07"),
	V("xsave", "SDM 2D XSAVE", "\x48\x83\x27\x00\x0f\x10\x06\xdb\xe3\x31\xd2\x31\xc0\x04\x03\x0f\xae\x27\x48\x8b\x87\xa0\x00\x00\x00"),
	T("lar", "SDM 2A LAR", "\x66\xc7\x07\x10\x00\x66\x0f\x02\x0f"),
	T("lsl", "SDM 2A LSL", "\x66\xc7\x07\x10\x00\x48\x0f\x03\x0f"),
	T("verw", "SDM 2B VERR/VERW", "\x66\xc7\x07\x10\x00\x0f\x00\x2f"),
	T("verr_nowhere", "SDM 2B VERR/VERW", "\x66\xc7\x07\xf0\xff\x0f\x00\x27"),
	/* RBX is there meanwhile, AL 0 */
	T("xlat", "SDM 2D XLAT/XLATB", "\x48\x87\xfb\x30\xc0\xd7\x48\x87\xfb"),
	S("stos", "SDM 2B STOS", "\xf3\xab"),
	S("lods", "SDM 2A LODS", "\x48\x87\xf7\xf3\x66\xad\x48\x87\xf7"),
	S("movs_to", "SDM 2B MOVS", "\xf3\xa4"),
	S("movs_from", "SDM 2B MOVS", "\x48\x87\xf7\xf3\x48\xa5\x48\x87\xf7"),
	S("cmps", "SDM 2A CMPS", "\xf3\xa6"),
	S("scas", "SDM 2B SCAS", "\xf2\xae"),
};
/* clang-format on */

/* Both ways, at @device against @plain */
static void compare(const struct insn_test *t, u64 plain, u64 device)
{
	struct state a, b;
	u32 round, i;

	put_code(t->bytes, t->len);
	for (round = 0; round < ROUNDS; round++) {
		fill(&a, round);
		if (t->string) {
			a.rcx = round % 4;
			a.rflags |= round & 4 ? DF : 0;
		}
		b = a;
		for (i = 0; i < 8; i++)
			*(u64 *)(ram + 4096 - 32 + 8 * i) = i * 0x0102030405;
		run_at(&a, plain);
		for (i = 0; i < 8; i++)
			*(u64 *)(ram + 4096 - 32 + 8 * i) = i * 0x0102030405;
		run_at(&b, device);
		if (!same(&a, &b))
			break;
	}
	section(t->section);
	check(round == ROUNDS, t->name,
	      "round %u: rax %llx rcx %llx flags %llx memory %llx, the CPU "
	      "%llx %llx "
	      "%llx %llx",
	      round, b.rax, b.rcx, b.rflags, *(u64 *)(b.memory + MIDDLE), a.rax,
	      a.rcx, a.rflags, *(u64 *)(a.memory + MIDDLE));
}

/* RAM and then the device, in adjoining pages of an alias */
static void map_alias(void)
{
	tables[0] = ((u64)tables + 4096) | 3;
	tables[512] = ((u64)tables + 8192) | 3;
	tables[1024] = (u64)ram | 3;
	tables[1025] = DEVICE | 3;
	boot_pml4[1] = (u64)tables | 3;
}

static void across_pages(void)
{
	/* clang-format off */
	static const struct insn_test half[] = {
		T("half_store", "SDM 3A 8.1.1", "\x48\x89\x0f"),
		T("half_load", "SDM 3A 8.1.1", "\x48\x8b\x0f"),
		/* Behind TEST, QUIRK(tcg-7.2): it has not stored the flags when its
		 * locked access across pages exits */
		T("half_xchg", "SDM 3A 8.1.2.2", "\x48\x87\x0f\x85\xc9"),
		T("half_add_lock", "SDM 3A 8.1.2.2", "\xf0\x48\x01\x0f"),
		V("half_vmovups", "SDM 2B MOVUPS", "\xc5\xfc\x10\x07\xc5\xfc\x11\x07"),
		T("half_add", "SDM 3A 8.1.1", "\x48\x01\x0f"),
		T("half_movups", "SDM 2B MOVUPS", "\x0f\x10\x07\x0f\x11\x07"),
		S("half_stos", "SDM 2B STOS", "\xf3\x48\xab"),
	};
	/* clang-format on */

	map_alias();
	for (u32 i = 0; i < ARRAY_SIZE(half); i++)
		if (has(half[i].need))
			compare(&half[i], (u64)ram + 256, ALIAS + 4096 - 3);
}

static void touch_alias(void *arg)
{
	u64 from = DEVICE + 8;

	/* MOVSQ from the device: its second operand's page decides */
	__asm__ volatile("movsq" : "+S"(from), "+D"(arg)::"memory");
}

/* The fault of an operand that the CPU itself never came to */
static void faults(void)
{
	u8 vector;

	section("SDM 3A 4.7");
	tables[1026] = 0;
	vector = guest_try(touch_alias, (void *)(ALIAS + 8192));
	check(vector == 14 && trap_error == 2 && trap_cr2 == ALIAS + 8192,
	      "emulate.absent", "%u error %llx at %llx", vector, trap_error,
	      trap_cr2);
	tables[1026] = (u64)ram | 1;
	vector = guest_try(touch_alias, (void *)(ALIAS + 8192 + 16));
	check(vector == 14 && trap_error == 3, "emulate.read_only",
	      "%u error %llx", vector, trap_error);
	section("SDM 3A 4.8");
	tables[1026] = (u64)ram | 3;
	__asm__ volatile("invlpg (%0)" ::"r"(ALIAS + 8192) : "memory");
	vector = guest_try(touch_alias, (void *)(ALIAS + 8192 + 16));
	check(vector == NO_TRAP && (tables[1026] & 0x60) == 0x60,
	      "emulate.accessed_and_dirty", "%u, entry %llx", vector,
	      tables[1026]);
}

static void divide_simd(void *arg)
{
	static const u32 let_zero_divide = 0x1d80;

	__asm__ volatile(
		"ldmxcsr %0\n\tdivss (%1), %%xmm0" ::"m"(let_zero_divide),
		"r"(arg)
		: "memory");
}

/* The division's exception waits for the addition */
static void divide_x87(void *arg)
{
	static const u16 let_zero_divide = 0x37b;

	__asm__ volatile("fninit\n\tfldcw %0\n\tfld1\n\t"
			 "fdivs (%1)\n\tfadds (%1)" ::"m"(let_zero_divide),
			 "r"(arg)
			 : "memory");
}

/* What the instruction itself raises */
static void exceptions(void)
{
	static const u32 masked = 0x1f80;
	u8 vector;

	*(volatile u64 *)DEVICE = 0;
	vector = guest_try(divide_x87, (void *)DEVICE);
	section("SDM 3A 6.15 #MF");
	check(vector == 16, "emulate.x87_mf", "%u", vector);
	__asm__ volatile("fninit");
	if (!cpu_is_intel())
		return;           /* QUIRK(tcg-7.2): it has no #XM */
	*(u32 *)ram = 0x3f800000; /* 1.0 */
	__asm__ volatile("movss %0, %%xmm0" ::"m"(*(u32 *)ram));
	vector = guest_try(divide_simd, (void *)DEVICE);
	__asm__ volatile("ldmxcsr %0" ::"m"(masked));
	section("SDM 3A 6.15 #XM");
	check(vector == 19, "emulate.simd_xm", "%u", vector);
}

/* What a compiler makes of it */
static void compiled(void)
{
	u64 plain[FOLDED_RESULTS], trapped[FOLDED_RESULTS];
	volatile u64 *device = (volatile u64 *)(DEVICE + 256);
	u64 *memory = (u64 *)(ram + 256);
	u32 round, i, n = 0, wrong = 0;

	for (round = 0; round < ROUNDS && !wrong; round++) {
		for (i = 0; i < FOLDED_BYTES / 8; i++)
			memory[i] = device[i] = rnd_value();
		n = folded(memory, plain);
		folded(device, trapped);
		for (i = 0; i < n; i++)
			wrong += plain[i] != trapped[i];
	}
	section("SDM 2A 3.1");
	check(n && !wrong, "emulate.compiled", "round %u: %u of %u differ",
	      round, wrong, n);
}

void guest_main(void)
{
	avx_on();
	for (u32 i = 0; i < ARRAY_SIZE(tests); i++)
		if (has(tests[i].need))
			compare(&tests[i], (u64)ram + 256, DEVICE + 256);
	across_pages();
	faults();
	exceptions();
	if (has(AVX2) && has(BMI2) && has(FMA))
		compiled();
}
