/* SOURCES: hv/emulate/alu.c hv/emulate/bits.c hv/emulate/emulate.c hv/emulate/mem.c hv/emulate/operand.c hv/emulate/ops.c hv/emulate/segment.c hv/emulate/stack.c hv/emulate/string.c hv/emulate/system.c hv/emulate/vector.c hv/emulate/vector_table.c hv/emulate/by_stub.c hv/emulate/x87.c hv/emulate/legacy.c hv/emulate/verify.c hv/emulate/fxsave.c hv/emulate/xsave.c hv/emulate/stage.c hv/emulate/task_memory.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/gmem.c hv/core/walk.c hv/core/bus.c lib/printf.c lib/string.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Selectors, far pointers, descriptor tables and the machine status word that
 * an instruction finds in device memory (SDM 2A, 2B: MOV, POP, LSS, JMP, CALL,
 * LTR, LLDT, SGDT, LGDT, SMSW, LMSW), and the vector state its moves need. Over
 * 400 lines: one guest serves every case.
 */
#include "tests/unit/fakes/small_guest.h"

#include "hv/core/piece.h"

#define GDT     0x9000ull
#define CODE64  0x08
#define DATA    0x10
#define ABSENT  0x18
#define USER    0x20
#define CODE32  0x28
#define TSS     0x30 /* 16 bytes */
#define LDT     0x40
#define BAD_TSS 0x50 /* its base is not canonical */
#define DATA16  0x60
#define GDT_END 0x68
#define BASE    0x12345678u

static const u64 gdt[] = {
	0, /* base BASE in all of them */
	0x12af9a345678ffff,
	0x12cf92345678ffff,
	0x12cf12345678ffff,
	0x12cff2345678ffff,
	0x12cf9a345678ffff,
	0x120089345678ffff,
	0x00000000ffff8000,
	0x120082345678ffff,
	0x0000000000000007,
	0x120089345678ffff,
	0x0000000012345678,
	0x120092345678ffff,
};

static void put(u64 value, u16 sel)
{
	memcpy(device, &value, 8);
	memcpy(device + 8, &sel, 2);
}

static int setup(void **state)
{
	guest_reset();
	memcpy(ram + GDT, gdt, sizeof(gdt));
	r->gdtr = (struct segment){ .base = GDT, .limit = GDT_END - 1 };
	r->gpr[GPR_RDI] = DEVICE;
	r->gpr[GPR_RSP] = BUFFER;
	return 0;
}

#define RUN(bytes) mmio(bytes, sizeof(bytes) - 1, DEVICE, ACCESS_R)

static u8 access_byte(u16 sel)
{
	return ram[GDT + sel + 5];
}

static void faults_with(int vector, u32 error)
{
	assert_int_equal(injected, vector);
	assert_int_equal(injected_error, error);
	injected = -1;
}

static void test_mov_data(void **state)
{
	put(DATA, 0);
	assert_int_equal(RUN("\x8e\x1f"), VERDICT_ADVANCE); /* mov ds, [rdi] */
	assert_int_equal(r->seg[SEG_DS].sel, DATA);
	assert_int_equal(r->seg[SEG_DS].base, BASE);
	assert_int_equal(r->seg[SEG_DS].limit, ~0u);
	assert_int_equal(r->seg[SEG_DS].attr, 0xc093);
	assert_int_equal(access_byte(DATA), 0x93);
	assert_true(r->dirty & RG_SEG);
	put(3, 0);
	assert_int_equal(RUN("\x8e\x1f"), VERDICT_ADVANCE); /* null */
	assert_true(r->seg[SEG_DS].attr & SEG_ATTR_UNUSABLE);
	assert_int_equal(r->seg[SEG_DS].sel, 3);
}

