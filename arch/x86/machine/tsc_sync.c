/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The comparison of TSCs, see tsc_sync.h.
 *
 * The boot core reads its TSC, asks, gets the other's, and reads its own again.
 * The answer lies between the two, or a clock has run backwards between two
 * cores. Each round bounds how far the other is ahead, from below and from
 * above; the quickest rounds bound it best. If zero is outside, it is apart.
 * Then it is moved to the middle and asked again. What firmware had in
 * TSC_ADJUST is tried before that, if it fits: sockets that left reset at
 * different times were put right by it.
 *
 * No lock: a question and its answer lie in the other core's pcpu, and its
 * number says that it is whole. A core that answers late spoils nothing.
 */
#include "arch/x86/machine/tsc_sync.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/tsc.h"
#include "include/hw/msr.h"
#include "lib/log.h"
#include "lib/string.h"

#define ROUNDS       256
#define ROUNDS_LEAST 4
#define CORE_US      200
#define SILENT_US    1000000 /* an emulator may leave a core aside */
#define ALL_US       500000
#define MOVES        3
#define QUICK_SPINS  64

enum { ASK_TSC, ASK_MOVE };

/* How far a core is ahead of the boot core, in ticks */
struct bounds {
	s64 low, high;
};

static struct {
	u64 used; /* ticks, of ALL_US */
	u32 moved, apart, untested;
	u32 worst_core;
	s64 worst;
} found;
static bool stable;

/* Neither early nor late, as far as an instruction can tell (SDM 2B RDTSC) */
static u64 tsc_now(void)
{
	u64 tsc;

	mfence();
	lfence();
	tsc = rdtsc();
	lfence();
	return tsc;
}

static void wait_a_little(u32 spins)
{
	if (spins > QUICK_SPINS)
		cpu_pause();
}

/* False: no answer came in time */
static bool ask(struct pcpu *cpu, u32 what, s64 delta)
{
	struct tsc_question *q = &cpu->tsc_question;
	u64 limit = rdtsc() + ns_to_tsc(SILENT_US * NS_PER_US);
	u32 number = q->asked + 1;

	q->what = what;
	q->delta = delta;
	__atomic_store_n(&q->asked, number, __ATOMIC_RELEASE);
	for (u32 i = 0;
	     __atomic_load_n(&q->answered, __ATOMIC_ACQUIRE) != number; i++) {
		if (rdtsc() > limit)
			return false;
		wait_a_little(i);
	}
	return true;
}

static int move_tsc(s64 delta)
{
	u64 value;

	if (!cpu_features.tsc_adjust)
		return wrmsr_safe(MSR_TSC, rdtsc() + (u64)delta);
	if (rdmsr_safe(MSR_TSC_ADJUST, &value))
		return -1;
	return wrmsr_safe(MSR_TSC_ADJUST, value + (u64)delta);
}

void tsc_sync_answer(struct pcpu *self)
{
	struct tsc_question *q = &self->tsc_question;
	u32 number;

	for (u32 i = 0; i <= QUICK_SPINS; i++) {
		number = __atomic_load_n(&q->asked, __ATOMIC_ACQUIRE);
		if (number != q->answered)
			break;
	}
	if (number == q->answered) {
		cpu_pause();
		return;
	}
	q->failed = q->what == ASK_MOVE && move_tsc(q->delta);
	q->tsc = tsc_now();
	__atomic_store_n(&q->answered, number, __ATOMIC_RELEASE);
}

static bool one_round(struct pcpu *cpu, struct bounds *b)
{
	u64 before = tsc_now(), after;
	s64 low, high;

	if (!ask(cpu, ASK_TSC, 0))
		return false;
	after = tsc_now();
	low = (s64)(cpu->tsc_question.tsc - after);
	high = (s64)(cpu->tsc_question.tsc - before);
	b->low = MAX(b->low, low);
	b->high = MIN(b->high, high);
	return true;
}

/* False: too few answers */
static bool compare(struct pcpu *cpu, struct bounds *b)
{
	u64 start = rdtsc();

	*b = (struct bounds){ INT64_MIN, INT64_MAX };
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 us = i < ROUNDS_LEAST ? SILENT_US : CORE_US;

		if (rdtsc() - start > ns_to_tsc(us * NS_PER_US))
			return i >= ROUNDS_LEAST;
		if (!one_round(cpu, b))
			return false;
	}
	return true;
}

static s64 middle(const struct bounds *b)
{
	return b->low / 2 + b->high / 2;
}

static s64 cure(const struct pcpu *cpu, const struct bounds *b)
{
	s64 removed = cpu->tsc_question.removed;

	if (removed && b->low <= -removed && b->high >= -removed)
		return removed;
	return -middle(b);
}

static void note_apart(const struct pcpu *cpu, const struct bounds *b)
{
	s64 ahead = middle(b);

	if (!found.apart ||
	    (ahead < 0 ? -ahead : ahead) >
		    (found.worst < 0 ? -found.worst : found.worst)) {
		found.worst = ahead;
		found.worst_core = cpu->id;
	}
	found.apart++;
}

static void sync_core(struct pcpu *cpu)
{
	struct bounds b;

	for (u32 moves = 0;; moves++) {
		if (!compare(cpu, &b)) {
			found.untested++;
			return;
		}
		if (b.low <= 0 && b.high >= 0) {
			found.moved += moves != 0;
			return;
		}
		if (moves == MOVES || !ask(cpu, ASK_MOVE, cure(cpu, &b)) ||
		    cpu->tsc_question.failed)
			break;
	}
	note_apart(cpu, &b);
}

void tsc_sync_with(struct pcpu *cpu)
{
	u64 start = rdtsc();

	if (found.used > ns_to_tsc(ALL_US * NS_PER_US))
		found.untested++;
	else
		sync_core(cpu);
	found.used += rdtsc() - start;
}

/* QUIRK(tcg-7.2): the TSC is the emulator's clock, whose rate never changes,
 * and CPUID does not say so */
static bool is_invariant(void)
{
	return cpu_features.invariant_tsc ||
	       !strcmp(cpu_features.hypervisor_name, "TCGTCGTCGTCG");
}

static void report_cores(void)
{
	u64 worst = (u64)(found.worst < 0 ? -found.worst : found.worst);

	if (found.moved)
		log_warn("tsc",
			 "the TSC of %u core%s was apart from the boot core's "
			 "and is in step now",
			 found.moved, found.moved == 1 ? "" : "s");
	if (found.apart)
		log_warn(
			"tsc",
			"the TSC of %u core%s stays apart, core %u's the most: "
			"%s by %llu ns; guests have no stable clock",
			found.apart, found.apart == 1 ? "" : "s",
			found.worst_core, found.worst < 0 ? "behind" : "ahead",
			tsc_to_ns(worst));
	if (found.untested)
		log_warn("tsc",
			 "%u core%s did not answer in time whether the TSCs "
			 "are in step: guests have no stable clock",
			 found.untested, found.untested == 1 ? "" : "s");
}

void tsc_sync_report(void)
{
	bool invariant = is_invariant();

	report_cores();
	if (!invariant)
		log_warn("tsc", "the TSC is not invariant: guests have no "
				"stable clock, and time drifts when the clock "
				"of a core changes");
	stable = invariant && !found.apart && !found.untested;
}

bool tsc_is_stable(void)
{
	return stable;
}
