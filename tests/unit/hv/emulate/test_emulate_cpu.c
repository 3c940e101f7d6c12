/* SOURCES: hv/emulate/alu.c hv/emulate/bits.c hv/emulate/emulate.c hv/emulate/mem.c hv/emulate/operand.c hv/emulate/ops.c hv/emulate/segment.c hv/emulate/stack.c hv/emulate/string.c hv/emulate/system.c hv/emulate/vector.c hv/emulate/vector_table.c hv/emulate/by_stub.c hv/emulate/x87.c hv/emulate/legacy.c hv/emulate/verify.c hv/emulate/fxsave.c hv/emulate/xsave.c hv/emulate/stage.c hv/emulate/task_memory.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/gmem.c hv/core/walk.c hv/core/bus.c lib/printf.c lib/string.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every instruction the emulator takes, beside the CPU this test runs on: each
 * opcode with random prefixes, operands, registers, flags and memory, in
 * 64-bit, 32-bit and 16-bit code at CPL 3. Registers, flags, memory, RIP and
 * faults must be the same, to the error code. The operand's pages are RAM or a
 * device by chance. EMULATE_SEED and EMULATE_ROUNDS of the environment make
 * other and longer runs. Over 400 lines: the table of instructions, and one
 * guest for all.
 */
#include <cpuid.h>

#include "hv/emulate/vector.h"
#include "tests/unit/fakes/cpu_native.h"
#include "tests/unit/fakes/small_guest.h"

#define ROUNDS     6u
#define PAGES_GPA  0x40000ull /* RAM behind the data pages */
#define CODE_GPA   0x50000ull
#define TABLES_GPA 0x60000ull
#define PTE_USER   (PTE_P | PTE_W | PTE_U)
#define FLAGS      (ALL_FLAGS | RFLAGS_DF)
#define ALL_FLAGS                                                              \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)
#define MAX_REPORTS 20
#define OP_POPA     0x61
#define OP_ENTER    0xc8

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allow_user_segv_handler=1:handle_segv=0:handle_sigbus=0:"
	       "handle_sigill=0:handle_sigfpe=0:use_sigaltstack=0";
}

static struct test {
	u8 bytes[INSN_MAX];
	u8 len;
	enum insn_mode mode;
	struct insn insn;
	struct native state; /* before */
	u8 data[NATIVE_DATA_LIVE * PAGE_SIZE];
	bool device[NATIVE_DATA_LIVE];
	u32 segs[3]; /* DS ES SS: index of native_segments */
} t;
static u64 rng;
static bool have_segments;
static u32 ran, refused, skipped, faulted, reports;
static u32 seen[MAP_OTHER][256];
static u32 cpu_leaf7[4];
static u64 cpu_xcr0;
static bool has_vnni, has_sse4a;
/* The maps that are tried */
static const enum insn_map maps[] = { MAP_ONE,     MAP_0F,     MAP_0F38,
				      MAP_0F3A,    MAP_VEX_0F, MAP_VEX_0F38,
				      MAP_VEX_0F3A };

static u64 rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static u64 rnd_value(void)
{
	static const u64 corners[] = { 0,
				       ~0ull,
				       0x8080808080808080ull,
				       0x7f7f7f7f7f7f7f7full,
				       0x8000000080008080ull,
				       1 };

	return rnd() % 2 ? rnd() : corners[rnd() % ARRAY_SIZE(corners)];
}

/* An address in the data pages, near the end of one more often than not */
static u64 rnd_address(void)
{
	u64 page = NATIVE_DATA + rnd() % NATIVE_DATA_PAGES * PAGE_SIZE;

	switch (rnd() % 8) {
	case 0:
		return page + PAGE_SIZE - 1 - rnd() % 16;
	case 1:
	case 2:
		return page + rnd() % PAGE_SIZE;
	case 3:
		return NATIVE_DATA + rnd() % 16;
	case 4:
		return NATIVE_DATA + PAGE_SIZE - 8 + rnd() % 16;
	default:
		return (NATIVE_DATA + rnd() % (2 * PAGE_SIZE)) & ~15ull;
	}
}

/* ---- the instruction ---- */

static void put(u8 byte)
{
	if (t.len < INSN_MAX)
		t.bytes[t.len++] = byte;
}

static void gen_prefixes(void)
{
	static const u8 segs[] = { 0x26, 0x2e, 0x36, 0x3e, 0x65 };

	if (rnd() % 4 == 0)
		put(0x66);
	if (rnd() % 6 == 0)
		put(0x67);
	if (rnd() % 5 == 0)
		put(segs[rnd() % ARRAY_SIZE(segs)]);
	if (rnd() % 6 == 0)
		put(rnd() % 2 ? 0xf2 : 0xf3);
	if (rnd() % 10 == 0)
		put(0xf0);
	if (t.mode == INSN_64BIT && rnd() % 2)
		put(0x40 | (rnd() & 0xf));
}

