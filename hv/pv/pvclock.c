/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's paravirtual clock. Called by the MSR policy on the vCPU's home core. A
 * vCPU's page is written when the guest names it, when its TSC is moved, and
 * once when the TSC's rate is known better. Else it stays true, where the TSC
 * is invariant and the same on every core: then it says PVCLOCK_TSC_STABLE. A
 * guest that does not read that keeps its clock from running backwards itself.
 *
 * Time is one function of the host's TSC, for all vCPUs of a guest. Where the
 * rate changes it has a bend and no step. Each vCPU turns to the new branch
 * when it takes VE_CLOCK, some microseconds after the bend: until then the two
 * branches are millionths of that apart, less than a cache line takes from one
 * core to another.
 */
#include "hv/pv/pvclock.h"

#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "arch/x86/machine/tsc_sync.h"
#include "drivers/clock/rtc.h"
#include "hv/core/gmem.h"
#include "include/bulkhead/kvm.h"
#include "lib/errno.h"
#include "mm/pmm.h"

#define SYSTEM_TIME_ENABLE BIT(0)
#define PVCLOCK_TSC_STABLE BIT(0)
#define NS_PER_SEC         1000000000ull

/* Layouts of Documentation/virt/kvm/x86/msr.rst */
struct pvclock_time {
	u32 version; /* odd: being written */
	u32 pad0;
	u64 tsc_timestamp;
	u64 system_time; /* ns at tsc_timestamp */
	u32 tsc_to_system_mul;
	s8 tsc_shift;
	u8 flags;
	u8 pad[2];
} __packed;
static_assert(sizeof(struct pvclock_time) == 32, "pvclock layout");

struct pvclock_wall {
	u32 version;
	u32 sec;
	u32 nsec;
} __packed;
static_assert(sizeof(struct pvclock_wall) == 12, "wall clock layout");

struct pvclock {
	u64 system_msr, wall_msr; /* as the guest wrote them */
	u32 version;              /* last one written to the guest, even */
};

int pvclock_create(struct vcpu *v)
{
	v->pvclock = kmem_alloc(&v->vm->budget, sizeof(*v->pvclock));
	return v->pvclock ? 0 : -ENOMEM;
}

void pvclock_destroy(struct vcpu *v)
{
	kmem_free(&v->vm->budget, v->pvclock, sizeof(*v->pvclock));
	v->pvclock = NULL;
}

void pvclock_reset(struct vcpu *v)
{
	if (v->pvclock)
		*v->pvclock = (struct pvclock){ 0 };
}

/* ns = (ticks << shift) * mul >> 32, with mul in the upper half of 32 bits */
static void pvclock_scale(u64 khz, u32 *mul, s8 *shift)
{
	u64 hz = khz * 1000;
	s8 s = 0;

	for (; hz > 2 * NS_PER_SEC; s--)
		hz >>= 1;
	for (; hz <= NS_PER_SEC; s++)
		hz <<= 1;
	*shift = s;
	*mul = (u32)((NS_PER_SEC << 32) / hz);
}

/* As a guest computes it */
static u64 scaled_ns(u64 ticks, u32 mul, s8 shift)
{
	ticks = shift < 0 ? ticks >> -shift : ticks << shift;
	return (u64)((unsigned __int128)ticks * mul >> 32);
}

static void use_rate(struct pvclock_time *t, u64 khz)
{
	u32 mul;
	s8 shift;

	pvclock_scale(khz, &mul, &shift);
	t->tsc_to_system_mul = mul;
	t->tsc_shift = shift;
}

/* One equation for all vCPUs of the VM, so that none is ever behind another:
 * system time is 0 at the VM's start, whenever a page is written. A guest that
 * was there before the rate changed goes on from where it was then. Where its
 * clock has stood the TSC of its vCPUs has, too, and so no page is wrong. */
static void fill_time(const struct vcpu *v, struct pvclock_time *t)
{
	u64 begin = v->vm->tsc_start, stood = v->vm->stood.ticks, before;
	struct tsc_change change;
	bool changed = tsc_rate_changed(&change);

	use_rate(t, change.before_khz);
	if (changed && (s64)(change.since_tsc - begin) > 0) {
		before = v->vm->stood.before_change;
		t->system_time = scaled_ns(change.since_tsc - begin - before,
					   t->tsc_to_system_mul, t->tsc_shift);
		begin = change.since_tsc;
		stood -= before;
	}
	if (changed)
		use_rate(t, change.khz);
	t->tsc_timestamp = vcpu_guest_tsc(v, begin + stood);
}

