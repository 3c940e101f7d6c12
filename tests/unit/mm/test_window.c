/* SOURCES: mm/window.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows. INVLPG is a privileged instruction: the fault handler counts it,
 * notes its operand and steps over it.
 */
#include <signal.h>
#include <ucontext.h>

#include "include/hw/paging.h"
#include "lib/errno.h"
#include "mm/hostmap.h"
#include "mm/hostmap_pt.h"
#include "mm/pmm.h"
#include "mm/window.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/test.h"

#define CALLS 20000u

static struct pcpu *const cpu = &fake_pcpus[0];
static u64 slots[512];
static bool no_memory;
static u32 failures, flushed_count;
static u64 flushed;

u64 *hostmap_slots(u64 va)
{
	if (va != HV_WINDOW_BASE + 3 * PAGE_2M)
		failures++;
	return no_memory ? NULL : slots;
}

/* 0f 01 /7 with a register's address: three bytes */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	static const int regs[] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX,
				    REG_RSP, REG_RBP, REG_RSI, REG_RDI };
	ucontext_t *uc = context;
	greg_t *r = uc->uc_mcontext.gregs;
	const u8 *insn = (const u8 *)r[REG_RIP];
	bool rex = (insn[0] & 0xf0) == 0x40;

	insn += rex;
	if (insn[0] != 0x0f || insn[1] != 0x01 || (insn[2] & 0xf8) != 0x38)
		abort();
	flushed = rex ? (u64)r[REG_R8 + (insn[2] & 7)]
		      : (u64)r[regs[insn[2] & 7]];
	flushed_count++;
	r[REG_RIP] += 3 + rex;
}

#define CHECK(cond) (failures += !(cond))

/* What the hardware would reach through the pointer */
static u64 target(const void *p)
{
	u64 slot = ((u64)p - (HV_WINDOW_BASE + 3 * PAGE_2M)) / PAGE_SIZE;

	if (slot >= WINDOW_SLOTS || !(slots[slot] & PTE_P))
		return 0;
	return (slots[slot] & PTE_ADDR) + ((u64)p & PAGE_MASK);
}

static void hits_and_misses(void)
{
	char *p = window_map(HPA(0x12345678)), *q;

	CHECK(target(p) == 0x12345678);
	CHECK(flushed_count == 0); /* nothing was there */
	q = window_map(HPA(0x12345000));
	CHECK(q == p - 0x678 && flushed_count == 0);
	CHECK((slots[((u64)p >> 12) & 511] & (PTE_W | PTE_NX | PTE_U)) ==
	      (PTE_W | PTE_NX));
	/* Three pages of one set: the oldest goes, its address is flushed */
	window_map(HPA(0x12345000 + 16 * PAGE_SIZE));
	q = window_map(HPA(0x12345000 + 32 * PAGE_SIZE));
	CHECK(flushed_count == 1 && flushed == (u64)q);
	CHECK(target(q) == 0x12345000 + 32 * PAGE_SIZE);
	/* Page 0 is a page like any other */
	CHECK(target(window_map(HPA(0x10))) == 0x10);
}

/* The last two pointers are good whatever came before */
static void two_live(void)
{
	u64 before_hpa = 0;
	void *before = NULL;

	srand(6);
	for (u32 n = 0; n < CALLS; n++) {
		u64 hpa = ((u64)(rand() % 6) * WINDOW_SETS + (u64)(rand() % 2))
			  << PAGE_SHIFT;
		void *p = window_map(HPA(hpa + 8));

		CHECK(target(p) == hpa + 8);
		if (before)
			CHECK(target(before) == before_hpa);
		before = p;
		before_hpa = hpa + 8;
	}
}

static void flush_closes_all(void)
{
	for (u64 i = 0; i < 100; i++)
		window_map(HPA(i * PAGE_SIZE));
	flushed_count = 0;
	window_flush();
	CHECK(flushed_count == WINDOW_SLOTS);
	for (u32 i = 0; i < WINDOW_SLOTS; i++)
		CHECK(!slots[i] && cpu->windows->tag[i] == WINDOW_EMPTY);
	window_flush();
	CHECK(flushed_count == WINDOW_SLOTS);
	CHECK(target(window_map(HPA(0x5000))) == 0x5000);
}

static void no_page_table(void)
{
	no_memory = true;
	CHECK(window_init_cpu() == -ENOMEM);
	no_memory = false;
}

static void run_fresh(void (*fn)(void))
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO };

	assert_int_equal(sigaction(SIGSEGV, &sa, NULL), 0);
	cpu->id = 3;
	cpu->windows = NULL;
	failures = 0;
	flushed_count = 0;
	memset(slots, 0, sizeof(slots));
	assert_int_equal(window_init_cpu(), 0);
	assert_non_null(cpu->windows);
	fn();
	assert_int_equal(failures, 0);
	kmem_free(&pmm_self, cpu->windows, sizeof(*cpu->windows));
	fake_pool_check(&pmm_self);
}

static void test_hits_and_misses(void **state)
{
	run_fresh(hits_and_misses);
}

static void test_two_live(void **state)
{
	run_fresh(two_live);
}

static void test_flush(void **state)
{
	run_fresh(flush_closes_all);
}

static void test_no_memory(void **state)
{
	run_fresh(no_page_table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hits_and_misses),
		cmocka_unit_test(test_two_live),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
