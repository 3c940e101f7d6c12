/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A core's state. It lies at the bottom of the core's one stack (cpu_area.h),
 * which is STACK_SIZE aligned: this_cpu() is the stack pointer rounded down.
 * So no segment register is needed, and SVM needs no VMLOAD at each exit. An
 * IST stack has a pointer to it as its bottom word.
 */
#ifndef ARCH_X86_CPU_PERCPU_H
#define ARCH_X86_CPU_PERCPU_H

#include "lib/types.h"

#define MAX_CPUS   1024 /* ACPI_MAX_CPUS (drivers/acpi/acpi.h) */
#define STACK_SIZE 32768ul

struct irq;          /* arch/x86/machine/irq.h */
struct timer;        /* arch/x86/machine/timer.h */
struct vcpu;         /* hv/core/vcpu.h; opaque here */
struct sched_cpu;    /* sched/sched.h */
struct trace_ring;   /* arch/x86/machine/trace.h */
struct window_cache; /* mm/window.h */
struct backend_cpu;  /* private to arch/x86/vmx and arch/x86/svm each */

/* Bits of pcpu.pending: any core sets one by pcpu_kick(), the owner takes it in
 * the run loop (hv/run/loop.c) */
enum pcpu_pending {
	PCPU_RESCHED = 1 << 0, /* the run queue changed */
	PCPU_CALL = 1 << 1,    /* a rendezvous waits (smp.h) */
	PCPU_STOP = 1 << 2,    /* leave VMX or SVM and halt */
	PCPU_VECTORS = 1 << 3, /* vectors were retired (irq.h) */
	PCPU_KEY = 1 << 4,     /* a key waits (hv/console/remote.c); boot CPU */
	PCPU_NMI = 1 << 5,     /* an NMI of the machine came (nmi.h) */
	PCPU_PASS = 1 << 6,    /* somebody waits for it here (quiesce.h) */
};

/* The timers that this core armed; only arch/x86/machine/timer.c touches it */
struct timer_queue {
	struct timer *first; /* sorted, soonest first */
	u64 programmed;      /* deadline in the hardware; 0: none */
};

/* Whose interrupt each vector of this core is. The core itself reads @irq with
 * no lock; the rest is under the lock of arch/x86/machine/vectors.c. */
struct core_vectors {
	struct irq *irq[256]; /* NULL: nobody's */
	u8 retired[256];      /* looks until it is free; 0: it is not retired */
	u32 taken;            /* of those that one core gives away */
	bool looking;         /* it has retired ones, and was told */
};

/* What the boot CPU asks a core that starts (arch/x86/machine/tsc_sync.c); its
 * number is written last */
struct tsc_question {
	u32 asked, answered; /* atomic: numbers */
	u32 what;
	bool failed;
	s64 delta, removed; /* to move the TSC by; what residue.c moved it by */
	u64 tsc;            /* the answer */
};

/* Written by the owner core alone, but for @pending and @vectors, and at
 * bring-up by the boot CPU. Other cores read the first eight, and met and left,
 * which smp_call.c has. */
struct pcpu {
	struct pcpu *self;    /* first: what this_cpu() loads */
	struct vcpu *current; /* whose guest state is in this core, or NULL */
	u32 id;               /* dense, 0 is the boot CPU */
	u32 apic_id;
	u32 pending; /* atomic, enum pcpu_pending */
	bool online;
	bool in_guest;  /* set before the entry, cleared after the exit */
	bool idle;      /* halts until an interrupt */
	u32 turns;      /* of the run loop, for hv/run/watchdog.c */
	u32 idle_turns; /* turns at the last look of arch/x86/machine/idle.c */
	u32 deep_left;  /* sleeps until the next look that may be deep */
	struct timer_queue timers;
	struct sched_cpu *sched;
	struct window_cache *windows;
	struct backend_cpu *backend;
	/* Not NULL while a guest's TR, LDTR, FS and GS are loaded and GIF is
	 * clear (SVM). Whoever is about to open interrupts or to halt on this
	 * core calls it first: irq_poll(), the idle loop, leaving for good. It
	 * gives the core its own state back, sets GIF and clears itself. */
	void (*unload_guest)(struct pcpu *cpu);
	u64 stack_top;
	u32 met, left; /* the last rendezvous that it came to, and went from */
	u64 passed; /* the last number of hv/core/quiesce.c; others read it */
	/* hv/core/meter.h and stretch.h, in ticks of the TSC: when this stretch
	 * began (0: there is none), and the host interrupt that ended the
	 * guest's stay, if one did */
	u64 kept_since, irq_since;
	u64 exit_since; /* the last exit that was timed */
	u64 rare_ticks; /* exits that take longer go to meter_rare() */
	u64 host_ticks; /* of all metered exits */
	u64 smis;       /* arch/x86/machine/smi.c, or ~0 */
	struct trace_ring *trace; /* arch/x86/machine/trace.h; NULL: none */
	struct tsc_question tsc_question;
	struct core_vectors vectors;
};

/* The core that this runs on. Any context, on any stack of the core; from
 * hv_start on for the boot CPU, from ap_start on for the others. */
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

/* The cores that can be used, by id, and how many; NULL past them. Constant
 * once smp_start() has returned. */
extern struct pcpu *pcpus[MAX_CPUS];
extern u32 pcpu_count;

#endif
