/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What BH_CTL_OP_AUDIT lists of the machine: who has its memory, its interrupt
 * vectors and its PCI functions, and some sums. Called under control.lock.
 */
#include "arch/x86/cpu/nospec.h"
#include "arch/x86/machine/irq.h"
#include "hv/assign/passthrough.h"
#include "hv/control/audit.h"
#include "hv/irq/route.h"
#include "hv/vm/ids.h"
#include "hv/vm/pool.h"
#include "mm/owner.h"

#define OWNERS_AT_ONCE    32u
#define VECTORS_AT_ONCE   128u
#define FUNCTIONS_AT_ONCE 16u
#define ADDRESS_END       BIT(52)
#define VECTORS           256u

/* --- memory --- */

static const u8 owner_kinds[] = {
	[OWNER_FREE] = BH_CTL_OWNER_FREE,
	[OWNER_HYPERVISOR] = BH_CTL_OWNER_HYPERVISOR,
	[OWNER_GUEST] = BH_CTL_OWNER_GUEST,
	[OWNER_FIRMWARE] = BH_CTL_OWNER_FIRMWARE,
	[OWNER_DEVICE] = BH_CTL_OWNER_DEVICE,
	[OWNER_KEPT] = BH_CTL_OWNER_KEPT,
	[OWNER_UNUSABLE] = BH_CTL_OWNER_UNUSABLE,
	[OWNER_POOL] = BH_CTL_OWNER_POOL,
	[OWNER_FILES] = BH_CTL_OWNER_FILES,
};
static_assert(ARRAY_SIZE(owner_kinds) == OWNER_KINDS, "each kind has a name");

enum audit_step audit_owners(struct audit *a)
{
	a->changes = owner_changes();
	for (u32 i = 0; i < OWNERS_AT_ONCE; i++) {
		struct bh_ctl_reach r = { 0 };
		struct extent e;

		if (a->at >= ADDRESS_END)
			return AUDIT_END;
		e = owner_find(HPA(a->at));
		r.base = e.base;
		r.size = e.size;
		r.kind = owner_kinds[e.kind];
		if (e.kind == OWNER_GUEST)
			r.owner = audit_owner(e.vm);
		if (!audit_extend(a, &r))
			return AUDIT_FULL;
		a->at = e.base + e.size;
	}
	return AUDIT_MORE;
}

/* Behind the units comes the frame of those that are not granted */
enum audit_step audit_pool(struct audit *a)
{
	u32 unit = (u32)MIN(a->at, (u64)UINT32_MAX - 1);
	struct bh_ctl_range range;
	struct bh_ctl_reach r = { 0 };
	bool any;
	u16 vm;

	a->changes = pool_changes();
	if (!pool_range_count())
		return AUDIT_END;
	any = pool_run(&unit, &range, &vm);
	if (any) {
		r.base = range.base;
		r.size = range.size;
		r.kind = vm == POOL_NOBODY ? BH_CTL_OWNER_FREE
					   : BH_CTL_OWNER_GUEST;
		r.owner = audit_owner(vm);
	} else {
		r.base = pool_scratch().v;
		r.size = POOL_UNIT;
		r.kind = BH_CTL_OWNER_SCRATCH;
	}
	if (!audit_extend(a, &r))
		return AUDIT_FULL;
	a->at = unit;
	return any ? AUDIT_MORE : AUDIT_END;
}

/* --- interrupts --- */

static u64 address_of(struct pci_bdf bdf)
{
	return (u64)bdf.segment << 16 | (u64)bdf.bus << 8 | bdf.devfn;
}

/* False: it is a guest's that has it no more */
static bool describe(const struct irq *irq, struct bh_ctl_reach *r)
{
	const struct vm *vm = NULL;
	struct pci_bdf bdf;
	u32 gsi;

	r->size = 1;
	r->kind = BH_CTL_SOURCE_OWN;
	if (irq_is_pin(irq, &vm, &gsi)) {
		r->kind = BH_CTL_SOURCE_PIN;
		r->base = gsi;
	} else if (irq_is_message(irq, &vm, &bdf)) {
		r->kind = BH_CTL_SOURCE_MESSAGE;
		r->base = address_of(bdf);
	}
	r->owner = vm ? vm_number(vm) : 0;
	return vm || r->kind == BH_CTL_SOURCE_OWN;
}