/* Other vCPUs read the page meanwhile, as Linux's vDSO does: the version is odd
 * before anything else changes. One copy stores in any order, two do not (SDM
 * 3A 8.2.4 *Fast-String Operation and Out-of-Order Stores*). */
static int write_system_time(struct vcpu *v, gpa_t gpa)
{
	struct pvclock_time t = {
		.version = v->pvclock->version + 1,
		.flags = tsc_is_stable() ? PVCLOCK_TSC_STABLE : 0,
	};
	int err = gmem_write(v->vm, gpa, &t.version, sizeof(t.version));

	barrier();
	fill_time(v, &t);
	if (!err)
		err = gmem_write(v->vm, gpa, &t, sizeof(t));
	if (err)
		return err;
	barrier();
	v->pvclock->version = t.version + 1;
	return gmem_write(v->vm, gpa, &v->pvclock->version,
			  sizeof(v->pvclock->version));
}

/* The wall clock at the VM's system time 0. If that has stood, then later, so
 * that who asks anew finds what the wall shows now. */
static int write_wall_clock(struct vcpu *v, gpa_t gpa)
{
	u64 since_boot =
		tsc_to_ns(v->vm->tsc_start + v->vm->stood.ticks - tsc_boot);
	u64 ns = rtc_boot_seconds() * NS_PER_SEC + since_boot;
	struct pvclock_wall w = {
		.version = 1,
		.sec = (u32)(ns / NS_PER_SEC),
		.nsec = (u32)(ns % NS_PER_SEC),
	};
	int err = gmem_write(v->vm, gpa, &w, sizeof(w));

	if (err)
		return err;
	barrier();
	w.version++;
	return gmem_write(v->vm, gpa, &w.version, sizeof(w.version));
}

void pvclock_update(struct vcpu *v)
{
	u64 msr = v->pvclock->system_msr;

	if ((msr & SYSTEM_TIME_ENABLE) &&
	    write_system_time(v, GPA(msr & ~SYSTEM_TIME_ENABLE)))
		v->pvclock->system_msr = 0; /* it was RAM when it was named */
}

/* Posts in one turn, as each may be an IPI, and the time from turn to turn */
#define POSTS   32
#define TURN_NS 50000

/* Of all vCPUs those from here on */
static struct {
	struct timer timer;
	u32 vm, vcpu;
} posting;

/* The next vCPU to post to; NULL: none is left */
static struct vcpu *next_to_post(void)
{
	for (; posting.vm < vm_count; posting.vm++, posting.vcpu = 0) {
		const struct vm *vm = vm_at(posting.vm);

		if (vm && posting.vcpu < vm->vcpu_count)
			return vm->vcpus[posting.vcpu++];
	}
	return NULL;
}

static void post_some(struct timer *t)
{
	for (u32 posts = 0; posts < POSTS; posts++) {
		struct vcpu *v = next_to_post();

		if (!v)
			return;
		vcpu_post(v, VE_CLOCK);
	}
	timer_arm(t, rdtsc() + ns_to_tsc(TURN_NS));
}

void pvclock_rate_changed(void)
{
	posting.timer.fn = post_some;
	posting.vm = posting.vcpu = 0;
	post_some(&posting.timer);
}

static int set_system_time(struct vcpu *v, u64 value)
{
	u64 gpa = value & ~SYSTEM_TIME_ENABLE;

	if (!(value & SYSTEM_TIME_ENABLE)) {
		v->pvclock->system_msr = value;
		return 0;
	}
	if (!IS_ALIGNED(gpa, 4) || write_system_time(v, GPA(gpa)))
		return -EINVAL;
	v->pvclock->system_msr = value;
	return 0;
}

static bool is_system_time(u32 msr)
{
	return msr == BH_KVM_MSR_SYSTEM_TIME ||
	       msr == BH_KVM_MSR_SYSTEM_TIME_OLD;
}

int pvclock_write(struct vcpu *v, u32 msr, u64 value)
{
	if (is_system_time(msr))
		return set_system_time(v, value);
	if (!IS_ALIGNED(value, 4) || write_wall_clock(v, GPA(value)))
		return -EINVAL;
	v->pvclock->wall_msr = value;
	return 0;
}

int pvclock_read(struct vcpu *v, u32 msr, u64 *value)
{
	*value = is_system_time(msr) ? v->pvclock->system_msr
				     : v->pvclock->wall_msr;
	return 0;
}
