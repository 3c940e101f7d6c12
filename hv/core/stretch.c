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
	bool open;   /* interrupts are let through now */
	u64 longest; /* ticks */
	u64 too_long;
	/* In the longest: the guest that had the core, which may be gone by
	 * now; was it built or scrubbed; its last exit */
	char guest[MANIFEST_NAME_LEN]; /* "": none */
	bool working;
	enum exit_kind exit;
} __aligned(64);

static struct stretch *stretches; /* by core; NULL: never measured */
static bool measured, always;
static u64 measured_since; /* TSC; what a core has noted before is stale */

static struct stretch *own(void)
{
	return &stretches[this_cpu()->id];
}

u64 stretch_limit(void)
{
	return MAX(tsc_khz * STRETCH_MAX_US / 1000, (u64)STRETCH_MAX_TICKS);
}

static void note(struct stretch *s, u64 ticks)
{
	const struct vcpu *v = this_cpu()->current;

	s->too_long += ticks > stretch_limit();
	if (ticks <= s->longest)
		return;
	s->longest = ticks;
	str_copy(s->guest, v ? v->vm->name : "", sizeof(s->guest));
	s->working = v && v->activity == VCPU_WORKING;
	s->exit = v && (u32)v->hw.exit.kind < EXIT_KINDS ? v->hw.exit.kind
							 : EXIT_UNKNOWN;
}

static void begin(void)
{
	this_cpu()->kept_since = rdtsc();
}

static void end(u64 since)
{
	if (measured && since > measured_since)
		note(own(), rdtsc() - since);
	this_cpu()->kept_since = 0;
}

/* Of what goes on: a timed exit has only left its own time */
static u64 since(void)
{
	return MAX(this_cpu()->kept_since, this_cpu()->exit_since);
}

void stretch_entered(void)
{
	end(since());
}

void stretch_pause(void)
{
	if (!measured)
		return;
	if (!own()->open)
		end(since());
	own()->open = true;
}

/* The stretch of the last interrupt, if one came, goes on here */
void stretch_go_on(void)
{
	if (!measured)
		return;
	own()->open = false;
	if (!this_cpu()->kept_since)
		begin();
}

void stretch_look(void)
{
	stretch_pause();
	irq_poll();
	stretch_go_on();
}

void stretch_interrupt(void)
{
	if (!measured || !own()->open)
		return; /* an exit's, and part of its stretch */
	end(this_cpu()->kept_since);
	begin();
}

void stretch_switch(bool on)
{
	if (on && !stretches)
		stretches = pmm_alloc_bytes(&pmm_self,
					    pcpu_count * sizeof(*stretches));
	if (on && !stretches)
		log_warn("stretch", "no memory to measure with");
	on = stretches && (on || always);
	if (on && !measured)
		WRITE_ONCE(measured_since, rdtsc());
	WRITE_ONCE(measured, on);
}

void stretch_measure(void)
{
	always = true;
	stretch_switch(true);
}

bool stretch_is_measured(void)
{
	return measured;
}

u64 stretch_longest(u32 id)
{
	return stretches ? READ_ONCE(stretches[id].longest) : 0;
}

u64 stretch_too_long(u32 id)
{
	return stretches ? READ_ONCE(stretches[id].too_long) : 0;
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
