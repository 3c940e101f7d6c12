/* SPDX-License-Identifier: BSD-2-Clause */
/* The longest time that each core is kept, see stretch.h. No lock. */
#include "hv/core/stretch.h"

#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/exit.h"
#include "hv/core/vcpu.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/pmm.h"

struct stretch {
	u64 begin;   /* TSC; 0: there is none */
	bool open;   /* interrupts are let through now */
	u64 longest; /* ticks */
	u64 too_long;
	/* In the longest: the guest that had the core, which may be gone by
	 * now; was it built or scrubbed; its last exit */
	char guest[MANIFEST_NAME_LEN]; /* "": none */
	bool working;
	enum exit_kind exit;
} __aligned(64);

static struct stretch *stretches; /* MAX_CPUS, or NULL: not measured */
static bool measured;
#define STRETCHES_BYTES (MAX_CPUS * sizeof(struct stretch))

static struct stretch *own(void)
{
	return &stretches[this_cpu()->id];
}

static u64 limit(void)
{
	return MAX(tsc_khz * STRETCH_MAX_US / 1000, (u64)STRETCH_MAX_TICKS);
}

static void note(struct stretch *s, u64 ticks)
{
	const struct vcpu *v = this_cpu()->current;

	s->too_long += ticks > limit();
	if (ticks <= s->longest)
		return;
	s->longest = ticks;
	str_copy(s->guest, v ? v->vm->name : "", sizeof(s->guest));
	s->working = v && v->activity == VCPU_WORKING;
	s->exit = v && (u32)v->hw.exit.kind < EXIT_KINDS ? v->hw.exit.kind
							 : EXIT_UNKNOWN;
}

static void begin(struct stretch *s)
{
	s->begin = rdtsc();
}

static void end(struct stretch *s)
{
	if (s->begin)
		note(s, rdtsc() - s->begin);
	s->begin = 0;
}

void stretch_pause(void)
{
	if (!measured)
		return;
	end(own());
	own()->open = true;
}

/* The stretch of the last interrupt, if one came, goes on here */
void stretch_go_on(void)
{
	if (!measured)
		return;
	own()->open = false;
	if (!own()->begin)
		begin(own());
}

void stretch_look(void)
{
	stretch_pause();
	irq_poll();
	stretch_go_on();
}

static void interrupt_begins(void)
{
	struct stretch *s = own();

	if (!s->open)
		return; /* an exit's, and part of its stretch */
	end(s);
	begin(s);
}

void stretch_measure(void)
{
	if (!stretches)
		stretches = pmm_alloc_bytes(&pmm_self, STRETCHES_BYTES);
	if (!stretches) {
		log_warn("stretch", "no memory to measure with");
		return;
	}
	irq_begins_hook = interrupt_begins;
	measured = true;
}

bool stretch_is_measured(void)
{
	return measured;
}

static void report(u32 core, const struct stretch *s)
{
	const char *what =
		s->working ? "built or scrubbed" : exit_name(s->exit);

	log_info("stretch",
		 "core %u: longest %llu ticks (%llu us), %llu too long; %s, %s",
		 core, s->longest, (tsc_to_ns(s->longest) / NS_PER_US),
		 s->too_long, s->guest[0] ? s->guest : "no guest",
		 s->guest[0] ? what : "-");
}

void stretch_report(void)
{
	for (u32 i = 0; measured && i < pcpu_count; i++)
		report(i, &stretches[i]);
}