/* vvvv is mostly what it must be for a move */
static void gen_vex(enum insn_map map)
{
	u8 last = (u8)((rnd() & 7) | (rnd() % 8 ? 0x78 : rnd() & 0x78));
	u8 rxb = t.mode == INSN_64BIT ? rnd() & 0xe0 : 0xe0;

	if (rnd() % 4 == 0)
		put(0x65);
	if (map == MAP_VEX_0F && rnd() % 2) {
		put(0xc5);
		put((u8)((rxb & 0x80) | last));
		return;
	}
	put(0xc4);
	put((u8)(rxb | (map - MAP_VEX_0F + 1)));
	put((u8)((rnd() & 0x80) | last));
}

static void gen_insn(enum insn_map map, u8 opcode, u8 reg)
{
	u64 rest = rnd();
	u32 i;

	t.len = 0;
	if (map < MAP_VEX_0F)
		gen_prefixes();
	if (map >= MAP_0F && map <= MAP_0F3A)
		put(0x0f);
	if (map == MAP_0F38 || map == MAP_0F3A)
		put(map == MAP_0F38 ? 0x38 : 0x3a);
	if (map >= MAP_VEX_0F)
		gen_vex(map);
	put(opcode);
	if (map == MAP_ONE && opcode == OP_ENTER) {
		put((u8)(rnd() % 128));
		put(0);
		put((u8)(rnd() % 5));
	}
	put((u8)(rnd() % 3 << 6 | reg << 3 | rnd() % 8));
	for (i = 0; i < 8; i++)
		put((u8)(rest >> (8 * i)));
	while (t.len < INSN_MAX)
		put((u8)rnd());
}

/* ---- registers and memory ---- */

static u64 segment_base(u8 seg)
{
	const struct segment *s = &r->seg[seg];

	if (t.mode == INSN_64BIT && seg < SEG_FS)
		return 0;
	return s->base;
}

static u8 operand_segment(void)
{
	if (t.insn.seg != SEG_COUNT)
		return t.insn.seg;
	if (t.insn.has_modrm &&
	    (t.insn.base == GPR_RSP || t.insn.base == GPR_RBP))
		return SEG_SS;
	return SEG_DS;
}

static u64 effective_now(void)
{
	u64 ea = (u64)t.insn.disp;

	if (t.insn.base != INSN_NO_REG)
		ea += t.state.gpr[t.insn.base];
	if (t.insn.index != INSN_NO_REG)
		ea += t.state.gpr[t.insn.index] * t.insn.scale;
	if (t.insn.rip_relative)
		ea += t.state.rip + t.insn.len;
	return ea;
}

/* Make the operand's address land where it is to; the displacement of an
 * operand without a base is changed in the bytes */
static void aim_operand(void)
{
	u64 want = rnd_address() - segment_base(operand_segment());
	u64 off = want - effective_now();
	u32 i, n = MIN(t.insn.addr_size, 4);

	if (t.insn.base != INSN_NO_REG) {
		t.state.gpr[t.insn.base] += off;
		return;
	}
	if (t.insn.has_modrm && t.insn.index == INSN_NO_REG) {
		u64 disp = (u64)t.insn.disp + off;

		/* Behind ModRM, or behind ModRM and SIB */
		for (i = 0; i + n <= t.insn.len; i++)
			if (!memcmp(t.bytes + i, &t.insn.disp, n)) {
				memcpy(t.bytes + i, &disp, n);
				break;
			}
	} else if (!t.insn.has_modrm && t.insn.mem) {
		memcpy(t.bytes + t.insn.len - t.insn.addr_size, &want,
		       t.insn.addr_size);
	}
}

static bool is_string(void)
{
	return t.insn.map == MAP_ONE &&
	       ((t.insn.opcode >= 0xa4 && t.insn.opcode <= 0xa7) ||
		(t.insn.opcode >= 0xaa && t.insn.opcode <= 0xaf));
}

static bool is_bit_string(void)
{
	return t.insn.map == MAP_0F && (t.insn.opcode & 0xe7) == 0xa3;
}

static void aim_string(void)
{
	u8 seg = t.insn.seg == SEG_COUNT ? SEG_DS : t.insn.seg;
	u64 mask =
		t.insn.addr_size == 8 ? ~0ull : BIT(t.insn.addr_size * 8) - 1;
	u64 *gpr = t.state.gpr;

	gpr[GPR_RSI] = (gpr[GPR_RSI] & ~mask) |
		       ((rnd_address() - segment_base(seg)) & mask);
	gpr[GPR_RDI] = (gpr[GPR_RDI] & ~mask) |
		       ((rnd_address() - segment_base(SEG_ES)) & mask);
	gpr[GPR_RCX] = (gpr[GPR_RCX] & ~mask) | rnd() % 40;
}

