/* SOURCES: arch/x86/machine/stub.c lib/thunk.asm */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which exceptions are those of the core's own page of code. What runs there is
 * tested through the emulator (tests/unit/hv/emulate/) and in guests.
 */
#include "arch/x86/cpu/panic.h"
#include "arch/x86/machine/stub.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/test.h"

#define OP_INT3 0xcc

/* Where a fix-up leads; nothing is executed there */
__asm__(".globl stub_failed\n.data\nstub_failed: .skip 1\n.text\n");
extern const u8 stub_failed[];

hpa_t virt_to_hpa(const void *va)
{
	return HPA((u64)va);
}

static u8 executable[PAGE_SIZE];

static void *page_of_core(void)
{
	return (void *)fake_ioremap_hpa;
}

static bool fixup(u64 rip, u64 vector)
{
	struct trap_frame frame = { .rip = rip, .vector = vector };
	bool fixed = stub_fixup(&frame);

	assert_int_equal(frame.rip, fixed ? (u64)stub_failed : rip);
	return fixed;
}

static void test_before_there_is_one(void **state)
{
	assert_false(fixup(0, EXC_UD));
	assert_false(fixup(4, EXC_UD));
	fake_pool_left = 0;
	assert_int_equal(stub_init_cpu(), -ENOMEM);
	fake_pool_left = ~0u;
}

/* Its own instruction's exceptions, and of those not the host's */
static void test_whose_exception(void **state)
{
	u64 insn;

	/* Wherever the page is: all of it can be had at its own address */
	fake_ioremap_reset();
	fake_ioremap_add(0, executable, 0);
	assert_int_equal(stub_init_cpu(), -ENOMEM);
	pmm_free(&pmm_self, page_of_core(), 0);
	fake_ioremap_reset();
	fake_ioremap_add(PAGE_SIZE, (void *)PAGE_SIZE, ~0ull);
	assert_int_equal(stub_init_cpu(), 0);
	insn = stub_address();
	assert_true(fixup(insn, EXC_UD));
	assert_true(fixup(insn, EXC_MF));
	assert_true(fixup(insn, EXC_XM));
	assert_true(fixup(insn, EXC_PF));
	assert_false(fixup(insn, EXC_NMI));
	assert_false(fixup(insn, EXC_DB));
	assert_false(fixup(insn, EXC_MC));
	assert_false(fixup(insn, EXC_DF));
	assert_false(fixup(insn - 4, EXC_UD));
	assert_false(fixup(insn + 1, EXC_UD));
	fake_this_cpu = &fake_pcpus[1];
	fake_this_cpu->id = 1;
	assert_false(fixup(insn, EXC_UD));
	fake_this_cpu = &fake_pcpus[0];
}

/* Nothing of it runs that was not written: each byte is a breakpoint, but for
 * the landing place of an indirect call */
static void test_page_is_empty(void **state)
{
	static const u8 landing[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	const u8 *page = page_of_core();

	assert_memory_equal(page, landing, sizeof(landing));
	for (u32 i = sizeof(landing); i < PAGE_SIZE; i++)
		assert_int_equal(page[i], OP_INT3);
	pmm_free(&pmm_self, page_of_core(), 0);
	fake_pool_check(&pmm_self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before_there_is_one),
		cmocka_unit_test(test_whose_exception),
		cmocka_unit_test(test_page_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
