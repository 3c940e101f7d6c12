/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual local APIC: creation, modes, and the way of a request from posted to
 * in service (SDM 3A 11.8.4 *Interrupt Acceptance for Fixed Interrupts*). The
 * run loop calls vlapic_pending() and vlapic_accept(); whatever interrupts from
 * another core calls vlapic_post(). An 8-bit summary says which words of IRR
 * and ISR are not zero, so that the highest vector costs two bit scans. The
 * rules are in vlapic_priv.h: home core, no locks.
 */
#include "hv/irq/vlapic.h"

#include "hv/core/slots.h"
#include "hv/core/vm.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic_priv.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/pmm.h"

static const u16 lvt_offsets[] = { APIC_LVT_TIMER, APIC_LVT_THERMAL,
				   APIC_LVT_PMC,   APIC_LVT_LINT0,
				   APIC_LVT_LINT1, APIC_LVT_ERROR };

void vlapic_dest_changed(struct vlapic *l)
{
	const struct vcpu *v = l->vcpu;
	u32 model = APIC_DFR_MODEL(vlapic_reg(l, APIC_DFR));
	u32 word = vlapic_reg(l, APIC_LDR) & DEST_LDR;

	if (vlapic_hw_enabled(v))
		word |= DEST_ENABLED;
	if (vlapic_is_x2apic(v))
		word |= DEST_X2APIC;
	if (vlapic_sw_enabled(l))
		word |= DEST_SW;
	if (model == APIC_DFR_MODEL_FLAT)
		word |= DEST_FLAT;
	else if (model == APIC_DFR_MODEL_CLUSTER)
		word |= DEST_CLUSTER;
	WRITE_ONCE(v->vm->apic_dests[v->id], word);
}

void vlapic_set_ids(struct vlapic *l)
{
	u32 id = l->vcpu->id;

	/* SDM 3A 11.12.10.2: *Deriving Logical x2APIC ID from the Local x2APIC
	 * ID* */
	if (vlapic_is_x2apic(l->vcpu))
		vlapic_reg_set(l, APIC_LDR, (id >> 4) << 16 | 1u << (id & 15));
	else
		id <<= 24;
	vlapic_reg_set(l, APIC_ID, id);
	vlapic_dest_changed(l);
}

/* All registers but the base (SDM 3A 11.4.7.1 *Local APIC State After Power-Up
 * or Reset*) */
static void vlapic_clear(struct vlapic *l)
{
	u32 i;

	vlapic_timer_stop(l);
	memset(l->regs, 0, APIC_PAGE_BYTES);
	vcpu_dirty(l->vcpu, RG_CONTROL);
	vlapic_reg_set(l, APIC_VERSION, VLAPIC_VERSION);
	vlapic_reg_set(l, APIC_DFR, APIC_DFR_FLAT);
	vlapic_reg_set(l, APIC_SVR, 0xff);
	for (i = 0; i < ARRAY_SIZE(lvt_offsets); i++)
		vlapic_reg_set(l, lvt_offsets[i], APIC_LVT_MASKED);
	for (i = 0; i < VLAPIC_WORDS; i++) {
		__atomic_store_n(&l->posted[0][i], 0, __ATOMIC_RELAXED);
		__atomic_store_n(&l->posted[1][i], 0, __ATOMIC_RELAXED);
	}
	l->irr_words = l->isr_words = 0;
	l->pv_given = false;
	l->esr_pending = 0;
	vlapic_timer_divide(l, 0);
	vlapic_set_ids(l);
}

int vlapic_create(struct vcpu *v)
{
	struct vlapic *l;

	if (!v->hw.apic_page) {
		v->hw.apic_page = pmm_alloc(&v->vm->budget, 0);
		if (!v->hw.apic_page)
			return -ENOMEM;
	}
	l = kmem_alloc(&v->vm->budget, sizeof(*l));
	if (!l)
		goto out_page;
	l->vcpu = v;
	l->regs = v->hw.apic_page;
	v->vlapic = l;
	vlapic_timer_init(l);
	vlapic_reset(v, false);
	return 0;
out_page:
	pmm_free(&v->vm->budget, v->hw.apic_page, 0);
	v->hw.apic_page = NULL;
	return -ENOMEM;
}

void vlapic_destroy(struct vcpu *v)
{
	if (!v->vlapic)
		return;
	vlapic_timer_stop(v->vlapic);
	v->vm->apic_dests[v->id] = 0;
	kmem_free(&v->vm->budget, v->vlapic, sizeof(*v->vlapic));
	pmm_free(&v->vm->budget, v->hw.apic_page, 0);
	v->vlapic = NULL;
	v->hw.apic_page = NULL;
}

void vlapic_reset(struct vcpu *v, bool init)
{
	v->vlapic->pv_on = false;
	v->vlapic->cast.active = false;
	v->vlapic->eoi_active = false;
	/* INIT leaves IA32_APIC_BASE alone (SDM 3A 11.4.7.3) */
	if (!init)
		v->apic_base_msr = APIC_DEFAULT_BASE | APIC_BASE_EN |
				   (v->id == 0 ? APIC_BASE_BSP : 0);
	vlapic_clear(v->vlapic);
}