/* What CMPXCHG and its like look for is there, every other time */
static void plant_matches(void)
{
	u64 at = segment_base(operand_segment()) + effective_now();
	u64 *gpr = t.state.gpr;

	if (rnd() % 2 || at - NATIVE_DATA > sizeof(t.data) - 16)
		return;
	memcpy(&gpr[GPR_RAX], t.data + (at - NATIVE_DATA), 8);
	memcpy(&gpr[GPR_RDX], t.data + (at - NATIVE_DATA) + 8, 8);
	if (!(t.insn.rex & REX_W))
		gpr[GPR_RDX] = gpr[GPR_RAX] >> 32;
}

/* Numbers of all kinds, also ones that x87 has from integers and doubles, in
 * any rounding; mostly no exception is let through */
static void gen_fpu(void)
{
	struct fake_fxsave *f = &t.state.fx;
	u32 i;

	*f = (struct fake_fxsave){ .fcw = 0x7f, .mxcsr = 0x1f80 };
	f->fcw |= (u16)(rnd() & 0xf00);
	f->fsw = (u16)(rnd() & 0x7f00);
	f->ftw = rnd() % 4 ? (u8)rnd() : 0xff;
	f->mxcsr |= (u32)(rnd() & 0xe03f);
	if (rnd() % 8 == 0)
		f->fcw &= (u16) ~(rnd() & 0x3f);
	if (rnd() % 8 == 0)
		f->mxcsr &= ~(u32)(rnd() & 0x1f80);
	if (rnd() % 16 == 0) {
		f->fsw |= (u16)(rnd() & 0x3f);
		if (f->fsw & ~f->fcw & 0x3f)
			f->fsw |= 0x8080; /* B, ES */
	}
	for (i = 0; i < ARRAY_SIZE(f->st); i++) {
		f->st[i][0] = rnd_value() | (rnd() % 8 ? BIT(63) : 0);
		f->st[i][1] = (rnd() & 0x8000) | (0x3fff - 70 + rnd() % 140);
		if (rnd() % 8 == 0)
			f->st[i][1] = rnd() & 0xffff;
	}
}

static void gen_registers(void)
{
	u64 *gpr = t.state.gpr;
	u32 i;

	for (i = 0; i < GPR_COUNT; i++)
		gpr[i] = rnd_value();
	for (i = 0; i < 16; i++) {
		t.state.xmm[i][0] = rnd();
		t.state.xmm[i][1] = rnd();
		t.state.ymm_high[i][0] = rnd();
		t.state.ymm_high[i][1] = rnd();
	}
	gen_fpu();
	if (is_bit_string())
		gpr[t.insn.reg] = (u64)((s64)(rnd() % 4000) - 2000);
	gpr[GPR_RSP] = rnd_address() - segment_base(SEG_SS);
	if (t.insn.mem)
		aim_operand();
	if (is_string())
		aim_string();
	if (t.insn.map == MAP_0F && t.insn.mem)
		plant_matches();
	t.state.rflags = RFLAGS_FIXED | RFLAGS_IF | (rnd() & ALL_FLAGS);
	if (rnd() % 4 == 0)
		t.state.rflags |= RFLAGS_DF;
	if (rnd() % 8 == 0)
		t.state.rflags |= RFLAGS_AC;
	if (t.mode != INSN_64BIT)
		for (i = 0; i < GPR_COUNT; i++)
			gpr[i] = i < 8 ? (u32)gpr[i] : 0;
}

static u32 rnd_segment(bool stack)
{
	u32 n = ARRAY_SIZE(native_segments) - NATIVE_FIRST_DATA;
	u32 i;

	if (rnd() % 2)
		return NATIVE_FLAT;
	do
		i = NATIVE_FIRST_DATA + (u32)(rnd() % n);
	while (stack && native_segments[i].read_only);
	return i;
}

static void gen_segments(void)
{
	u32 i;

	for (i = 0; i < 3; i++)
		t.segs[i] = rnd_segment(i == 2);
	t.state.ds = native_selector(t.segs[0]);
	t.state.es = native_selector(t.segs[1]);
	t.state.ss = native_selector(t.segs[2]);
	t.state.gs = native_selector(3);
	t.state.rip = NATIVE_CODE;
	t.state.cs = native_selector(NATIVE_CODE32);
	if (t.mode == INSN_16BIT) {
		t.state.cs = native_selector(NATIVE_CODE16);
		t.state.rip = 0;
	} else if (t.mode == INSN_64BIT) {
		t.state.cs = 0;
		if (!have_segments)
			t.state.ds = t.state.es = t.state.gs = 0;
	}
}

/* ---- the guest ---- */

