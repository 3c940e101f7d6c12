/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steal time, the preempted flag, and the MSRs that switch the paravirtual
 * parts on. The guest's page is written only when its vCPU loses or gets a
 * core: nothing here is on the way of an exit.
 *
 * Other vCPUs of the guest change the preempted byte with atomics while this
 * one is off its core: it is only ever exchanged, never read and written.
 */
#include "hv/pv/kvm_pv.h"

#include "arch/x86/machine/tsc.h"
#include "hv/core/gmem.h"
#include "hv/irq/vlapic.h"
#include "include/bulkhead/kvm.h"
#include "lib/errno.h"
#include "mm/pmm.h"

#define PV_ENABLE      BIT(0)
#define STEAL_RESERVED BITS(5, 1)
#define EOI_RESERVED   BIT(1)

#define PREEMPTED 1u /* it does not run: an IPI would wait */
#define FLUSH_TLB 2u /* set by others: flush before it runs again */

/* struct kvm_steal_time of Linux's virt/kvm/x86/msr.rst */
struct steal_area {
	u64 steal;   /* ns it was ready to run and did not */
	u32 version; /* odd: being written */
	u32 flags;
	u8 preempted;
	u8 pad[47];
};
static_assert(sizeof(struct steal_area) == 64, "steal time layout");

struct kvm_pv {
	u64 steal_msr, eoi_msr; /* as the guest wrote them */
	u64 steal_base;         /* entity.steal_tsc when the guest was reset */
	u64 steal_ns;           /* last one written: it never goes back */
	u32 version;            /* last one written, even */
};

int kvm_pv_create(struct vcpu *v)
{
	v->kvm_pv = kmem_alloc(&v->vm->budget, sizeof(*v->kvm_pv));
	return v->kvm_pv ? 0 : -ENOMEM;
}

void kvm_pv_destroy(struct vcpu *v)
{
	kmem_free(&v->vm->budget, v->kvm_pv, sizeof(*v->kvm_pv));
	v->kvm_pv = NULL;
}

void kvm_pv_reset(struct vcpu *v)
{
	if (!v->kvm_pv)
		return;
	*v->kvm_pv = (struct kvm_pv){ .steal_base = v->entity.steal_tsc };
	v->kicked = false;
}

/* Never across a page: it is aligned to its size */
static struct steal_area *steal_map(struct vcpu *v, u64 msr)
{
	u64 gpa = msr & ~(STEAL_RESERVED | PV_ENABLE);

	return msr & PV_ENABLE ? gmem_map(v->vm, GPA(gpa)) : NULL;
}

static void steal_publish(struct vcpu *v, struct steal_area *area)
{
	struct kvm_pv *pv = v->kvm_pv;
	u64 ns = tsc_to_ns(v->entity.steal_tsc - pv->steal_base);

	/* The TSC's rate may have become greater (tsc_refine_later()) */
	pv->steal_ns = MAX(pv->steal_ns, ns);
	WRITE_ONCE(area->version, pv->version + 1);
	barrier();
	WRITE_ONCE(area->steal, pv->steal_ns);
	WRITE_ONCE(area->flags, 0);
	barrier();
	pv->version += 2;
	WRITE_ONCE(area->version, pv->version);
}

static int steal_write(struct vcpu *v, u64 value)
{
	struct steal_area *area = steal_map(v, value);

	if (value & STEAL_RESERVED || (value & PV_ENABLE && !area))
		return -EINVAL;
	v->kvm_pv->steal_msr = value;
	if (!area)
		return 0;
	__atomic_store_n(&area->preempted, 0, __ATOMIC_SEQ_CST);
	steal_publish(v, area);
	return 0;
}

static int eoi_write(struct vcpu *v, u64 value)
{
	if (value & EOI_RESERVED ||
	    vlapic_pv_eoi_set(v, value & PV_ENABLE, GPA(value & ~PV_ENABLE)))
		return -EINVAL;
	v->kvm_pv->eoi_msr = value;
	return 0;
}

int kvm_pv_write(struct vcpu *v, u32 msr, u64 value)
{
	return msr == BH_KVM_MSR_STEAL_TIME ? steal_write(v, value)
					    : eoi_write(v, value);
}

int kvm_pv_read(struct vcpu *v, u32 msr, u64 *value)
{
	*value = msr == BH_KVM_MSR_STEAL_TIME ? v->kvm_pv->steal_msr
					      : v->kvm_pv->eoi_msr;
	return 0;
}

void kvm_pv_left(struct vcpu *v)
{
	struct steal_area *area = steal_map(v, v->kvm_pv->steal_msr);

	if (area)
		__atomic_store_n(&area->preempted, PREEMPTED, __ATOMIC_SEQ_CST);
}

void kvm_pv_taken(struct vcpu *v)
{
	struct steal_area *area = steal_map(v, v->kvm_pv->steal_msr);
	u8 was;

	if (!area)
		return;
	was = __atomic_exchange_n(&area->preempted, 0, __ATOMIC_SEQ_CST);
	if (was & FLUSH_TLB)
		vcpu_flush(v);
	steal_publish(v, area);
}
