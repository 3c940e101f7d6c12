/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BH_CTL_OP_AUDIT: what guests can reach, read from what the hardware goes by:
 * the EPT or NPT that a vCPU runs on, the bitmaps of its ports and MSRs. A step
 * looks at some entries, so lists come in parts, and guests run meanwhile. Each
 * part tells how often what it lists has changed: that is read with the
 * entries, under the lock of who changes them.
 */
#include "hv/control/audit.h"

#include "arch/x86/cpu/nospec.h"
#include "hv/policy/msr.h"
#include "include/hw/paging.h"

/* Each is a walk of four levels, or a call of the back-end */
#define LEAVES_AT_ONCE     128u
#define BITS_AT_ONCE       256u
#define PORT_BYTES_AT_ONCE 64u
#define PORT_COUNT         0x10000u
/* Of the MSRs that bitmaps have: so many from each base on (SDM 3C 25.6.9; APM
 * 2 15.11) */
#define MSR_PART 0x2000u

bool audit_add(const struct audit *a, const struct bh_ctl_reach *r)
{
	struct bh_ctl_reach *out = control_next(a->c, a->call, sizeof(*out));

	if (out)
		*out = *r;
	return out;
}

/* @where says where in the guest each byte is, or is 0 in both */
static bool goes_on(const struct bh_ctl_reach *a, const struct bh_ctl_reach *b)
{
	return a->base + a->size == b->base && a->kind == b->kind &&
	       a->flags == b->flags && a->owner == b->owner &&
	       (a->where + a->size == b->where || (!a->where && !b->where));
}

bool audit_extend(const struct audit *a, const struct bh_ctl_reach *r)
{
	struct bh_ctl_reach *out = (void *)(a->c->out + a->call->bytes);

	if (!a->call->bytes || !goes_on(out - 1, r))
		return audit_add(a, r);
	out[-1].size += r->size;
	return true;
}

/* --- memory --- */

static u32 type_of(u32 attrs)
{
	if (attrs & PT_UC)
		return BH_CTL_TYPE_UC;
	return attrs & PT_WC ? BH_CTL_TYPE_WC : BH_CTL_TYPE_WB;
}

static bool add_leaf(const struct audit *a, hpa_t hpa, u32 attrs, u64 size)
{
	const struct bh_ctl_reach r = {
		.base = hpa.v,
		.size = size,
		.where = a->at,
		.kind = type_of(attrs),
		.flags = (attrs & PT_R ? BH_CTL_REACH_R : 0) |
			 (attrs & PT_W ? BH_CTL_REACH_W : 0) |
			 (attrs & PT_X ? BH_CTL_REACH_X : 0),
	};

	return audit_extend(a, &r);
}

static enum audit_step walk(struct audit *a, const struct page_table *pt)
{
	for (u32 i = 0; i < LEAVES_AT_ONCE; i++) {
		u64 left, hole;
		hpa_t hpa;
		u32 attrs;

		if (a->at >= PT_ADDR_MAX)
			return AUDIT_END;
		if (!pt_query(pt, a->at, &hpa, &attrs, &left)) {
			if (!add_leaf(a, hpa, attrs, left))
				return AUDIT_FULL;
			a->at += left;
			continue;
		}
		hole = pt_hole(pt, a->at);
		a->at = ALIGN_DOWN(a->at, hole) + hole;
	}
	return AUDIT_MORE;
}

/* From the root that its vCPUs run on */
static enum audit_step memory(struct audit *a)
{
	struct vm *vm = a->vm;
	struct page_table pt;
	enum audit_step step;

	a->at = ALIGN_DOWN(a->at, PAGE_SIZE);
	spin_lock(&vm->npt_lock);
	pt = vm->npt;
	pt.root = hpa_to_virt(vm->vcpus[0]->hw.npt_root);
	a->changes = pt.changes;
	step = walk(a, &pt);
	spin_unlock(&vm->npt_lock);
	return step;
}

/* --- ports and MSRs --- */

/* May it pass? Only the privileged guest has ports, and of those none where a
 * device of ours is: its own virtual ones, and what is hidden from it. */
static u32 port_policy(const struct vm *vm, u64 port)
{
	const struct bus *bus = &vm->ports;

	if (!vm->privileged ||
	    (bus_may_claim(bus, port) && bus_find(bus, port)))
		return 0;
	return BH_CTL_REACH_POLICY;
}