static void test_mov_faults(void **state)
{
	static const struct {
		u16 sel;
		u8 vector;
		u32 error;
	} rows[] = {
		{ ABSENT, EXC_NP, ABSENT },     { GDT_END, EXC_GP, GDT_END },
		{ TSS, EXC_GP, TSS },           { DATA | 3, EXC_GP, DATA },
		{ DATA | 4, EXC_GP, DATA | 4 }, /* no LDT */
	};
	struct segment before = r->seg[SEG_DS];

	r->seg[SEG_LDTR].attr = SEG_ATTR_UNUSABLE;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		put(rows[i].sel, 0);
		assert_int_equal(RUN("\x8e\x1f"), VERDICT_INJECT);
		faults_with(rows[i].vector, rows[i].error);
		assert_memory_equal(&r->seg[SEG_DS], &before, sizeof(before));
	}
	assert_int_equal(RUN("\x8e\x0f"), VERDICT_INJECT); /* mov cs */
	assert_int_equal(injected, EXC_UD);
}

/* Stepped over here: the shadow outlives the instruction */
static void test_mov_ss(void **state)
{
	r->rflags |= RFLAGS_TF;
	put(DATA, 0);
	assert_int_equal(RUN("\x8e\x17"), VERDICT_RESUME);
	assert_int_equal(r->rip, CODE + 2);
	assert_int_equal(r->shadow, SHADOW_MOV_SS);
	/* Behind STI: its shadow ends, that of NMIs does not */
	r->rip = CODE;
	r->shadow = SHADOW_STI | SHADOW_NMI;
	assert_int_equal(RUN("\x8e\x17"), VERDICT_RESUME);
	assert_int_equal(r->shadow, SHADOW_MOV_SS | SHADOW_NMI);
	r->shadow = SHADOW_MOV_SS;
	assert_int_equal(injected, -1);
	assert_int_equal(r->seg[SEG_SS].base, BASE);
	r->rip = CODE;
	put(USER | 3, 0);
	assert_int_equal(RUN("\x8e\x17"), VERDICT_INJECT);
	faults_with(EXC_GP, USER);
	put(ABSENT, 0);
	assert_int_equal(RUN("\x8e\x17"), VERDICT_INJECT);
	faults_with(EXC_SS, ABSENT);
	put(3, 0); /* null, with the wrong RPL */
	assert_int_equal(RUN("\x8e\x17"), VERDICT_INJECT);
	faults_with(EXC_GP, 0);
	put(0, 0);
	assert_int_equal(RUN("\x8e\x17"), VERDICT_RESUME);
	assert_true(r->seg[SEG_SS].attr & SEG_ATTR_UNUSABLE);
}

/* From a stack of 32 bits to one of 16: ESP counts, not SP (SDM 2B, POP) */
static void test_pop_ss(void **state)
{
	const u64 esp = DEVICE + 0xfffe;
	const u16 sel[] = { DATA16, ABSENT };

	r->cr0 = CR0_PE;
	r->efer = 0;
	for (u32 i = SEG_ES; i <= SEG_GS; i++)
		r->seg[i] = (struct segment){ .limit = ~0u, .attr = 0xc093 };
	r->seg[SEG_CS].attr = 0xc09b;
	r->gpr[GPR_RSP] = esp;
	memcpy(device + 0xfffe, &sel[1], 2);
	assert_int_equal(RUN("\x66\x17"), VERDICT_INJECT);
	faults_with(EXC_SS, ABSENT);
	assert_int_equal(r->gpr[GPR_RSP], esp);
	memcpy(device + 0xfffe, &sel[0], 2);
	assert_int_equal(RUN("\x66\x17"), VERDICT_RESUME);
	assert_int_equal(r->seg[SEG_SS].sel, DATA16);
	assert_int_equal(r->gpr[GPR_RSP], esp + 2);
}