static void guest_segments(void)
{
	u32 i;

	r->seg[SEG_DS] = native_segment(t.segs[0]);
	r->seg[SEG_ES] = native_segment(t.segs[1]);
	r->seg[SEG_SS] = native_segment(t.segs[2]);
	r->seg[SEG_GS] = native_segment(3);
	r->seg[SEG_FS] = (struct segment){ .attr = SEG_ATTR_UNUSABLE };
	r->seg[SEG_CS] = native_segment(t.mode == INSN_16BIT ? NATIVE_CODE16
							     : NATIVE_CODE32);
	if (t.mode != INSN_64BIT)
		return;
	r->seg[SEG_CS].attr = 0xa0fb;
	for (i = 0; i < SEG_COUNT; i++)
		if (!have_segments)
			r->seg[i].base = r->seg[i].sel = 0;
	/* What the kernel runs 64-bit code with */
	__asm__ volatile("mov %%cs, %0" : "=r"(r->seg[SEG_CS].sel));
	__asm__ volatile("mov %%ss, %0" : "=r"(r->seg[SEG_SS].sel));
}

static u64 page_gpa(u32 page)
{
	return (t.device[page] ? DEVICE : PAGES_GPA) + page * PAGE_SIZE;
}

/* The native pages' addresses, one table each: everything else is absent */
static void guest_tables(void)
{
	u64 *pml4 = (u64 *)(ram + PML4), *pdpt = (u64 *)(ram + PDPT);
	u64 *pd = (u64 *)(ram + PD0);
	u64 *code = (u64 *)(ram + TABLES_GPA);
	u64 *data = (u64 *)(ram + TABLES_GPA + PAGE_SIZE);
	u32 i;

	pml4[0] = PDPT | PTE_USER;
	pdpt[1] = PD0 | PTE_USER;
	pd[NATIVE_CODE / PAGE_2M % 512] = TABLES_GPA | PTE_USER;
	pd[NATIVE_DATA / PAGE_2M % 512] = (TABLES_GPA + PAGE_SIZE) | PTE_USER;
	code[0] = CODE_GPA | PTE_USER;
	for (i = 0; i < NATIVE_DATA_LIVE; i++) {
		data[i] = page_gpa(i) | PTE_USER;
		if (i == 2)
			data[i] &= ~PTE_W;
	}
}

static void guest_fill(void)
{
	u32 i;

	guest_reset();
	memset(ram + PML4, 0, TABLES_GPA + 2 * PAGE_SIZE - PML4);
	guest_tables();
	memset(ram + CODE_GPA, 0xcc, 64);
	memcpy(ram + CODE_GPA, t.bytes, INSN_MAX);
	for (i = 0; i < NATIVE_DATA_LIVE; i++) {
		u8 *to = t.device[i] ? device : ram + PAGES_GPA;

		memcpy(to + i * PAGE_SIZE, t.data + i * PAGE_SIZE, PAGE_SIZE);
	}
	r->cr0 |= CR0_AM;
	r->cr4 |= CR4_OSFXSR | CR4_OSXSAVE | CR4_OSXMMEXCPT;
	if (!native_avx)
		xcr0 = XCR0_X87 | XCR0_SSE;
	guest_segments();
	memcpy(r->gpr, t.state.gpr, sizeof(r->gpr));
	for (i = 0; i < 16; i++) {
		memcpy(ymm[i], t.state.xmm[i], sizeof(t.state.xmm[i]));
		memcpy(&ymm[i][2], t.state.ymm_high[i],
		       sizeof(t.state.ymm_high[i]));
	}
	fx = t.state.fx;
	r->rip = t.state.rip;
	r->rflags = t.state.rflags;
}

static void guest_run(void)
{
	enum verdict verdict;
	u32 i;

	for (i = 0; i < NATIVE_STEPS; i++) {
		memset(e, 0, sizeof(*e));
		e->kind = EXIT_MMIO;
		e->mmio.walk = true; /* it finds its operand itself */
		verdict = emulate_mmio(&vcpu, e);
		if (verdict != VERDICT_RESUME)
			break;
	}
	if (verdict == VERDICT_ADVANCE) {
		r->rip += e->insn_len;
		if (t.mode != INSN_64BIT)
			r->rip &= t.mode == INSN_32BIT ? ~0u : 0xffffu;
	}
}

/* ---- the same on the CPU ---- */

static void native_fill(void)
{
	memset((void *)NATIVE_CODE, 0xcc, 64);
	memcpy((void *)NATIVE_CODE, t.bytes, INSN_MAX);
	memcpy((void *)NATIVE_DATA, t.data, sizeof(t.data));
}

static bool is_x87(void)
{
	return t.insn.map == MAP_ONE && (t.insn.opcode & 0xf8) == 0xd8;
}

/* FNSTENV and FNSAVE store where the last instruction was, and that was another
 * one on either side (SDM 1 figures 8-9 and 8-11) */