/* Of a byte of the map, from a->at on, the ports that pass */
static bool add_ports(struct audit *a)
{
	u16 first = (u16)ALIGN_DOWN(a->at, 8);
	u32 pass = vcpu_ops->ports_pass(&a->vm->intercepts, first);

	for (; a->at < first + 8u; a->at++) {
		const struct bh_ctl_reach r = {
			.base = a->at,
			.size = 1,
			.flags = port_policy(a->vm, a->at),
		};

		if ((pass >> (a->at - first) & 1) && !audit_extend(a, &r))
			return false;
	}
	return true;
}

static enum audit_step ports(struct audit *a)
{
	a->changes = READ_ONCE(a->vm->intercept_changes);
	for (u32 i = 0; i < PORT_BYTES_AT_ONCE; i++) {
		if (a->at >= PORT_COUNT)
			return AUDIT_END;
		if (!add_ports(a))
			return AUDIT_FULL;
	}
	return AUDIT_MORE;
}

static bool add_msr(const struct audit *a, u32 msr)
{
	u32 passes = vcpu_ops->msr_passes(&a->vm->intercepts, msr);
	u32 agreed = passes ? msr_policy_passes(a->vm, msr) : 0;
	const struct bh_ctl_reach r = {
		.base = msr,
		.size = 1,
		.flags = (passes & ACCESS_R ? BH_CTL_REACH_R : 0) |
			 (passes & ACCESS_W ? BH_CTL_REACH_W : 0) |
			 (passes & ~agreed ? 0 : BH_CTL_REACH_POLICY),
	};

	return !passes || audit_extend(a, &r);
}

static enum audit_step msrs(struct audit *a)
{
	static const u32 bases[] = { 0, 0xc0000000, 0xc0010000 };

	a->changes = READ_ONCE(a->vm->intercept_changes);
	for (u32 i = 0; i < BITS_AT_ONCE; i++, a->at++) {
		u64 part = a->at / MSR_PART;

		if (part >= ARRAY_SIZE(bases))
			return AUDIT_END;
		part = index_nospec(part, ARRAY_SIZE(bases));
		if (!add_msr(a, bases[part] + (u32)(a->at % MSR_PART)))
			return AUDIT_FULL;
	}
	return AUDIT_MORE;
}

/* --- the command --- */

u64 audit_owner(u16 index)
{
	const struct vm *vm =
		index < VM_MAX ? vm_at((u32)index_nospec(index, VM_MAX)) : NULL;

	return vm ? vm_number(vm) : 0;
}

static const struct {
	bool of_guest;
	enum audit_step (*step)(struct audit *a);
} lists[BH_CTL_AUDITS] = {
	[BH_CTL_AUDIT_MEMORY] = { true, memory },
	[BH_CTL_AUDIT_PORTS] = { true, ports },
	[BH_CTL_AUDIT_MSRS] = { true, msrs },
	[BH_CTL_AUDIT_OWNERS] = { false, audit_owners },
	[BH_CTL_AUDIT_POOL] = { false, audit_pool },
	[BH_CTL_AUDIT_INTERRUPTS] = { false, audit_interrupts },
	[BH_CTL_AUDIT_FUNCTIONS] = { false, audit_functions },
	[BH_CTL_AUDIT_SUMS] = { false, audit_sums },
};

/* call.at is one more than where it goes on; call.vcpu: a step was done */
s32 control_audit(struct control *c, struct control_call *call)
{
	struct audit a = { .c = c, .call = call };
	u64 list = call->command.arg[0];
	enum audit_step step;

	if (list >= BH_CTL_AUDITS)
		return control_error(c, call, BH_CTL_EINVAL,
				     "there is no such list to audit");
	list = index_nospec(list, BH_CTL_AUDITS);
	if (lists[list].of_guest)
		a.vm = vm_numbered(call->command.arg[1]);
	if (lists[list].of_guest && !a.vm)
		return control_error(c, call, BH_CTL_ENOENT,
				     "there is no such guest (any more)");
	a.at = call->at ? call->at - 1 : call->command.arg[2];
	step = lists[list].step(&a);
	if (!call->vcpu)
		call->result[1] = a.changes;
	call->vcpu = 1;
	call->at = a.at + 1;
	call->result[0] = step == AUDIT_END ? 0 : a.at;
	if (step == AUDIT_MORE &&
	    call->out_bytes >= sizeof(struct bh_ctl_reach))
		return CONTROL_GOES_ON;
	return 0;
}
