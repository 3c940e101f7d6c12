/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See watchdog.h. A look costs the watched core nothing but its timer's own
 * exit: it takes what the core counts anyway, its exits by kind and the turns
 * of the run loop. Called in a timer's interrupt, and by the NMI of a core that
 * was asked.
 *
 * No locks: a watch is of one core, and a place is written by the core that was
 * asked and read by the one that asks, between `asked` and `told`. What is read
 * of another core's vCPU may be out of date, no more: vCPUs are never freed
 * while guests run.
 */
#include "hv/run/watchdog.h"

#include "arch/x86/machine/idle.h"
#include "arch/x86/machine/idt.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smi.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/exit.h"
#include "hv/core/meter.h"
#include "hv/core/vcpu.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/pmm.h"

#define LOOK_S      1u
#define LOOKS       5u /* so many in a row that find it where it was */
#define ASKED_S     (LOOKS * LOOK_S)
#define RETURNS     8u /* addresses, of so many words */
#define STACK_WORDS 128u

extern const u8 __text_start[], __text_end[]; /* linker.ld */

/* A core's, of another one */
struct watch {
	struct timer timer;
	const struct pcpu *core; /* the watched one */
	u64 progress;            /* of it, at the last look */
	u32 looks;               /* since it has changed */
};
static struct watch *watches[MAX_CPUS]; /* by the watching core's id */

static struct whereabouts {
	bool started; /* it is in its run loop */
	u32 timers;   /* how often its own timer came */
	bool asked, told;
	u64 rip;
} places[MAX_CPUS]; /* by the watched core's id */

static u64 progress_of(const struct pcpu *cpu)
{
	const struct vcpu *v = READ_ONCE(cpu->current);
	u64 sum = READ_ONCE(cpu->turns);

	/* Exits are not counted then. Whoever takes its timer lets interrupts
	 * through. */
	if (metering == BH_CTL_METERING_OFF)
		sum += READ_ONCE(places[cpu->id].timers);
	for (u32 i = 0; v && i < EXIT_KINDS; i++)
		sum += READ_ONCE(v->exits[i]);
	return sum;
}

static bool is_in_host(const struct pcpu *cpu)
{
	return READ_ONCE(places[cpu->id].started) && READ_ONCE(cpu->online) &&
	       !READ_ONCE(cpu->in_guest) && !READ_ONCE(cpu->idle);
}

static void report(const struct pcpu *cpu)
{
	const struct vcpu *v = READ_ONCE(cpu->current);
	enum exit_kind kind = v ? READ_ONCE(v->hw.exit.kind) : EXIT_UNKNOWN;

	if (!v) {
		log_error("watchdog",
			  "core %u has been in the hypervisor for %u s, with "
			  "no guest",
			  cpu->id, ASKED_S);
		return;
	}
	log_error("watchdog",
		  "core %u has been in the hypervisor for %u s, in the service "
		  "of guest %s, vCPU %u; its last exit: %s, reason %#llx",
		  cpu->id, ASKED_S, v->vm->name, v->id,
		  exit_name(kind < EXIT_KINDS ? kind : EXIT_UNKNOWN),
		  v->hw.exit.raw_reason);
}

static void ask(const struct pcpu *cpu)
{
	struct whereabouts *p = &places[cpu->id];

	__atomic_store_n(&p->told, false, __ATOMIC_SEQ_CST);
	__atomic_store_n(&p->asked, true, __ATOMIC_SEQ_CST);
	lapic_send_nmi(cpu->apic_id);
}

/*
 * SVM holds NMIs back between an exit and the next entry. The frames at the top
 * of the stack are those of calls that have not returned, so the words there
 * that point into the code are mostly return addresses.
 */
static void report_stack(const struct pcpu *cpu)
{
	const u64 *top = (const u64 *)cpu->stack_top;
	char line[RETURNS * sizeof(" ffffffff80000000")] = "";
	size_t len = 0;
	u32 found = 0;

	for (u32 i = 1; i <= STACK_WORDS && found < RETURNS; i++) {
		u64 word = READ_ONCE(*(top - i));

		if (word <= (u64)__text_start || word >= (u64)__text_end)
			continue;
		len += (size_t)bh_snprintf(line + len, sizeof(line) - len,
					   " %llx", word);
		found++;
	}
	log_error("watchdog",
		  "core %u does not take an NMI; on its stack, outermost "
		  "first:%s",
		  cpu->id, line);
}

static void report_place(const struct pcpu *cpu)
{
	struct whereabouts *p = &places[cpu->id];

	if (__atomic_load_n(&p->told, __ATOMIC_ACQUIRE))
		log_error("watchdog", "core %u is at %016llx", cpu->id, p->rip);
	else
		report_stack(cpu);
}

/* In an NMI, with any lock held by this core: nothing is logged here. False:
 * nobody asked. */
static bool tell(u64 rip)
{
	struct whereabouts *p = &places[this_cpu()->id];

	if (!__atomic_exchange_n(&p->asked, false, __ATOMIC_SEQ_CST))
		return false;
	p->rip = rip;
	__atomic_store_n(&p->told, true, __ATOMIC_RELEASE);
	return true;
}

static void look_at(struct watch *w)
{
	u64 progress = progress_of(w->core);

	if (!is_in_host(w->core) || progress != w->progress) {
		if (w->looks >= LOOKS)
			log_warn("watchdog", "core %u goes on after %u s",
				 w->core->id, w->looks * LOOK_S);
		w->progress = progress;
		w->looks = 0;
		return;
	}
	w->looks++;
	if (w->looks == LOOKS) {
		report(w->core);
		ask(w->core);
	} else if (w->looks == LOOKS + 1) {
		report_place(w->core);
	}
}

static void arm(struct watch *w)
{
	timer_arm(&w->timer, rdtsc() + ns_to_tsc(LOOK_S * NS_PER_S));
}

static void look(struct timer *t)
{
	struct watch *w = container_of(t, struct watch, timer);

	WRITE_ONCE(places[this_cpu()->id].timers,
		   places[this_cpu()->id].timers + 1);
	look_at(w);
	smi_look();
	idle_look(this_cpu());
	arm(w);
}

void watchdog_start(void)
{
	u32 id = this_cpu()->id;
	struct watch *w;

	if (pcpu_count == 1)
		return;
	if (!watches[id])
		watches[id] = kmem_alloc(&pmm_self, sizeof(*w));
	w = watches[id];
	if (!w) {
		log_warn("watchdog", "no memory for core %u's", id);
		return;
	}
	nmi_hook = tell;
	w->core = pcpus[(id + 1) % pcpu_count];
	w->timer.fn = look;
	WRITE_ONCE(places[id].started, true);
	arm(w);
}