void vlapic_post(struct vcpu *v, u8 vector, enum trigger trigger)
{
	struct vlapic *l = v->vlapic;
	u32 w = vector / 32u;

	if (!vlapic_sw_enabled(l) || !vlapic_hw_enabled(v))
		return;
	__atomic_fetch_or(&l->posted[trigger][w], 1u << (vector % 32u),
			  __ATOMIC_RELAXED);
	/* Release: whoever sees the summary sees the bit */
	__atomic_fetch_or(&l->posted_words, 1u << (w + 8u * trigger),
			  __ATOMIC_RELEASE);
	vcpu_post(v, VE_IRQ);
}

/* Take @bits of word @w into the IRR; the TMR remembers the trigger mode */
static void vlapic_take(struct vlapic *l, u32 w, u32 bits, enum trigger trigger)
{
	u32 *tmr = &l->regs[APIC_TMR / 4 + w * 4];

	if (!bits)
		return;
	l->regs[APIC_IRR / 4 + w * 4] |= bits;
	*tmr = trigger == TRIGGER_LEVEL ? *tmr | bits : *tmr & ~bits;
	l->irr_words |= 1u << w;
}

void vlapic_merge_posted(struct vlapic *l)
{
	u32 todo = __atomic_exchange_n(&l->posted_words, 0, __ATOMIC_ACQUIRE);

	if (l->pv_given)
		vlapic_pv_take(l);
	todo &= ~(u32)POSTED_PV_EOI;
	while (todo) {
		u32 i = (u32)__builtin_ctz(todo), w = i % VLAPIC_WORDS;
		enum trigger t =
			i < VLAPIC_WORDS ? TRIGGER_EDGE : TRIGGER_LEVEL;

		todo &= todo - 1;
		vlapic_take(l, w,
			    __atomic_exchange_n(&l->posted[t][w], 0,
						__ATOMIC_RELAXED),
			    t);
	}
}

/* SDM 3A 11.8.3.1 *Task and Processor Priorities* */
u32 vlapic_ppr(const struct vlapic *l)
{
	u32 tpr = vlapic_reg(l, APIC_TPR) & 0xff;
	int isr = vlapic_highest_isr(l);
	u32 isrv = isr < 0 ? 0 : (u32)isr;

	return (tpr & 0xf0) >= (isrv & 0xf0) ? tpr : isrv & 0xf0;
}

static inline int highest_irr(const struct vcpu *v, const struct vlapic *l)
{
	if (unlikely(!vlapic_hw_enabled(v)))
		return -1;
	return vlapic_highest(l, APIC_IRR, l->irr_words);
}

int vlapic_highest_irr(struct vcpu *v)
{
	if (READ_ONCE(v->vlapic->posted_words))
		vlapic_merge_posted(v->vlapic);
	return highest_irr(v, v->vlapic);
}

static inline int pending(const struct vcpu *v, const struct vlapic *l)
{
	int irr = highest_irr(v, l);

	/* Its class must beat the TPR's and that of what is in service */
	if (irr < 0 || (u32)irr >> 4 <= (vlapic_reg(l, APIC_TPR) & 0xff) >> 4)
		return -1;
	if (l->isr_words && irr >> 4 <= vlapic_highest_isr(l) >> 4)
		return -1;
	return irr;
}

/* Out of line, so that without posted vectors nothing is kept over a call */
static __attribute__((noinline)) int merge_and_look(const struct vcpu *v,
						    struct vlapic *l)
{
	vlapic_merge_posted(l);
	return pending(v, l);
}

int vlapic_pending(struct vcpu *v)
{
	struct vlapic *l = v->vlapic;

	return unlikely(READ_ONCE(l->posted_words)) ? merge_and_look(v, l)
						    : pending(v, l);
}

bool vlapic_requested(const struct vcpu *v, u8 vector)
{
	const struct vlapic *l = v->vlapic;
	u32 w = vector / 32u, bit = 1u << (vector % 32u);

	return (READ_ONCE(l->regs[APIC_IRR / 4 + w * 4]) |
		READ_ONCE(l->posted[TRIGGER_EDGE][w]) |
		READ_ONCE(l->posted[TRIGGER_LEVEL][w])) &
	       bit;
}

void vlapic_accept(struct vcpu *v, u8 vector)
{
	struct vlapic *l = v->vlapic;
	u32 w = vector / 32u, bit = 1u << (vector % 32u), word = 1u << w;
	u32 *isr = &l->regs[APIC_ISR / 4 + w * 4];
	u32 *irr = isr + (APIC_IRR - APIC_ISR) / 4;
	u32 left = *irr & ~bit;

	*irr = left;
	if (!left)
		l->irr_words &= ~word;
	*isr |= bit;
	l->isr_words |= word;
	if (l->pv_on)
		vlapic_pv_give(l, vector);
}

