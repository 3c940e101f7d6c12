/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers of the CPU: RDSEED, else RDRAND (SDM 1 7.3.17 *Random Number
 * Generator Instructions*). A CPU with neither has its TSC alone, which is hard
 * to guess and not random. For values that a guest must not know; not for keys.
 */
#ifndef ARCH_X86_CPU_RANDOM_H
#define ARCH_X86_CPU_RANDOM_H

#include "lib/types.h"

/* 64 bits. Any core, any context, from the first instruction on. */
u64 cpu_random(void);
/* Gives the stack protector its value. Called by hv/entry.asm alone, before any
 * other function. */
void stack_guard_init(void);

#endif
