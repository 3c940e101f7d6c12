/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU's last exits were, for whoever looks at a crash. Two parts, as
 * all of it at each exit would cost too much:
 *
 * - The kinds of the last eight exits, of all sorts.
 * - The last BH_CTL_LAST_EXITS exits of the rarer sorts, each with its place,
 * what it asked for and when. Those are all but the hot ones (CPUID, HLT,
 * RDMSR, WRMSR, hypercalls, the LAPIC page, ports that nobody has, interrupts
 * and their windows), and the hot ones that ended in an exception. The exit
 * table says which (hv/run/exit.c). While cores are traced, all are.
 *
 * With `metering = off` there is none of it but the exit that ended the guest.
 * A loop of up to LAST_EXITS_NEAR places takes as many records, which count.
 *
 * The home core writes, with no lock. Others read while it stands, or once it
 * has parked.
 */
#ifndef HV_CORE_LAST_EXIT_H
#define HV_CORE_LAST_EXIT_H

#include "hv/core/vcpu.h"
#include "include/bulkhead/control.h"

/* How many of the newest records may be the same place as the next exit */
#define LAST_EXITS_NEAR 4u

/* v->hw.exit is the newest of all. Two instructions, where the compiler would
 * take four: every counted exit has them. Home core. */
static inline void last_exit_kind(struct vcpu *v, enum exit_kind kind)
{
	static_assert(EXIT_KINDS <= 256, "a byte each");
	__asm__("shlq $8, %0\n\t"
		"orq %1, %0"
		: "+m"(v->last.kinds)
		: "r"((u64)(u32)kind)
		: "cc");
}

/* Note v->hw.exit with its place, before its handler runs. Home core. */
void last_exit_note(struct vcpu *v);
/* It ended in the exception that waits now. Home core. */
void last_exit_raised(struct vcpu *v);
/* It ended the guest: note it unless that is done. Home core. */
void last_exit_final(struct vcpu *v);
/* Another life begins. Home core, or any while @v is parked. */
void last_exit_forget(struct vcpu *v);

/* When the newest record was written, host TSC; 0: there is none. Any core. */
u64 last_exit_when(const struct vcpu *v);
/* All of it, the oldest record first. Any core: see above. */
void last_exit_copy(const struct vcpu *v, struct bh_ctl_last_exits *to);
/* The same, in lines of the log; nothing, if there is nothing. @rest is called
 * each ten lines or so. */
void last_exit_log(const struct vcpu *v, void (*rest)(void));

#endif
