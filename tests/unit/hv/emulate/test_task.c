/* SOURCES: hv/emulate/task_switch.c hv/emulate/task_segments.c hv/emulate/task_memory.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Task switches over a small memory: all or nothing while they check, the new
 * task's fault after that, and structures that are nowhere. Over 400 lines: one
 * small memory serves all. */
#include "hv/core/exit.h"
#include "hv/core/gmem.h"
#include "hv/emulate/emulate.h"
#include "hv/emulate/insn.h"
#include "hv/emulate/task.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "tests/unit/fakes/exception.h"
#include "tests/unit/fakes/kill.h"
#include "tests/unit/test.h"

#define GDT       0x1000u
#define OLD_TSS   0x2000u
#define NEW_TSS   0x3fd0u /* over two pages */
#define SEL_OLD   0x20
#define SEL_NEW   0x28
#define SEL_CODE  0x08
#define SEL_DATA  0x10
#define SEL_LDT   0x18
#define TSS_BYTES 104u

static struct vm vm;
static struct vcpu vcpu;
static u8 ram[0x8000], before[0x8000];
static u64 unmapped, read_only; /* page numbers */
static bool cr3_bad;

void retire_debug_trap(struct vcpu *v, u64 causes)
{
	v->hw.regs.dr[6] |= causes;
	vcpu_raise_exception(v, EXC_DB, false, 0);
}

/* A debugger's step: its TF goes */
void retire_task(struct vcpu *v)
{
	v->hw.regs.rflags &= ~RFLAGS_TF;
}

int cr3_load(struct vcpu *v, u64 cr3)
{
	if (cr3_bad)
		return -EINVAL;
	vcpu_regs(v)->cr3 = cr3;
	return 0;
}

int gva_translate(struct vcpu *v, gva_t gva, u8 access, gpa_t *gpa,
		  u32 *pf_error)
{
	assert_true(access & ACCESS_SYSTEM);
	assert_true(gva.v <= 0xffffffff);
	*gpa = GPA(gva.v);
	*pf_error = access & ACCESS_W ? PF_W : 0;
	if ((access & ACCESS_W) && gva.v >> PAGE_SHIFT == read_only) {
		*pf_error |= PF_P;
		return -EFAULT;
	}
	return gva.v >> PAGE_SHIFT == unmapped ? -EFAULT : 0;
}

int gmem_read(struct vm *m, gpa_t gpa, void *buf, size_t len)
{
	if (gpa.v + len > sizeof(ram))
		return -EFAULT;
	memcpy(buf, ram + gpa.v, len);
	return 0;
}

int gmem_write(struct vm *m, gpa_t gpa, const void *buf, size_t len)
{
	if (gpa.v + len > sizeof(ram))
		return -EFAULT;
	memcpy(ram + gpa.v, buf, len);
	return 0;
}

size_t gmem_fetch(struct vcpu *v, u8 *buf, size_t len)
{
	memset(buf, 0xcf, len);
	return len;
}

u8 insn_length(const u8 *bytes, size_t have, enum insn_mode mode)
{
	return bytes[0] == 0xcf;
}

static void put32(u32 at, u32 value)
{
	memcpy(ram + at, &value, sizeof(value));
}

static u32 get32(u32 at)
{
	u32 value;

	memcpy(&value, ram + at, sizeof(value));
	return value;
}

static void describe(u16 sel, u32 base, u32 limit, u8 access)
{
	put32(GDT + sel, (limit & 0xffff) | base << 16);
	put32(GDT + sel + 4, (base >> 16 & 0xff) | (u32)access << 8 |
				     (limit & 0xf0000) | 0x400000 |
				     (base & 0xff000000));
}