static void forget_last_insn(void)
{
	u64 at = segment_base(operand_segment()) + effective_now();
	bool narrow = t.insn.operand_size == 2;
	u64 from = at - NATIVE_DATA + (narrow ? 6 : 12);
	u64 to = at - NATIVE_DATA + (narrow ? 14 : 28);

	if ((t.insn.opcode != 0xd9 && t.insn.opcode != 0xdd) ||
	    (t.insn.reg & 7) != 6 || !is_x87() || at < NATIVE_DATA)
		return;
	for (; from < to && to <= sizeof(t.data); from++) {
		u8 *page =
			t.device[from / PAGE_SIZE] ? device : ram + PAGES_GPA;

		page[from] = ((u8 *)NATIVE_DATA)[from];
	}
}

/* PUSH of a segment register in 32-bit code or wider: two bytes are written, or
 * all, with zeros (SDM 2B, PUSH) */
static bool is_push_segment(void)
{
	static const u8 one[] = { 0x06, 0x0e, 0x16, 0x1e };
	u8 op = t.insn.opcode;

	if (t.insn.map == MAP_0F)
		return op == 0xa0 || op == 0xa8;
	return t.insn.map == MAP_ONE && memchr(one, op, sizeof(one));
}

static void forget_push_segment(void)
{
	u64 mask = r->seg[SEG_SS].attr & SEG_ATTR_DB ? ~0u : 0xffffu;
	u64 sp =
		t.mode == INSN_64BIT ? r->gpr[GPR_RSP] : r->gpr[GPR_RSP] & mask;
	u64 at = segment_base(SEG_SS) + sp - NATIVE_DATA;
	u64 from = at + 2, to = at + t.insn.operand_size;

	if (!is_push_segment() || injected >= 0 || at >= sizeof(t.data))
		return;
	for (; from < to && to <= sizeof(t.data); from++) {
		u8 *page =
			t.device[from / PAGE_SIZE] ? device : ram + PAGES_GPA;

		if (!page[from])
			page[from] = ((u8 *)NATIVE_DATA)[from];
	}
}

static bool memory_same(void)
{
	u32 i;

	forget_last_insn();
	forget_push_segment();
	for (i = 0; i < NATIVE_DATA_LIVE; i++) {
		const u8 *is = t.device[i] ? device : ram + PAGES_GPA;

		if (memcmp(is + i * PAGE_SIZE,
			   (u8 *)NATIVE_DATA + i * PAGE_SIZE, PAGE_SIZE))
			return false;
	}
	return true;
}

static bool is_popa(void)
{
	return t.insn.map == MAP_ONE && t.insn.opcode == OP_POPA;
}

static bool is_divide(void)
{
	return t.insn.map == MAP_ONE && (t.insn.opcode & 0xfe) == 0xf6 &&
	       (t.insn.reg & 7) >= 6;
}

/* Some CPUs note the last instruction only where an exception waits */
static bool x87_differs(const struct fake_fxsave *n)
{
	if (fx.fcw != n->fcw || fx.fsw != n->fsw || fx.ftw != n->ftw ||
	    memcmp(fx.st, n->st, sizeof(fx.st)))
		return true;
	return (fx.fsw & 0x80) && is_x87() &&
	       ((u32)fx.fip != (u32)n->fip || (u32)fx.fdp != (u32)n->fdp ||
		fx.fop != n->fop);
}

/* REP with 32-bit addresses in 64-bit code: some CPUs clear the upper halves of
 * RCX, RSI and RDI although no iteration was done */
static u64 register_mask(u32 gpr)
{
	bool counts = gpr == GPR_RCX || gpr == GPR_RSI || gpr == GPR_RDI;

	if (t.mode != INSN_64BIT ||
	    (counts && is_string() && t.insn.addr_size == 4 &&
	     (t.insn.rep || t.insn.repne)))
		return 0xffffffffull;
	return ~0ull;
}

/* A SCAS or CMPS that faults has its flags from before, or of the iterations
 * that it did (SDM 2B, REP) */
static u64 flags_mask(void)
{
	if (is_divide() || (injected >= 0 && is_string()))
		return RFLAGS_DF;
	return FLAGS;
}

/* A store that faults: some CPUs have entered MMX mode by then, or set MXCSR's
 * flags (MOVD, MOVQ, MOVNTQ; VCVTPS2PH) */
static bool may_have_begun(void)
{
	u8 op = t.insn.opcode;

	if (injected < 0)
		return false;
	return (t.insn.map == MAP_0F &&
		(op == 0x7e || op == 0x7f || op == 0xe7)) ||
	       (t.insn.map == MAP_VEX_0F3A && op == 0x1d);
}

/* Which components are in use, some CPUs track more closely (SDM 1 13.6) */
static bool is_xsavec(void)
{
	return t.insn.map == MAP_0F && t.insn.opcode == 0xc7 &&
	       (t.insn.reg & 7) == 4;
}

