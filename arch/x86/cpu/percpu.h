/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU state. It lies at the bottom of the core's one stack, which is
 * STACK_SIZE aligned, so that this_cpu() is the stack pointer rounded down: no
 * segment register is needed and the SVM path needs no VMLOAD per exit.
 * IST stacks hold a pointer to it at their bottom word too: see hv/entry.asm.
 */
#ifndef ARCH_X86_CPU_PERCPU_H
#define ARCH_X86_CPU_PERCPU_H

#include "lib/types.h"

#define MAX_CPUS   256
#define STACK_SIZE 16384ul

struct timer;        /* arch/x86/machine/timer.h */
struct vcpu;         /* hv/core/vcpu.h; opaque here */
struct sched_cpu;    /* sched/sched.h */
struct window_cache; /* mm/window.h */
struct backend_cpu;  /* VMXON region, host save area: private to a back-end */

/* One bit each in pcpu.pending: set by any core, taken by the owner */
enum pcpu_pending {
	PCPU_RESCHED = 1 << 0, /* the run queue changed */
	PCPU_CALL = 1 << 1,    /* a cross-call waits (smp.h) */
	PCPU_STOP = 1 << 2,    /* leave VMX/SVM and halt */
};

/* The timers that this core armed; only timer.c touches it */
struct timer_queue {
	struct timer *first; /* sorted, soonest first */
	u64 programmed;      /* deadline in the hardware; 0: none */
};

struct pcpu {
	struct pcpu *self;    /* first: what this_cpu() loads */
	struct vcpu *current; /* whose guest state is in this core, or NULL */
	u32 id;               /* dense, 0 is the boot CPU */
	u32 apic_id;
	u32 pending; /* atomic, enum pcpu_pending */
	bool online;
	bool in_guest; /* set before the entry, cleared after the exit */
	struct timer_queue timers;
	struct sched_cpu *sched;
	struct window_cache *windows;
	struct backend_cpu *backend;
	/* Not NULL while guest TR, LDTR, FS and GS are loaded and GIF is clear
	 * (SVM). Whoever is about to open interrupts or to halt on this core
	 * (irq_poll, idle, leaving for good) calls it first; it gives the core
	 * its own state back, sets GIF and clears itself. */
	void (*unload_guest)(struct pcpu *cpu);
	void *gdt; /* private to gdt.c: GDT, TSS, IST stacks */
	u64 stack_top;
};

#ifdef BULKHEAD_UNIT_TEST
struct pcpu *this_cpu(void); /* the test supplies it */
#else
static inline struct pcpu *this_cpu(void)
{
	u64 sp;

	__asm__("mov %%rsp, %0" : "=r"(sp));
	return *(struct pcpu **)(sp & ~(STACK_SIZE - 1));
}
#endif

extern struct pcpu *pcpus[MAX_CPUS]; /* [id]; NULL past pcpu_count */
extern u32 pcpu_count;               /* cores that came up */

#endif
