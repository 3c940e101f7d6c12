/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical MSIs as they become vLAPIC bits; see route.h, and route.c for pins.
 * The guest's message is one 64-bit word: an arrival on another core sees the
 * old or the new message, never a mix. With a mix, a guest that moves an
 * interrupt would lose it. Rows are static and never freed, so that an
 * interrupt in flight finds a valid row.
 *
 * An arrival takes no lock. msi_lock protects taking and giving back rows, and
 * the storm hook; it comes after passthrough.lock.
 */
#include "include/hw/msi.h"
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/vcpu.h"
#include "hv/irq/route.h"
#include "hv/irq/storm.h"
#include "hv/irq/vlapic.h"
#include "include/hw/lapic.h"
#include "lib/errno.h"
#include "lib/log.h"

#define MAX_MSIS (VEC_DEVICE_LAST - VEC_DEVICE_FIRST + 1)

/* A fast disk or NIC may send a few hundred thousand a second */
#define MSI_STORM_MAX 50000u

/* The guest's message in one word */
#define ROUTE_VECTOR     0xffull
#define ROUTE_MODE_SHIFT 8
#define ROUTE_LOGICAL    BIT(11)
#define ROUTE_DIRECT     BIT(12) /* one vCPU, by number in 63:32 */
#define ROUTE_VALID      BIT(13)
#define ROUTE_DEST_SHIFT 32

struct irq_msi {
	u64 route;     /* atomic */
	struct vm *vm; /* NULL: the row is free */
	int vector;    /* the host's, kept once taken; 0: none yet */
	struct storm storm;
	void (*on_storm)(void *dev);
	void *storm_dev;
};

static struct irq_msi msis[MAX_MSIS];
static struct spinlock msi_lock;

/* The hook and its device are read together, as the row may be changing owners.
 * No lock is held, as the hook takes the device's. */
static void storm_tell(struct irq_msi *m)
{
	void (*on_storm)(void *dev);
	void *dev;

	spin_lock(&msi_lock);
	on_storm = m->on_storm;
	dev = m->storm_dev;
	spin_unlock(&msi_lock);
	if (on_storm)
		on_storm(dev);
}

/* False: it is nobody's any more */
static inline bool msi_deliver(struct irq_msi *m)
{
	u64 route = READ_ONCE(m->route);
	struct vm *vm = READ_ONCE(m->vm);
	u32 dest = (u32)(route >> ROUTE_DEST_SHIFT);

	if (unlikely(!(route & ROUTE_VALID) || !vm))
		return false;
	if (likely(route & ROUTE_DIRECT))
		vlapic_post(vm->vcpus[dest], (u8)route, TRIGGER_EDGE);
	else
		vlapic_deliver(vm, dest, route & ROUTE_LOGICAL,
			       (route >> ROUTE_MODE_SHIFT) & 7, (u8)route,
			       TRIGGER_EDGE);
	return true;
}

/* The source may have lost a message meanwhile: its driver looks once more */
static void msi_calm(struct storm *s)
{
	struct irq_msi *m = container_of(s, struct irq_msi, storm);

	storm_calm(s);
	storm_tell(m);
	msi_deliver(m);
}

static void msi_storm(struct irq_msi *m)
{
	storm_report(&m->storm, m->vm, "message", (u32)(m - msis));
	storm_tell(m);
}

static void msi_arrived(void *arg)
{
	struct irq_msi *m = arg;

	if (msi_deliver(m) && unlikely(storm_count(&m->storm, MSI_STORM_MAX)))
		msi_storm(m);
}

/* The guest's message as a word; *@target: the vCPU to aim the hardware at, the
 * first of those it names, or else vCPU 0 */
static u64 route_word(struct vm *vm, u64 addr, u32 data, struct vcpu **target)
{
	u32 dest = (u32)(addr >> MSI_ADDR_DEST_SHIFT) & MSI_ADDR_DEST_MAX;
	u32 mode = APIC_DM_GET(data);
	bool logical = addr & MSI_ADDR_LOGICAL;
	u64 word = ROUTE_VALID | (data & MSI_DATA_VECTOR);

	if (vlapic_match(vm, dest, logical, target) == 1 &&
	    mode <= APIC_DM_LOWEST)
		return word | ROUTE_DIRECT |
		       (u64)(*target)->id << ROUTE_DEST_SHIFT;
	if (!*target)
		*target = vm->vcpus[0];
	return word | (u64)dest << ROUTE_DEST_SHIFT | mode << ROUTE_MODE_SHIFT |
	       (logical ? ROUTE_LOGICAL : 0);
}

static struct irq_msi *msi_take_free(struct vm *vm)
{
	u32 i;

	for (i = 0; i < MAX_MSIS; i++) {
		struct irq_msi *m = &msis[i];

		if (m->vm)
			continue;
		if (!m->vector) {
			int vector = irq_alloc(msi_arrived, m);

			if (vector < 0)
				return NULL;
			m->vector = vector;
		}
		m->vm = vm;
		m->storm.calm = msi_calm;
		return m;
	}
	return NULL;
}

static struct irq_msi *msi_take(struct vm *vm)
{
	struct irq_msi *m;

	spin_lock(&msi_lock);
	m = msi_take_free(vm);
	spin_unlock(&msi_lock);
	if (!m && ratelimit_pass(&vm->log_limit, rdtsc(), tsc_khz * 1000, 4))
		log_warn("irq", "no vector left for another MSI of %s",
			 vm->name);
	return m;
}

int irq_route_msi(struct vm *vm, u64 guest_addr, u32 guest_data,
		  struct irq_msi **msi, u64 *host_addr, u32 *host_data)
{
	struct vcpu *target;
	u64 route;

	if ((guest_addr & MSI_ADDR_MASK) != MSI_ADDR_BASE ||
	    (guest_data & MSI_DATA_VECTOR) < APIC_FIRST_VECTOR)
		return -EINVAL;
	route = route_word(vm, guest_addr, guest_data, &target);
	/* A message has room for 8 bits of APIC id */
	if (target->entity.cpu->apic_id > MSI_ADDR_DEST_MAX)
		return -ENOTSUP;
	if (!*msi)
		*msi = msi_take(vm);
	if (!*msi)
		return -ENOSPC;
	WRITE_ONCE((*msi)->route, route);
	*host_addr = MSI_ADDR_BASE | (u64)target->entity.cpu->apic_id
					     << MSI_ADDR_DEST_SHIFT;
	*host_data = (u32)(*msi)->vector;
	return 0;
}

void irq_msi_on_storm(struct irq_msi *msi, void (*on_storm)(void *dev),
		      void *dev)
{
	spin_lock(&msi_lock);
	msi->storm_dev = dev;
	msi->on_storm = on_storm;
	spin_unlock(&msi_lock);
}

bool irq_msi_throttled(const struct irq_msi *msi)
{
	return storm_throttled(&msi->storm);
}

void irq_unroute_msi(struct irq_msi *msi)
{
	WRITE_ONCE(msi->route, 0);
	spin_lock(&msi_lock);
	msi->on_storm = NULL;
	msi->vm = NULL;
	spin_unlock(&msi_lock);
}
