/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vLAPIC timer (SDM 3A 11.5.4 *APIC Timer*): one-shot, periodic and
 * TSC-deadline, on a timer of the vCPU's home core. Its input clock is the TSC,
 * so that a count is a shift away from host ticks. Called by register writes
 * (vlapic_io.c), WRMSR of IA32_TSC_DEADLINE and the core's timer; home core, no
 * locks.
 */
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/tsc.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vlapic_priv.h"

/* A guest that asks for a shorter period gets this one: it must not be able to
 * keep the core in its timer handler */
#define MIN_PERIOD_NS 50000

static bool lvtt_deadline(u32 lvtt)
{
	return (lvtt & APIC_LVT_TIMER_MODE) == APIC_LVT_TIMER_DEADLINE;
}

/* Request the LVT's vector. True: the vCPU must be told. It was told already if
 * the vector still waits. */
static bool timer_raise(struct vlapic *l)
{
	u32 lvtt = vlapic_reg(l, APIC_LVT_TIMER);
	u8 vector = (u8)(lvtt & APIC_LVT_VECTOR);

	if (lvtt & APIC_LVT_MASKED)
		return false;
	if (unlikely(vector < APIC_FIRST_VECTOR)) {
		vlapic_error(l, APIC_ESR_RECV_ILLEGAL);
		return false;
	}
	return vlapic_request(l, vector);
}

/* The next multiple of the period that lies ahead */
static u64 next_period(u64 deadline, u64 period, u64 now)
{
	deadline += period;
	if (unlikely(deadline <= now))
		deadline += ((now - deadline) / period + 1) * period;
	return deadline;
}

static void rearm(struct vlapic *l)
{
	timer_arm(&l->timer,
		  next_period(l->timer.deadline, l->period, rdtsc()));
}

/* While another vCPU has the core, a periodic timer rests until vlapic_taken().
 * The vCPU could take no more than this tick, and the other pays for none. */
static void timer_expired(struct timer *t)
{
	struct vlapic *l = container_of(t, struct vlapic, timer);

	l->deadline = 0;
	if (l->period && this_cpu()->current == l->vcpu)
		rearm(l);
	/* The vCPU may be halted or preempted: wake it */
	if (timer_raise(l))
		vcpu_post_here(l->vcpu, VE_IRQ);
}

void vlapic_taken(struct vcpu *v)
{
	struct vlapic *l = v->vlapic;

	if (l->period && !l->stands && !timer_armed(&l->timer))
		rearm(l);
}

void vlapic_stand(struct vcpu *v)
{
	struct vlapic *l = v->vlapic;

	l->stands = true;
	l->was_armed = timer_armed(&l->timer);
	if (l->was_armed)
		timer_cancel(&l->timer);
}

void vlapic_go_on(struct vcpu *v, u64 ticks)
{
	struct vlapic *l = v->vlapic;

	l->stands = false;
	l->timer.deadline += ticks;
	if (l->was_armed)
		timer_arm(&l->timer, l->timer.deadline);
	else
		vlapic_taken(v);
}

void vlapic_timer_init(struct vlapic *l)
{
	l->timer.fn = timer_expired;
}

void vlapic_timer_stop(struct vlapic *l)
{
	if (timer_armed(&l->timer))
		timer_cancel(&l->timer);
	l->stands = false;
	l->period = 0;
	l->deadline = 0;
}

void vlapic_timer_lvt(struct vlapic *l, u32 old_lvtt, u32 new_lvtt)
{
	u64 left;

	if (lvtt_deadline(old_lvtt) != lvtt_deadline(new_lvtt)) {
		vlapic_timer_stop(l);
		vlapic_reg_set(l, APIC_TIMER_ICT, 0);
		return;
	}
	if (!timer_armed(&l->timer) || lvtt_deadline(new_lvtt))
		return;
	/* One-shot and periodic may change under a running count */
	left = vlapic_reg(l, APIC_TIMER_ICT);
	l->period =
		(new_lvtt & APIC_LVT_TIMER_MODE) == APIC_LVT_TIMER_PERIODIC
			? MAX(left << l->timer_shift, ns_to_tsc(MIN_PERIOD_NS))
			: 0;
}

void vlapic_timer_initial(struct vlapic *l, u32 count)
{
	u32 lvtt = vlapic_reg(l, APIC_LVT_TIMER);
	u64 ticks = (u64)count << l->timer_shift;

	if (lvtt_deadline(lvtt))
		return;
	vlapic_reg_set(l, APIC_TIMER_ICT, count);
	if (!count) {
		vlapic_timer_stop(l);
		return;
	}
	l->period = 0;
	if ((lvtt & APIC_LVT_TIMER_MODE) == APIC_LVT_TIMER_PERIODIC) {
		ticks = MAX(ticks, ns_to_tsc(MIN_PERIOD_NS));
		l->period = ticks;
	}
	timer_arm(&l->timer, rdtsc() + ticks);
}

/* SDM 3A figure 11-10: bits 3, 1, 0; 111b divides by 1, else by 2^(n+1) */
void vlapic_timer_divide(struct vlapic *l, u32 tdcr)
{
	u32 n = (tdcr & 3) | (tdcr >> 1 & 4);
	u32 left = vlapic_timer_current(l);

	vlapic_reg_set(l, APIC_TIMER_DCR, tdcr);
	l->timer_shift = (n + 1) & 7;
	if (!left)
		return;
	if (l->period)
		l->period = MAX((u64)vlapic_reg(l, APIC_TIMER_ICT)
					<< l->timer_shift,
				ns_to_tsc(MIN_PERIOD_NS));
	timer_arm(&l->timer, rdtsc() + ((u64)left << l->timer_shift));
}

u32 vlapic_timer_current(const struct vlapic *l)
{
	u64 now, left;

	if (!timer_armed(&l->timer) ||
	    lvtt_deadline(vlapic_reg(l, APIC_LVT_TIMER)))
		return 0;
	now = rdtsc();
	if (now >= l->timer.deadline)
		return 0;
	left = (l->timer.deadline - now) >> l->timer_shift;
	return left > vlapic_reg(l, APIC_TIMER_ICT)
		       ? vlapic_reg(l, APIC_TIMER_ICT)
		       : (u32)left;
}

u64 vlapic_deadline_read(struct vcpu *v)
{
	return v->vlapic->deadline;
}

void vlapic_deadline_write(struct vcpu *v, u64 value)
{
	struct vlapic *l = v->vlapic;
	u64 now;

	if (unlikely(!lvtt_deadline(vlapic_reg(l, APIC_LVT_TIMER))))
		return;
	if (!value) {
		vlapic_timer_stop(l);
		return;
	}
	now = rdtsc();
	if (value <= vcpu_guest_tsc(v, now)) {
		/* Already past: no need to go through the hardware timer */
		vlapic_timer_stop(l);
		if (timer_raise(l))
			vlapic_notice(l);
		return;
	}
	l->deadline = value;
	timer_arm(&l->timer, vcpu_host_tsc(v, value));
}