static void test_real_mode(void **state)
{
	r->cr0 = 0;
	r->efer = 0;
	r->seg[SEG_CS].attr = 0x9b;
	for (u32 i = 0; i < SEG_COUNT; i++)
		r->seg[i].limit = 0xffff;
	r->seg[SEG_ES].base = DEVICE;
	r->gpr[GPR_RDI] = 0;
	put(0x56781234, 0);
	/* lds di, es:[di]; then jmp far es:[di] */
	assert_int_equal(RUN("\x26\xc5\x3d"), VERDICT_ADVANCE);
	assert_int_equal(r->seg[SEG_DS].base, 0x56780);
	assert_int_equal(r->gpr[GPR_RDI], 0x1234);
	r->gpr[GPR_RDI] = 0;
	assert_int_equal(RUN("\x26\xff\x2d"), VERDICT_ADVANCE);
	assert_int_equal(r->seg[SEG_CS].sel, 0x5678);
	assert_int_equal(r->seg[SEG_CS].base, 0x56780);
	assert_int_equal((u16)(r->rip + 3), 0x1234);
}

static void test_far_jump(void **state)
{
	put(0xffff800000001234, CODE64);
	assert_int_equal(RUN("\x48\xff\x2f"), VERDICT_ADVANCE);
	assert_int_equal(r->seg[SEG_CS].sel, CODE64);
	assert_int_equal(r->rip + 3, 0xffff800000001234);
	r->rip = CODE;
	put(0x0000800000000000, CODE64);
	assert_int_equal(RUN("\x48\xff\x2f"), VERDICT_INJECT);
	faults_with(EXC_GP, 0);
	put(0x1234, DATA);
	assert_int_equal(RUN("\x48\xff\x2f"), VERDICT_INJECT);
	faults_with(EXC_GP, DATA);
	put(0x1234, 0);
	assert_int_equal(RUN("\x48\xff\x2f"), VERDICT_INJECT);
	faults_with(EXC_GP, 0);
	put(0x1234, TSS); /* a task switch */
	assert_int_equal(RUN("\x48\xff\x2f"), VERDICT_KILL);
}

static void test_far_call(void **state)
{
	const u32 *stack = (const u32 *)(ram + BUFFER);

	r->seg[SEG_CS].sel = CODE64;
	put((u64)CODE32 << 32 | 0x4321, 0);
	assert_int_equal(RUN("\xff\x1f"), VERDICT_ADVANCE); /* m16:32 */
	assert_int_equal(r->seg[SEG_CS].base, BASE);
	assert_int_equal(r->rip + 2, 0x4321);
	assert_int_equal(r->gpr[GPR_RSP], BUFFER - 8);
	assert_int_equal(stack[-1], CODE64);
	assert_int_equal(stack[-2], CODE + 2);
}

static void test_ltr_lldt(void **state)
{
	put(TSS, 0);
	assert_int_equal(RUN("\x0f\x00\x1f"), VERDICT_ADVANCE);
	assert_int_equal(r->seg[SEG_TR].base, 0xffff800012345678);
	assert_int_equal(r->seg[SEG_TR].attr & 0xff, 0x8b);
	assert_int_equal(access_byte(TSS), 0x8b);
	assert_int_equal(RUN("\x0f\x00\x1f"), VERDICT_INJECT); /* busy */
	faults_with(EXC_GP, TSS);
	put(BAD_TSS, 0);
	assert_int_equal(RUN("\x0f\x00\x1f"), VERDICT_INJECT);
	faults_with(EXC_GP, BAD_TSS);
	put(LDT, 0);
	assert_int_equal(RUN("\x0f\x00\x17"), VERDICT_ADVANCE);
	assert_int_equal(r->seg[SEG_LDTR].base, 0x712345678);
	assert_int_equal(RUN("\x0f\x00\x0f"), VERDICT_ADVANCE); /* str */
	assert_int_equal(*(u16 *)device, TSS);
}

/* A GDT that is mapped read-only, as many are: only an accessed or busy bit
 * that has to be set makes a load fault (SDM 3A 3.4.5.1) */
