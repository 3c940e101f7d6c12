/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of the virtual local APIC; shared by vlapic.c (state, requests),
 * vlapic_io.c (registers), vlapic_icr.c (messages), vlapic_cast.c (to many),
 * vlapic_timer.c, and vlapic_pv.c (paravirtual EOI).
 *
 * No locks. posted[] and posted_words are written by any core with atomics; all
 * else belongs to the vCPU's home core. Messages read LDR, DFR, SVR and the
 * mode of other vCPUs without a lock, in vm.apic_dests. If a guest changes them
 * while messages fly, these reach the old or the new destination, as on
 * hardware.
 */
#ifndef HV_IRQ_VLAPIC_PRIV_H
#define HV_IRQ_VLAPIC_PRIV_H

#include "hv/core/vcpu.h"
#include "hv/irq/vlapic.h"
#include "include/hw/lapic.h"
#include "include/hw/msr.h"

#define VLAPIC_WORDS 8 /* 256 vectors in words of 32 */

/* SDM 3A 11.4.8: integrated APIC, LVT entries 0..5, no EOI suppression */
#define VLAPIC_VERSION 0x00050014u

/* A message to many: the vCPUs from @next on are still to get it. With a set
 * (paravirtual), bit i stands for vCPU @first + i. */
struct vlapic_cast {
	struct vlapic_msg m;
	bool active;
	bool by_set;
	u64 set[2];
	u32 first;
	u32 next;
	u32 skip; /* a vCPU that does not get it, or VLAPIC_NOBODY */
};
#define VLAPIC_NOBODY (~0u)

struct vlapic {
	struct vcpu *vcpu;
	u32 *regs;       /* vcpu->hw.apic_page */
	u32 irr_words;   /* bit w: IRR word w is not zero */
	u32 isr_words;   /* the same for the ISR */
	u32 esr_pending; /* errors since the ESR was last written */
	/* Paravirtual EOI. pv_given: the guest may have ended what is in
	 * service by clearing its flag; vlapic_pv_take() finds out. */
	bool pv_on, pv_given;
	gpa_t pv_flag;
	/* The timer's clock is the host TSC: counts need only a shift */
	u32 timer_shift; /* divide configuration as a power of two */
	u64 period;      /* host ticks; 0: one-shot */
	u64 deadline; /* guest TSC last written to IA32_TSC_DEADLINE; 0: none */
	struct timer timer; /* armed on the home core */
	bool stands;        /* the timer's clock does, */
	bool was_armed;     /* until timer.deadline then */
	/* An EOI that has not reached all pins yet: vioapic_eoi() */
	bool eoi_active;
	u8 eoi_vector;
	u32 eoi_next, eoi_end;
	struct vlapic_cast cast; /* its own, not sent to all yet */
	/* vCPU 0: devices' messages, taken from vm.late; the one that is being
	 * sent, and how many took it */
	struct vlapic_late *late_list, *late_now;
	struct vlapic_cast late_cast;
	u32 late_took;

	/* Other cores' requests: [trigger][word]; bit w + 8 * trigger of
	 * posted_words says that posted[trigger][w] is worth a look, and
	 * POSTED_PV_EOI (home core) that pv_given is set */
	u32 posted_words __aligned(64);
	u32 posted[2][VLAPIC_WORDS];
};

#define POSTED_PV_EOI BIT(31)

/* A word of vm.apic_dests; 0 takes nothing. The LDR's upper byte is the word's
 * own. */
#define DEST_ENABLED BIT(0) /* by hardware */
#define DEST_X2APIC  BIT(1)
#define DEST_SW      BIT(2) /* by software, too */
#define DEST_FLAT    BIT(3) /* DFR's model; neither: of none that there is */
#define DEST_CLUSTER BIT(4)
#define DEST_LDR     0xff000000u

static inline u32 vlapic_reg(const struct vlapic *l, u32 offset)
{
	return l->regs[offset / 4];
}

static inline void vlapic_reg_set(struct vlapic *l, u32 offset, u32 value)
{
	l->regs[offset / 4] = value;
}

static inline bool vlapic_hw_enabled(const struct vcpu *v)
{
	return READ_ONCE(v->apic_base_msr) & APIC_BASE_EN;
}

static inline bool vlapic_is_x2apic(const struct vcpu *v)
{
	return READ_ONCE(v->apic_base_msr) & APIC_BASE_EXTD;
}

static inline bool vlapic_sw_enabled(const struct vlapic *l)
{
	return READ_ONCE(l->regs[APIC_SVR / 4]) & APIC_SVR_ENABLE;
}

