/* SOURCES: hv/irq/vlapic.c hv/irq/vlapic_io.c hv/irq/vlapic_icr.c hv/irq/vlapic_cast.c hv/irq/vlapic_timer.c hv/irq/vlapic_pv.c hv/emulate/lapic_page.c hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for the virtual local APICs of four vCPUs: a stream of
 * register accesses in both modes, messages, deliveries, EOIs, resets and timer
 * expiries. After each step the request and service registers agree with their
 * summaries and hold no vector below 16; what is delivered outranks what is in
 * service; a masked timer requests nothing, and none is faster than a core can
 * bear.
 */
#include "tests/unit/fakes/lapics.h"

#define STEPS_MAX  256
#define VCPUS      4
#define RESERVED   0xffffu /* vectors 0-15 of a word */
#define PERIOD_MIN 50000   /* ns */

struct step {
	u8 what, vcpu;
	u16 at;
	u32 value;
} __packed;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static u32 word_of(const struct vlapic *l, u32 offset, u32 w)
{
	return l->regs[offset / 4 + w * 4];
}

static bool has(const struct vlapic *l, u32 offset, u8 vector)
{
	return word_of(l, offset, vector / 32u) >> vector % 32u & 1;
}

static void check(const struct vcpu *v)
{
	const struct vlapic *l = v->vlapic;
	u32 irr = 0, isr = 0, w;

	for (w = 0; w < VLAPIC_WORDS; w++) {
		irr |= word_of(l, APIC_IRR, w) ? 1u << w : 0;
		isr |= word_of(l, APIC_ISR, w) ? 1u << w : 0;
	}
	must(irr == l->irr_words && isr == l->isr_words);
	must(!((word_of(l, APIC_IRR, 0) | word_of(l, APIC_ISR, 0) |
		l->posted[TRIGGER_EDGE][0] | l->posted[TRIGGER_LEVEL][0]) &
	       RESERVED));
	must(!l->period || l->period >= ns_to_tsc(PERIOD_MIN));
	must(v->apic_base_msr & APIC_BASE_EN ||
	     !(v->apic_base_msr & APIC_BASE_EXTD));
}

/* What the run loop does before an entry */
static void deliver(struct vcpu *v)
{
	struct vlapic *l = v->vlapic;
	int vector = vlapic_pending(v), before;

	if (vector < 0)
		return;
	before = vlapic_highest_isr(l);
	must(vector >= 16 && vector <= 255);
	must(has(l, APIC_IRR, (u8)vector));
	must((u32)vector >> 4 > vlapic_ppr(l) >> 4);
	must(vector == vlapic_highest_irr(v));
	must(before < 0 || vector >> 4 > before >> 4);
	vlapic_accept(v, (u8)vector);
	must(!has(l, APIC_IRR, (u8)vector) && has(l, APIC_ISR, (u8)vector));
	must(vlapic_highest_isr(l) == vector);
	vlapic_taken(v);
}

/* SDM 3A 11.8.5: the highest in service ends, and the IOAPICs hear of it if it
 * was level-triggered */
static void end(struct vcpu *v)
{
	struct vlapic *l = v->vlapic;
	bool given = l->pv_given;
	int vector = vlapic_highest_isr(l);
	bool level = vector >= 0 && has(l, APIC_TMR, (u8)vector);

	eoi_vector = -1;
	vlapic_eoi(l);
	if (given)
		return; /* the guest may have ended one before it */
	must(vector < 0 || vlapic_highest_isr(l) < vector);
	must(eoi_vector == (level ? vector : -1));
}

static void expire(struct vcpu *v)
{
	struct vlapic *l = v->vlapic;
	u32 lvtt = vlapic_reg(l, APIC_LVT_TIMER);
	u32 before[VLAPIC_WORDS], w;
	u64 now = rdtsc();

	if (!timer_armed(&l->timer))
		return;
	fake_pcpus[0].current = &fake_vcpus[lvtt & 3];
	for (w = 0; w < VLAPIC_WORDS; w++)
		before[w] = word_of(l, APIC_IRR, w);
	l->timer.queue = NULL;
	l->timer.fn(&l->timer);
	must(!timer_armed(&l->timer) || (l->period && l->timer.deadline > now));
	for (w = 0; w < VLAPIC_WORDS && lvtt & APIC_LVT_MASKED; w++)
		must(before[w] == word_of(l, APIC_IRR, w));
	fake_pcpus[0].current = &fake_vcpus[0];
}

