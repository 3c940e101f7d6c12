/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks counted by the TSC; see vclock.h. No state, no locks. */
#include "hv/time/vclock.h"

#include "arch/x86/machine/tsc.h"

typedef unsigned __int128 u128;

/* The multiplier has as many bits after the point as fit */
void vclock_init(struct vclock *c, u64 hz)
{
	c->shift = (u32)__builtin_clzll(hz) - 1;
	c->mul = (hz << c->shift) / (tsc_khz * 1000);
}

u64 vclock_ticks(const struct vclock *c, u64 tsc)
{
	if ((s64)tsc < 0)
		return 0;
	return (u64)((u128)tsc * c->mul >> c->shift);
}

/* A 128-bit dividend whose quotient fits in 64 bits, rounded up */
static u64 divide_up(u128 dividend, u64 divisor)
{
	u64 lo = (u64)dividend, hi = (u64)(dividend >> 64);
	u64 quotient, rest;

	__asm__("divq %4"
		: "=a"(quotient), "=d"(rest)
		: "0"(lo), "1"(hi), "rm"(divisor)
		: "cc");
	return quotient + (rest != 0);
}

u64 vclock_tsc(const struct vclock *c, u64 ticks)
{
	u128 dividend = (u128)ticks << c->shift;

	if (dividend >> 62 >= c->mul)
		return VCLOCK_NEVER;
	return divide_up(dividend, c->mul);
}
