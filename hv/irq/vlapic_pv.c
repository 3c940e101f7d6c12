/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paravirtual EOI (KVM's MSR 4b564d04; include/bulkhead/kvm.h). If nothing else
 * is requested, an edge-triggered interrupt is taken into service with the
 * guest's flag set. Its handler then clears the flag in place of an EOI, which
 * saves an exit.
 *
 * The clearing is not reported. vlapic_pv_take() looks at the flag when
 * something next depends on the ISR. Delivery of an interrupt does so by way of
 * vlapic_merge_posted(), so that the hot path has no test for it.
 *
 * Home core, while the vCPU does not run; no locks.
 */
#include "hv/core/gmem.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vlapic_priv.h"
#include "lib/errno.h"

#define FLAG_ENDS 1u

static u32 *flag_map(struct vlapic *l)
{
	return gmem_map(l->vcpu->vm, l->pv_flag);
}

/* The EOI must exit if the interrupt is level-triggered, as it must reach the
 * IOAPIC, or if another one waits for its end */
static bool may_give(const struct vlapic *l, u8 vector)
{
	u32 tmr = vlapic_reg(l, APIC_TMR + vector / 32u * 16);

	return !l->irr_words && !(tmr & 1u << (vector % 32u));
}

void vlapic_pv_give(struct vlapic *l, u8 vector)
{
	u32 *flag;

	if (!may_give(l, vector))
		return;
	flag = flag_map(l);
	if (!flag)
		return;
	__atomic_fetch_or(flag, FLAG_ENDS, __ATOMIC_RELAXED);
	l->pv_given = true;
	__atomic_fetch_or(&l->posted_words, (u32)POSTED_PV_EOI,
			  __ATOMIC_RELAXED);
}

void vlapic_pv_take(struct vlapic *l)
{
	u32 *flag = flag_map(l);

	l->pv_given = false;
	if (!flag || !l->isr_words)
		return;
	/* While it is set the interrupt is in service: an EOI ends it */
	if (!(__atomic_fetch_and(flag, ~FLAG_ENDS, __ATOMIC_RELAXED) &
	      FLAG_ENDS))
		vlapic_end_highest(l);
}

int vlapic_pv_eoi_set(struct vcpu *v, bool on, gpa_t gpa)
{
	struct vlapic *l = v->vlapic;

	if (on && (!IS_ALIGNED(gpa.v, sizeof(u32)) || !gmem_map(v->vm, gpa)))
		return -EINVAL;
	if (l->pv_given)
		vlapic_pv_take(l);
	l->pv_on = on;
	l->pv_flag = gpa;
	return 0;
}
