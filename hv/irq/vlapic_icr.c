/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages between vLAPICs, and from IOAPICs and MSIs to them: destinations
 * (SDM 3A 11.6.2 *Determining IPI Destination*), delivery modes, shorthands.
 * Called by writes of the ICR, by the vIOAPIC and by arriving MSIs; what is for
 * many goes on in vlapic_cast.c. Any core may send; no locks. A self IPI takes
 * a path of its own, because on its home core a vCPU's IRR is written without
 * atomics.
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/core/vm.h"
#include "hv/irq/vlapic.h"
#include "hv/irq/vlapic_priv.h"
#include "lib/stack_guard.h"

static bool match_logical_xapic(u32 word, u32 dest)
{
	u32 ldr = word >> 24;

	if (word & DEST_FLAT)
		return ldr & dest & 0xff;
	/* 4 bits of cluster, 4 bits of member */
	return word & DEST_CLUSTER && (ldr >> 4) == ((dest >> 4) & 0xf) &&
	       (ldr & dest & 0xf);
}

/* SDM 3A 11.12.10 *Destination Format in x2APIC Mode* */
static bool match_logical_x2apic(u32 id, u32 dest)
{
	return dest >> 16 == id >> 4 && (dest & (1u << (id & 15)));
}

static bool msg_is_broadcast(const struct vlapic_msg *m)
{
	return m->dest == (m->wide ? X2APIC_BROADCAST : XAPIC_BROADCAST) ||
	       m->dest == X2APIC_BROADCAST;
}

static inline bool matches(const struct vlapic_msg *m, u32 id, u32 word)
{
	if (!(word & DEST_ENABLED))
		return false;
	if (msg_is_broadcast(m))
		return true;
	if (!m->logical)
		return m->dest == id;
	if (word & DEST_X2APIC)
		return match_logical_x2apic(id, m->dest);
	return match_logical_xapic(word, m->dest);
}

bool vlapic_msg_matches(const struct vm *vm, const struct vlapic_msg *m, u32 id)
{
	return matches(m, id, READ_ONCE(vm->apic_dests[id]));
}

/* The one vCPU that a physical destination names, or NULL. Everybody's id is
 * none: FFh is not below vcpu_count, or the message is wide. */
static struct vcpu *msg_unicast(struct vm *vm, const struct vlapic_msg *m)
{
	if (m->logical || m->dest >= vm->vcpu_count)
		return NULL;
	return vm->vcpus[index_nospec(m->dest, vm->vcpu_count)];
}

static bool send_fixed(struct vcpu *v, const struct vlapic_msg *m)
{
	if (m->vector < APIC_FIRST_VECTOR || !vlapic_sw_enabled(v->vlapic))
		return false;
	vlapic_post(v, m->vector, m->trigger);
	return true;
}

/* Two NMIs that come together stay two: only the first finds the bit clear */
static bool send_nmi(struct vcpu *v, const struct vlapic_msg *m)
{
	u32 old = __atomic_fetch_or(&v->events, VE_NMI, __ATOMIC_SEQ_CST);

	vcpu_post(v, old & VE_NMI ? VE_NMI_AGAIN : 0);
	return true;
}

/* LINT1 of a disabled APIC is the plain NMI pin */
bool vlapic_lint1_nmi(struct vcpu *v)
{
	u32 lvt = vlapic_reg(v->vlapic, APIC_LVT_LINT1);

	if (vlapic_hw_enabled(v) &&
	    ((lvt & APIC_LVT_MASKED) ||
	     (lvt & APIC_DM_MASK) != APIC_DM(APIC_DM_NMI)))
		return false;
	return send_nmi(v, NULL);
}

/* A start-up IPI that was not taken yet is void, as the vCPU waits for one
 * after the INIT (SDM 3A 8.4.3 *MP Initialization Protocol Algorithm*) */
static bool send_init(struct vcpu *v, const struct vlapic_msg *m)
{
	__atomic_fetch_and(&v->events, ~(u32)VE_SIPI, __ATOMIC_SEQ_CST);
	vcpu_post(v, VE_INIT);
	return true;
}

static bool send_sipi(struct vcpu *v, const struct vlapic_msg *m)
{
	WRITE_ONCE(v->sipi_vector, m->vector);
	vcpu_post(v, VE_SIPI);
	return true;
}

