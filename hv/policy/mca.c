/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest's machine-check banks, see mca.h.
 *
 * No lock: errors come in timers and in #MC, which may interrupt one another on
 * a core, and vCPU 0 gets them from many cores. A bank's status is its state,
 * changed atomically:
 *
 *   0            empty
 *   FILLED_IN    somebody writes address and MISC; the guest reads 0
 *   VAL | ...    full
 *
 * Whoever makes it FILLED_IN makes it full. The guest alone empties it, and
 * only a full one. OVER is added to both, and stays until it is emptied.
 */
#include "hv/policy/mca.h"

#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/nospec.h"
#include "arch/x86/cpu/percpu.h"
#include "hv/policy/msr_table.h"
#include "include/hw/msr.h"
#include "lib/errno.h"

#define FILLED_IN BIT(0) /* without VAL */

/* What says how MCi_STATUS is to be read (SDM 3B 16.3.1.1); Intel's */
#define CAP_OFFERED (MCG_CAP_TES_P | MCG_CAP_SER_P)

struct mca_bank {
	u64 ctl;
	u64 status, addr, misc; /* atomic */
};

/* MCG_CAP of a guest that has banks; the same for all its vCPUs, as all cores
 * are up when it is made */
static u64 cap_offered(void)
{
	u64 cap = mce_common_cap();
	u64 count = MIN(cap & MCG_CAP_COUNT_MASK, (u64)MC_BANKS_MAX);

	if (cpu_features.vendor != VENDOR_INTEL)
		return count;
	return count | (cap & CAP_OFFERED);
}

static u32 bank_count(void)
{
	return (u32)(cap_offered() & MCG_CAP_COUNT_MASK);
}

int mca_create(struct vcpu *v)
{
	u32 count = bank_count();

	if (!v->vm->privileged || !count)
		return 0;
	v->mca = kmem_alloc(&v->vm->budget, count * sizeof(*v->mca));
	return v->mca ? 0 : -ENOMEM;
}

void mca_destroy(struct vcpu *v)
{
	if (v->mca)
		kmem_free(&v->vm->budget, v->mca,
			  bank_count() * sizeof(*v->mca));
	v->mca = NULL;
}

/* --- what is put there --- */

/*
 * The status as a core that has what @cap says would have logged it: false, if
 * that core had sent a #MC. Where errors can be recovered from, one that the
 * hypervisor has dealt with asks nothing more of the guest (SDM 3B 16.6.3,
 * UCNA).
 */
static bool as_offered(u64 cap, u64 *status)
{
	if (cpu_features.vendor == VENDOR_AMD) {
		/* MISC has the host's counters, SYND is SMCA's */
		*status &= ~MC_STATUS_MISCV;
		if (cpu_features.smca)
			*status &= ~MC_STATUS_SYNDV;
	}
	if (!(*status & MC_STATUS_UC))
		return true;
	*status &= ~(MC_STATUS_S | MC_STATUS_AR);
	return (cap & MCG_CAP_SER_P) && !(*status & MC_STATUS_PCC);
}

static u32 rank(u64 cap, u64 status)
{
	if (status & MC_STATUS_UC)
		return 2;
	if (cpu_features.vendor == VENDOR_AMD)
		return status & MC_STATUS_DEFERRED ? 1 : 0;
	return (cap & MCG_CAP_TES_P) &&
	       MC_STATUS_COLOR(status) == MC_STATUS_YELLOW;
}

/* SDM 3B 16.3.2.2.1 *Overwrite Rules for Machine Check Overflow* */
static bool overwrites(u64 cap, u64 status, u64 old)
{
	return !(old & MC_STATUS_UC) && rank(cap, status) >= rank(cap, old);
}

/* To be filled in by the caller, for an error of @status; false: it keeps what
 * it has, and says that there was more */
