/* SPDX-License-Identifier: BSD-2-Clause */
/* Cores on which physical interrupts arrive, see arrivals.h */
#include "tests/unit/hv/irq/arrivals.h"

#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smp.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic.h"

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;
struct seen seen;
u32 match_count;
struct vcpu *match_first;
bool requested;

bool lapic_requested(u8 vector)
{
	return requested;
}

void pcpu_kick(struct pcpu *cpu, u32 pending_bits)
{
	cpu->pending |= pending_bits;
}

void pass(struct pcpu *cpu)
{
	struct pcpu *self = fake_this_cpu;

	fake_this_cpu = cpu;
	if (cpu->pending) {
		irq_look_for_retired();
		fake_timer_fire();
		if (fake_timer)
			fake_timer_fire();
	}
	cpu->pending = 0;
	fake_this_cpu = self;
}

void vioapic_set_line(struct vm *vm, u32 pin, bool level)
{
	seen.gsi = pin;
	seen.rises += level;
	seen.falls += !level;
}

void vlapic_post(struct vcpu *v, u8 vector, enum trigger trigger)
{
	assert_int_equal(trigger, TRIGGER_EDGE);
	seen.posts++;
	seen.vcpu = v;
	seen.vector = vector;
}

u32 vlapic_deliver(struct vm *vm, const struct vlapic_msg *m,
		   struct vlapic_late *late)
{
	seen.delivers++;
	seen.dest = m->dest;
	seen.vector = m->vector;
	return 1;
}

u32 vlapic_match(struct vm *vm, u32 dest, bool logical, struct vcpu **first)
{
	*first = match_first;
	return match_count;
}

struct vcpu *vlapic_target(struct vm *vm, u32 dest, bool logical)
{
	return dest < vm->vcpu_count ? vm->vcpus[dest] : NULL;
}

void interrupt(struct pcpu *cpu, u8 vector)
{
	struct irq *irq = cpu->vectors.irq[vector];

	assert_non_null(irq);
	irq->fn(irq);
}

struct pcpu *core_of(u32 apic_id)
{
	assert_in_range(apic_id, 0x10, 0x10 + pcpu_count - 1);
	return &fake_pcpus[apic_id - 0x10];
}

void arrive(u32 gsi)
{
	interrupt(core_of(fake_rtes[gsi].apic_id), fake_rtes[gsi].vector);
}

u32 taken(void)
{
	u32 n = 0;

	for (u32 i = 0; i < pcpu_count; i++)
		n += fake_pcpus[i].vectors.taken;
	return n;
}

int setup(void **state)
{
	fake_vm_init(2);
	tsc_khz = 1000000000; /* a storm has time, however busy the host is */
	memset(&seen, 0, sizeof(seen));
	match_count = 1;
	match_first = &fake_vcpus[1];
	pcpu_count = 2;
	for (u32 i = 0; i < pcpu_count; i++)
		pcpus[i] = &fake_pcpus[i];
	requested = false;
	fake_timer = NULL;
	fake_log_reset();
	fake_ratelimit_left = 1;
	return 0;
}