static bool send_nothing(struct vcpu *v, const struct vlapic_msg *m)
{
	return false;
}

/* A guest has no SMM; ExtINT has a wire of its own (hv/irq/vpic.h) */
static bool (*const send_by_mode[8])(struct vcpu *,
				     const struct vlapic_msg *) = {
	[APIC_DM_FIXED] = send_fixed,  [APIC_DM_LOWEST] = send_fixed,
	[APIC_DM_SMI] = send_nothing,  [APIC_DM_RESERVED] = send_nothing,
	[APIC_DM_NMI] = send_nmi,      [APIC_DM_INIT] = send_init,
	[APIC_DM_STARTUP] = send_sipi, [APIC_DM_EXTINT] = send_nothing,
};

bool vlapic_msg_send(struct vcpu *v, const struct vlapic_msg *m)
{
	return send_by_mode[m->mode & 7](v, m);
}

/* A look at each TPR is dear. A bus that looks at the first so many has no
 * worse an arbiter than chipsets have. */
#define LOWEST_MOST 64u

/* SDM 3A 11.6.2.4 *Lowest Priority Delivery Mode*: the lowest TPR, then the
 * lowest id; never vCPU @skip */
static struct vcpu *msg_lowest(struct vm *vm, const struct vlapic_msg *m,
			       u32 skip)
{
	struct vcpu *best = NULL;
	u32 seen = 0, best_tpr = ~0u;

	for (u32 i = 0; i < vm->vcpu_count && seen < LOWEST_MOST; i++) {
		u32 word, tpr;

		if (i == skip)
			continue;
		word = READ_ONCE(vm->apic_dests[i]);
		if (!(word & DEST_SW) || !matches(m, i, word))
			continue;
		seen++;
		tpr = READ_ONCE(vm->vcpus[i]->vlapic->regs[APIC_TPR / 4]) &
		      0xff;
		if (tpr < best_tpr) {
			best = vm->vcpus[i];
			best_tpr = tpr;
		}
	}
	return best;
}

u32 vlapic_msg_count(struct vm *vm, const struct vlapic_msg *m,
		     struct vcpu **first)
{
	u32 count = 0;

	*first = NULL;
	for (u32 i = 0; i < vm->vcpu_count; i++)
		if (vlapic_msg_matches(vm, m, i) && !count++)
			*first = vm->vcpus[i];
	return count;
}

/* Is FFh everybody in the messages of devices? Not where a vCPU has that id,
 * and devices' destinations have 15 bits (BH_KVM_MSI_EXT_DEST_ID). */
static bool device_is_wide(const struct vm *vm)
{
	return vm->vcpu_count > XAPIC_BROADCAST;
}

static u32 send_to_all(struct vm *vm, const struct vlapic_msg *m)
{
	u32 took = 0;

	for (u32 i = 0; i < vm->vcpu_count; i++)
		if (vlapic_msg_matches(vm, m, i))
			took += vlapic_msg_send(vm->vcpus[i], m);
	return took;
}

u32 vlapic_deliver(struct vm *vm, const struct vlapic_msg *message,
		   struct vlapic_late *late)
{
	struct vlapic_msg m = *message;
	struct vcpu *v;

	/* Reserved: devices send no start-up IPI (82093AA 3.2.4; SDM 3A
	 * 11.11.2) */
	if (m.mode == APIC_DM_STARTUP)
		return 0;
	m.wide = device_is_wide(vm);
	v = msg_unicast(vm, &m);
	if (v)
		return vlapic_hw_enabled(v) && vlapic_msg_send(v, &m);
	if (m.mode == APIC_DM_LOWEST) {
		v = msg_lowest(vm, &m, VLAPIC_NOBODY);
		return v && vlapic_msg_send(v, &m);
	}
	if (vlapic_msg_count(vm, &m, &v) <= VLAPIC_AT_ONCE)
		return send_to_all(vm, &m);
	vlapic_late_add(vm, &m, late);
	return VLAPIC_WAITS;
}

bool vlapic_icr_is_plain(u32 icr)
{
	u32 mode = APIC_DM_GET(icr);

	if (icr & (APIC_ICR_LOGICAL | APIC_ICR_SHORTHAND))
		return false;
	return mode == APIC_DM_NMI || mode == APIC_DM_FIXED;
}