static int setup(void **state)
{
	struct vcpu_regs *r = &vcpu.hw.regs;

	memset(ram, 0, sizeof(ram));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vm = &vm;
	unmapped = ~0ull;
	read_only = ~0ull;
	injected = -1;
	kills = 0;
	cr3_bad = false;
	describe(SEL_CODE, 0, 0xfffff, 0x9b);
	describe(SEL_DATA, 0, 0xfffff, 0x93);
	describe(SEL_LDT, 0x5000, 0xff, 0x82);
	describe(SEL_OLD, OLD_TSS, TSS_BYTES - 1, 0x8b);
	describe(SEL_NEW, NEW_TSS, TSS_BYTES - 1, 0x89);
	put32(NEW_TSS + 0x1c, 0x7000); /* CR3 */
	put32(NEW_TSS + 0x20, 0x1234);
	put32(NEW_TSS + 0x24, RFLAGS_CF);
	put32(NEW_TSS + 0x38, 0x6000); /* ESP */
	for (u32 i = 0; i < 6; i++)
		put32(NEW_TSS + 0x48 + i * 4, SEL_DATA);
	put32(NEW_TSS + 0x4c, SEL_CODE);
	r->valid = RG_ALL;
	r->cr0 = CR0_PE | CR0_PG;
	r->rip = 0x100;
	r->rflags = RFLAGS_FIXED | RFLAGS_ZF;
	r->gdtr = (struct segment){ .base = GDT, .limit = 0xff };
	r->seg[SEG_TR] =
		(struct segment){ SEL_OLD, 0x8b, TSS_BYTES - 1, OLD_TSS };
	r->seg[SEG_CS] = (struct segment){ SEL_CODE, 0xc09b, ~0u, 0 };
	r->seg[SEG_SS] = (struct segment){ SEL_DATA, 0xc093, ~0u, 0 };
	r->seg[SEG_LDTR].attr = SEG_ATTR_UNUSABLE;
	r->dr[7] = 0x7ff;
	r->shadow = SHADOW_STI;
	return 0;
}

enum { CALL, IRET, JMP, GATE };

static enum verdict go(u8 source, u16 sel)
{
	struct vcpu_exit *e = &vcpu.hw.exit;

	e->kind = EXIT_TASK_SWITCH;
	e->task.selector = sel;
	e->task.source = source;
	e->task.insn_len = 7;
	memcpy(before, ram, sizeof(ram));
	return exit_task_switch(&vcpu, e);
}

static u8 type_of(u16 sel)
{
	return ram[GDT + sel + 5];
}

static void test_call(void **state)
{
	struct vcpu_regs *r = &vcpu.hw.regs;

	assert_int_equal(go(CALL, SEL_NEW), VERDICT_RESUME);
	assert_int_equal(injected, -1);
	assert_int_equal(r->rip, 0x1234);
	assert_int_equal(r->rflags, RFLAGS_FIXED | RFLAGS_CF | RFLAGS_NT);
	assert_int_equal(r->gpr[GPR_RSP], 0x6000);
	assert_int_equal(r->cr3, 0x7000);
	assert_true(r->cr0 & CR0_TS);
	assert_int_equal(r->dr[7], 0x7ff & ~0x155);
	assert_int_equal(r->shadow, 0);
	assert_int_equal(r->seg[SEG_TR].sel, SEL_NEW);
	assert_int_equal(r->seg[SEG_DS].limit, 0xfffff);
	assert_int_equal(get32(OLD_TSS + 0x20), 0x107);
	assert_int_equal(get32(OLD_TSS + 0x24), RFLAGS_FIXED | RFLAGS_ZF);
	assert_int_equal(get32(NEW_TSS), SEL_OLD);
	assert_int_equal(type_of(SEL_OLD), 0x8b);
	assert_int_equal(type_of(SEL_NEW), 0x8b);
	assert_int_equal(r->dirty & RG_ALL,
			 RG_RIP | RG_RSP | RG_CR | RG_SEG | RG_DR);
}

static void test_jmp_moves_busy(void **state)
{
	assert_int_equal(go(JMP, SEL_NEW), VERDICT_RESUME);
	assert_int_equal(type_of(SEL_OLD), 0x89);
	assert_int_equal(type_of(SEL_NEW), 0x8b);
	assert_int_equal(get32(NEW_TSS), 0);
	assert_false(vcpu.hw.regs.rflags & RFLAGS_NT);
}

/* The link in the old TSS says where to; the exit's selector does not count */
static void test_iret(void **state)
{
	put32(OLD_TSS, SEL_NEW);
	describe(SEL_NEW, NEW_TSS, TSS_BYTES - 1, 0x8b);
	vcpu.hw.regs.rflags |= RFLAGS_NT;
	vcpu.hw.regs.shadow = SHADOW_NMI;
	assert_int_equal(go(IRET, 0xff0), VERDICT_RESUME);
	assert_int_equal(injected, -1);
	assert_int_equal(vcpu.hw.regs.shadow, 0);
	assert_int_equal(get32(OLD_TSS + 0x24), RFLAGS_FIXED | RFLAGS_ZF);
	assert_int_equal(type_of(SEL_OLD), 0x89);
}

static void refused(u8 source, u16 sel, u8 vec, u32 code)
{
	struct vcpu_regs regs = vcpu.hw.regs;

	injected = -1;
	assert_int_equal(go(source, sel), VERDICT_INJECT);
	assert_int_equal(injected, vec);
	assert_int_equal(injected_error, code);
	assert_memory_equal(ram, before, sizeof(ram));
	regs.cr2 = vcpu.hw.regs.cr2;
	assert_memory_equal(&regs, &vcpu.hw.regs, sizeof(regs));
}