static void test_read_only_gdt(void **state)
{
	u64 *pd = (u64 *)(ram + PD0);

	r->cr0 |= CR0_WP;
	pd[0] &= ~(u64)PTE_W;
	put(DATA, 0);
	assert_int_equal(RUN("\x8e\x1f"), VERDICT_INJECT); /* mov ds, [rdi] */
	faults_with(EXC_PF, PF_P | PF_W);
	assert_int_equal(r->cr2, GDT + DATA);
	assert_int_not_equal(r->seg[SEG_DS].sel, DATA);
	assert_int_equal(access_byte(DATA), 0x92);
	put(TSS, 0);
	assert_int_equal(RUN("\x0f\x00\x1f"), VERDICT_INJECT); /* ltr */
	faults_with(EXC_PF, PF_P | PF_W);
	assert_int_equal(access_byte(TSS), 0x89);
	put(LDT, 0);
	assert_int_equal(RUN("\x0f\x00\x17"), VERDICT_ADVANCE); /* lldt */
	ram[GDT + DATA + 5] |= 1;
	put(DATA, 0);
	assert_int_equal(RUN("\x8e\x1f"), VERDICT_ADVANCE);
	assert_int_equal(r->seg[SEG_DS].sel, DATA);
	/* Without WP a supervisor writes to it */
	r->cr0 &= ~(u64)CR0_WP;
	put(TSS, 0);
	assert_int_equal(RUN("\x0f\x00\x1f"), VERDICT_ADVANCE);
	assert_int_equal(access_byte(TSS), 0x8b);
}

static void test_tables(void **state)
{
	r->idtr = (struct segment){ .base = 0xffff800000005000, .limit = 77 };
	memset(device, 0x55, 16);
	assert_int_equal(RUN("\x0f\x01\x0f"), VERDICT_ADVANCE); /* sidt */
	assert_memory_equal(device, "\x4d\0\0\x50\0\0\0\x80\xff\xff\x55", 11);
	assert_int_equal(RUN("\x0f\x01\x17"), VERDICT_ADVANCE); /* lgdt */
	assert_int_equal(r->gdtr.base, r->idtr.base);
	assert_int_equal(r->gdtr.limit, 77);
	device[9] = 0x7f;
	assert_int_equal(RUN("\x0f\x01\x17"), VERDICT_INJECT);
	faults_with(EXC_GP, 0);
	r->cr4 |= CR4_UMIP;
	r->seg[SEG_SS].attr |= 3u << 5;
	assert_int_equal(RUN("\x0f\x01\x0f"), VERDICT_INJECT);
	faults_with(EXC_GP, 0);
}

static void test_msw(void **state)
{
	memset(device, 0x55, 8);
	assert_int_equal(RUN("\x48\x0f\x01\x27"), VERDICT_ADVANCE);
	assert_int_equal(*(u32 *)device, 0x55550000 | (u16)r->cr0);
	assert_int_equal(RUN("\x0f\x01\x37"), VERDICT_ADVANCE);
	assert_int_equal(msw, (u16)r->cr0);
}

static void test_flags(void **state)
{
	u64 *top = (u64 *)device;

	r->gpr[GPR_RSP] = DEVICE + 8;
	r->rflags |= RFLAGS_RF | RFLAGS_CF;
	assert_int_equal(RUN("\x9c"), VERDICT_ADVANCE);
	assert_int_equal(*top, RFLAGS_FIXED | RFLAGS_CF);
	*top = ~0ull;
	assert_int_equal(RUN("\x9d"), VERDICT_RESUME);
	assert_int_equal(r->rip, CODE + 1);
	assert_int_equal(r->rflags, 0x247fd7); /* no VM, RF, VIF, VIP */
	assert_int_equal(injected, -1);        /* TF was not set before it */
	r->rip = CODE;
	r->gpr[GPR_RSP] = DEVICE;
	r->rflags &= ~(RFLAGS_IOPL | RFLAGS_IF);
	r->seg[SEG_SS].attr |= 3u << 5;
	assert_int_equal(RUN("\x9d"), VERDICT_RESUME);
	assert_false(r->rflags & (RFLAGS_IOPL | RFLAGS_IF));
	assert_int_equal(injected, EXC_DB); /* but now it was */
}