u32 vlapic_match(struct vm *vm, u32 dest, bool logical, struct vcpu **first)
{
	const struct vlapic_msg m = { .dest = dest,
				      .logical = logical,
				      .wide = device_is_wide(vm) };

	*first = msg_unicast(vm, &m);
	if (!*first)
		return vlapic_msg_count(vm, &m, first);
	if (!vlapic_hw_enabled(*first))
		*first = NULL;
	return *first != NULL;
}

struct vcpu *vlapic_target(struct vm *vm, u32 dest, bool logical)
{
	struct vcpu *first;

	vlapic_match(vm, dest, logical, &first);
	return first;
}

void vlapic_self_ipi(struct vlapic *l, u8 vector)
{
	if (unlikely(vector < APIC_FIRST_VECTOR)) {
		vlapic_error(l, APIC_ESR_SEND_ILLEGAL | APIC_ESR_RECV_ILLEGAL);
		return;
	}
	if (unlikely(!vlapic_sw_enabled(l)))
		return;
	vlapic_request(l, vector);
	vlapic_notice(l);
}

/* INIT with level de-assert only synchronizes arbitration ids, which vLAPICs do
 * not have (SDM 3A 11.6.1 *Interrupt Command Register (ICR)*) */
static bool is_init_deassert(u32 low)
{
	return APIC_DM_GET(low) == APIC_DM_INIT &&
	       (low & (APIC_ICR_LEVEL | APIC_ICR_ASSERT)) == APIC_ICR_LEVEL;
}

static bool is_illegal(const struct vlapic_msg *m)
{
	return m->mode <= APIC_DM_LOWEST && m->vector < APIC_FIRST_VECTOR;
}

/* To one of those that match, or in pieces to all of them; never to @skip */
static void icr_route(struct vlapic *l, const struct vlapic_msg *m, u32 skip)
{
	struct vm *vm = l->vcpu->vm;
	struct vcpu *v = msg_unicast(vm, m);

	if (!v && m->mode != APIC_DM_LOWEST) {
		vlapic_cast(l, m, skip);
		return;
	}
	if (!v)
		v = msg_lowest(vm, m, skip);
	if (v && vlapic_hw_enabled(v))
		vlapic_msg_send(v, m);
}

/* The shorthand "self" takes fixed interrupts only (SDM 3A table 11-3) */
static void icr_shorthand(struct vlapic *l, u32 shorthand, struct vlapic_msg *m)
{
	u32 self = l->vcpu->id;

	if (shorthand == APIC_ICR_SH_SELF) {
		if (m->mode == APIC_DM_FIXED)
			vlapic_self_ipi(l, m->vector);
		return;
	}
	m->logical = false;
	m->dest = X2APIC_BROADCAST;
	icr_route(l, m,
		  shorthand == APIC_ICR_SH_ALL_BUT ? self : VLAPIC_NOBODY);
}

static void icr_send(struct vlapic *l, u32 low, u32 dest)
{
	u32 shorthand = low & APIC_ICR_SHORTHAND;
	struct vlapic_msg m = {
		.dest = dest,
		.logical = low & APIC_ICR_LOGICAL,
		.wide = vlapic_is_x2apic(l->vcpu),
		.mode = APIC_DM_GET(low),
		.vector = (u8)low,
		.trigger = TRIGGER_EDGE,
	};

	if (is_init_deassert(low))
		return;
	if (is_illegal(&m)) {
		vlapic_error(l, APIC_ESR_SEND_ILLEGAL);
		return;
	}
	if (shorthand != APIC_ICR_SH_NONE)
		icr_shorthand(l, shorthand, &m);
	else
		icr_route(l, &m, VLAPIC_NOBODY);
}

__no_stack_guard void vlapic_icr_write(struct vlapic *l, u32 low, u32 dest)
{
	const u32 fields = APIC_ICR_SHORTHAND | APIC_ICR_LOGICAL | APIC_DM_MASK;
	u32 kind = low & fields;

	/* A fixed interrupt to the sender itself is the hot case */
	if (kind == APIC_ICR_SH_SELF || (!kind && dest == l->vcpu->id))
		vlapic_self_ipi(l, (u8)low);
	else
		icr_send(l, low, dest);
}
