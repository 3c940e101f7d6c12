/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two guests on one core, neither of which gives way: both must go on, and
 * each finds its own registers after the other ran. The command line gives the
 * seed of the register pattern.
 */
#include "tests/guest/lib/guest.h"

#define ROUNDS 400

static u64 gaps, longest;

/* Every general register and the debug registers hold a pattern for a while */
static bool hold(u64 seed)
{
	u64 ok;

	__asm__ volatile("mov %1, %%r8; lea 1(%%r8), %%r9; lea 2(%%r8), %%r10\n"
			 "lea 3(%%r8), %%r11; lea 4(%%r8), %%r12\n"
			 "lea 5(%%r8), %%r13; lea 6(%%r8), %%r14\n"
			 "lea 7(%%r8), %%r15; mov $20000, %%ecx\n"
			 "1: dec %%ecx; jnz 1b\n"
			 "xor %0, %0; cmp %1, %%r8; jne 2f\n"
			 "lea 1(%%r8), %%rdx; cmp %%rdx, %%r9; jne 2f\n"
			 "lea 2(%%r8), %%rdx; cmp %%rdx, %%r10; jne 2f\n"
			 "lea 3(%%r8), %%rdx; cmp %%rdx, %%r11; jne 2f\n"
			 "lea 4(%%r8), %%rdx; cmp %%rdx, %%r12; jne 2f\n"
			 "lea 5(%%r8), %%rdx; cmp %%rdx, %%r13; jne 2f\n"
			 "lea 6(%%r8), %%rdx; cmp %%rdx, %%r14; jne 2f\n"
			 "lea 7(%%r8), %%rdx; cmp %%rdx, %%r15; jne 2f\n"
			 "inc %0\n2:"
			 : "=&a"(ok)
			 : "b"(seed)
			 : "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13",
			   "r14", "r15", "cc");
	return ok;
}

static void hold_msrs(u64 seed)
{
	wrmsr(0xc0000102, 0xffff800000000000 | seed << 12);
	wrmsr(0xc0000082, 0xffff810000000000 | seed << 12);
	wrmsr(0xc0000100, seed << 20);
	__asm__ volatile("mov %0, %%dr1" ::"r"(seed << 4));
}

static bool msrs_held(u64 seed)
{
	u64 dr1;

	__asm__ volatile("mov %%dr1, %0" : "=r"(dr1));
	return rdmsr(0xc0000102) == (0xffff800000000000 | seed << 12) &&
	       rdmsr(0xc0000082) == (0xffff810000000000 | seed << 12) &&
	       rdmsr(0xc0000100) == seed << 20 && dr1 == seed << 4;
}

/* SSE state: the hypervisor switches it between vCPUs */
static void load_xmm(u64 seed)
{
	__asm__ volatile("movq %0, %%xmm0; movq %1, %%xmm15" ::"r"(seed),
			 "r"(~seed));
}

static bool xmm_held(u64 seed)
{
	u64 a, b;

	__asm__ volatile("movq %%xmm0, %0; movq %%xmm15, %1"
			 : "=r"(a), "=r"(b));
	return a == seed && b == ~seed;
}

static void note_gap(u64 *last)
{
	u64 now = rdtsc(), gap = now - *last;

	*last = now;
	if (gap > longest)
		longest = gap;
	gaps += gap > 1000000;
}

void guest_main(void)
{
	u64 seed = cmdline_has("two") ? 0x2222 : 0x1111, last = rdtsc();
	bool regs = true, msrs = true, xmm = true;

	section("SDM 3C 28.3");
	hold_msrs(seed);
	load_xmm(seed);
	for (u32 i = 0; i < ROUNDS; i++) {
		regs &= hold(seed << 32 | i);
		msrs &= msrs_held(seed);
		xmm &= xmm_held(seed);
		note_gap(&last);
	}
	check(regs, "preempt.registers", "changed under the guest");
	check(msrs, "preempt.msrs_and_dr", "changed under the guest");
	check(xmm, "preempt.sse", "changed under the guest");
	print("INFO gaps %llu longest %llu\n", gaps, longest);
}