/* A register as software has them, or any bytes of the page */
static void access_page(struct vcpu *v, const struct step *s)
{
	static const u16 regs[] = {
		APIC_ID,        APIC_TPR,       APIC_LDR,       APIC_DFR,
		APIC_SVR,       APIC_ESR,       APIC_ICR_LOW,   APIC_ICR_HIGH,
		APIC_LVT_TIMER, APIC_LVT_LINT0, APIC_LVT_LINT1, APIC_LVT_ERROR,
		APIC_TIMER_ICT, APIC_TIMER_CCT, APIC_TIMER_DCR,
	};
	u8 size = (u8)(1u << (s->what >> 4) % 4);
	u64 at = s->at % PAGE_SIZE & ~(size - 1ull);

	if (s->at & 0x8000) {
		at = regs[s->at % ARRAY_SIZE(regs)];
		size = 4;
	}
	if (v->apic_base_msr & APIC_BASE_EXTD)
		return; /* the bus has no page then */
	if (s->what & 8)
		(void)vlapic_mmio_read(v, NULL, at, size);
	else
		vlapic_mmio_write(v, NULL, at, size, s->value);
}

static void access_msr(struct vcpu *v, const struct step *s)
{
	u32 msr = 0x800 + s->at % 0x100;
	u64 value = s->value | (u64)(s->what & 0xf0) << 28;
	int err;

	if (s->at & 0x4000)
		err = vlapic_msr_read(v, msr, &value);
	else
		err = vlapic_msr_write(v, msr, value);
	must(!err || err == -EINVAL);
	must(err || (v->apic_base_msr & APIC_BASE_EXTD));
}

static void message(const struct step *s)
{
	static struct vlapic_late late;
	const struct vlapic_msg m = {
		.dest = s->at & 0xff,
		.logical = s->at & 0x100,
		.mode = s->what >> 4 & 7,
		.vector = (u8)s->value,
		.trigger = s->at & 0x200 ? TRIGGER_LEVEL : TRIGGER_EDGE,
	};
	u32 took = vlapic_deliver(&fake_vm, &m, &late);

	must(took <= VCPUS);
}

static void post(struct vcpu *v, const struct step *s)
{
	vlapic_post(v, (u8)MAX(s->value & 0xff, 16),
		    s->at & 1 ? TRIGGER_LEVEL : TRIGGER_EDGE);
}

static void other(struct vcpu *v, const struct step *s)
{
	const u64 set[2] = { s->value, s->at };

	switch (s->at % 6) {
	case 0:
		vlapic_reset(v, s->value & 1);
		break;
	case 1:
		(void)vlapic_base_write(v, s->value);
		break;
	case 2:
		(void)vlapic_pv_eoi_set(v, s->value & 1, GPA(s->value & 0xffc));
		break;
	case 3:
		*fake_ram_u32(s->value % (PAGE_SIZE / 4) * 4) ^= 1;
		break;
	case 4:
		if (vlapic_icr_is_plain(s->value))
			(void)vlapic_send_set(v, set, s->vcpu, s->value);
		break;
	default:
		vlapic_deadline_write(v, rdtsc() + s->value);
		break;
	}
}

static void do_step(const struct step *s)
{
	/* Mostly the first, so that it gets somewhere */
	struct vcpu *v = &fake_vcpus[s->vcpu < 64 ? s->vcpu % VCPUS : 0];

	switch (s->what & 7) {
	case 0:
	case 1:
		access_page(v, s);
		break;
	case 2:
		access_msr(v, s);
		break;
	case 3:
		message(s);
		break;
	case 4:
		post(v, s);
		break;
	case 5:
		deliver(v);
		break;
	case 6:
		(s->what & 8 ? expire : end)(v);
		break;
	default:
		other(v, s);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step s;
	size_t i, n;

	lapics_setup(NULL);
	for (i = 0; i < size / sizeof(s) && i < STEPS_MAX; i++) {
		memcpy(&s, data + i * sizeof(s), sizeof(s));
		do_step(&s);
		for (n = 0; n < VCPUS; n++)
			check(&fake_vcpus[n]);
	}
	lapics_teardown(NULL);
	return 0;
}
