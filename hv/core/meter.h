/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted while guests run (enum bh_ctl_metering). The run loop has a
 * form of its own for each (hv/run/loop.c), which a vCPU's turn begins with: so
 * what is not wanted costs no instruction. Counters are vcpu.exits. Histograms
 * are these; the exit's own way is inline, the rest is meter.c's.
 *
 * A vCPU's histograms are its home core's to write, with no lock; others read
 * them while they count. They are made on its first turn that wants them,
 * charged to its guest, and stay as long as the vCPU.
 */
#ifndef HV_CORE_METER_H
#define HV_CORE_METER_H

#include "arch/x86/machine/tsc.h"
#include "hv/core/vcpu.h"
#include "include/bulkhead/control.h"

#define METER_HISTOGRAMS ((u32)BH_CTL_HISTOGRAM_EXITS + EXIT_KINDS)

struct vcpu_meter {
	u64 asked;   /* when it was first posted to since its last entry; 0 */
	u64 waited;  /* entity.steal_tsc at its last turn */
	u64 started; /* vm->tsc_start of what was counted */
	u32 epoch;   /* of the last turn: histograms may have been off since */
	struct bh_ctl_histogram histogram[METER_HISTOGRAMS];
};

#define METER_EXITS_AT                                                         \
	offsetof(struct vcpu_meter, histogram[BH_CTL_HISTOGRAM_EXITS])

/* The forms of the run loop */
enum meter_form {
	METER_BARE,
	METER_COUNTED,
	METER_TIMED,   /* histograms, and the longest stretch */
	METER_WATCHED, /* whatever is asked for, at any price */
};

/* What is metered now. Any core reads it. */
extern enum bh_ctl_metering metering;
/* Histograms are, or cores are traced: somebody wants to know of interrupts and
 * of who is woken */
extern bool meter_listens;
/* From now on @what. Every core begins with it at its next turn: kick them, or
 * do it before guests run. One caller at a time. */
void meter_switch(enum bh_ctl_metering what);
/* The same for the trace (arch/x86/machine/trace.h), whose rings are there */
void meter_trace(bool on);
/* The form for a turn of @v, which has histograms if it needs them. -ENOMEM is
 * none: then it is counted alone. Home core. */
enum meter_form meter_form(struct vcpu *v);
void meter_destroy(struct vcpu *v);

/* A turn begins. Home core, before its first entry. */
void meter_turn(struct vcpu *v);
/* The next entry follows a look at events: has it an interrupt to deliver?
 * @since: the exit before it; 0: it is the first of the turn. Home core. */
void meter_delivers(struct vcpu *v, u64 since);
/* vcpu_post() is about to wake @v, or to kick its core. Any core or context. */
void meter_asked(struct vcpu *v, bool wakes);
/* This core was idle since @since */
void meter_idle(u64 since);

/* Which of @count[] */
static inline u32 meter_bucket(u64 ticks)
{
	u32 bucket = 58u - (u32)__builtin_clzll(ticks | 63);

	return MIN(bucket, BH_CTL_BUCKETS - 1u);
}
/* An exit of a length that there was none of yet on this core, or that the
 * inline code cannot place: the bucket, and what else is to be noted */
u32 meter_rare(struct pcpu *cpu, u64 ticks);
/* The exit began with the host interrupt that has been served already: when */
u64 meter_since_irq(struct pcpu *cpu);

/* Just behind an exit */
static inline void meter_exited(struct pcpu *cpu)
{
	u64 now = rdtsc();

	if (unlikely(cpu->irq_since))
		now = meter_since_irq(cpu);
	cpu->exit_since = now;
}

/* One multiplication, where the compiler would take a longer way */
static inline u64 meter_offset(enum exit_kind kind)
{
	u64 offset;

	__asm__("imul %2, %1, %0"
		: "=r"(offset)
		: "r"((u64)(u32)kind), "i"(sizeof(struct bh_ctl_histogram)));
	return offset;
}

/* The same of BSR, whose result the compiler widens once more. @x is not 0. */
static inline u64 meter_log2(u64 x)
{
	u64 bit;

	__asm__("bsr %1, %0" : "=r"(bit) : "r"(x) : "cc");
	return bit;
}

/* That exit is over. @v has histograms. */
static inline void meter_exit(struct pcpu *cpu, struct vcpu *v)
{
	u64 ticks = rdtsc() - cpu->exit_since;
	struct bh_ctl_histogram *h =
		(void *)((u8 *)v->meter + meter_offset(v->hw.exit.kind) +
			 METER_EXITS_AT);

	cpu->host_ticks += ticks;
	h->ticks += ticks;
	if (unlikely(ticks > cpu->rare_ticks))
		h->count[meter_rare(cpu, ticks)]++;
	else
		h->count[meter_log2(ticks | 63) - 5]++;
}
/* The same, where the core has looked at events meanwhile */
void meter_exit_late(struct pcpu *cpu, struct vcpu *v);

/* The same for METER_WATCHED: before an entry, behind an exit, and when that is
 * over */
void watch_entry(void);
void watch_exited(struct pcpu *cpu);
void watch_exit(struct pcpu *cpu, struct vcpu *v);

#endif