static void test_old_task_faults_change_nothing(void **state)
{
	refused(CALL, 0x100, EXC_GP, 0x100); /* outside the GDT */
	refused(CALL, SEL_NEW | 4, EXC_GP, SEL_NEW | 4);
	refused(CALL, 0, EXC_GP, 0);
	refused(CALL, SEL_DATA, EXC_GP, SEL_DATA);
	refused(CALL, SEL_OLD, EXC_GP, SEL_OLD); /* busy */
	put32(OLD_TSS, SEL_NEW);
	refused(IRET, 0, EXC_TS, SEL_NEW); /* not busy */
	describe(SEL_NEW, NEW_TSS, TSS_BYTES - 1, 0x09);
	refused(JMP, SEL_NEW, EXC_NP, SEL_NEW);
	describe(SEL_NEW, NEW_TSS, TSS_BYTES - 2, 0x89);
	refused(JMP, SEL_NEW, EXC_TS, SEL_NEW);
	describe(SEL_NEW, NEW_TSS, TSS_BYTES - 1, 0x89);
	unmapped = (NEW_TSS >> PAGE_SHIFT) + 1;
	refused(CALL, SEL_NEW, EXC_PF, PF_W);
	assert_int_equal(vcpu.hw.regs.cr2, unmapped << PAGE_SHIFT);
	unmapped = OLD_TSS >> PAGE_SHIFT;
	refused(CALL, SEL_NEW, EXC_PF, PF_W);
	unmapped = GDT >> PAGE_SHIFT;
	refused(CALL, SEL_NEW, EXC_PF, 0);
}

/* What is not written need not be writable (SDM 3A table 8-2: links and busy
 * flags) */
static void test_read_only(void **state)
{
	u32 ldt = 0x5000, data = 0x10;

	read_only = NEW_TSS >> PAGE_SHIFT;
	refused(CALL, SEL_NEW, EXC_PF, PF_W | PF_P);
	assert_int_equal(go(JMP, SEL_NEW), VERDICT_RESUME);
	setup(state);
	read_only = GDT >> PAGE_SHIFT;
	refused(CALL, SEL_NEW, EXC_PF, PF_W | PF_P);
	refused(JMP, SEL_NEW, EXC_PF, PF_W | PF_P);
	/* DS in an LDT that is read-only */
	for (u8 accessed = 0; accessed < 2; accessed++) {
		setup(state);
		memcpy(ram + ldt + data, ram + GDT + SEL_DATA, 8);
		ram[ldt + data + 5] = 0x92 | accessed;
		put32(NEW_TSS + 0x60, SEL_LDT);
		put32(NEW_TSS + 0x54, data | 4);
		read_only = ldt >> PAGE_SHIFT;
		assert_int_equal(go(JMP, SEL_NEW),
				 accessed ? VERDICT_RESUME : VERDICT_INJECT);
		assert_int_equal(injected, accessed ? -1 : EXC_PF);
		assert_int_equal(vcpu.hw.regs.seg[SEG_TR].sel, SEL_NEW);
	}
}

static void test_hardware_events(void **state)
{
	struct vcpu_exit *e = &vcpu.hw.exit;

	e->vectoring = (struct vcpu_event){ .type = EVENT_EXCEPTION,
					    .vector = EXC_GP,
					    .has_error = true,
					    .error = 0x1230 };
	vcpu.pending = e->vectoring;
	refused(GATE, SEL_DATA, EXC_GP, SEL_DATA | 1); /* EXT */
	assert_int_equal(vcpu.pending.type, EVENT_EXCEPTION);
	assert_int_equal(go(GATE, SEL_NEW), VERDICT_RESUME);
	assert_int_equal(vcpu.pending.type, EVENT_NONE);
	/* No instruction: its own address is saved; the code is pushed */
	assert_int_equal(get32(OLD_TSS + 0x20), 0x100);
	assert_int_equal(vcpu.hw.regs.gpr[GPR_RSP], 0x5ffc);
	assert_int_equal(get32(0x5ffc), 0x1230);
}

/* A debugger's step is no part of the task, unless the task is to come back to
 * the instruction */