static const char *difference(const struct native *n)
{
	u32 i;

	if (injected != n->vector)
		return "vector";
	if (injected >= 0 && EXC_HAS_ERROR_MASK >> injected & 1 &&
	    injected_error != n->error)
		return "error code";
	if (injected == EXC_PF && r->cr2 != n->cr2)
		return "CR2";
	/* A POPA that faults has popped some of them, or none */
	for (i = 0; i < GPR_COUNT && !(injected >= 0 && is_popa()); i++)
		if ((r->gpr[i] ^ n->gpr[i]) & register_mask(i))
			return "registers";
	if ((r->rflags ^ n->rflags) & flags_mask())
		return "flags";
	for (i = 0; i < 16; i++)
		if (memcmp(ymm[i], n->xmm[i], sizeof(n->xmm[i])) ||
		    (native_avx && memcmp(&ymm[i][2], n->ymm_high[i],
					  sizeof(n->ymm_high[i]))))
			return "XMM";
	if (!may_have_begun() && x87_differs(&n->fx))
		return "x87";
	if (!may_have_begun() && fx.mxcsr != n->fx.mxcsr)
		return "MXCSR";
	if (r->rip != n->rip)
		return "RIP";
	return is_xsavec() || memory_same() ? NULL : "memory";
}

static void report(const char *what, const struct native *n)
{
	u32 i;

	printf("%u-bit", 16u << t.mode);
	for (i = 0; i < t.insn.len; i++)
		printf(" %02x", t.bytes[i]);
	printf(": %s differ(s)\n", what);
	printf("  vector %d error %x cr2 %llx; the CPU %d %x %llx\n", injected,
	       injected_error, r->cr2, n->vector, n->error, n->cr2);
	printf("  flags %llx -> %llx, the CPU %llx; rip %llx, the CPU %llx\n",
	       t.state.rflags, r->rflags, n->rflags, r->rip, n->rip);
	for (i = 0; i < GPR_COUNT; i++)
		if (r->gpr[i] != n->gpr[i])
			printf("  r%u %llx -> %llx, the CPU %llx\n", i,
			       t.state.gpr[i], r->gpr[i], n->gpr[i]);
	fflush(stdout);
}

/* What depends on descriptors, or on the flags that this test steps with: tests
 * of their own have it */
static bool is_system(void)
{
	static const u8 one[] = {
		0x07, 0x17, 0x1f, 0x8e, 0x9c, 0x9d, 0xc4, 0xc5
	};
	static const u8 two[] = { 0x00, 0x01, 0x02, 0x03, 0xa1,
				  0xa9, 0xb2, 0xb4, 0xb5 };
	u8 op = t.insn.opcode, reg = t.insn.reg & 7;

	if (t.insn.map == MAP_0F)
		return memchr(two, op, sizeof(two));
	if (t.insn.map != MAP_ONE)
		return false;
	return memchr(one, op, sizeof(one)) ||
	       (op == 0xff && (reg == 3 || reg == 5));
}

/* XSAVE of what the CPU has and the guest here has not, such as AVX-512 */
static bool saves_more(void)
{
	u64 asked = (u32)r->gpr[GPR_RAX] | r->gpr[GPR_RDX] << 32;

	return t.insn.map == MAP_0F && t.insn.opcode == 0xae && t.insn.mem &&
	       ((t.insn.reg & 7) == 4 || (t.insn.reg & 7) == 6) &&
	       asked & cpu_xcr0 & ~xcr0;
}

/* What vendors differ in: a 66 before a near branch, or before MOVSXD, in
 * 64-bit code. And FS, which is the C library's here. */
static bool is_left_out(void)
{
	u8 op = t.insn.opcode, reg = t.insn.reg & 7;

	if (t.insn.seg == SEG_FS || is_system())
		return true;
	/* VPEXTRQ, VPINSRQ outside 64-bit code: #UD, or W is ignored */
	if (t.insn.map == MAP_VEX_0F3A && (op == 0x16 || op == 0x22) &&
	    t.insn.vex_w && t.mode != INSN_64BIT)
		return true;
	/* VPERMQ, VPERMPD without W: #UD, or W is ignored (AMD, family 19h) */
	if (t.insn.map == MAP_VEX_0F3A && op <= 0x01 && !t.insn.vex_w)
		return true;
	if (t.mode != INSN_64BIT || t.insn.map != MAP_ONE || !t.insn.opsize)
		return false;
	return op == 0x63 || op == 0xc2 || op == 0xc3 || op == 0xe8 ||
	       (op == 0xff && (reg == 2 || reg == 4));
}

/* Extensions that are younger than the others: #UD here */
static bool is_absent(void)
{
	u8 op = t.insn.opcode;

	switch (t.insn.map) {
	case MAP_0F: /* SSE4A's MOVNTSS, MOVNTSD */
		return op == 0x2b && (t.insn.rep || t.insn.repne) && !has_sse4a;
	case MAP_0F38:
	case MAP_VEX_0F38:
		return (op == 0xcf && !(cpu_leaf7[2] & BIT(8))) || /* GFNI */
		       (op == 0xf9 && !(cpu_leaf7[2] & BIT(27))) ||
		       (op >= 0x50 && op <= 0x53 && !has_vnni) ||
		       (op >= 0xc8 && op <= 0xcd && !(cpu_leaf7[1] & BIT(29)));
	case MAP_0F3A:
	case MAP_VEX_0F3A:
		return (op >= 0xce && op <= 0xcf && !(cpu_leaf7[2] & BIT(8))) ||
		       (op == 0xcc && !(cpu_leaf7[1] & BIT(29))); /* SHA */
	default:
		return false;
	}
}