/* SDM 3A 11.8.5 *Signaling Interrupt Servicing Completion* */
void vlapic_eoi(struct vlapic *l)
{
	u32 words = l->isr_words, w, n, left;
	u32 *isr;

	if (unlikely(l->pv_given)) {
		vlapic_pv_take(l);
		vlapic_eoi(l);
		return;
	}
	if (!words)
		return;
	w = vlapic_top_bit(words);
	isr = &l->regs[APIC_ISR / 4 + w * 4];
	n = vlapic_top_bit(*isr);
	left = *isr & ~(1u << n);
	*isr = left;
	if (!left)
		l->isr_words = words & ~(1u << w);
	if (unlikely(isr[(APIC_TMR - APIC_ISR) / 4] & 1u << n))
		vlapic_eoi_pins(l->vcpu, (u8)(w * 32 + n), 0, VIOAPIC_EOI_ALL);
	if (l->irr_words)
		vlapic_notice(l);
}

/* SDM 3A 11.5.3: the error is latched, and signalled through its LVT */
void vlapic_error(struct vlapic *l, u32 esr_bit)
{
	u32 lvt = vlapic_reg(l, APIC_LVT_ERROR);
	u8 vector = (u8)(lvt & APIC_LVT_VECTOR);

	if (l->esr_pending & esr_bit)
		return;
	l->esr_pending |= esr_bit;
	if (lvt & APIC_LVT_MASKED || vector < APIC_FIRST_VECTOR)
		return;
	vlapic_request(l, vector);
	vlapic_notice(l);
}

/* SDM 3A 11.12.5 *x2APIC State Transitions*, figure 11-27 */
static bool base_transition_valid(u64 old, u64 value)
{
	bool was_x2 = old & APIC_BASE_EXTD, was_on = old & APIC_BASE_EN;
	bool x2 = value & APIC_BASE_EXTD, on = value & APIC_BASE_EN;

	if (x2 && !on)
		return false;
	if (was_x2 && on && !x2)
		return false;
	return !(x2 && !was_on);
}

/* True for the page's usual place. An isolated guest may also move it to where
 * it has neither RAM nor a device, which the page would not hide. */
static bool base_place_valid(const struct vm *vm, u64 page)
{
	hpa_t hpa;
	u64 left;

	if (page == APIC_DEFAULT_BASE)
		return true;
	if (vm->privileged || page >> vm->phys_bits ||
	    vm_translate(vm, GPA(page), &hpa, &left))
		return false;
	for (u32 i = 0; i < vm->mmio.count; i++) {
		const struct bus_region *r = &vm->mmio.regions[i];

		if (page < r->base + r->size && r->base < page + PAGE_SIZE)
			return false;
	}
	return true;
}

int vlapic_base_write(struct vcpu *v, u64 value)
{
	u64 old = v->apic_base_msr;
	const u64 mode = APIC_BASE_EN | APIC_BASE_EXTD;

	if (value & ~(mode | APIC_BASE_BSP | APIC_BASE_ADDR) ||
	    !base_place_valid(v->vm, value & APIC_BASE_ADDR) ||
	    !base_transition_valid(old, value))
		return -EINVAL;
	v->apic_base_msr = value;
	if (!((old ^ value) & mode))
		return 0;
	if (v->vlapic->pv_given)
		vlapic_pv_take(v->vlapic);
	if (!(value & APIC_BASE_EN))
		vlapic_clear(v->vlapic);
	else
		vlapic_set_ids(v->vlapic);
	return 0;
}

bool vlapic_extint_enabled(struct vcpu *v)
{
	u32 lvt = vlapic_reg(v->vlapic, APIC_LVT_LINT0);

	/* LINT0 of a disabled APIC is the plain INTR pin */
	if (!vlapic_hw_enabled(v))
		return v->id == 0;
	return !(lvt & APIC_LVT_MASKED) &&
	       (lvt & APIC_DM_MASK) == APIC_DM(APIC_DM_EXTINT);
}

void vlapic_dump(struct vcpu *v)
{
	const struct vlapic *l = v->vlapic;

	log_error("vlapic",
		  "base %llx svr %x tpr %x ppr %x isr %d irr %d esr %x",
		  v->apic_base_msr, vlapic_reg(l, APIC_SVR),
		  vlapic_reg(l, APIC_TPR), vlapic_ppr(l), vlapic_highest_isr(l),
		  vlapic_highest(l, APIC_IRR, l->irr_words), l->esr_pending);
	log_error("vlapic", "lvtt %x lint0 %x lint1 %x tmict %x deadline %llx",
		  vlapic_reg(l, APIC_LVT_TIMER), vlapic_reg(l, APIC_LVT_LINT0),
		  vlapic_reg(l, APIC_LVT_LINT1), vlapic_reg(l, APIC_TIMER_ICT),
		  l->deadline);
}
