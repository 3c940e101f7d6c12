/* SPDX-License-Identifier: BSD-2-Clause */
/* EPT/NPT bounds: the guest's RAM is all there, zeroed, and nothing past it */
#include "tests/guest/lib/guest.h"

#define RAM_END (16ull << 20) /* tests/guest/list.toml: 16 MiB */
#define PATTERN 0x9e3779b97f4a7c15ull

extern char guest_end[];

static void zeroed(void)
{
	section("SDM 3C 29.3");
	for (u64 a = 2ull << 20; a < RAM_END - (2ull << 20); a += 8)
		if (*(volatile u64 *)a) {
			check(false, "memory.zeroed", "%llx holds %llx", a,
			      *(volatile u64 *)a);
			return;
		}
	check(true, "memory.zeroed", "");
}

static void distinct(void)
{
	u64 bad = 0;

	section("SDM 3C 29.3");
	for (u64 a = 2ull << 20; a < RAM_END - (2ull << 20); a += 4096)
		*(volatile u64 *)a = a * PATTERN;
	for (u64 a = 2ull << 20; a < RAM_END - (2ull << 20); a += 4096)
		if (*(volatile u64 *)a != a * PATTERN)
			bad++;
	check(!bad, "memory.pages_distinct", "%llu pages lost their value",
	      bad);
}

static void bounds(void)
{
	volatile u64 *first_past = (volatile u64 *)RAM_END;
	volatile u64 *last = (volatile u64 *)(RAM_END - 8);

	section("SDM 3C 29.3.3");
	*last = PATTERN;
	check(*last == PATTERN, "memory.last_word", "%llx", *last);
	check(*first_past == ~0ull, "memory.first_past_reads_ones", "%llx",
	      *first_past);
	*first_past = PATTERN;
	check(*first_past == ~0ull, "memory.first_past_ignores_writes", "%llx",
	      *first_past);
	check(*last == PATTERN, "memory.last_word_unharmed", "%llx", *last);
}

/* Widths and forms of access to a place where nothing is: all are emulated */
static void forms(void)
{
	u64 a = RAM_END + 0x1000, v = 0;
	u32 flags;

	section("SDM 3C 29.3.3");
	__asm__ volatile("movb (%1), %b0" : "+r"(v) : "r"(a));
	check((v & 0xff) == 0xff, "memory.hole_movb", "%llx", v);
	__asm__ volatile("movzwl (%1), %k0" : "=r"(v) : "r"(a));
	check(v == 0xffff, "memory.hole_movzx", "%llx", v);
	__asm__ volatile("movslq (%1), %0" : "=r"(v) : "r"(a));
	check(v == ~0ull, "memory.hole_movsxd", "%llx", v);
	__asm__ volatile("mov (%1,%2,8), %0" : "=r"(v) : "r"(a), "r"(8ull));
	check(v == ~0ull, "memory.hole_sib", "%llx", v);
	__asm__ volatile("testl $1, (%1); setnz %b0" : "=q"(flags) : "r"(a));
	check(flags & 1, "memory.hole_test", "%x", flags);
	v = 5;
	__asm__ volatile("addq (%1), %0" : "+r"(v) : "r"(a));
	check(v == 4, "memory.hole_add", "%llx", v);
	__asm__ volatile("orl $0x10, (%0)" ::"r"(a) : "memory");
	__asm__ volatile("movl $0x55, (%0)" ::"r"(a) : "memory");
	v = 7;
	__asm__ volatile("xchgl %k0, (%1)" : "+r"(v) : "r"(a) : "memory");
	check(v == 0xffffffff, "memory.hole_xchg", "%llx", v);
}

static void string_forms(void)
{
	static u64 buf[8];
	u64 src = RAM_END + 0x2000, dst = (u64)buf, n = 8;

	section("SDM 2B MOVS");
	__asm__ volatile("rep movsq" : "+S"(src), "+D"(dst), "+c"(n)::"memory");
	check(n == 0 && buf[7] == ~0ull, "memory.hole_rep_movs", "rcx %llu", n);
	dst = RAM_END + 0x2000;
	n = 16;
	__asm__ volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(0) : "memory");
	check(n == 0 && dst == RAM_END + 0x2010, "memory.hole_rep_stos",
	      "rcx %llu rdi %llx", n, dst);
}

void guest_main(void)
{
	section("SDM 3C 29.3");
	check((u64)guest_end < 2ull << 20, "memory.image_below_2m", "%llx",
	      (u64)guest_end);
	zeroed();
	distinct();
	bounds();
	forms();
	string_forms();
}