static bool is_sha(void)
{
	u8 op = t.insn.opcode;

	return t.insn.map == MAP_0F38 ? op >= 0xc8 && op <= 0xcd
				      : t.insn.map == MAP_0F3A && op == 0xcc;
}

/* An environment or a save area, of which the CPU may look at any part first */
static bool is_area(void)
{
	u8 op = t.insn.opcode;

	return is_x87() || (t.insn.map == MAP_0F && (op == 0xae || op == 0xc7));
}

/* One class of SDM 3A table 6-2: which of them comes first, each processor has
 * for itself */
static bool is_execution_fault(int vector)
{
	return vector == EXC_BR || vector == EXC_SS || vector == EXC_GP ||
	       vector == EXC_PF || vector == EXC_AC || vector == EXC_XM;
}

/* Alignment of 16 bytes and more, and of what PUSH may write as two, is checked
 * by some processors alone (SDM 2B, MOVUPS; SDM 3A 6.15, *Interrupt 17*) */
static bool may_check_alignment(void)
{
	return is_push_segment() || vector_find(&t.insn);
}

/* An operand that wraps at 4 GiB in a segment without a limit (SDM 3A 5.3) */
static bool may_wrap(void)
{
	return t.mode != INSN_64BIT && (u32)effective_now() > 0xfffffff0u;
}

/* CMPS's operands; a CALL's target and its stack: either may fault first */
static bool has_two_accesses(void)
{
	u8 op = t.insn.opcode;

	return t.insn.map == MAP_ONE &&
	       (op == 0xa6 || op == 0xa7 || op == 0xe8 || op == 0xff);
}

/* What the manuals leave to the processor: the order of two faults, and some
 * faults themselves. And SHA, which some do anywhere, against the manual. */
static bool either_fault(const struct native *n)
{
	if (is_sha() && injected == EXC_GP)
		return true;
	if (injected < 0 && n->vector == EXC_PF)
		return is_area() && !is_x87(); /* parts that stay unused */
	if (injected >= 0 && n->vector < 0 && is_x87() && n->fx.fsw & 0x80)
		return true; /* unmasked, so that nothing is stored */
	if (injected == EXC_AC && n->vector < 0)
		return may_check_alignment();
	if ((injected == EXC_GP || injected == EXC_SS) && n->vector < 0)
		return may_wrap();
	return is_execution_fault(injected) && is_execution_fault(n->vector) &&
	       (injected != n->vector || is_area() || has_two_accesses());
}

/* Far from the data: on the host there may be something */
static bool is_astray(void)
{
	return injected == EXC_PF &&
	       (r->cr2 < NATIVE_DATA - 64 || r->cr2 > NATIVE_DATA + MIB(1));
}

static void compare(void)
{
	struct native n = t.state;
	const char *what;

	guest_fill();
	refusals = 0;
	guest_run();
	if (refusals) {
		refused++;
		return;
	}
	if (is_astray() || is_left_out() || saves_more() || is_absent()) {
		skipped++;
		return;
	}
	native_fill();
	n.repeats = is_string() && (t.insn.rep || t.insn.repne);
	native_protect(true);
	native_run(&n);
	native_protect(false);
	ran++;
	faulted += n.vector >= 0;
	seen[t.insn.map][t.insn.opcode] += n.vector < 0;
	what = either_fault(&n) ? NULL : difference(&n);
	if (what && ++reports <= MAX_REPORTS)
		report(what, &n);
}

/* One of the list of hv/emulate/vector_table.c, with some prefix */
static bool in_vector_list(const struct insn *insn)
{
	struct insn i = *insn;
	u32 prefix;

	for (prefix = 0; prefix < 4; prefix++) {
		i.opsize = prefix == 1;
		i.rep = prefix == 2;
		i.repne = prefix == 3;
		i.reg = 2; /* LDMXCSR */
		if (vector_find(&i))
			return true;
	}
	return false;
}

/* Of the larger maps little is emulated */
static bool is_worth_it(enum insn_map map, u8 opcode)
{
	struct insn i = { .map = map,
			  .opcode = opcode,
			  .vector = map >= MAP_VEX_0F ? 16 : 0 };

	return map <= MAP_0F || in_vector_list(&i) || rnd() % 16 == 0 ||
	       (map == MAP_0F38 && opcode >= 0xf0);
}

