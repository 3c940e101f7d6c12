/* SOURCES: hv/emulate/cr0.c hv/emulate/alu.c hv/emulate/bits.c hv/emulate/emulate.c hv/emulate/mem.c hv/emulate/operand.c hv/emulate/ops.c hv/emulate/segment.c hv/emulate/stack.c hv/emulate/string.c hv/emulate/system.c hv/emulate/vector.c hv/emulate/vector_table.c hv/emulate/by_stub.c hv/emulate/x87.c hv/emulate/legacy.c hv/emulate/verify.c hv/emulate/fxsave.c hv/emulate/xsave.c hv/emulate/stage.c hv/emulate/task_memory.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/gmem.c hv/core/walk.c hv/core/bus.c lib/printf.c lib/string.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions that touch CR0, where only software can tell which it was */
#include "hv/policy/cr.h"
#include "tests/unit/fakes/small_guest.h"

static struct vcpu_exit seen; /* what exit_cr() got */
static u32 calls;

enum verdict exit_cr(struct vcpu *v, const struct vcpu_exit *exit)
{
	seen = *exit;
	calls++;
	return VERDICT_ADVANCE;
}

static int setup(void **state)
{
	guest_reset();
	r->gpr[GPR_RDI] = BUFFER;
	calls = 0;
	msw = 0;
	return 0;
}

static enum verdict run(const char *bytes, size_t len, bool write)
{
	memset(ram + CODE, 0xcc, 16);
	memcpy(ram + CODE, bytes, len);
	*e = (struct vcpu_exit){ .kind = EXIT_CR0 };
	e->cr.write = write;
	e->cr.gpr = GPR_COUNT;
	return emulate_cr0(&vcpu, e);
}

#define READS(bytes)  run(bytes, sizeof(bytes) - 1, false)
#define WRITES(bytes) run(bytes, sizeof(bytes) - 1, true)

static void test_mov(void **state)
{
	assert_int_equal(WRITES("\x0f\x22\xc3"), VERDICT_ADVANCE);
	assert_int_equal(seen.cr.gpr, GPR_RBX);
	assert_true(seen.cr.write);
	assert_false(seen.cr.clts);
	assert_int_equal(e->insn_len, 3);
	assert_int_equal(READS("\x41\x0f\x20\xc1"), VERDICT_ADVANCE);
	assert_int_equal(seen.cr.gpr, GPR_R9);
	assert_int_equal(seen.cr.cr, 0);
	assert_false(seen.cr.write);
	assert_int_equal(e->insn_len, 4);
}

/* What an emulator takes for CR0 */
static void test_mov_from_others(void **state)
{
	assert_int_equal(READS("\x0f\x20\xe0"), VERDICT_ADVANCE);
	assert_int_equal(seen.cr.cr, 4);
	assert_int_equal(seen.cr.gpr, GPR_RAX);
	assert_int_equal(READS("\x0f\x20\xd0"), VERDICT_ADVANCE);
	assert_int_equal(seen.cr.cr, 2);
	assert_int_equal(READS("\x0f\x20\xdb"), VERDICT_ADVANCE);
	assert_int_equal(seen.cr.cr, 3);
	assert_int_equal(seen.cr.gpr, GPR_RBX);
	assert_int_equal(READS("\x44\x0f\x20\xc1"), VERDICT_ADVANCE);
	assert_int_equal(seen.cr.cr, 8);
	assert_int_equal(seen.cr.gpr, GPR_RCX);
}

static void test_clts(void **state)
{
	assert_int_equal(WRITES("\x0f\x06"), VERDICT_ADVANCE);
	assert_true(seen.cr.clts);
	assert_int_equal(e->insn_len, 2);
}

static void test_status_word(void **state)
{
	r->cr0 |= CR0_CD;
	r->gpr[GPR_RAX] = ~0ull;
	assert_int_equal(READS("\x0f\x01\xe0"), VERDICT_ADVANCE);
	assert_int_equal(r->gpr[GPR_RAX], r->cr0); /* 32 bits, CD among them */
	r->gpr[GPR_RAX] = ~0ull;
	assert_int_equal(READS("\x66\x0f\x01\xe0"), VERDICT_ADVANCE);
	assert_int_equal(r->gpr[GPR_RAX], ~0xffffull | (u16)r->cr0);
	assert_int_equal(READS("\x0f\x01\x27"), VERDICT_ADVANCE); /* [rdi] */
	assert_int_equal(*(u16 *)(ram + BUFFER), (u16)r->cr0);
	*(u16 *)(ram + BUFFER) = 0x1239;
	assert_int_equal(WRITES("\x0f\x01\x37"), VERDICT_ADVANCE);
	assert_int_equal(msw, 0x1239);
	r->gpr[GPR_RCX] = 0x4567;
	assert_int_equal(WRITES("\x0f\x01\xf1"), VERDICT_ADVANCE);
	assert_int_equal(msw, 0x4567);
	assert_int_equal(calls, 0);
}

/* Another vCPU put other bytes there: nothing of them is done */
static void test_changed_bytes(void **state)
{
	assert_int_equal(WRITES("\x90"), VERDICT_RESUME);
	assert_int_equal(READS("\x0f\x22\xc3"), VERDICT_RESUME);
	assert_int_equal(READS("\x0f\x06"), VERDICT_RESUME);
	assert_int_equal(WRITES("\x44\x0f\x22\xc3"), VERDICT_RESUME); /* CR8 */
	assert_int_equal(WRITES("\xf0\x0f\x22\xc3"), VERDICT_RESUME); /* too */
	assert_int_equal(WRITES("\x0f\x01\x17"), VERDICT_RESUME);     /* LGDT */
	assert_int_equal(calls, 0);
	/* SMSW made the exit at CPL 3, and it is MOV now */
	r->seg[SEG_SS].attr |= 3u << SEG_ATTR_DPL_SHIFT;
	assert_int_equal(READS("\x0f\x20\xc0"), VERDICT_INJECT);
	assert_int_equal(injected, EXC_GP);
	assert_int_equal(calls, 0);
}

#define S(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(test_mov),         S(test_mov_from_others), S(test_clts),
		S(test_status_word), S(test_changed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