/* Number of the highest bit of @x, which is not 0: one BSR */
static inline u32 vlapic_top_bit(u32 x)
{
	return (u32)__builtin_clz(x) ^ 31u;
}

/* Highest vector set in the eight registers at @offset, -1: none */
static inline int vlapic_highest(const struct vlapic *l, u32 offset, u32 words)
{
	u32 w;

	if (!words)
		return -1;
	w = vlapic_top_bit(words);
	return (int)(w * 32 + vlapic_top_bit(l->regs[offset / 4 + w * 4]));
}

static inline int vlapic_highest_isr(const struct vlapic *l)
{
	return vlapic_highest(l, APIC_ISR, l->isr_words);
}

/* End the highest interrupt in service, of which there is one; returns its
 * vector */
static inline u8 vlapic_end_highest(struct vlapic *l)
{
	u32 w = vlapic_top_bit(l->isr_words);
	u32 *isr = &l->regs[APIC_ISR / 4 + w * 4];
	u32 n = vlapic_top_bit(*isr);

	*isr &= ~(1u << n);
	if (!*isr)
		l->isr_words &= ~(1u << w);
	return (u8)(w * 32 + n);
}

/* Home core: the run loop must look at this vLAPIC before the next entry */
static inline void vlapic_notice(struct vlapic *l)
{
	__atomic_fetch_or(&l->vcpu->events, VE_IRQ, __ATOMIC_RELAXED);
}

/* Home core: request an edge-triggered @vector without touching posted[]. True:
 * the IRR did not have it yet. */
static inline bool vlapic_request(struct vlapic *l, u8 vector)
{
	u32 w = vector / 32u, bit = 1u << (vector % 32u);
	u32 *irr = &l->regs[APIC_IRR / 4 + w * 4];
	u32 old = irr[0];

	irr[0] = old | bit;
	irr[(int)(APIC_TMR - APIC_IRR) / 4] &= ~bit;
	l->irr_words |= 1u << w;
	return !(old & bit);
}

/* All below: home core */

/* vlapic.c */
/* Take posted requests into the IRR, and what the guest ended by its flag out
 * of the ISR */
void vlapic_merge_posted(struct vlapic *l);
/* Latch an error (APIC_ESR_...) and raise the error vector, once until the ESR
 * is written */
void vlapic_error(struct vlapic *l, u32 esr_bit);
/* The guest's EOI: end what is in service; a level-triggered one reaches the
 * vIOAPIC, whose lock this takes */
void vlapic_eoi(struct vlapic *l);
u32 vlapic_ppr(const struct vlapic *l);
/* Write id and logical id, after a reset or a change of the mode */
void vlapic_set_ids(struct vlapic *l);
/* Mode, LDR, DFR or SVR has changed: messages are to see it */
void vlapic_dest_changed(struct vlapic *l);

/* vlapic_icr.c: a write to the ICR, @dest in the mode's width; and to self */
void vlapic_icr_write(struct vlapic *l, u32 low, u32 dest);
void vlapic_self_ipi(struct vlapic *l, u8 vector);
/* Any core. Does vCPU @id take @m? Send it there: true, if it took it. How many
 * take it, and the first; the one of lowest priority, or NULL. */
bool vlapic_msg_matches(const struct vm *vm, const struct vlapic_msg *m,
			u32 id);
bool vlapic_msg_send(struct vcpu *v, const struct vlapic_msg *m);
u32 vlapic_msg_count(struct vm *vm, const struct vlapic_msg *m,
		     struct vcpu **first);

/* vlapic_cast.c: send @m to all that match but @skip, in pieces that VE_INSN
 * goes on with: none is on its way already. late_add: any core, see
 * vlapic_deliver(). */
void vlapic_cast(struct vlapic *l, const struct vlapic_msg *m, u32 skip);
void vlapic_late_add(struct vm *vm, const struct vlapic_msg *m,
		     struct vlapic_late *late);

/* vlapic_pv.c. give: let the guest end @vector, just taken into service, by its
 * flag. take: before the ISR is looked at, find out whether it did. */
void vlapic_pv_give(struct vlapic *l, u8 vector);
void vlapic_pv_take(struct vlapic *l);

/* vlapic_timer.c: init once; stop: disarmed, no period; then what a write to
 * LVT, initial count and divide configuration does. current: the count left */
void vlapic_timer_init(struct vlapic *l);
void vlapic_timer_stop(struct vlapic *l);
void vlapic_timer_lvt(struct vlapic *l, u32 old_lvtt, u32 new_lvtt);
void vlapic_timer_initial(struct vlapic *l, u32 count);
void vlapic_timer_divide(struct vlapic *l, u32 tdcr);
u32 vlapic_timer_current(const struct vlapic *l);

#endif
