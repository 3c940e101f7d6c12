/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers of the CPU: RDSEED, else RDRAND (SDM 1 7.3.17 *Random Number
 * Generator Instructions*).
 */
#ifndef ARCH_X86_CPU_RANDOM_H
#define ARCH_X86_CPU_RANDOM_H

#include "lib/types.h"

/* 64 bits, for values that a guest must not know; not for keys. A CPU with
 * neither instruction has its TSC alone, which is hard to guess and not random.
 * Any core, any context, from the first instruction on. */
u64 cpu_random(void);
/* Can this CPU give seeds? */
bool cpu_has_random(void);
/* A seed of 64 bits from RDSEED, else RDRAND, each asked @tries times at most.
 * False: it has neither, or both have nothing at the moment. Any core, any
 * context. */
bool __must_check cpu_random_seed(u64 *value, u32 tries);
/* Gives the stack protector its value. Called by hv/entry.asm alone, before any
 * other function. */
void stack_guard_init(void);

#endif