static bool bank_begin(struct mca_bank *b, u64 cap, u64 status)
{
	u64 old = __atomic_load_n(&b->status, __ATOMIC_RELAXED), next;
	bool mine;

	do {
		mine = !old ||
		       ((old & MC_STATUS_VAL) && overwrites(cap, status, old));
		next = mine ? FILLED_IN | (old ? MC_STATUS_OVER : 0)
			    : old | MC_STATUS_OVER;
	} while (!__atomic_compare_exchange_n(&b->status, &old, next, true,
					      __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return mine;
}

static void bank_end(struct mca_bank *b, u64 status)
{
	u64 old = __atomic_load_n(&b->status, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(
		&b->status, &old, status | (old & MC_STATUS_OVER), true,
		__ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static void bank_put(struct mca_bank *b, u64 cap, const struct mce_error *e)
{
	u64 status = e->status;

	if (!as_offered(cap, &status) || !bank_begin(b, cap, status))
		return;
	__atomic_store_n(&b->addr, status & MC_STATUS_ADDRV ? e->addr : 0,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&b->misc, status & MC_STATUS_MISCV ? e->misc : 0,
			 __ATOMIC_RELAXED);
	bank_end(b, status);
}

static struct vcpu *nearest(const struct vm *vm)
{
	for (u32 i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpus[i]->entity.cpu == this_cpu())
			return vm->vcpus[i];
	return vm->vcpus[0];
}

void mca_put(const struct mce_error *e)
{
	struct vm *vm = READ_ONCE(vm_privileged);
	struct mca_bank *banks = vm ? nearest(vm)->mca : NULL;

	if (banks && e->bank < bank_count())
		bank_put(&banks[e->bank], cap_offered(), e);
}

/* --- what the guest does --- */

int msr_read_mcg_cap(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		     u64 *value)
{
	*value = v->mca ? cap_offered() : 0;
	return 0;
}

/* In the order of the MSRs of a bank */
enum bank_reg { BANK_CTL, BANK_STATUS, BANK_ADDR, BANK_MISC };

static enum bank_reg reg_of(u32 msr)
{
	return (enum bank_reg)((msr - MSR_MC0_CTL) % MC_BANK_STRIDE);
}

/* NULL: it has none of that number */
static struct mca_bank *bank_of(struct vcpu *v, u32 msr)
{
	u32 bank = (msr - MSR_MC0_CTL) / MC_BANK_STRIDE, count = bank_count();

	if (!v->mca || bank >= count)
		return NULL;
	return &v->mca[index_nospec(bank, count)];
}

static u64 status_read(const struct mca_bank *b)
{
	u64 status = __atomic_load_n(&b->status, __ATOMIC_ACQUIRE);

	return status & MC_STATUS_VAL ? status : 0;
}

static void status_clear(struct mca_bank *b)
{
	u64 old = __atomic_load_n(&b->status, __ATOMIC_RELAXED);

	while ((old & MC_STATUS_VAL) &&
	       !__atomic_compare_exchange_n(&b->status, &old, 0, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

int msr_read_mca_bank(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		      u64 *value)
{
	const struct mca_bank *b = bank_of(v, msr);

	if (!b)
		return -EINVAL;
	switch (reg_of(msr)) {
	case BANK_CTL:
		*value = b->ctl;
		break;
	case BANK_STATUS:
		*value = status_read(b);
		break;
	case BANK_ADDR:
		*value = __atomic_load_n(&b->addr, __ATOMIC_RELAXED);
		break;
	case BANK_MISC:
		*value = __atomic_load_n(&b->misc, __ATOMIC_RELAXED);
		break;
	}
	return 0;
}

/* CTL only says what sends a #MC. The others are there to be cleared, which is
 * all that Intel's take (SDM 3B 16.3.2.2 to 16.3.2.4); AMD's ADDR takes any
 * value, and its MISC has no counter that could be set (APM 2 9.3.2). */
static bool takes(enum bank_reg reg, u64 value)
{
	if (!value || reg == BANK_CTL)
		return true;
	return reg != BANK_STATUS && cpu_features.vendor == VENDOR_AMD;
}

int msr_write_mca_bank(struct vcpu *v, const struct msr_rule *rule, u32 msr,
		       u64 value)
{
	struct mca_bank *b = bank_of(v, msr);

	if (!b || !takes(reg_of(msr), value))
		return -EINVAL;
	switch (reg_of(msr)) {
	case BANK_CTL:
		b->ctl = value;
		break;
	case BANK_STATUS:
		status_clear(b);
		break;
	case BANK_ADDR:
		__atomic_store_n(&b->addr, value, __ATOMIC_RELAXED);
		break;
	case BANK_MISC:
		__atomic_store_n(&b->misc, 0, __ATOMIC_RELAXED);
		break;
	}
	return 0;
}