static bool add_vector(const struct audit *a, u32 core, u32 vector, u32 member)
{
	const struct irq *irq = irq_bound(pcpus[core], (u8)vector, member);
	struct bh_ctl_reach r = {
		.where = (u64)core << 32 | vector,
	};

	if (!irq || !describe(irq, &r))
		return true;
	if (pcpu_count > 1 && irq == irq_bound(pcpus[core ? 0 : pcpu_count - 1],
					       (u8)vector, member)) {
		if (core)
			return true; /* told with the first core's */
		r.flags = BH_CTL_REACH_ALL;
	}
	return audit_add(a, &r);
}

/* A place is core, vector and the number of those that share it. As those of
 * one vector are seldom more than one, the rest is passed over. */
enum audit_step audit_interrupts(struct audit *a)
{
	a->changes = irq_changes() + irq_pin_changes() + irq_message_changes();
	for (u32 i = 0; i < VECTORS_AT_ONCE; i++, a->at++) {
		u64 place = a->at / IRQ_SHARE_MAX;
		u32 member = (u32)(a->at % IRQ_SHARE_MAX), core;

		if (place / VECTORS >= pcpu_count)
			return AUDIT_END;
		core = (u32)index_nospec(place / VECTORS, pcpu_count);
		if (!add_vector(a, core, (u32)(place % VECTORS), member))
			return AUDIT_FULL;
		if (place % VECTORS < VEC_SHARED_FIRST ||
		    place % VECTORS > VEC_SHARED_LAST)
			a->at |= IRQ_SHARE_MAX - 1;
	}
	return AUDIT_MORE;
}

/* --- functions --- */

static u32 function_kind(const struct passthrough_entry *f)
{
	if (f->is_virtual)
		return BH_CTL_FUNCTION_VIRTUAL;
	if (f->hidden)
		return BH_CTL_FUNCTION_HIDDEN;
	if (f->kept)
		return BH_CTL_FUNCTION_KEPT;
	return f->fixed ? BH_CTL_FUNCTION_FIXED : BH_CTL_FUNCTION_WHOLE;
}

enum audit_step audit_functions(struct audit *a)
{
	struct vm *vm = a->c->vm;

	a->changes = passthrough_changes(vm);
	for (u32 i = 0; i < FUNCTIONS_AT_ONCE; i++) {
		u32 next = (u32)MIN(a->at, (u64)UINT32_MAX / 2);
		struct passthrough_entry f;
		struct bh_ctl_reach r = { .size = 1 };

		if (!passthrough_list(vm, &next, &f))
			return AUDIT_END;
		r.owner = f.hidden || f.kept ? 0 : vm_number(vm);
		r.base = address_of(f.bdf);
		r.kind = function_kind(&f);
		if (!audit_add(a, &r))
			return AUDIT_FULL;
		a->at = next;
	}
	return AUDIT_MORE;
}

/* --- sums --- */

static u64 sum_of(u32 kind)
{
	switch (kind) {
	case BH_CTL_SUM_FREE_PAGES:
		return pmm_free_pages();
	case BH_CTL_SUM_OWN_PAGES:
		return READ_ONCE(pmm_self.used_pages);
	case BH_CTL_SUM_POOL_FREE_BYTES:
		return pool_free_bytes();
	case BH_CTL_SUM_GUESTS:
		return ids_count();
	default:
		return irq_bound_count();
	}
}

enum audit_step audit_sums(struct audit *a)
{
	for (u32 kind = BH_CTL_SUM_FREE_PAGES; kind <= BH_CTL_SUM_VECTORS;
	     kind++) {
		const struct bh_ctl_reach r = { .size = sum_of(kind),
						.kind = kind };

		if (!audit_add(a, &r))
			return AUDIT_FULL;
	}
	return AUDIT_END;
}
