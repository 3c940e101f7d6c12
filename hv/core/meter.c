/* SPDX-License-Identifier: BSD-2-Clause */
/* Histograms of what exits, interrupts and waits cost, see meter.h. No lock. */
#include "hv/core/meter.h"

#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/trace.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/stretch.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/pmm.h"

/* What the inline code can place: below the last bucket's begin */
#define INLINE_TICKS_MAX ((64ull << (BH_CTL_BUCKETS - 2)) - 1)

enum bh_ctl_metering metering = BH_CTL_METERING_COUNTERS;
bool meter_listens;
static bool traced;
static u32 epoch; /* counts how often histograms were switched on */

static struct bh_ctl_histogram *own(struct vcpu *v, enum bh_ctl_histogram_of i)
{
	return &v->meter->histogram[i];
}

static void note(struct bh_ctl_histogram *h, u64 ticks)
{
	h->ticks += ticks;
	h->count[meter_bucket(ticks)]++;
}

static void trace(const struct vcpu *v, enum bh_ctl_trace_event event, u32 kind,
		  u64 tsc, u64 arg)
{
	const struct bh_ctl_trace record = { .tsc = tsc,
					     .guest = vm_number(v->vm),
					     .arg = arg,
					     .vcpu = v->id,
					     .event = (u16)event,
					     .kind = (u16)kind };

	trace_put(&record);
}

/* A host interrupt while a guest was in the core: its exit begins with it. SVM
 * serves it before the exit is seen. */
static void interrupt_begins(u8 vector)
{
	struct pcpu *cpu = this_cpu();

	stretch_interrupt();
	trace_now(BH_CTL_TRACE_INTERRUPT, vector, 0);
	if (cpu->in_guest && !cpu->irq_since)
		cpu->irq_since = rdtsc();
}

u64 meter_since_irq(struct pcpu *cpu)
{
	u64 since = cpu->irq_since;

	cpu->irq_since = 0;
	return since;
}

static void listen(void)
{
	bool timed = metering == BH_CTL_METERING_HISTOGRAMS;

	WRITE_ONCE(meter_listens, timed || traced);
	WRITE_ONCE(irq_begins_hook, timed || traced || stretch_is_measured()
					    ? interrupt_begins
					    : NULL);
}

void meter_switch(enum bh_ctl_metering what)
{
	bool timed = what == BH_CTL_METERING_HISTOGRAMS;

	if (timed && metering != what)
		WRITE_ONCE(epoch, epoch + 1);
	stretch_switch(timed);
	WRITE_ONCE(metering, what);
	listen();
}

void meter_trace(bool on)
{
	traced = on;
	listen();
}

/* Once for a vCPU, and once more for each turn that found no memory */
static bool create(struct vcpu *v)
{
	static struct ratelimit limit;

	v->meter = pmm_alloc_bytes(v->hw.budget, sizeof(*v->meter));
	if (v->meter)
		return true;
	if (ratelimit_pass(&limit, rdtsc(), ns_to_tsc(NS_PER_S), 1))
		log_warn("meter",
			 "guest %s: no memory for the histograms of vCPU %u",
			 v->vm->name, v->id);
	return false;
}

void meter_destroy(struct vcpu *v)
{
	pmm_free_bytes(v->hw.budget, v->meter, sizeof(*v->meter));
	v->meter = NULL;
}

enum meter_form meter_form(struct vcpu *v)
{
	enum bh_ctl_metering what = READ_ONCE(metering);
	bool timed =
		what == BH_CTL_METERING_HISTOGRAMS && (v->meter || create(v));

	if (trace_is_on() || (!timed && stretch_is_measured()))
		return METER_WATCHED;
	if (timed)
		return METER_TIMED;
	return what == BH_CTL_METERING_OFF ? METER_BARE : METER_COUNTED;
}

/* What was counted is another life's, or what is noted is from before
 * histograms were off */
static void begin_anew(struct vcpu *v, struct vcpu_meter *m)
{
	if (m->started != v->vm->tsc_start)
		memset(m->histogram, 0, sizeof(m->histogram));
	m->started = v->vm->tsc_start;
	m->epoch = READ_ONCE(epoch);
	m->waited = v->entity.steal_tsc;
	m->asked = 0;
}

static void turn_of(struct vcpu *v, struct vcpu_meter *m)
{
	if (m->started != v->vm->tsc_start || m->epoch != READ_ONCE(epoch))
		begin_anew(v, m);
	if (v->entity.steal_tsc != m->waited)
		note(own(v, BH_CTL_HISTOGRAM_WAIT),
		     v->entity.steal_tsc - m->waited);
	m->waited = v->entity.steal_tsc;
}

void meter_turn(struct vcpu *v)
{
	v->delivered.type = EVENT_NONE;
	this_cpu()->irq_since = 0;
	if (v->meter)
		turn_of(v, v->meter);
	trace(v, BH_CTL_TRACE_SWITCH, 0, rdtsc(), 0);
}

/* Cores' clocks may differ by a few ticks */
static u64 ticks_since(u64 since)
{
	return (u64)MAX((s64)(rdtsc() - since), (s64)0);
}

void meter_delivers(struct vcpu *v, u64 since)
{
	struct vcpu_meter *m = v->meter;
	u64 asked = m ? READ_ONCE(m->asked) : 0, begin = asked ? asked : since;
	u64 ticks = begin ? ticks_since(begin) : 0;

	if (!since)
		trace(v, BH_CTL_TRACE_ENTRY, 0, rdtsc(), 0);
	if (m)
		WRITE_ONCE(m->asked, 0);
	if (v->delivered.type == EVENT_NONE)
		return;
	v->delivered.type = EVENT_NONE;
	if (m && begin)
		note(own(v, BH_CTL_HISTOGRAM_INTERRUPT), ticks);
	trace(v, BH_CTL_TRACE_INJECT, v->delivered.vector, rdtsc(), ticks);
}

void meter_asked(struct vcpu *v, bool wakes)
{
	struct vcpu_meter *m = READ_ONCE(v->meter);

	if (m && !READ_ONCE(m->asked))
		WRITE_ONCE(m->asked, rdtsc());
	if (wakes)
		trace(v, BH_CTL_TRACE_WAKE, 0, rdtsc(), 0);
}

void meter_idle(u64 since)
{
	const struct bh_ctl_trace record = { .tsc = since,
					     .arg = rdtsc() - since,
					     .event = BH_CTL_TRACE_IDLE };

	trace_put(&record);
}

u32 meter_rare(struct pcpu *cpu, u64 ticks)
{
	u64 most = MIN(stretch_limit(), INLINE_TICKS_MAX);

	if (cpu->in_guest) /* else its stretch goes on */
		stretch_entered();
	cpu->rare_ticks = MIN(MAX(ticks, cpu->rare_ticks), most);
	return meter_bucket(ticks);
}

void meter_exit_late(struct pcpu *cpu, struct vcpu *v)
{
	meter_exit(cpu, v);
}

void watch_entry(void)
{
	stretch_pause();
}

void watch_exited(struct pcpu *cpu)
{
	stretch_go_on();
	meter_exited(cpu);
}

void watch_exit(struct pcpu *cpu, struct vcpu *v)
{
	if (metering == BH_CTL_METERING_HISTOGRAMS && v->meter)
		meter_exit(cpu, v);
	trace(v, BH_CTL_TRACE_EXIT, (u32)v->hw.exit.kind, cpu->exit_since,
	      rdtsc() - cpu->exit_since);
}