/* Who may use which registers (SDM 3A 2.5, SDM 1 14.3) */
static void test_vector_state(void **state)
{
	assert_int_equal(RUN("\x0f\x10\x07"), VERDICT_INJECT); /* no OSFXSR */
	assert_int_equal(injected, EXC_UD);
	assert_int_equal(RUN("\x0f\x6f\x07"), VERDICT_ADVANCE); /* MMX may */
	assert_int_equal(RUN("\xc5\xf8\x10\x07"), VERDICT_INJECT);
	r->cr4 |= CR4_OSXSAVE;
	assert_int_equal(RUN("\xc5\xf8\x10\x07"), VERDICT_ADVANCE);
	xcr0 = XCR0_X87 | XCR0_SSE;
	injected = -1;
	assert_int_equal(RUN("\xc5\xf8\x10\x07"), VERDICT_INJECT);
	assert_int_equal(injected, EXC_UD);
	r->cr0 |= CR0_TS;
	fx.fsw = 0x80; /* ES */
	assert_int_equal(RUN("\x0f\x6f\x07"), VERDICT_INJECT);
	assert_int_equal(injected, EXC_NM);
	r->cr0 &= ~(u64)CR0_TS;
	assert_int_equal(RUN("\x0f\x6f\x07"), VERDICT_INJECT);
	assert_int_equal(injected, EXC_MF);
}

/* A kernel that has set EFER.FFXSR moves no XMM registers (APM 2 3.1.7) */
static void test_fast_fxsave(void **state)
{
	r->cr4 |= CR4_OSFXSR;
	r->efer |= EFER_FFXSR;
	ymm[3][0] = 3;
	for (u32 cpl = 0; cpl < 4; cpl += 3) {
		r->seg[SEG_SS].attr |= cpl << SEG_ATTR_DPL_SHIFT;
		memset(device, 0x55, 512);
		assert_int_equal(RUN("\x48\x0f\xae\x07"), VERDICT_ADVANCE);
		assert_int_equal(*(u32 *)(device + 24), 0x1f80); /* MXCSR */
		assert_int_equal(device[160 + 3 * 16], cpl ? 3 : 0x55);
		device[160 + 3 * 16] = 4;
		assert_int_equal(RUN("\x48\x0f\xae\x0f"), VERDICT_ADVANCE);
		assert_int_equal(ymm[3][0] & 0xff, cpl ? 4 : 3);
	}
}

static void all_at_once(void)
{
	tsc_khz = 1ull << 40;
	device_step_ticks = 0;
}

/* Each access of the device takes longer than a piece: one is made at a time,
 * and nothing of the instruction is seen before its last. Returns how many
 * pieces there were. */
static u32 in_pieces(void)
{
	enum verdict verdict;
	u32 pieces = 1, before;
	bool done;

	assert_true(vcpu.events & VE_INSN);
	do {
		assert_int_equal(r->rip, CODE);
		before = reads + writes;
		pieces++;
		done = emulate_go_on(&vcpu, &verdict);
		assert_int_equal(reads + writes, before + 1);
	} while (!done);
	assert_int_equal(verdict, VERDICT_ADVANCE);
	assert_true(emulate_go_on(&vcpu, &verdict));
	assert_int_equal(verdict, VERDICT_RESUME);
	vcpu.events = 0;
	all_at_once();
	return pieces;
}

static void one_at_a_time(void)
{
	tsc_khz = 0; /* as short as a piece may be */
	device_step_ticks = 2 * PIECE_TICKS_MIN;
	reads = writes = 0;
}

