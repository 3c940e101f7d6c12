/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages to many vCPUs, and EOIs for many pins. Each vCPU that is told costs
 * its cache lines and perhaps an IPI, a microsecond in all; so they are told in
 * pieces (hv/core/piece.h), and the core looks at its timer and its queue in
 * between.
 *
 * What a vCPU sends is sent before its next instruction: VE_INSN keeps it from
 * its guest, and from INIT, until all is done. A reset forgets the rest.
 *
 * What a device sends to more than VLAPIC_AT_ONCE waits in its source's own
 * struct vlapic_late, as an interrupt's handler can do no work in pieces. A
 * stack of these (vm.late) takes pushes by any core. The home core of vCPU 0
 * takes all of it and sends one after the other. A source that is queued is not
 * pushed again; its message is read after it has left the queue, so that none
 * is lost. A source may change owners in the queue: a message says whose it is.
 * No locks.
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/core/crowd.h"
#include "hv/core/piece.h"
#include "hv/core/vm.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic_priv.h"

/* A message in one word */
#define MESSAGE_MODE_SHIFT 8
#define MESSAGE_LOGICAL    BIT(11)
#define MESSAGE_LEVEL      BIT(12)
#define MESSAGE_WIDE       BIT(13)
#define MESSAGE_VM_SHIFT   16 /* its id */
#define MESSAGE_DEST_SHIFT 32

/* Until it is over or the piece is; how many took it */
static u32 send_by_match(struct vm *vm, struct vlapic_cast *c,
			 const struct piece *piece)
{
	u32 took = 0;

	while (c->next < vm->vcpu_count) {
		u32 id = c->next++;

		if (id == c->skip || !vlapic_msg_matches(vm, &c->m, id))
			continue;
		took += vlapic_msg_send(vm->vcpus[id], &c->m);
		if (piece_over(piece))
			return took;
	}
	c->active = false;
	return took;
}

/* The lowest vCPU of the set, which loses it; the set is not empty */
static u64 set_take(struct vlapic_cast *c)
{
	u32 w = c->set[0] ? 0 : 1;
	u64 id = c->first + w * 64u + (u32)__builtin_ctzll(c->set[w]);

	c->set[w] &= c->set[w] - 1;
	return id;
}

static u32 send_by_set(struct vm *vm, struct vlapic_cast *c,
		       const struct piece *piece)
{
	u32 took = 0;

	while (c->set[0] | c->set[1]) {
		u64 id = set_take(c);
		struct vcpu *v;

		if (id >= vm->vcpu_count)
			continue;
		v = vm->vcpus[index_nospec(id, vm->vcpu_count)];
		took += vlapic_hw_enabled(v) && vlapic_msg_send(v, &c->m);
		if (piece_over(piece))
			return took;
	}
	c->active = false;
	return took;
}

static u32 send_piece(struct vm *vm, struct vlapic_cast *c)
{
	struct piece piece = piece_begin();

	return c->by_set ? send_by_set(vm, c, &piece)
			 : send_by_match(vm, c, &piece);
}

/* The first piece, in the exit of the instruction that asks for it */
static u32 cast_begin(struct vlapic *l)
{
	u32 took;

	l->cast.active = true;
	took = send_piece(l->vcpu->vm, &l->cast);
	if (l->cast.active)
		vcpu_post(l->vcpu, VE_INSN);
	return took;
}

void vlapic_cast(struct vlapic *l, const struct vlapic_msg *m, u32 skip)
{
	l->cast = (struct vlapic_cast){ .m = *m, .skip = skip };
	cast_begin(l);
}

u32 vlapic_send_set(struct vcpu *v, const u64 set[2], u32 first, u32 icr)
{
	struct vlapic *l = v->vlapic;

	l->cast = (struct vlapic_cast){
		.m = { .mode = APIC_DM_GET(icr), .vector = (u8)icr },
		.by_set = true,
		.set = { set[0], set[1] },
		.first = first,
	};
	return cast_begin(l);
}

/* True: no pin is left. An EOI that finds a crowd at the IOAPIC is late. */
static bool eoi_go_on(struct vlapic *l)
{
	struct vm *vm = l->vcpu->vm;

	if (!l->eoi_active)
		return true;
	if (!crowd_enter(vm))
		return false;
	l->eoi_active =
		!vioapic_eoi(vm, l->eoi_vector, &l->eoi_next, l->eoi_end);
	crowd_leave(vm);
	return !l->eoi_active;
}

void vlapic_eoi_pins(struct vcpu *v, u8 vector, u32 first, u32 end)
{
	struct vlapic *l = v->vlapic;

	l->eoi_active = true;
	l->eoi_vector = vector;
	l->eoi_next = first;
	l->eoi_end = end;
	if (!eoi_go_on(l))
		vcpu_post(v, VE_INSN);
}

