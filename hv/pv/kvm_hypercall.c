/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's hypercalls, a table by number. Called by hv/run/hypercall.c on the
 * caller's home core. Arguments are checked before anything is done; what a
 * call cannot do at once goes on before the guest does (hv/irq/vlapic_cast.c).
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/core/regs.h"
#include "hv/irq/vlapic.h"
#include "hv/pv/kvm_pv.h"
#include "include/bulkhead/kvm.h"
#include "include/hw/cpu.h"

#define SET_BITS_32 32u /* in a word of code that is not 64-bit */

struct call {
	u64 arg[4];
	bool wide; /* 64-bit code */
	s64 result;
};

static enum verdict call_poll(struct vcpu *v, struct call *c)
{
	return VERDICT_ADVANCE;
}

static struct vcpu *vcpu_by_id(const struct vm *vm, u64 apic_id)
{
	if (apic_id >= vm->vcpu_count)
		return NULL;
	return vm->vcpus[index_nospec(apic_id, vm->vcpu_count)];
}

static enum verdict call_kick(struct vcpu *v, struct call *c)
{
	struct vcpu *target = vcpu_by_id(v->vm, c->arg[1]);

	if (target)
		vcpu_post(target, VE_KICK);
	return VERDICT_ADVANCE;
}

static enum verdict call_send_ipi(struct vcpu *v, struct call *c)
{
	u64 set[2] = { c->arg[0], c->arg[1] };
	u32 icr = (u32)c->arg[3];
	u64 first = c->arg[2];

	if (!vlapic_icr_is_plain(icr)) {
		c->result = -BH_KVM_EINVAL;
		return VERDICT_ADVANCE;
	}
	/* Ids past the last are nobody's; this keeps the sums below in range */
	if (first >= VM_MAX_VCPUS)
		return VERDICT_ADVANCE;
	if (!c->wide) {
		set[0] |= set[1] << SET_BITS_32;
		set[1] = 0;
	}
	c->result = vlapic_send_set(v, set, (u32)first, icr);
	return VERDICT_ADVANCE;
}

/* A vCPU of another core waits for that core: giving this one up is no help */
static enum verdict call_yield(struct vcpu *v, struct call *c)
{
	struct vcpu *target = vcpu_by_id(v->vm, c->arg[0]);

	if (!target || target == v || target->entity.cpu != v->entity.cpu)
		return VERDICT_ADVANCE;
	sched_yield_to(&target->entity);
	return VERDICT_YIELD;
}

static enum verdict (*const rows[])(struct vcpu *v, struct call *c) = {
	[BH_KVM_VAPIC_POLL_IRQ] = call_poll,
	[BH_KVM_KICK_CPU] = call_kick,
	[BH_KVM_SEND_IPI] = call_send_ipi,
	[BH_KVM_SCHED_YIELD] = call_yield,
};

/* Number and arguments, halved for code that is not 64-bit */
static u64 call_fetch(const struct vcpu_regs *r, struct call *c)
{
	u64 mask = c->wide ? ~0ull : BITS(31, 0);

	c->arg[0] = r->gpr[GPR_RBX] & mask;
	c->arg[1] = r->gpr[GPR_RCX] & mask;
	c->arg[2] = r->gpr[GPR_RDX] & mask;
	c->arg[3] = r->gpr[GPR_RSI] & mask;
	return r->gpr[GPR_RAX] & mask;
}

enum verdict kvm_hypercall(struct vcpu *v)
{
	struct vcpu_regs *r = vcpu_regs(v);
	enum verdict verdict = VERDICT_ADVANCE;
	struct call c = { 0 };
	u64 number;

	vcpu_need(v, RG_RIP | RG_CR | RG_SEG);
	c.wide = vcpu_hw_long_mode(r);
	number = call_fetch(r, &c);
	if (vcpu_cpl(r) != CPL_KERNEL)
		c.result = -BH_KVM_EPERM;
	else if (number < ARRAY_SIZE(rows) &&
		 rows[index_nospec(number, ARRAY_SIZE(rows))])
		verdict = rows[index_nospec(number, ARRAY_SIZE(rows))](v, &c);
	else
		c.result = -BH_KVM_ENOSYS;
	r->gpr[GPR_RAX] = c.wide ? (u64)c.result : (u32)c.result;
	return verdict;
}