/* ENTER whose stack is on a device: no more accesses in one go than a few */
static void test_enter(void **state)
{
	r->gpr[GPR_RSP] = DEVICE + 0x800;
	r->gpr[GPR_RBP] = DEVICE + 0x900;
	reads = writes = 0;
	assert_int_equal(RUN("\xc8\x00\x00\x08"), VERDICT_ADVANCE);
	assert_int_equal(r->gpr[GPR_RSP], DEVICE + 0x800 - 9 * 8);
	assert_int_equal(r->gpr[GPR_RBP], DEVICE + 0x7f8);
	assert_int_equal(reads + writes, 16);
	assert_int_equal(RUN("\xc8\x00\x00\x09"), VERDICT_KILL);
	assert_int_equal(reads + writes, 16);
	assert_int_equal(r->gpr[GPR_RSP], DEVICE + 0x800 - 9 * 8);
}

static void test_fxsave_in_pieces(void **state)
{
	u8 all[512];

	r->cr4 |= CR4_OSFXSR;
	ymm[3][0] = 0x33;
	assert_int_equal(RUN("\x48\x0f\xae\x07"), VERDICT_ADVANCE);
	memcpy(all, device, sizeof(all));
	memset(device, 0, sizeof(device));
	one_at_a_time();
	assert_int_equal(RUN("\x48\x0f\xae\x07"), VERDICT_RESUME);
	ymm[3][0] = 0x44; /* it is saved already */
	assert_int_equal(in_pieces(), 416 / 8);
	assert_memory_equal(all, device, sizeof(all));
	one_at_a_time();
	assert_int_equal(RUN("\x48\x0f\xae\x0f"), VERDICT_RESUME);
	assert_int_equal(ymm[3][0], 0x44);
	assert_int_equal(in_pieces(), 416 / 8);
	assert_int_equal(ymm[3][0], 0x33);
}

static void test_fnsave_in_pieces(void **state)
{
	u8 all[112];

	memset(device, 0x55, sizeof(all));
	assert_int_equal(RUN("\xdd\x07"), VERDICT_ADVANCE); /* fld */
	assert_int_equal(RUN("\xdd\x37"), VERDICT_ADVANCE);
	assert_int_not_equal(device[107], 0x55);
	assert_int_equal(device[108], 0x55);
	memcpy(all, device, sizeof(all));
	one_at_a_time();
	assert_int_equal(RUN("\xdd\x27"), VERDICT_RESUME);
	assert_int_equal(in_pieces(), 14);
	memset(device, 0x55, sizeof(all));
	one_at_a_time();
	assert_int_equal(RUN("\xdd\x37"), VERDICT_RESUME);
	assert_int_equal(in_pieces(), 14);
	assert_memory_equal(all, device, sizeof(all));
}

/* Another vCPU waits for its turn; the end of the owner makes way */
static void test_one_stage(void **state)
{
	struct vcpu other = vcpu;
	struct vcpu_exit *exit = &other.hw.exit;

	r->cr4 |= CR4_OSFXSR;
	one_at_a_time();
	assert_int_equal(RUN("\x48\x0f\xae\x07"), VERDICT_RESUME);
	other.hw.regs.cr4 |= CR4_OSFXSR;
	*exit = *e;
	assert_int_equal(emulate_mmio(&other, exit), VERDICT_RESUME);
	assert_int_equal(other.events, 0);
	assert_int_equal(writes, 1);
	emulate_reset(&other); /* not its own */
	assert_int_equal(emulate_mmio(&other, exit), VERDICT_RESUME);
	assert_int_equal(writes, 1);
	emulate_reset(&vcpu);
	all_at_once();
	assert_int_equal(emulate_mmio(&other, exit), VERDICT_ADVANCE);
}

int main(void)
{
#define S(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		S(test_mov_data),
		S(test_mov_faults),
		S(test_mov_ss),
		S(test_real_mode),
		S(test_far_jump),
		S(test_far_call),
		S(test_ltr_lldt),
		S(test_read_only_gdt),
		S(test_tables),
		S(test_msw),
		S(test_flags),
		S(test_vector_state),
		S(test_fast_fxsave),
		S(test_pop_ss),
		S(test_enter),
		S(test_fxsave_in_pieces),
		S(test_fnsave_in_pieces),
		S(test_one_stage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