bool vlapic_insn_go_on(struct vcpu *v)
{
	struct vlapic_cast *c = &v->vlapic->cast;
	u32 took;

	if (!eoi_go_on(v->vlapic))
		return false;
	if (!c->active)
		return true;
	took = send_piece(v->vm, c);
	if (c->by_set)
		vcpu_regs(v)->gpr[GPR_RAX] += took;
	return !c->active;
}

/* --- devices' --- */

static u64 message_word(const struct vm *vm, const struct vlapic_msg *m)
{
	return m->vector | (u64)vm->id << MESSAGE_VM_SHIFT |
	       (u64)m->mode << MESSAGE_MODE_SHIFT |
	       (m->logical ? MESSAGE_LOGICAL : 0) |
	       (m->trigger == TRIGGER_LEVEL ? MESSAGE_LEVEL : 0) |
	       (m->wide ? MESSAGE_WIDE : 0) |
	       (u64)m->dest << MESSAGE_DEST_SHIFT;
}

static struct vlapic_msg message_of(u64 word)
{
	return (struct vlapic_msg){
		.dest = (u32)(word >> MESSAGE_DEST_SHIFT),
		.logical = word & MESSAGE_LOGICAL,
		.wide = word & MESSAGE_WIDE,
		.mode = word >> MESSAGE_MODE_SHIFT & 7,
		.vector = (u8)word,
		.trigger = word & MESSAGE_LEVEL ? TRIGGER_LEVEL : TRIGGER_EDGE,
	};
}

/* NULL: it is gone */
static struct vm *vm_of(u64 word)
{
	u64 id = word >> MESSAGE_VM_SHIFT & 0xffff;

	return id < VM_MAX ? vm_at((u32)index_nospec(id, VM_MAX)) : NULL;
}

static void late_push(struct vm *vm, struct vlapic_late *late)
{
	struct vlapic_late *first = READ_ONCE(vm->late);

	if (__atomic_exchange_n(&late->queued, 1, __ATOMIC_SEQ_CST))
		return;
	do {
		late->next = first;
	} while (!__atomic_compare_exchange_n(&vm->late, &first, late, true,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	vcpu_post(vm->vcpus[0], VE_LATE);
}

void vlapic_late_add(struct vm *vm, const struct vlapic_msg *m,
		     struct vlapic_late *late)
{
	__atomic_store_n(&late->message, message_word(vm, m), __ATOMIC_SEQ_CST);
	late_push(vm, late);
}

/* The next source, which is out of the queue; NULL: none */
static struct vlapic_late *late_next(struct vlapic *l)
{
	struct vlapic_late *late = l->late_list;

	if (!late)
		late = __atomic_exchange_n(&l->vcpu->vm->late, NULL,
					   __ATOMIC_SEQ_CST);
	if (!late)
		return NULL;
	/* Its link is its own until it is not queued any more */
	l->late_list = late->next;
	__atomic_store_n(&late->queued, 0, __ATOMIC_SEQ_CST);
	return late;
}

/* The same with its message, which is this VM's. A source that has changed
 * owners in the queue goes to the new one's. */
static struct vlapic_late *late_take(struct vlapic *l, u64 *message)
{
	struct vlapic_late *late = late_next(l);

	for (; late; late = late_next(l)) {
		struct vm *vm;

		*message = __atomic_load_n(&late->message, __ATOMIC_SEQ_CST);
		vm = vm_of(*message);
		if (vm == l->vcpu->vm)
			break;
		if (vm)
			late_push(vm, late);
	}
	return late;
}

/* False: there is nothing to send */
static bool late_begin(struct vlapic *l)
{
	u64 message;

	if (l->late_now)
		return true;
	l->late_now = late_take(l, &message);
	if (!l->late_now)
		return false;
	l->late_took = 0;
	l->late_cast = (struct vlapic_cast){
		.m = message_of(message),
		.skip = VLAPIC_NOBODY,
		.active = true,
	};
	return true;
}

static void late_end(struct vlapic *l)
{
	struct vlapic_late *late = l->late_now;

	l->late_now = NULL;
	if (!l->late_took && late->nobody && !READ_ONCE(late->queued))
		late->nobody(late, l->vcpu->vm);
}

bool vlapic_late_go_on(struct vcpu *v)
{
	struct vlapic *l = v->vlapic;

	if (!late_begin(l))
		return true;
	l->late_took += send_piece(v->vm, &l->late_cast);
	if (!l->late_cast.active)
		late_end(l);
	return false;
}

void vlapic_late_forget(struct vcpu *v)
{
	u64 message;

	v->vlapic->late_now = NULL;
	while (late_take(v->vlapic, &message))
		;
}