static void test_stepped(void **state)
{
	vcpu.hw.regs.rflags |= RFLAGS_TF;
	refused(CALL, SEL_DATA, EXC_GP, SEL_DATA);
	assert_true(vcpu.hw.regs.rflags & RFLAGS_TF);
	assert_int_equal(go(CALL, SEL_NEW), VERDICT_RESUME);
	assert_int_equal(get32(OLD_TSS + 0x24), RFLAGS_FIXED | RFLAGS_ZF);
	setup(state);
	vcpu.hw.regs.rflags |= RFLAGS_TF;
	vcpu.hw.exit.vectoring = (struct vcpu_event){ .type = EVENT_EXCEPTION,
						      .vector = EXC_UD };
	assert_int_equal(go(GATE, SEL_NEW), VERDICT_RESUME);
	assert_true(get32(OLD_TSS + 0x24) & RFLAGS_TF);
}

static void test_nmi_blocks_nmis(void **state)
{
	vcpu.hw.exit.vectoring =
		(struct vcpu_event){ .type = EVENT_NMI, .vector = 2 };
	assert_int_equal(go(GATE, SEL_NEW), VERDICT_RESUME);
	assert_int_equal(vcpu.hw.regs.shadow, SHADOW_NMI);
}

/* Field of the new TSS to spoil, and what comes of it */
static void test_new_task_faults(void **state)
{
	static const struct {
		u32 field, value;
		u8 vector;
		u32 error;
	} rows[] = {
		{ 0x60, SEL_DATA, EXC_TS, SEL_DATA }, /* LDT */
		{ 0x60, SEL_LDT | 4, EXC_TS, SEL_LDT | 4 },
		{ 0x4c, 0, EXC_TS, 0 }, /* CS */
		{ 0x4c, SEL_DATA, EXC_TS, SEL_DATA },
		{ 0x4c, SEL_CODE | 3, EXC_TS, SEL_CODE }, /* DPL 0 */
		{ 0x4c, 0x1f8, EXC_TS, 0x1f8 },
		{ 0x50, SEL_CODE, EXC_TS, SEL_CODE }, /* SS */
		{ 0x50, SEL_DATA | 1, EXC_TS, SEL_DATA },
		{ 0x54, SEL_DATA | 3, EXC_TS, SEL_DATA }, /* DS */
		{ 0x58, SEL_NEW, EXC_TS, SEL_NEW },
		{ 0x5c, SEL_DATA | 4, EXC_TS, SEL_DATA | 4 }, /* no LDT */
		{ 0x20, 0x100000, EXC_GP, 0 },                /* EIP */
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(state);
		put32(NEW_TSS + rows[i].field, rows[i].value);
		assert_int_equal(go(CALL, SEL_NEW), VERDICT_INJECT);
		assert_int_equal(injected, rows[i].vector);
		assert_int_equal(injected_error, rows[i].error);
		assert_int_equal(vcpu.hw.regs.seg[SEG_TR].sel, SEL_NEW);
		assert_int_equal(type_of(SEL_NEW), 0x8b);
	}
}

static void test_v86_task(void **state)
{
	const struct vcpu_regs *r = &vcpu.hw.regs;

	put32(NEW_TSS + 0x24, (u32)RFLAGS_VM);
	put32(NEW_TSS + 0x4c, 0x1234);
	put32(NEW_TSS + 0x20, 0x10);
	assert_int_equal(go(JMP, SEL_NEW), VERDICT_RESUME);
	assert_int_equal(r->seg[SEG_CS].base, 0x12340);
	assert_int_equal(r->seg[SEG_CS].attr, 0xf3);
	assert_int_equal(r->seg[SEG_SS].limit, 0xffff);
}

static void test_bad_cr3(void **state)
{
	cr3_bad = true;
	assert_int_equal(go(CALL, SEL_NEW), VERDICT_INJECT);
	assert_int_equal(injected, EXC_GP);
}

static void test_not_in_ram(void **state)
{
	describe(SEL_NEW, 0x90000000, TSS_BYTES - 1, 0x89);
	assert_int_equal(go(CALL, SEL_NEW), VERDICT_KILL);
	assert_int_equal(kills, 1);
	vcpu.hw.regs.seg[SEG_SS].attr |= SEG_ATTR_DPL_MASK;
	assert_int_equal(go(CALL, SEL_NEW), VERDICT_INJECT);
	assert_int_equal(injected, EXC_TS);
	assert_int_equal(kills, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_call),
		T(test_stepped),
		T(test_jmp_moves_busy),
		T(test_iret),
		T(test_old_task_faults_change_nothing),
		T(test_read_only),
		T(test_hardware_events),
		T(test_nmi_blocks_nmis),
		T(test_new_task_faults),
		T(test_v86_task),
		T(test_bad_cr3),
		T(test_not_in_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
