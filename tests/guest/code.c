/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code all over the guest's memory: an instruction on each edge of 2 MiB, as
 * all vCPUs run them at a time (command line: `vcpus=2`). A CPU with iTLB
 * multihit has such pages split at the first fetch, and the guest has fewer
 * tables for that than pages (docs/speculation.md): they go to and fro all the
 * time.
 */
#include "tests/guest/lib/guest.h"

#define RAM_END (128ull << 20) /* tests/guest/list.toml */
#define LARGE   (2ull << 20)
#define FIRST   2u /* behind the program and its data */
#define PAGES   ((u32)(RAM_END / LARGE) - 1)
#define ROUNDS  8u
#define SPINS   400000000ull

static volatile u32 done, wrong;

/* mov eax, n; ret: begins two bytes ahead of 2 MiB number n */
static void write_code(void)
{
	for (u32 n = FIRST; n < PAGES; n++) {
		volatile u8 *at = (volatile u8 *)(n * LARGE - 2);

		*at++ = 0xb8;
		for (u32 i = 0; i < 4; i++)
			*at++ = (u8)(n >> (8 * i));
		*at = 0xc3;
	}
}

/* How many of them gave another number, in steps of @step pages */
static u32 run_all(u32 step)
{
	u32 bad = 0;

	for (u32 i = 0; i < ROUNDS * (PAGES - FIRST); i++) {
		u32 n = FIRST + i * step % (PAGES - FIRST);
		u32 (*code)(void) = (u32(*)(void))(n * LARGE - 2);

		bad += code() != n;
	}
	return bad;
}

static void ap_main(void)
{
	u32 bad = run_all(7);

	__atomic_fetch_add(&wrong, bad, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void guest_main(void)
{
	u32 others = (u32)cmdline_number("vcpus=", 2) - 1, started = 0, bad;

	section("SDM 3C 29.3.3");
	write_code();
	bad = run_all(1);
	check(!bad, "code.everywhere", "%u calls went wrong", bad);
	apic_enable();
	for (u32 i = 1; i <= others; i++)
		started += ap_start(i, ap_main);
	check(started == others, "code.others_start", "%u", started);
	bad = run_all(5);
	for (u64 i = 0; i < SPINS && done < others; i++)
		cpu_relax();
	check(!bad, "code.beside_others", "%u calls went wrong", bad);
	check(done == others && !wrong, "code.others_run",
	      "%u done, %u calls went wrong", done, wrong);
}