static void one(enum insn_map map, u8 opcode, u8 reg)
{
	u32 i;

	if (!is_worth_it(map, opcode))
		return;
	gen_insn(map, opcode, reg);
	if (insn_decode(&t.insn, t.bytes, INSN_MAX, t.mode))
		return;
	gen_segments();
	guest_segments();
	for (i = 0; i < sizeof(t.data); i += 8)
		*(u64 *)(t.data + i) = i % 64 ? rng + i : rnd_value();
	for (i = 0; i < NATIVE_DATA_LIVE; i++)
		t.device[i] = rnd() % 2;
	gen_registers();
	if (!insn_decode(&t.insn, t.bytes, INSN_MAX, t.mode))
		compare();
}

/* ModRM.reg: each in turn, of VEX's 0F AE what there is */
static u8 reg_for(enum insn_map map, u8 opcode, u64 n)
{
	return map == MAP_VEX_0F && opcode == 0xae ? 2 | (n & 1) : n % 8;
}

static u64 number(const char *name, u64 otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static u32 cpu_leaf81_ecx(void)
{
	u32 leaf[4];

	__cpuid(0x80000001, leaf[0], leaf[1], leaf[2], leaf[3]);
	return leaf[2];
}

static void test_like_the_cpu(void **state)
{
	u64 rounds = number("EMULATE_ROUNDS", ROUNDS);
	u64 n;
	u32 opcode, mode, first;

	if (!native_init(&have_segments))
		skip();
	__cpuid_count(7, 0, cpu_leaf7[0], cpu_leaf7[1], cpu_leaf7[2],
		      cpu_leaf7[3]);
	if (cpu_leaf7[0]) {
		u32 leaf[4];

		__cpuid_count(7, 1, leaf[0], leaf[1], leaf[2], leaf[3]);
		has_vnni = leaf[0] & BIT(4);
	}
	if (native_avx)
		cpu_xcr0 = xgetbv(0);
	has_sse4a = cpu_leaf81_ecx() & BIT(6);
	rng = number("EMULATE_SEED", 1) * 0x9e3779b97f4a7c15ull + 1;
	first = have_segments ? INSN_16BIT : INSN_64BIT;
	for (n = 0; n < rounds * 8; n++)
		for (opcode = 0; opcode < ARRAY_SIZE(maps) * 256; opcode++)
			for (mode = first; mode <= INSN_64BIT; mode++) {
				t.mode = mode;
				one(maps[opcode / 256], (u8)opcode,
				    reg_for(maps[opcode / 256], (u8)opcode, n));
			}
	printf("%u compared, %u of them faults; %u refused, %u astray, %u "
	       "differ\n",
	       ran, faulted, refused, skipped, reports);
	assert_int_equal(reports, 0);
}

static void vector_compared(enum insn_map map, u8 opcode)
{
	t.insn = (struct insn){ .map = map,
				.opcode = opcode,
				.vector = map >= MAP_VEX_0F ? 16 : 0 };
	if (in_vector_list(&t.insn) && !is_absent() && !seen[map][opcode])
		fail_msg("map %u opcode %02x", map, opcode);
}

/* Each opcode of the tables was really compared, without a fault */
static void test_all_compared(void **state)
{
	static const u8 one_byte[] = { 0x00, 0x03, 0x13, 0x50, 0x58, 0x63, 0x69,
				       0x6b, 0x68, 0x80, 0x83, 0x87, 0x89, 0x8a,
				       0x8c, 0x8f, 0xa0, 0xa3, 0xa4, 0xa7, 0xab,
				       0xad, 0xae, 0xc0, 0xc3, 0xc7, 0x06, 0x60,
				       0x61, 0xc8, 0xc9, 0xd0, 0xd3, 0xe8, 0xf6,
				       0xf7, 0xfe, 0xff };
	static const u8 two_byte[] = {
		0x44, 0x95, 0xa3, 0xa4, 0xad, 0xab, 0xaf,
		0xb0, 0xb1, 0xb6, 0xba, 0xbf, 0xc1, 0xc3,
		0xc7, 0xa0, 0xa8, 0xbc, 0xbd, 0xb8, 0xae
	};
	u32 i;

	if (!ran)
		skip();
	for (i = 0; i < ARRAY_SIZE(one_byte); i++)
		if (!seen[MAP_ONE][one_byte[i]])
			fail_msg("opcode %02x", one_byte[i]);
	for (i = 0; i < ARRAY_SIZE(two_byte); i++)
		if (!seen[MAP_0F][two_byte[i]])
			fail_msg("opcode 0f %02x", two_byte[i]);
	for (i = 0xd8; i <= 0xdf; i++)
		if (!seen[MAP_ONE][i])
			fail_msg("opcode %02x", i);
	if (cpu_leaf7[1] &
	    BIT(5)) /* AVX2; then all but the youngest is there */
		for (i = 0; i < ARRAY_SIZE(maps) * 256; i++)
			vector_compared(maps[i / 256], (u8)i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_the_cpu),
		cmocka_unit_test(test_all_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
